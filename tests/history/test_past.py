"""History as an attribute, through the guard, on both databases."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import insert

from remit.audit.events import CallCompleted, Decided
from remit.audit.port import AuditUnavailableError
from remit.db import Database
from remit.guard import CallResult, Deny, GuardSettings, Permit, RefusalReason
from remit.guard.account import PastUnavailableError
from remit.guard.reconsider import Scenario, UnansweredError, reconsider
from remit.guard.refusal import Refusal
from remit.guard.verdict import Allowance
from remit.history import DatabasePast
from remit.ids import GrantId
from remit.model import HistoryFact, HistoryMeasure, HistoryOf
from remit.oauth.grant_store import grants
from remit.policy.history import history_of
from remit.testing.catalog import GLOBEX, PAYMENTS
from tests.guard.conftest import URL

from .conftest import AT_MOST, DAY, HOUR, NOTHING_LEAVES, PERMIT, THREE_AN_HOUR, acting


async def test_what_a_day_may_cost_is_counted_over_calls_and_with_the_call_itself(world):
    world.use_policies(AT_MOST)
    assert isinstance(await world.refunds("3000.00"), Permit)
    assert world.last.history == {"refunded": "3000.0000"}
    assert isinstance(await world.refunds("2000.00"), Permit)
    assert world.last.history == {"refunded": "5000.0000"}
    refused = await world.refunds("0.0001")
    assert isinstance(refused, Deny)
    assert (refused.reason, refused.detail) == (RefusalReason.FORBIDDEN, "at most 5,000 USD a day")
    assert world.last.history == {"refunded": "5000.0001"}
    assert [one.outcome for one in world.audit.of(Decided)] == ["allow", "allow", "deny"]


async def test_what_was_refused_does_not_count(world):
    world.use_policies(AT_MOST)
    for _ in range(3):
        assert isinstance(await world.refunds("5000.01"), Deny)
    assert isinstance(await world.refunds("5000"), Permit)


async def test_no_new_session_token_client_or_grant_begins_anew(world):
    world.use_policies(AT_MOST)
    for number in range(5):
        answer = await world.refunds("1000", token=world.another_session(number))
        assert isinstance(answer, Permit)
    assert isinstance(await world.refunds("1", token=world.another_session(9)), Deny)


async def test_a_restart_forgets_nothing(world):
    world.use_policies(AT_MOST)
    assert isinstance(await world.refunds("4000"), Permit)
    world.restart()
    assert isinstance(await world.refunds("1000.01"), Deny)


async def test_the_past_of_another_person_or_agent_is_another(world):
    world.use_policies(AT_MOST)
    assert isinstance(await world.refunds("5000"), Permit)
    assert isinstance(await world.refunds("5000", token={"sub": "usr_2"}), Permit)
    assert isinstance(await world.refunds("5000", token={"agent_id": "job"}), Permit)
    assert isinstance(await world.refunds("1"), Deny)


async def test_after_reading_a_kind_of_data_nothing_is_exported(world):
    world.use_policies(NOTHING_LEAVES)
    assert isinstance(await world.uses("export_accounts"), Permit)
    assert world.last.history == {"contact_seen": False}
    assert isinstance(await world.uses("update_account"), Permit)
    assert world.last.history == {}
    refused = await world.uses("export_accounts", token=world.another_session(2))
    assert isinstance(refused, Deny)
    assert refused.detail == "contact data was read"
    assert world.last.history == {"contact_seen": True}


async def test_no_more_than_three_an_hour(world):
    world.use_policies(THREE_AN_HOUR)
    for _ in range(3):
        assert isinstance(await world.uses("update_account"), Permit)
    assert isinstance(await world.uses("update_account"), Deny)
    assert world.last.history == {"writes": 4}
    world.clock.advance(HOUR)
    world.stand()
    assert isinstance(await world.uses("update_account"), Permit)


async def test_a_use_counts_until_its_window_is_over_to_the_second(world):
    world.use_policies(AT_MOST)
    assert isinstance(await world.refunds("5000"), Permit)
    world.clock.advance(DAY - 1)
    world.stand()
    assert isinstance(await world.refunds("1"), Deny)
    world.clock.advance(1)
    world.stand()
    assert isinstance(await world.refunds("5000"), Permit)


async def test_a_clock_that_is_set_back_opens_nothing(world):
    world.use_policies(AT_MOST)
    assert isinstance(await world.refunds("5000"), Permit)
    world.clock.set(world.clock.now() - 30 * DAY)
    world.stand()
    assert isinstance(await world.refunds("1", token={"iat": 0}), Deny)


async def test_a_sub_agent_is_no_way_around_a_limit(world):
    world.use_policies(AT_MOST)
    assert isinstance(await world.refunds("3000"), Permit)
    through = acting("job", "assistant")
    assert isinstance(await world.refunds("3000", token=through), Deny)
    assert world.last.history == {"refunded": "6000.0000"}
    assert isinstance(await world.refunds("2000", token=through), Permit)
    # What was done through the other agent counts for both of them.
    assert isinstance(await world.refunds("1"), Deny)
    assert isinstance(await world.refunds("3000", token={"agent_id": "job"}), Permit)
    assert world.last.history == {"refunded": "5000.0000"}


async def test_what_a_sub_agent_read_keeps_the_agent_that_sent_it_from_exporting(world):
    world.use_policies(NOTHING_LEAVES)
    assert isinstance(await world.uses("update_account", token=acting("job", "assistant")), Permit)
    assert isinstance(await world.uses("export_accounts"), Deny)


async def test_a_workload_has_a_past_of_its_own(world):
    world.use_policies(AT_MOST)
    alone = {"sub": "job", "agent_id": "job", "roles": ()}
    assert isinstance(await world.refunds("5000", token=alone), Permit)
    assert isinstance(await world.refunds("1", token=alone), Deny)
    assert isinstance(await world.refunds("5000", token={"agent_id": "job"}), Permit)


async def test_another_organisation_is_not_affected_and_learns_nothing(world):
    world.use_policies(THREE_AN_HOUR)
    for _ in range(3):
        assert isinstance(await world.uses("update_account"), Permit)
    assert isinstance(await world.uses("update_account", token={"organization_id": GLOBEX}), Permit)
    assert world.last.history == {"writes": 1}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"amount": {"value": "10", "currency": "EUR"}}, "`USD`"),
        ({"amount": {"value": "-10", "currency": "USD"}}, "less than nought"),
        ({"amount": {"value": "0.00001", "currency": "USD"}}, "4 decimals"),
        ({}, "missing"),
    ],
    ids=["another currency", "less than nought", "too exact", "none"],
)
async def test_what_cannot_be_added_up_is_refused_and_not_counted(world, arguments, named):
    world.use_policies(AT_MOST)
    answer = await world.guard.decide(world.call("refund", arguments, server="payments"))
    assert isinstance(answer, Deny)
    assert answer.reason is RefusalReason.INVALID_ARGUMENTS
    assert named in answer.detail
    assert world.stored() == 0


async def test_who_reads_nothing_and_counts_in_nothing_pays_nothing(world, monkeypatch):
    world.declare(
        *(one for one in world.directory.catalog.history.values() if one.name == "refunded")
    )
    world.use_policies(PERMIT)

    def no_database(*_):
        pytest.fail("the database was asked")

    monkeypatch.setattr(Database, "run", no_database)
    assert isinstance(await world.uses("get_account"), Permit)


async def test_what_counts_is_recorded_although_no_policy_about_it_asks(world):
    world.use_policies(NOTHING_LEAVES)
    assert isinstance(await world.uses("update_account"), Permit)
    assert world.stored() > 0


async def test_a_task_counts_when_it_begins_and_not_when_it_is_asked_about(world):
    world.use_policies(AT_MOST)
    first = await world.refunds("3000")
    assert isinstance(first, Permit)
    for _ in range(3):
        again = await world.refunds("3000", task_of=first.decision_id, method="tasks/get")
        assert isinstance(again, Permit)
        assert world.last.history == {"refunded": "3000.0000"}


@pytest.mark.parametrize("outcome", ["ok", "tool_error", "error", "cancelled", "upstream_failed"])
async def test_what_was_allowed_counts_whatever_became_of_it(world, outcome):
    world.use_policies(AT_MOST)
    call = world.refund("5000", "USD")
    permit = await world.guard.decide(call)
    await world.guard.complete(permit, call, result=CallResult(outcome=outcome))
    assert isinstance(await world.refunds("1"), Deny)


async def test_a_call_that_went_nowhere_for_want_of_an_account_does_not_count(world):
    world.use_policies(AT_MOST)
    call = world.refund("5000", "USD")
    permit = await world.guard.decide(call)
    await world.guard.complete(permit, call, result=CallResult(outcome="connection_needed"))
    assert isinstance(await world.refunds("5000"), Permit)


async def asked_back(world, call):
    """The call, as it comes again when its server has asked something first."""
    permit = await world.guard.decide(call)
    assert isinstance(permit, Permit)
    await world.guard.complete(permit, call, result=CallResult(outcome="ok"))
    return replace(call, earlier=permit.account.counted)


async def test_a_call_whose_server_asks_back_counts_once_and_what_it_saw_it_saw(world):
    world.use_policies(AT_MOST)
    call = world.refund("3000", "USD")
    for _ in range(3):
        call = await asked_back(world, call)
        assert world.last.history == {"refunded": "3000.0000"}
    assert isinstance(await world.refunds("2000.01"), Deny)
    assert isinstance(await world.refunds("2000"), Permit)
    world.use_policies(NOTHING_LEAVES)
    await asked_back(world, await asked_back(world, world.call("update_account")))
    assert isinstance(await world.uses("export_accounts"), Deny)


async def test_who_is_asked_back_and_never_comes_again_may_have_had_the_effect(world):
    world.use_policies(AT_MOST)
    await asked_back(world, world.refund("3000", "USD"))
    assert isinstance(await world.refunds("3000"), Deny)


async def test_a_call_that_comes_again_and_is_refused_counts_as_it_came_before(world):
    world.use_policies(AT_MOST)
    again = await asked_back(world, world.refund("3000", "USD"))
    world.use_policies('@id("never") forbid (principal, action, resource);')
    assert isinstance(await world.guard.decide(again), Deny)
    world.use_policies(AT_MOST)
    assert isinstance(await world.refunds("2000.01"), Deny)


async def test_a_call_that_comes_again_twice_is_two(world):
    world.use_policies(AT_MOST)
    again = await asked_back(world, world.refund("3000", "USD"))
    both = await asyncio.gather(world.guard.decide(again), world.guard.decide(again))
    assert sorted(type(one).__name__ for one in both) == ["Deny", "Permit"]
    (permit,) = [one for one in both if isinstance(one, Permit)]
    await world.guard.complete(permit, again, result=CallResult(outcome="ok"))
    assert isinstance(await world.guard.decide(again), Deny)


async def test_a_call_that_comes_again_and_goes_nowhere_counts_as_it_came_before(world):
    world.use_policies(AT_MOST)
    again = await asked_back(world, world.refund("3000", "USD"))
    permit = await world.guard.decide(again)
    await world.guard.complete(permit, again, result=CallResult(outcome="connection_needed"))
    assert isinstance(await world.refunds("2000.01"), Deny)


async def test_what_could_not_be_recorded_does_not_count(world):
    world.use_policies(AT_MOST)
    world.audit.failing = True
    refused = await world.refunds("5000")
    assert refused.reason is RefusalReason.AUDIT_UNAVAILABLE
    world.audit.failing = False
    assert isinstance(await world.refunds("5000"), Permit)


async def test_without_the_database_what_depends_on_it_is_refused_and_recorded(world):
    world.declare(world.directory.catalog.history["refunded"])
    world.use_policies(AT_MOST)
    world.database.close()
    refused = await world.refunds("1")
    assert isinstance(refused, Deny)
    assert refused.reason is RefusalReason.ENGINE_ERROR
    assert world.last.outcome == "deny"
    assert world.last.engine == "history"
    assert world.last.name == "refund"
    assert world.last.engine_errors == ("the database was closed",)
    assert isinstance(await world.uses("get_account"), Permit)


async def test_a_guard_that_remembers_nothing_refuses_what_would_have_to_be_remembered(world):
    world.use_policies(AT_MOST)
    world.guard = world.new_guard()
    refused = await world.refunds("1")
    assert refused.reason is RefusalReason.ENGINE_ERROR


async def test_two_at_once_never_both_pass(world):
    world.use_policies(AT_MOST)
    answers = await asyncio.gather(*(world.refunds("3000") for _ in range(8)))
    assert sum(isinstance(one, Permit) for one in answers) <= 1
    assert isinstance(await world.refunds("2000"), Permit)


async def test_whoever_gives_up_waiting_leaves_nothing_that_counts(world):
    world.use_policies(AT_MOST)
    for _ in range(5):
        task = asyncio.create_task(world.refunds("5000"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await world.past.close()
    assert world.stored() == 0
    assert isinstance(await world.refunds("5000"), Permit)


async def test_who_waits_for_too_long_is_refused_and_not_counted(world):
    world.use_policies(AT_MOST)
    world.past._patience = 0.0
    refused = await world.refunds("5000")
    assert refused.reason is RefusalReason.ENGINE_ERROR
    world.past._patience = 10.0
    await world.past.close()
    assert isinstance(await world.refunds("5000"), Permit)


class Stuck:
    """A database that answers, but for what takes back: that waits until `go`."""

    def __init__(self, database):
        self._database, self.go, self.stuck = database, asyncio.Event(), False

    async def run(self, work):
        if self.stuck:
            await self.go.wait()
        return await self._database.run(work)


def stuck(world):
    database = Stuck(world.database)
    world.past = DatabasePast(database, patience=5.0, back_within=0.01)
    world.guard = world.guard_of(world.past)
    return database


async def test_an_outcome_is_recorded_though_the_use_cannot_be_taken_back_at_present(world):
    world.use_policies(AT_MOST)
    database, call = stuck(world), world.refund("5000", "USD")
    permit = await world.guard.decide(call)
    database.stuck = True
    await world.guard.complete(permit, call, result=CallResult(outcome="connection_needed"))
    assert [one.outcome for one in world.audit.of(CallCompleted)] == ["connection_needed"]
    database.stuck = False
    assert isinstance(await world.refunds("1"), Deny), "until it is taken back it counts"
    database.go.set()
    await world.past.close()
    assert isinstance(await world.refunds("5000"), Permit)


async def test_a_refusal_is_answered_though_the_use_cannot_be_taken_back_at_present(world):
    world.use_policies(AT_MOST)
    database = stuck(world)

    class Answering(type(world.audit)):
        """From the first record on the database takes nothing back."""

        async def append(self, event):
            database.stuck = True
            raise AuditUnavailableError("the disk is full")

    guard = world.new_guard(
        audit=Answering(), settings=GuardSettings(public_url=URL, past=world.past)
    )
    refused = await guard.decide(world.refund("5000", "USD"))
    assert refused.reason is RefusalReason.AUDIT_UNAVAILABLE
    database.stuck = False
    assert isinstance(await world.refunds("1"), Deny)
    database.go.set()
    await world.past.close()
    assert isinstance(await world.refunds("5000"), Permit)


async def test_nothing_is_waited_for_without_end_when_the_process_ends(world):
    world.use_policies(AT_MOST)
    database, call = stuck(world), world.refund("5000", "USD")
    permit = await world.guard.decide(call)
    database.stuck, world.past._patience = True, 0.01
    await world.guard.complete(permit, call, result=CallResult(outcome="connection_needed"))
    await world.past.close()
    database.go.set()
    await asyncio.gather(*world.past._taking_back)


async def test_facts_of_sets_hold_what_was_used_and_opened(world):
    world.use_policies(
        PERMIT
        + """
