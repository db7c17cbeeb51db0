"""What was worked out before never outlives the catalog, the token or the standing it came from."""

from dataclasses import replace
from types import MappingProxyType

import pytest

from remit.guard import Challenge, Deny, Permit, Visible
from remit.guard.acquaintance import Acquaintance, reach_of
from remit.guard.outcome import RefusalReason
from remit.guard.standing import agent_of
from remit.guard.target import find_target
from remit.guard.world import World
from remit.ids import ScopeName
from remit.model import Role, Sensitivity
from remit.policy import ResourceKind
from remit.testing.catalog import CRM, small_catalog, with_agent, with_server

UPDATE = {"account": "acc_1"}


async def outcomes(world, change, call):
    """What becomes of the same call of the same token before and after `change`, twice each."""
    before = [await world.guard.decide(call) for _ in range(2)]
    change(world)
    after = [await world.guard.decide(call) for _ in range(2)]
    assert type(before[0]) is type(before[1])
    assert type(after[0]) is type(after[1])
    return before[1], after[1]


def change_catalog(**changes):
    def change(world):
        world.directory.catalog = replace(world.directory.catalog, **changes)

    return change


def without_role(world):
    roles = {**world.directory.catalog.roles, "support": Role(name="support", scopes=())}
    world.directory.catalog = replace(world.directory.catalog, roles=MappingProxyType(roles))


def forbidden_scope(world):
    catalog = world.directory.catalog
    guardrails = replace(catalog.guardrails, forbidden_scopes=(ScopeName("crm:accounts.write"),))
    world.directory.catalog = replace(catalog, guardrails=guardrails)


def narrower_agent(world):
    catalog = world.directory.catalog
    agent = replace(catalog.agents["assistant"], scopes=(ScopeName("crm:accounts.read"),))
    world.directory.catalog = with_agent(catalog, agent)


def less_trusted_agent(world):
    catalog = world.directory.catalog
    agent = replace(catalog.agents["assistant"], max_sensitivity=Sensitivity.LOW)
    world.directory.catalog = with_agent(catalog, agent)


def without_tool(world):
    catalog = world.directory.catalog
    crm = catalog.servers[CRM]
    tools = {name: tool for name, tool in crm.tools.items() if name != "update_account"}
    world.directory.catalog = with_server(catalog, replace(crm, tools=MappingProxyType(tools)))


def without_hierarchy(world):
    change_catalog(hierarchy=MappingProxyType({}))(world)


def suspended(world):
    world.stand(suspended_agents=frozenset({"assistant"}))


def revoked(world):
    world.stand(revoked_grants=frozenset({"gnt_1"}))


def disabled(world):
    world.stand(disabled_users=frozenset({"usr_1"}))


def stale(world):
    world.clock.advance(60)


def other_policies(world):
    world.use_policies("")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without_role, RefusalReason.NOT_FOUND),
        (forbidden_scope, RefusalReason.NOT_FOUND),
        (narrower_agent, RefusalReason.NOT_FOUND),
        (less_trusted_agent, RefusalReason.NOT_FOUND),
        (without_tool, RefusalReason.NOT_FOUND),
        (suspended, RefusalReason.INVALID_TOKEN),
        (revoked, RefusalReason.INVALID_TOKEN),
        (disabled, RefusalReason.INVALID_TOKEN),
        (stale, RefusalReason.STALE_SNAPSHOT),
        (other_policies, RefusalReason.NOT_FOUND),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
async def test_the_next_call_of_the_same_token_sees_what_changed(world, change, reason):
    call = world.call("update_account", UPDATE, token={"roles": ("support",)})
    before, after = await outcomes(world, change, call)
    assert isinstance(before, Permit)
    assert isinstance(after, Deny | Challenge)
    assert after.reason is reason


async def test_what_is_taken_back_comes_back(world):
    catalog = world.directory.catalog
    call = world.call("update_account", UPDATE, token={"roles": ("support",)})
    for _ in range(3):
        world.directory.catalog = catalog
        assert isinstance(await world.guard.decide(call), Permit)
        without_role(world)
        assert isinstance(await world.guard.decide(call), Deny)


