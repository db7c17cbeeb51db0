"""How often a rule lets somebody call: so often at once, refilled evenly, each caller by himself."""

from dataclasses import replace

import pytest

from remit.guard import Deny, Permit, RefusalReason
from remit.guard.rule_limits import RuleLimits
from remit.policy.obligation import Obligation, ObligationKind

TWICE = '@id("twice") @limit("2/1h") permit(principal, action in Remit::Action::"call", resource);'


def limit(value, rule="r"):
    return Obligation(kind=ObligationKind.LIMIT, value=value, rule=rule)


def test_the_window_is_full_at_once_and_refills_evenly(world):
    limits, token = RuleLimits(), world.token()
    assert [limits.wait([limit("2/1h")], token, 0.0) for _ in range(3)] == [0, 0, 1800]
    assert limits.wait([limit("2/1h")], token, 1799.5) == 1
    assert limits.wait([limit("2/1h")], token, 1800.0) == 0
    assert limits.wait([limit("2/1h")], token, 1800.0) == 1800


@pytest.mark.parametrize("turned", [False, True])
def test_two_limits_of_one_rule_are_counted_apart(world, turned):
    limits, token = RuleLimits(), world.token()
    both = [limit("3/1d"), limit("2/1m")]
    both = both[::-1] if turned else both
    waits = [limits.wait(both, token, at) for at in (0.0, 60.0, 120.0, 180.0)]
    assert waits[:3] == [0, 0, 0]
    assert waits[3] > 60


def test_a_call_that_has_to_wait_costs_nothing(world):
    limits, token = RuleLimits(), world.token()
    both = [limit("1/1m", "few"), limit("9/1m", "many")]
    assert limits.wait(both, token, 0.0) == 0
    assert [limits.wait(both, token, 1.0) for _ in range(20)] == [59] * 20
    assert limits.wait([limit("9/1m", "many")], token, 1.0) == 0


@pytest.mark.parametrize(
    "other",
    [{"sub": "usr_2"}, {"agent_id": "job"}, {"organization_id": "globex"}],
    ids=["person", "agent", "organisation"],
)
def test_everybody_is_counted_alone(world, other):
    limits, token = RuleLimits(), world.token()
    assert limits.wait([limit("1/1h")], token, 0.0) == 0
    assert limits.wait([limit("1/1h")], replace(token, **other), 0.0) == 0
    assert limits.wait([limit("1/1h")], token, 0.0) == 3600


def test_another_token_or_grant_of_the_same_is_no_way_around(world):
    limits, token = RuleLimits(), world.token()
    assert limits.wait([limit("1/1h")], token, 0.0) == 0
    again = replace(token, jti="jti_2", grant_id="gnt_2", client_id="cli_2")
    assert limits.wait([limit("1/1h")], again, 0.0) == 3600


def test_who_has_used_up_the_room_of_one_organisation_is_in_nobody_elses_way(world):
    """An engine that is run by somebody else calls its rules as it likes."""
    limits, token = RuleLimits(most=3), world.token()
    for name in ("a", "b", "c"):
        assert limits.wait([limit("1/366d", f"pdp:{name}")], token, 0.0) == 0
    assert limits.wait([limit("1/366d", "pdp:d")], token, 0.0) == 1
    other = replace(token, organization_id="globex")
    assert limits.wait([limit("1/1h")], other, 0.0) == 0


def test_when_there_is_no_room_to_count_another_caller_he_waits(world):
    limits, token = RuleLimits(most=2), world.token()
    for sub in ("a", "b"):
        assert limits.wait([limit("1/1m")], replace(token, sub=sub), 0.0) == 0
    assert limits.wait([limit("1/1m")], replace(token, sub="c"), 0.0) == 1
    assert limits.wait([limit("1/1m")], replace(token, sub="c"), 60.0) == 0


def test_what_limits_nothing_is_not_counted(world):
    limits = RuleLimits(most=0)
    redact = Obligation(kind=ObligationKind.REDACT, value="x", rule="r")
    assert limits.wait([redact], world.token(), 0.0) == 0


async def test_the_guard_refuses_and_says_when_again(world):
    world.use_policies(TWICE)
    for _ in range(2):
        permit = await world.guard.decide(world.call())
        assert isinstance(permit, Permit)
        permit.release()
    refused = await world.guard.decide(world.call())
    assert isinstance(refused, Deny)
    assert (refused.reason, refused.retry_after) == (RefusalReason.LIMIT_REACHED, 1800)
    assert [one.value for one in refused.needs] == ["2/1h"]


async def test_a_use_of_a_task_is_no_further_call(world):
    world.use_policies(TWICE)
    for _ in range(5):
        permit = await world.guard.decide(world.call(task_of="dec_1"))
        assert isinstance(permit, Permit)
        permit.release()


async def test_what_is_refused_for_something_else_uses_nothing_up(world):
    world.use_policies(TWICE)
    for _ in range(5):
        assert not isinstance(await world.guard.decide(world.call(arguments={})), Permit)
    assert isinstance(await world.guard.decide(world.call()), Permit)
