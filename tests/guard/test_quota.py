"""Limits: calls a minute and calls under way, of agents, people and servers."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.audit import TallyingAuditLog
from remit.audit.events import Decided, RefusalsCounted
from remit.audit.port import AuditUnavailableError
from remit.guard import CallResult, Deny, Permit, RefusalReason, Visible
from remit.guard.caller import Caller
from remit.guard.quota import Excess, Quota
from remit.guard.world import World as Bundle
from remit.model import CallLimits
from remit.testing.catalog import ACME, CRM, GLOBEX, small_catalog, with_agent, with_server
from remit.testing.clock import FixedClock
from remit.tokens import AccessToken


def limits(per_minute=None, at_once=None) -> CallLimits:
    return CallLimits(calls_per_minute=per_minute, concurrent_calls=at_once)


def caller(world, *, agent=None, person=None, server=None, everyone=None, **token) -> Caller:
    """A caller whose catalog declares these limits."""
    catalog = small_catalog()
    rails = catalog.guardrails
    if everyone is not None:
        rails = replace(rails, limits_per_agent=everyone)
    if person is not None:
        rails = replace(rails, limits_per_user=person)
    catalog = replace(catalog, guardrails=rails)
    held, of = catalog.agents["assistant"], catalog.servers[CRM]
    if agent is not None:
        held = replace(held, limits=agent)
    if server is not None:
        of = replace(of, limits=server)
    bundle = Bundle(catalog, None)
    return Caller(token=world.token(**token), agent=held, server=of, world=bundle, limits=None)


def declare(world, *, agent=None, server=None, person=None) -> None:
    """Put limits into the catalog that the guard of `world` reads."""
    catalog = world.directory.catalog
    if agent is not None:
        catalog = with_agent(catalog, replace(catalog.agents["assistant"], limits=agent))
    if server is not None:
        catalog = with_server(catalog, replace(catalog.servers[CRM], limits=server))
    if person is not None:
        catalog = replace(catalog, guardrails=replace(catalog.guardrails, limits_per_user=person))
    world.directory.catalog = catalog


def test_without_limits_nothing_is_counted_or_remembered(world):
    quota = Quota()
    asks = caller(world)
    for _ in range(1_000):
        assert quota.count(asks, 0.0) is None
        assert callable(quota.enter(asks))
    assert quota.remembered == 0


@pytest.mark.parametrize("kind", ["agent", "person", "server", "everyone"])
def test_a_minutes_worth_may_come_at_once_and_then_one_by_one(world, kind):
    quota = Quota()
    asks = caller(world, **{kind: limits(6)})
    assert [quota.count(asks, 0.0) for _ in range(6)] == [None] * 6
    refused = quota.count(asks, 0.0)
    assert isinstance(refused, Excess)
    assert refused.retry_after == 10
    assert quota.count(asks, 9.9) is not None
    assert quota.count(asks, 10.0) is None
    assert quota.count(asks, 10.0) is not None


@given(rate=st.integers(1, 5_000), gaps=st.lists(st.floats(0, 90), max_size=60))
def test_no_minute_holds_more_than_twice_the_limit_and_what_retry_after_says_is_kept(rate, gaps):
    quota, now, passed = Quota(), 0.0, []
    asks = caller(_World(), agent=limits(rate))
    for gap in gaps:
        now += gap
        excess = quota.count(asks, now)
        if excess is None:
            passed.append(now)
        else:
            assert excess.retry_after >= 1
            now += excess.retry_after
            assert quota.count(asks, now) is None
            passed.append(now)
    for start in passed:
        assert sum(start <= one < start + 60 for one in passed) <= 2 * rate


class _World:
    """Just the tokens of a world."""

    def token(self, **changes) -> AccessToken:
        clock = FixedClock()
        fields = {
            "iss": "https://remit.example", "sub": "usr_1", "aud": "x", "client_id": "cli_1",
            "jti": "jti_1", "iat": clock.now(), "exp": clock.now() + 600, "scopes": (),
            "grant_id": "gnt_1", "agent_id": "assistant", "organization_id": ACME,
            "environment": "prod", "sensitivity": small_catalog().agents["assistant"].max_sensitivity,
            "roles": (),
        }  # fmt: skip
        return AccessToken(**{**fields, **changes})


def test_whoever_is_refused_by_one_limit_takes_nothing_from_the_others(world):
    quota = Quota()
    both = caller(world, agent=limits(100), person=limits(2), server=limits(100))
    assert [quota.count(both, 0.0) is None for _ in range(50)] == [True] * 2 + [False] * 48
    another = caller(world, agent=limits(100), person=limits(200), server=limits(100), sub="usr_2")
    assert [quota.count(another, 0.0) is None for _ in range(99)] == [True] * 98 + [False]


def test_the_longest_wait_of_all_limits_is_told(world):
    quota = Quota()
    asks = caller(world, agent=limits(1), person=limits(60), server=limits(60))
    quota.count(asks, 0.0)
    assert quota.count(asks, 1.0).retry_after == 59
    assert "agent" in quota.count(asks, 1.0).detail


def test_what_the_agents_own_file_says_goes_before_what_holds_for_everybody(world):
    quota = Quota()
    generous = caller(world, agent=limits(3), everyone=limits(1))
    assert [quota.count(generous, 0.0) is None for _ in range(4)] == [True] * 3 + [False]
    # Of the other kind it says nothing, so there the guardrail holds.
    mixed = caller(world, agent=limits(3), everyone=limits(1, 1))
    held = quota.enter(mixed)
    assert callable(held)
    assert isinstance(quota.enter(mixed), Excess)


def test_organisations_do_not_take_from_each_other(world):
    quota = Quota()
    ours = caller(world, agent=limits(1), server=limits(1))
    theirs = caller(world, agent=limits(1), server=limits(1), organization_id=GLOBEX)
    assert quota.count(ours, 0.0) is None
    assert quota.count(ours, 0.0) is not None
    assert quota.count(theirs, 0.0) is None


def test_a_workload_counts_as_its_agent_alone(world):
    quota = Quota()
    job = caller(world, person=limits(1), sub="assistant")
    assert [quota.count(job, 0.0) for _ in range(5)] == [None] * 5


def test_new_limits_hold_at_once_and_the_used_share_stays_used(world):
    quota = Quota()
    for _ in range(60):
        assert quota.count(caller(world, agent=limits(60)), 0.0) is None
    lowered = caller(world, agent=limits(6))
    assert quota.count(lowered, 5.0).retry_after == 5
    assert quota.count(lowered, 10.0) is None
    assert quota.count(caller(world, agent=limits(6_000)), 10.5) is None
    assert quota.count(caller(world), 10.5) is None


def test_however_many_callers_come_what_is_remembered_is_bounded(world):
    quota = Quota(most=2_000)
    outcomes = [
        quota.count(caller(world, person=limits(1), sub=f"usr_{number}"), number / 1_000)
        for number in range(5_000)
    ]
    assert quota.remembered <= 2_000
    assert outcomes[:1_000] == [None] * 1_000
    # Whoever cannot be counted is refused; a minute later there is room again.
    assert any(isinstance(one, Excess) for one in outcomes)
    assert quota.count(caller(world, person=limits(1), sub="usr_late"), 200.0) is None
    assert quota.remembered == 1


def test_places_are_given_back_once_however_often_it_is_said(world):
    quota = Quota()
    asks = caller(world, agent=limits(at_once=2))
    first, second = quota.enter(asks), quota.enter(asks)
    assert isinstance(quota.enter(asks), Excess)
    first()
    first()
    third = quota.enter(asks)
    assert callable(third)
    assert isinstance(quota.enter(asks), Excess)
    second()
    third()
    assert quota.remembered == 0


def test_a_place_that_nobody_gives_back_is_given_back_when_it_is_forgotten(world):
    quota = Quota()
    asks = caller(world, agent=limits(at_once=1))
    place = quota.enter(asks)
    assert isinstance(quota.enter(asks), Excess)
    del place
    assert callable(quota.enter(asks))


def test_a_place_refused_by_one_limit_takes_none_of_the_others(world):
    quota = Quota()
    held = quota.enter(caller(world, agent=limits(at_once=9), server=limits(at_once=1)))
    assert isinstance(
        quota.enter(caller(world, agent=limits(at_once=9), server=limits(at_once=1))), Excess
    )
    held()
    assert quota.remembered == 0


async def test_the_call_too_many_is_refused_with_the_time_to_come_back(world):
    declare(world, agent=limits(2))
    assert isinstance(await world.guard.decide(world.call()), Permit)
    assert isinstance(await world.guard.visible(world.list()), Visible)
    refused = await world.guard.decide(world.call())
    assert isinstance(refused, Deny)
    assert (refused.reason, refused.retry_after) == (RefusalReason.RATE_LIMITED, 30)
    assert (await world.guard.visible(world.list())).reason is RefusalReason.RATE_LIMITED
    world.clock.advance(30)
    world.stand()
    assert isinstance(await world.guard.decide(world.call()), Permit)


async def test_what_only_goes_up_counts_too_and_what_is_asked_for_ourselves_does_not(world):
    """`initialize` may start a process: who could send it without end would need no tool."""
    declare(world, agent=limits(2))
    for _ in range(2):
        await world.guard.authenticate(world.call(), counted=True)
    refused = await world.guard.authenticate(world.call(), counted=True)
    assert refused.reason is RefusalReason.RATE_LIMITED
    assert isinstance(await world.guard.authenticate(world.call()), AccessToken)


async def test_refused_calls_count_so_that_nobody_tries_names_without_end(world):
    declare(world, agent=limits(3))
    reasons = [
        (await world.guard.decide(world.call(f"guess_{number}"))).reason for number in range(5)
    ]
    assert reasons == [RefusalReason.NOT_FOUND] * 3 + [RefusalReason.RATE_LIMITED] * 2


async def test_whoever_has_no_good_token_uses_up_nobodys_minute(world):
    declare(world, agent=limits(1), server=limits(1))
    for _ in range(5):
        await world.guard.decide(world.call(authorization=("Bearer x",)))
        await world.guard.decide(world.call(token={"exp": world.clock.now() - 60}))
    assert isinstance(await world.guard.decide(world.call()), Permit)


async def test_a_call_under_way_keeps_its_place_until_its_outcome(world):
    declare(world, server=limits(at_once=1))
    call = world.call()
    permit = await world.guard.decide(call)
    refused = await world.guard.decide(call)
    assert (refused.reason, refused.retry_after) == (RefusalReason.TOO_MANY_CALLS, 1)
    await world.guard.complete(permit, call, result=CallResult(outcome="ok"))
    assert isinstance(await world.guard.decide(call), Permit)


async def test_an_outcome_that_cannot_be_recorded_gives_its_place_back(world):
    declare(world, agent=limits(at_once=1))
    call = world.call()
    permit = await world.guard.decide(call)
    world.audit.failing = True
    with pytest.raises(AuditUnavailableError):
        await world.guard.complete(permit, call, result=CallResult(outcome="ok"))
    world.audit.failing = False
    assert isinstance(await world.guard.decide(call), Permit)


async def test_a_decision_that_cannot_be_recorded_keeps_no_place(world):
    declare(world, agent=limits(at_once=1))
    world.audit.failing = True
    refused = await world.guard.decide(world.call())
    assert refused.reason is RefusalReason.AUDIT_UNAVAILABLE
    world.audit.failing = False
    assert isinstance(await world.guard.decide(world.call()), Permit)


async def test_a_call_that_is_cancelled_while_it_is_recorded_keeps_no_place(world):
    declare(world, agent=limits(at_once=1))
    began = asyncio.Event()

    class Slow(type(world.audit)):
        async def append(self, event):
            began.set()
            await asyncio.Event().wait()

    guard = world.new_guard(audit=Slow())
    task = asyncio.create_task(guard.decide(world.call()))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    quota = guard._ladder._quota
    assert quota.remembered == 0


async def test_hammering_at_a_limit_is_one_event_a_minute_and_a_number(world):
    declare(world, agent=limits(1))
    log = TallyingAuditLog(world.audit, world.clock, network_of=str)
    guard = world.new_guard(audit=log)
    for number in range(50):
        await guard.decide(world.call(jsonrpc_id=number))
    recorded = [one.reason for one in world.audit.of(Decided)]
    assert recorded == ["permitted", "rate_limited"]
    await log.record_counts()
    (counted,) = world.audit.of(RefusalsCounted)
    assert (counted.where, counted.error, counted.count) == ("limits", "rate_limited", 48)
    assert (counted.context.agent_id, counted.context.user_id) == ("assistant", "usr_1")
    assert counted.context.tenant == ACME
    await guard.decide(world.call())
    assert [one.reason for one in world.audit.of(Decided)][2:] == ["rate_limited"]
