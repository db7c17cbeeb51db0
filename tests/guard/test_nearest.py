"""What would let a refused call through: single changes, each of them tried."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.guard import RefusalReason
from remit.guard.definitions import Definitions
from remit.guard.ladder import Allowance
from remit.guard.limits import scope_limits
from remit.guard.nearest import nearest_changes, open_hours
from remit.guard.reconsider import Scenario, may_be_allowed, reconsider
from remit.guard.target import find_target
from remit.ids import ScopeName
from remit.model import Sensitivity
from remit.policy import DecisionPoint, ResourceKind
from remit.testing.catalog import CRM, PAYMENTS, with_agent
from remit.testing.clock import FixedClock

from .conftest import POLICIES, World

STRENGTHS = ("urn:remit:acr:pwd", "urn:remit:acr:mfa", "urn:remit:acr:phr")


def allows(scenario) -> bool:
    return isinstance(reconsider(scenario), Allowance)


def scenario_of(world, call, **token) -> Scenario:
    """The world as it is, and `call` in it."""
    return Scenario(
        call=call,
        token=replace(world.token(call.server), **token),
        catalog=world.directory.catalog,
        standing=world.directory.standing,
        definitions=world.directory.definitions,
        decisions=world.decisions,
        now=world.clock.now(),
    )


def nearest(world, scenario, lifted=()) -> set[tuple[str, str]]:
    call = scenario.call
    target = find_target(scenario.catalog.servers[call.server], call.kind, call.name)
    without = {
        name: DecisionPoint(world.engine(text), world.clock) for name, text in dict(lifted).items()
    }
    changes, tried = nearest_changes(
        scenario, target, allows=allows, lifted=without, strengths=STRENGTHS
    )
    assert tried >= len(changes)
    return {(one.kind, one.what) for one in changes}


def test_what_is_decided_again_is_decided_the_same(world):
    assert allows(scenario_of(world, world.call()))
    refused = reconsider(scenario_of(world, world.refund("501")))
    assert refused.truth is RefusalReason.FORBIDDEN


def test_missing_scopes_can_be_authorized_and_nothing_else_is_nearer(world):
    scenario = scenario_of(world, world.call("update_account"), scopes=("crm:accounts.read",))
    assert nearest(world, scenario) == {("authorize", "the token also covers `crm:accounts.write`")}


def test_a_role_that_would_do_is_named(world):
    catalog = world.directory.catalog
    agent = catalog.agents["assistant"]
    more = replace(agent, scopes=(*agent.scopes, ScopeName("crm:accounts.export")))
    world.directory.catalog = with_agent(catalog, more)
    scenario = scenario_of(world, world.call("export_accounts"), roles=("support",))
    found = nearest(world, scenario)
    assert ("role", "the person holds the role `finance`") in found
    assert not any(kind == "authorize" for kind, _ in found)


def test_a_line_in_the_agents_file_is_named_when_that_is_all_that_lacks(world):
    catalog = world.directory.catalog
    agent = replace(catalog.agents["assistant"], scopes=(ScopeName("crm:accounts.read"),))
    world.directory.catalog = with_agent(catalog, agent)
    found = nearest(world, scenario_of(world, world.call("update_account")))
    assert found == {
        ("agent", "agents/assistant.yaml lists `crm:accounts.write` among its `scopes`")
    }


def test_a_clearance_is_named(world):
    catalog = world.directory.catalog
    agent = replace(catalog.agents["assistant"], max_sensitivity=Sensitivity.LOW)
    world.directory.catalog = with_agent(catalog, agent)
    scenario = scenario_of(world, world.call("update_account"))
    assert reconsider(scenario).truth is RefusalReason.ABOVE_CLEARANCE
    ((kind, what),) = nearest(world, scenario)
    assert kind == "clearance"
    assert what.startswith("agents/assistant.yaml says `max_sensitivity: ")


def test_two_things_in_the_way_have_no_single_change(world):
    catalog = world.directory.catalog
    agent = replace(catalog.agents["assistant"], scopes=(), max_sensitivity=Sensitivity.LOW)
    world.directory.catalog = with_agent(catalog, agent)
    assert nearest(world, scenario_of(world, world.call("update_account"))) == set()


def test_the_policy_that_forbids_is_named_only_if_no_other_does(world):
    rest = POLICIES.replace('@id("large-refunds")', '@id("other")').replace("500.0", "100.0")
    scenario = scenario_of(world, world.refund("501"))
    lifted = {"large-refunds": POLICIES.split('@id("large-refunds")')[0]}
    assert nearest(world, scenario, lifted) == {
        ("policy", "the policy `large-refunds` does not forbid it")
    }
    assert nearest(world, scenario, {"large-refunds": rest}) == set()


def test_a_suspended_agent_is_resumed_and_a_revoked_grant_made_anew(world):
    world.stand(suspended_agents=frozenset({"assistant"}))
    assert nearest(world, scenario_of(world, world.call())) == {
        ("resume", "the agent `assistant` is not suspended")
    }
    world.stand(revoked_grants=frozenset({"gnt_1"}))
    assert nearest(world, scenario_of(world, world.call())) == {
        ("authorize", "the grant is not revoked")
    }


def test_a_quarantined_thing_is_reviewed(world):
    key = (CRM, ResourceKind.TOOL, "get_account")
    world.directory.definitions = Definitions(quarantined=frozenset({key}))
    assert nearest(world, scenario_of(world, world.call())) == {
        ("review", "its changed definition is admitted")
    }


def test_a_stronger_log_in_is_named_by_its_strength(world):
    world.use_policies(
        POLICIES + '@id("strong") forbid(principal, action, resource)'
        ' unless { context.token has acr && context.token.acr == "urn:remit:acr:phr" };'
    )
    scenario = scenario_of(world, world.call(), acr="urn:remit:acr:pwd", auth_time=1)
    assert nearest(world, scenario) == {("acr", "the person logged in with `urn:remit:acr:phr`")}


def test_hours_are_told_to_the_minute_and_only_when_time_alone_is_in_the_way(world):
    world.use_policies(
        POLICIES + '@id("office") forbid(principal, action, resource)'
        " unless { context.time.hour >= 9 && context.time.hour < 18 };"
    )
    # 2026-01-05T21:07:30Z is 22:07:30 in Berlin.
    scenario = replace(scenario_of(world, world.call()), now=1_767_625_200 + 6 * 3600 + 450)
    window = open_hours(scenario, allows=allows)
    nine = 1_767_625_200 - 7 * 3600 + 86_400
    assert (window.since, window.until) == (nine, nine + 9 * 3600)
    refused = replace(scenario, token=replace(scenario.token, scopes=()))
    assert open_hours(refused, allows=allows) is None


def test_without_the_arguments_it_is_told_only_that_some_call_may_be_allowed(world):
    scenario = scenario_of(world, world.refund("900"))
    assert may_be_allowed(scenario)
    assert not may_be_allowed(replace(scenario, token=replace(scenario.token, scopes=())))


def test_nothing_is_counted_or_recorded(world):
    nearest(world, scenario_of(world, world.call("update_account"), scopes=()))
    assert world.audit.events == []
    assert world.guard._ladder._quota.remembered == 0


_WORLD = World(FixedClock())


@settings(max_examples=60, deadline=None)
@given(
    tool=st.sampled_from(["get_account", "update_account", "export_accounts", "refund"]),
    scopes=st.sets(
        st.sampled_from(["crm:accounts.read", "crm:accounts.write", "payments:refund.create"])
    ),
    roles=st.sets(st.sampled_from(["support", "finance", "intern"])),
    level=st.sampled_from(Sensitivity),
)
def test_every_change_that_is_named_does_let_the_call_through(tool, scopes, roles, level):
    """The names are held against the catalog: a role or a scope that is said to be missing is missing."""
    world = _WORLD
    server = PAYMENTS if tool == "refund" else CRM
    arguments = (
        {"amount": {"value": "1", "currency": "EUR"}} if tool == "refund" else {"account": "a"}
    )
    call = world.call(tool, arguments, server=server)
    scenario = scenario_of(
        world, call, scopes=tuple(sorted(scopes)), roles=tuple(sorted(roles)), sensitivity=level
    )
    found = nearest(world, scenario)
    if allows(scenario):
        return
    limits = scope_limits(scenario.token, scenario.catalog.agents["assistant"], scenario.catalog)
    for kind, what in found:
        if kind == "role":
            assert what.split("`")[1] not in roles
        if kind == "authorize":
            for scope in what.split("`")[1].split():
                assert not limits.holds(ScopeName(scope))
                assert limits.may_obtain(ScopeName(scope))


@pytest.mark.parametrize("agent", ["gone", "job"])
def test_an_agent_that_is_not_there_any_more_has_nothing_near(world, agent):
    scenario = scenario_of(world, world.call(), agent_id=agent, sub=agent)
    if agent == "gone":
        assert nearest(world, scenario) == set()
    else:
        assert not any(kind in {"role", "acr", "log-in"} for kind, _ in nearest(world, scenario))