async def test_a_scope_that_only_the_hierarchy_brought_goes_with_it(world):
    call = world.call()
    before, after = await outcomes(world, without_hierarchy, call)
    assert isinstance(before, Permit)
    assert isinstance(after, Deny)


async def test_a_list_is_of_the_catalog_in_force(world):
    call = world.list()
    before = await world.guard.visible(call)
    narrower_agent(world)
    after = await world.guard.visible(call)
    assert isinstance(before, Visible)
    assert isinstance(after, Visible)
    assert before.admits(ResourceKind.TOOL, "update_account")
    assert not after.admits(ResourceKind.TOOL, "update_account")


async def test_two_tokens_of_one_person_are_two_callers(world):
    wide = world.call("update_account", UPDATE)
    narrow = world.call(
        "update_account",
        UPDATE,
        token={"jti": "jti_2", "scopes": (ScopeName("crm:accounts.read"),)},
    )
    for _ in range(2):
        assert isinstance(await world.guard.decide(wide), Permit)
        assert isinstance(await world.guard.decide(narrow), Challenge)


def caller_of(world, acquaintance, catalog, token):
    agent = agent_of(token, catalog)
    bundle = World(catalog, world.decisions)
    return acquaintance.caller(token, agent, server=catalog.servers[CRM], world=bundle)


def test_the_same_objects_are_the_same_caller_and_equal_ones_are_not(world):
    acquaintance, catalog, token = Acquaintance(), small_catalog(), world.token()
    known = caller_of(world, acquaintance, catalog, token)
    assert caller_of(world, acquaintance, catalog, token) is known
    assert caller_of(world, acquaintance, catalog, world.token()) is not known
    assert caller_of(world, acquaintance, small_catalog(), token) is not known


def test_an_agent_or_server_of_another_catalog_is_not_taken_for_this_ones(world):
    acquaintance, catalog, token = Acquaintance(), small_catalog(), world.token()
    known = caller_of(world, acquaintance, catalog, token)
    other = small_catalog()
    agent, server = other.agents["assistant"], other.servers[CRM]
    bundle = World(catalog, world.decisions)
    assert acquaintance.caller(token, agent, server=known.server, world=bundle).agent is agent
    assert acquaintance.caller(token, agent, server=server, world=bundle).server is server


def test_things_are_made_once_for_each_server(world):
    acquaintance, crm = Acquaintance(), small_catalog().servers[CRM]
    target = acquaintance.target(crm, ResourceKind.TOOL, "get_account")
    assert acquaintance.target(crm, ResourceKind.TOOL, "get_account") is target
    assert target == find_target(crm, ResourceKind.TOOL, "get_account")
    other = replace(crm, owner="law")
    assert acquaintance.target(other, ResourceKind.TOOL, "get_account").facts.owner == "law"
    assert acquaintance.target(crm, ResourceKind.TOOL, "nothing") is None
    assert acquaintance.target(crm, None, None) is None
    uri = acquaintance.target(crm, ResourceKind.RESOURCE, "crm://accounts/7")
    assert uri is acquaintance.target(crm, ResourceKind.RESOURCE, "crm://accounts/8")


def test_a_reach_is_the_one_that_is_worked_out_anew(world):
    acquaintance, catalog = Acquaintance(), small_catalog()
    for changes in ({}, {"roles": ()}, {"scopes": ()}, {"sensitivity": Sensitivity.LOW}):
        caller = caller_of(world, acquaintance, catalog, world.token(**changes))
        for target in acquaintance.targets(caller.server, None):
            first = acquaintance.reach(caller, target)
            assert acquaintance.reach(caller, target) is first
            assert first == reach_of(caller, target)


def test_more_callers_than_are_remembered_are_still_told_apart(world):
    acquaintance, catalog = Acquaintance(), small_catalog()
    tokens = [world.token(jti=f"jti_{n}") for n in range(2_100)]
    for token in [*tokens, *tokens[:3]]:
        assert caller_of(world, acquaintance, catalog, token).token is token