@id("sets")
forbid(principal, action == Remit::Action::"crm/export_accounts", resource)
when { context.history.used.contains("crm/update_account") || context.history.opened.contains("contact") };
"""
    )
    assert isinstance(await world.uses("export_accounts"), Permit)
    assert world.last.history == {"used": ["crm/export_accounts"], "opened": []}
    assert isinstance(await world.uses("update_account"), Permit)
    assert isinstance(await world.uses("export_accounts"), Deny)
    assert world.last.history == {
        "used": ["crm/export_accounts", "crm/update_account"],
        "opened": ["contact"],
    }


async def test_what_is_told_to_nobody_is_not_looked_up(world):
    world.use_policies(AT_MOST)
    assert isinstance(await world.refunds("10"), Permit)
    assert set(world.last.history) == {"refunded"}


async def test_a_fact_that_measures_something_else_begins_anew(world):
    facts = world.directory.catalog.history
    world.use_policies(AT_MOST)
    assert isinstance(await world.refunds("5000"), Permit)
    longer = replace(facts["refunded"], window=2 * DAY, things=())
    world.declare(longer)
    world.use_policies(AT_MOST)
    assert isinstance(await world.refunds("1"), Deny)
    world.declare(replace(longer, currency="EUR"))
    world.use_policies(AT_MOST)
    assert isinstance(await world.refunds("5000", "EUR"), Permit)


async def test_nobody_else_learns_why_it_is_not_known(world):
    class Broken:
        async def come_to(self, use):
            raise PastUnavailableError("the table `history_uses` is gone")

        async def take_back(self, use):
            pytest.fail("what is not known to count cannot be taken back")

    world.use_policies(AT_MOST)
    world.guard = world.guard_of(Broken())
    refused = await world.refunds("1")
    assert refused.detail == "the call could not be decided"


async def test_a_decision_taken_again_is_told_what_it_was_told_then(world):
    world.use_policies(AT_MOST)
    await world.refunds("3000")
    await world.refunds("2500")
    told, stored = history_of(world.last.history), world.stored()
    catalog, definitions = world.directory.catalog, world.directory.definitions
    scenario = Scenario(
        call=world.refund("2500", "USD"),
        token=world.token(PAYMENTS),
        catalog=catalog,
        standing=world.directory.standing,
        definitions=definitions,
        decisions=world.decisions,
        now=world.clock.now(),
        history=told,
    )
    again = reconsider(scenario)
    assert isinstance(again, Refusal)
    assert again.detail == "at most 5,000 USD a day"
    room = reconsider(replace(scenario, history={"refunded": Decimal(2500)}))
    assert isinstance(room, Allowance)
    with pytest.raises(UnansweredError, match="was not recorded"):
        reconsider(replace(scenario, history={}))
    assert world.stored() == stored


def exchanged(world, child, parent):
    """In the database: the grant `child` came of `parent` by an exchange of tokens."""
    row = {
        "kind": "user", "client_id": "cli_1", "agent_id": "assistant", "tenant": "acme", "environment": "prod",
        "resource": "r", "scopes": "[]", "purpose": "", "amr": "[]", "created_at": 0, "last_used_at": 0, "expires_at": 1,
    }  # fmt: skip
    world.database.run_now(
        lambda tx: tx.connection.execute(insert(grants).values(id=child, parent_id=parent, **row))
    )


async def test_an_exchange_of_tokens_is_no_other_consent_and_begins_nothing_anew(world):
    fact = HistoryFact(
        name="by_grant", measure=HistoryMeasure.COUNT, of=HistoryOf.GRANT, things=("crm/get_account",)
    )  # fmt: skip
    world.declare(fact)
    world.use_policies(
        PERMIT + '@id("three") forbid(principal, action, resource) when { action == '
        'Remit::Action::"crm/get_account" && context.history.by_grant > 3 };'
    )
    exchanged(world, "gnt_1", None)
    exchanged(world, "gnt_2", "gnt_1")
    exchanged(world, "gnt_3", "gnt_2")
    calls = ["gnt_1", "gnt_2", "gnt_3", "gnt_1", "gnt_2", "gnt_3"]
    found = [await world.uses("get_account", token={"grant_id": GrantId(one)}) for one in calls]
    assert [isinstance(one, Permit) for one in found] == [True] * 3 + [False] * 3
    assert isinstance(await world.uses("get_account", token={"grant_id": GrantId("gnt_9")}), Permit)
    assert world.stored() == 4
