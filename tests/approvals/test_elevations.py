"""A call that is refused, put to people, allowed by them, and admitted once: the guard over both databases."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from remit.approvals.desk import Desk
from remit.approvals.elevations import DatabaseElevations
from remit.approvals.errors import RequestEndedError
from remit.approvals.request import Verdict
from remit.audit.approval_events import (
    ApprovalAnswered,
    ApprovalRequested,
    ElevationGiven,
    ElevationUsed,
)
from remit.audit.events import Decided
from remit.guard.call import Earlier
from remit.guard.elevations import AskedState
from remit.guard.outcome import Deny, Permit, RefusalReason
from remit.ids import AgentId, ClientId, GrantId
from remit.model import ApprovalRule, Confirmation
from remit.oauth import revoke_grant
from remit.oauth.grant_store import find_grant
from remit.testing.catalog import with_agent


async def test_a_call_that_its_person_confirms_passes_once(office, events):
    refused = await office.decide()
    assert isinstance(refused, Deny)
    assert refused.reason is RefusalReason.CONFIRMATION_NEEDED
    assert refused.asked.state is AskedState.WAITING
    assert refused.asked.alone
    assert refused.asked.url == f"https://remit.example/approvals/{refused.asked.id}"
    request = await office.answers("ada", refused.asked.id)
    assert request.state == "approved"
    permit = await office.decide()
    assert isinstance(permit, Permit)
    assert permit.elevated.acr == "urn:remit:acr:phr"
    again = await office.decide()
    assert isinstance(again, Deny)
    assert again.asked.id != refused.asked.id
    (used,) = events.of(ElevationUsed)
    assert (used.decision_id, used.given_back) == (permit.decision_id, False)
    (requested, _), (answered,) = events.of(ApprovalRequested), events.of(ApprovalAnswered)
    assert requested.needs == ("confirmation:urn:remit:acr:phr",)
    assert (answered.verdict, answered.capacity) == ("confirmed", "person")
    (given,) = events.of(ElevationGiven)
    assert given.elevation == permit.elevated.id
    decided = office.audit.of(Decided)
    assert decided[1].elevation["id"] == permit.elevated.id


async def test_what_is_spent_is_spent_before_the_decision_is_recorded(office, events):
    await office.answers("ada", await office.asked())
    office.audit.failing = True
    assert isinstance(await office.decide(), Deny)
    office.audit.failing = False
    # It was spent, and nobody could prove that it was not used.
    assert len(events.of(ElevationUsed)) == 1
    assert isinstance(await office.decide(), Deny)


async def test_nothing_is_spent_whose_use_cannot_be_recorded(office, events):
    await office.answers("ada", await office.asked())
    events.failure = RuntimeError("the log is full")
    assert isinstance(await office.decide(), Deny)
    events.failure = None
    assert isinstance(await office.decide(), Permit)


async def test_a_call_with_another_amount_is_another_call(office):
    await office.answers("ada", await office.asked(office.refund("600.00")))
    changed = await office.decide(office.refund("600.01"))
    assert isinstance(changed, Deny)
    assert isinstance(await office.decide(office.refund("600.00")), Permit)


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": "usr_fay"},
        {"agent_id": AgentId("job")},
        {"client_id": ClientId("cli_2")},
        {"grant_id": GrantId("gnt_2")},
    ],
    ids=["person", "agent", "client", "grant"],
)
async def test_what_one_may_is_not_allowed_to_another(office, changes):
    job = replace(office.directory.catalog.agents["assistant"], id=AgentId("job"))
    office.directory.catalog = with_agent(office.directory.catalog, job)
    await office.grant("gnt_2")
    await office.answers("ada", await office.asked())
    refused = await office.decide(office.refund(token=changes))
    assert isinstance(refused, Deny)
    assert refused.reason is RefusalReason.CONFIRMATION_NEEDED
    assert isinstance(await office.decide(), Permit)


async def test_a_changed_definition_makes_it_another_call(office):
    office.define("sha-1")
    await office.answers("ada", await office.asked())
    office.define("sha-2")
    assert isinstance(await office.decide(), Deny)
    office.define("sha-1")
    assert isinstance(await office.decide(), Permit)


async def test_what_was_allowed_lapses(office):
    await office.answers("ada", await office.asked())
    office.later(301)
    assert isinstance(await office.decide(), Deny)


async def test_an_elevation_that_was_revoked_admits_nothing(office):
    await office.answers("ada", await office.asked())
    (elevation,) = await office.desk.elevations(person=await office.person("ada"))
    await office.desk.revoke_elevation(
        elevation.id, person=None, reason="too late", context=office.context
    )
    assert isinstance(await office.decide(), Deny)


async def test_an_elevation_ends_with_the_grant_below_which_it_is(office):
    await office.answers("ada", await office.asked())
    await office.database.run(
        lambda tx: revoke_grant(
            tx, GrantId("gnt_1"), reason="gone", context=office.context, at=office.clock.now()
        )
    )
    # The guard would refuse the token; what is spent is refused by itself, too.
    assert isinstance(await office.decide(), Deny)


async def test_a_grant_revoked_while_people_are_asked_comes_to_nothing(office):
    request_id = await office.asked()
    await office.database.run(
        lambda tx: revoke_grant(
            tx, GrantId("gnt_1"), reason="gone", context=office.context, at=office.clock.now()
        )
    )
    request = await office.answers("ada", request_id)
    assert request.state == "expired"
    assert request.arguments is None
    assert "grant" in request.reason


async def test_an_approval_opens_no_more_than_the_policy_that_asked(office):
    call = office.refund("6000.00")
    first = await office.decide(call)
    assert first.reason is RefusalReason.APPROVAL_NEEDED
    await office.answers("ada", first.asked.id)
    await office.answers("bob", first.asked.id)
    office.use_policies(
        """
        @id("everyone")
        permit(principal, action in Remit::Action::"call", resource);
        @id("closed")
        @refusal("closed for today")
        forbid(principal, action == Remit::Action::"payments/refund", resource)
        when { context.arguments.amount.value.greaterThan(decimal("1.0")) };
        """
    )
    refused = await office.decide(call)
    assert isinstance(refused, Deny)
    assert refused.reason is RefusalReason.FORBIDDEN


async def test_a_refusal_that_nothing_cures_is_put_to_nobody(office, events):
    refused = await office.decide(office.refund("200000.00"))
    assert refused.asked is None
    assert not events.of(ApprovalRequested)


async def test_one_approval_admits_one_call_however_many_come_at_once(office, events):
    await office.answers("ada", await office.asked())
    guards = [office.new_guard(DatabaseElevations(office.deps)) for _ in range(3)]
    outcomes = await asyncio.gather(*(guards[n % 3].decide(office.refund()) for n in range(9)))
    kinds = Counter(type(one).__name__ for one in outcomes)
    assert kinds == {"Permit": 1, "Deny": 8}
    assert len(events.of(ElevationUsed)) == 1


async def test_several_processes_admit_one_call_between_them(
    office, events, database_url, open_database
):
    await office.answers("ada", await office.asked())
    parts = [replace(office.deps, database=open_database(database_url)) for _ in range(3)]
    guards = [office.new_guard(DatabaseElevations(one)) for one in parts]
    outcomes = await asyncio.gather(*(guards[n % 3].decide(office.refund()) for n in range(12)))
    assert Counter(type(one).__name__ for one in outcomes) == {"Permit": 1, "Deny": 11}
    assert len(events.of(ElevationUsed)) == 1
    # Those that came too late are one request, and one notification.
    assert len({one.asked.id for one in outcomes if isinstance(one, Deny) and one.asked}) == 1
    assert len(events.of(ApprovalRequested)) == 2


async def test_one_answer_ends_it_whatever_process_takes_it(
    office, events, database_url, open_database
):
    request_id = await office.asked()
    desks = [Desk(replace(office.deps, database=open_database(database_url))) for _ in range(3)]
    person = await office.person("ada")
    await office.desk.opened(request_id, person, shown="w", context=office.context)
    outcomes = await asyncio.gather(
        *(
            desk.answer(request_id, person, Verdict.APPROVED, shown="w", context=office.context)
            for desk in (*desks, *desks)
        ),
        return_exceptions=True,
    )
    kinds = Counter(type(one).__name__ for one in outcomes)
    assert kinds == {"Request": 1, "AlreadyAnsweredError": 5}
    assert len(events.of(ElevationGiven)) == 1


async def test_an_elevation_that_is_revoked_while_it_is_spent_is_one_of_both(
    office, events, database_url, open_database
):
    await office.answers("ada", await office.asked())
    (elevation,) = await office.desk.elevations()
    other = Desk(replace(office.deps, database=open_database(database_url)))
    decided, revoked = await asyncio.gather(
        office.decide(),
        other.revoke_elevation(elevation.id, person=None, reason="no", context=office.context),
        return_exceptions=True,
    )
    assert isinstance(decided, Permit) is isinstance(revoked, RequestEndedError)
    assert len(events.of(ElevationUsed)) == isinstance(decided, Permit)


async def test_calls_that_come_at_once_are_one_request(office, events):
    outcomes = await asyncio.gather(*(office.decide() for _ in range(6)))
    assert len({one.asked.id for one in outcomes}) == 1
    assert len(events.of(ApprovalRequested)) == 1


async def test_the_retry_that_a_server_asked_for_uses_it_again(office, events):
    await office.answers("ada", await office.asked())
    first = await office.decide()
    retry = office.refund(earlier=Earlier(first.decision_id, office.clock.now()))
    second = await office.decide(retry)
    assert isinstance(second, Permit)
    assert [one.given_back for one in events.of(ElevationUsed)] == [False, True]
    assert second.elevated.id == first.elevated.id


async def test_of_a_retry_there_is_one(office):
    await office.answers("ada", await office.asked())
    first = await office.decide()
    retry = office.refund(earlier=Earlier(first.decision_id, office.clock.now()))
    assert isinstance(await office.decide(retry), Permit)
    assert isinstance(await office.decide(retry), Deny)


async def test_a_retry_with_another_amount_is_refused(office):
    await office.answers("ada", await office.asked())
    first = await office.decide()
    earlier = Earlier(first.decision_id, office.clock.now())
    assert isinstance(await office.decide(office.refund("700.00", earlier=earlier)), Deny)


async def test_a_retry_of_somebody_elses_decision_is_refused(office):
    await office.answers("ada", await office.asked())
    first = await office.decide()
    await office.grant("gnt_2")
    earlier = Earlier(first.decision_id, office.clock.now())
    stolen = office.refund(earlier=earlier, token={"grant_id": GrantId("gnt_2")})
    assert isinstance(await office.decide(stolen), Deny)


async def test_retries_that_come_at_once_are_one(office):
    await office.answers("ada", await office.asked())
    first = await office.decide()
    retry = office.refund(earlier=Earlier(first.decision_id, office.clock.now()))
    outcomes = await asyncio.gather(*(office.decide(retry) for _ in range(5)))
    assert Counter(type(one).__name__ for one in outcomes) == {"Permit": 1, "Deny": 4}


async def test_a_use_of_a_task_rests_on_what_was_spent_for_it(office, events):
    await office.answers("ada", await office.asked())
    first = await office.decide()
    office.later(299)
    use = office.refund(method="tasks/get", task_of=first.decision_id)
    assert isinstance(await office.decide(use), Permit)
    assert len(events.of(ElevationUsed)) == 1
    stranger = replace(use, task_of="dec_other")
    assert isinstance(await office.decide(stranger), Deny)


async def test_what_was_said_before_is_part_of_what_is_said_next(office, events):
    call = office.refund("600.00")
    await office.answers("ada", await office.asked(call))
    # Meanwhile it takes a manager besides.
    office.use_policies(
        """
        @id("everyone")
        permit(principal, action in Remit::Action::"call", resource);
        @id("large")
        @confirm("urn:remit:acr:phr")
        forbid(principal, action == Remit::Action::"payments/refund", resource);
        @id("second")
        @require_approval("manager")
        forbid(principal, action == Remit::Action::"payments/refund", resource);
        """
    )
    refused = await office.decide(call)
    assert refused.reason is RefusalReason.APPROVAL_NEEDED
    assert events.of(ApprovalRequested)[-1].needs == ("approval:manager",)
    await office.answers("bob", refused.asked.id)
    permit = await office.decide(call)
    assert isinstance(permit, Permit)
    assert permit.elevated.roles == ("manager",)
    assert permit.elevated.acr == "urn:remit:acr:phr"
    # What it was made of cannot be spent beside it.
    assert isinstance(await office.decide(call), Deny)


async def test_what_was_said_before_holds_no_longer_by_what_is_said_next(office, events):
    office.use_approvals(
        confirmation=Confirmation(holds=60),
        rules=(ApprovalRule(name="second", role="manager", holds=3_600),),
    )
    call = office.refund("600.00")
    await office.answers("ada", await office.asked(call))
    office.use_policies(
        """
        @id("everyone")
        permit(principal, action in Remit::Action::"call", resource);
        @id("second")
        @require_approval("manager")
        @confirm("urn:remit:acr:phr")
        forbid(principal, action == Remit::Action::"payments/refund", resource);
        """
    )
    request_id = await office.asked(call)
    office.later(59)
    await office.answers("bob", request_id)
    given = events.of(ElevationGiven)[-1]
    assert given.expires_at == office.clock.now() + 60
    office.later(60)
    assert isinstance(await office.decide(call), Deny)


async def test_what_was_used_meanwhile_is_no_part_of_what_is_said_next(office):
    call = office.refund("600.00")
    await office.answers("ada", await office.asked(call))
    both = """
        @id("everyone")
        permit(principal, action in Remit::Action::"call", resource);
        @id("large")
        @confirm("urn:remit:acr:phr")
        forbid(principal, action == Remit::Action::"payments/refund", resource);
    """
    office.use_policies(
        both
        + """
        @id("second")
        @require_approval("manager")
        forbid(principal, action == Remit::Action::"payments/refund", resource);
        """
    )
    refused = await office.decide(call)
    office.use_policies(both)
    assert isinstance(await office.decide(call), Permit)
    await office.answers("bob", refused.asked.id)
    again = await office.decide(call)
    assert isinstance(again, Deny)
    assert again.reason is RefusalReason.CONFIRMATION_NEEDED


async def test_where_the_database_does_not_answer_nobody_is_asked_and_nothing_allowed(office):
    await office.answers("ada", await office.asked())
    office.database.close()
    refused = await office.decide()
    assert isinstance(refused, Deny)
    assert refused.asked is None


async def test_what_takes_too_long_is_refused(office):
    await office.answers("ada", await office.asked())
    impatient = office.new_guard(DatabaseElevations(office.deps, patience=0))
    assert isinstance(await impatient.decide(office.refund()), Deny)


async def test_the_grant_of_an_elevation_is_over_with_its_use(office):
    await office.answers("ada", await office.asked())
    permit = await office.decide()
    grant = await office.database.read(lambda tx: find_grant(tx, permit.elevated.grant_id))
    assert grant.parent_id == "gnt_1"
    assert not grant.is_live(office.clock.now())
    assert "600" not in str(grant.authorization_details)


async def test_no_arguments_are_left_anywhere_once_it_is_decided(office, events):
    request_id = await office.asked(office.refund("612.34"))
    assert not [one for one in events.recorded if "612" in str(one)]
    request = await office.desk.read(request_id, await office.person("ada"))
    assert request.arguments == {"amount": {"value": "612.34", "currency": "EUR"}}
    ended = await office.answers("ada", request_id, Verdict.REFUSED)
    assert ended.arguments is None
    assert not [one for one in events.recorded if "612" in str(one)]
