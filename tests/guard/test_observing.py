"""Observe mode: what policies refuse goes on and is told of; what is no policy refuses as ever."""

from dataclasses import replace

import pytest

from remit.audit.events import Decided
from remit.guard import Permit, RefusalReason
from remit.guard.observing import NO_PERMIT, is_observed, observing
from remit.model import MANAGEMENT, Mode, Sensitivity
from remit.policy import ResourceKind
from remit.testing.catalog import ACME, PAYMENTS
from tests.guard.test_ladder import change_server

PERMIT = '@id("all") permit(principal, action in Remit::Action::"call", resource);'
HEAD = '(principal, action in Remit::Action::"call", resource)'


def observe(world, by):
    catalog = world.directory.catalog
    if by == "server":
        change_server(world, "crm", mode=Mode.OBSERVE)
    else:
        tenants = {**catalog.tenants, ACME: replace(catalog.tenants[ACME], mode=Mode.OBSERVE)}
        world.directory.catalog = replace(catalog, tenants=tenants)


by_either = pytest.mark.parametrize("by", ["server", "tenant"])


@by_either
@pytest.mark.parametrize(
    ("policies", "observed"),
    [
        (PERMIT + f'@id("no") forbid{HEAD};', [("no", "forbid")]),
        ("", [(NO_PERMIT, "permit")]),
        (f'@id("why") @require_justification("reason") permit{HEAD};', [("why", "permit")]),
        (PERMIT + f'@id("boss") @require_approval("finance") forbid{HEAD};', [("boss", "forbid")]),
        (
            f'@id("often") @limit("1/1h") permit{HEAD};@id("no") forbid{HEAD};',
            [("no", "forbid")],
        ),
    ],
    ids=["forbidden", "not-permitted", "wanting", "approval", "limited"],
)
async def test_what_policies_refuse_goes_on(world, by, policies, observed):
    observe(world, by)
    world.use_policies(policies)
    permit = await world.guard.decide(world.call())
    assert isinstance(permit, Permit)
    assert (world.recorded.outcome, world.recorded.reason) == ("allow", "observed")
    assert [(one["id"], one["effect"]) for one in world.recorded.observed] == observed


@by_either
async def test_a_limit_that_is_used_up_lets_through_and_is_told_of(world, by):
    observe(world, by)
    world.use_policies(f'@id("once") @limit("1/1h") permit{HEAD};')
    for _ in range(2):
        assert isinstance(await world.guard.decide(world.call()), Permit)
    first, second = world.audit.of(Decided)
    assert (first.reason, first.observed) == ("permitted", ())
    assert (second.reason, [one["id"] for one in second.observed]) == ("observed", ["once"])


@by_either
async def test_what_policies_would_hide_is_shown(world, by):
    world.use_policies(f'@id("no") forbid{HEAD};')
    assert not (await world.guard.visible(world.list())).names.get(ResourceKind.TOOL)
    observe(world, by)
    shown = (await world.guard.visible(world.list())).names[ResourceKind.TOOL]
    assert {"get_account", "update_account"} <= shown


async def refused(world, **changes):
    outcome = await world.guard.decide(world.call(**changes))
    assert not isinstance(outcome, Permit)
    return outcome.reason


@by_either
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"authorization": ()}, RefusalReason.MISSING_TOKEN),
        ({"token": {"exp": 1}}, RefusalReason.INVALID_TOKEN),
        ({"token": {"organization_id": "nobody"}}, RefusalReason.INVALID_TOKEN),
        ({"token": {"environment": "staging"}}, RefusalReason.NOT_FOUND),
        (
            {"token": {"sensitivity": Sensitivity.LOW}, "name": "update_account"},
            RefusalReason.NOT_FOUND,
        ),
        ({"token": {"scopes": ()}}, RefusalReason.INSUFFICIENT_SCOPE),
        ({"arguments": {}}, RefusalReason.INVALID_ARGUMENTS),
        ({"name": "nothing"}, RefusalReason.NOT_FOUND),
    ],
    ids=[
        "no-token",
        "expired",
        "tenant",
        "environment",
        "clearance",
        "scopes",
        "arguments",
        "unknown",
    ],
)
async def test_what_is_no_policy_refuses_as_ever(world, by, changes, reason):
    world.use_policies(PERMIT)
    enforced = await refused(world, **changes)
    observe(world, by)
    assert await refused(world, **changes) == enforced
    assert enforced in {reason, RefusalReason.NOT_FOUND, RefusalReason.INVALID_TOKEN}


@by_either
async def test_a_policy_that_fails_refuses_as_ever(world, by):
    observe(world, by)
    world.use_policies(
        PERMIT + f'@id("bad") forbid{HEAD} when {{ context.time.hour * 9223372036854775807 > 0 }};'
    )
    assert await refused(world) is RefusalReason.ENGINE_ERROR


async def test_other_servers_and_organisations_enforce(world):
    observe(world, "server")
    world.use_policies(f'@id("no") forbid{HEAD};')
    outcome = await world.guard.decide(world.refund("5.00"))
    assert not isinstance(outcome, Permit)
    assert not is_observed(world.directory.catalog.servers[PAYMENTS], ACME, world.directory.catalog)


async def test_who_administers_remit_is_never_only_observed(world):
    observe(world, "tenant")
    assert not is_observed(MANAGEMENT, ACME, world.directory.catalog)


async def test_a_policy_on_trial_refuses_nobody_hides_nothing_and_is_told_of(world):
    world.use_policies(PERMIT + f'@id("try") @mode("observe") forbid{HEAD};')
    assert isinstance(await world.guard.decide(world.call()), Permit)
    assert (world.recorded.reason, [one["id"] for one in world.recorded.observed]) == (
        "permitted",
        ["try"],
    )
    shown = (await world.guard.visible(world.list())).names[ResourceKind.TOOL]
    assert "get_account" in shown


async def test_a_policy_on_trial_that_fails_refuses_nobody_and_is_told_of(world):
    world.use_policies(
        PERMIT
        + f'@id("bad") @mode("observe") forbid{HEAD} when {{ context.time.hour * 9223372036854775807 > 0 }};'
        + f'@id("good") @mode("observe") forbid{HEAD} when {{ context.time.hour > 30 }};'
    )
    assert isinstance(await world.guard.decide(world.call()), Permit)
    assert [one["id"] for one in world.recorded.observed] == ["bad"]
    assert world.recorded.engine_errors == ()


async def test_what_another_policy_refuses_stays_refused_and_says_what_is_on_trial(world):
    world.use_policies(
        PERMIT
        + f'@id("try") @mode("observe") forbid{HEAD};@id("no") forbid{HEAD} when {{ context.arguments has account }};'
    )
    assert await refused(world) is not None
    assert [one["id"] for one in world.recorded.observed] == ["try"]


def test_what_observes_is_told_in_words(world):
    observe(world, "server")
    observe(world, "tenant")
    assert observing(world.directory.catalog, ("b", "a")) == (
        "policy a",
        "policy b",
        "server crm",
        "tenant acme",
    )
