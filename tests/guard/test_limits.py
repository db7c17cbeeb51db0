from dataclasses import replace

import pytest

from remit.guard.limits import is_workload, scope_limits
from remit.ids import ScopeName
from remit.tokens import Delegate

READ = ScopeName("crm:accounts.read")
NAME = ScopeName("crm:accounts.read.name")
WRITE = ScopeName("crm:accounts.write")
EXPORT = ScopeName("crm:accounts.export")


@pytest.fixture
def limits(world):
    def make(*, forbidden=(), agent=None, **token):
        catalog = world.directory.catalog
        guardrails = replace(catalog.guardrails, forbidden_scopes=forbidden)
        declared = catalog.agents["assistant"]
        declared = declared if agent is None else replace(declared, scopes=agent)
        return scope_limits(world.token(**token), declared, replace(catalog, guardrails=guardrails))

    return make


def test_a_scope_counts_if_token_and_agent_have_it(limits):
    assert limits(scopes=(READ,)).holds(READ)
    assert not limits(scopes=(READ,)).holds(WRITE)
    assert not limits(scopes=(READ, WRITE), agent=(READ,)).holds(WRITE)


def test_of_a_wide_scope_only_the_part_the_agent_may_hold_counts(limits):
    narrowed = limits(scopes=(READ,), agent=(NAME,))
    assert narrowed.holds(NAME)
    assert not narrowed.holds(READ)
    assert narrowed.effective == (NAME,)


def test_a_forbidden_part_forbids_the_whole(limits):
    limited = limits(scopes=(READ,), forbidden=(NAME,))
    assert not limited.holds(READ)
    assert not limited.may_obtain(READ)
    assert limited.effective == ()


def test_a_forbidden_whole_leaves_its_parts(limits):
    limited = limits(scopes=(READ,), forbidden=(READ,))
    assert limited.holds(NAME)
    assert not limited.holds(READ)


def test_a_person_can_obtain_what_their_roles_and_the_agent_may_have(limits):
    assert limits(roles=("finance",)).may_obtain(EXPORT)
    assert not limits(roles=("support",)).may_obtain(EXPORT)
    assert not limits(roles=("finance",), agent=(READ,)).may_obtain(EXPORT)
    assert not limits(roles=("no such role",)).may_obtain(READ)


def test_a_workload_can_obtain_what_the_agent_may_have(limits, world):
    job = {"sub": "assistant", "agent_id": "assistant", "roles": ()}
    assert is_workload(world.token(**job))
    assert limits(**job).may_obtain(EXPORT)


def test_placeholders_are_filled_from_the_token_alone(limits):
    held = limits(organization_id="globex")
    assert held.required([ScopeName("tenant:read:{organization_id}")]) == ("tenant:read:globex",)
    assert held.required([ScopeName("tenant:read:{nothing}")]) is None


def test_an_attribute_fills_a_placeholder_but_not_in_place_of_our_own_claims(limits):
    held = limits(attributes={"region": "emea", "organization_id": "globex"})
    assert held.required([ScopeName("data:{region}.read")]) == ("data:emea.read",)
    assert held.required([ScopeName("tenant:read:{organization_id}")]) == ("tenant:read:acme",)


@pytest.mark.parametrize("value", ["a.b", "a:b", "", "A", "a b", "{x}", "*"])
def test_an_attribute_cannot_make_another_scope_of_a_placeholder(limits, value):
    held = limits(attributes={"region": value})
    assert held.required([ScopeName("data:{region}.read")]) is None


def test_an_agent_that_acts_for_a_workload_is_bound_by_no_person(world):
    """RFC 8693 §4.1: the last of the actors is the agent that the token was first issued to."""
    chain = (Delegate("other", "cli_2"), Delegate("assistant", "cli_1"))
    acting = {"agent_id": "other", "actors": chain, "roles": ()}
    assert is_workload(world.token(sub="assistant", **acting))
    assert not is_workload(world.token(sub="usr_1", **acting))
    assert not is_workload(world.token(sub="other", **acting))
    assert is_workload(world.token(sub="assistant"))


@pytest.mark.parametrize("scope", ["{0}:payments.refund", "env:{0}:execute"])
def test_a_scope_of_one_environment_counts_nowhere_else(world, scope):
    catalog = world.directory.catalog
    own = str(world.token().environment)
    other = next(one for one in (*catalog.environments, "elsewhere") if one != own)
    here, there = (ScopeName(scope.format(one)) for one in (own, other))
    agent = replace(catalog.agents["assistant"], scopes=(here, there))
    role = replace(catalog.roles["support"], scopes=(here, there))
    declared = replace(
        catalog,
        roles={**catalog.roles, "support": role},
        environments=(*catalog.environments, other),
    )
    limited = scope_limits(world.token(scopes=(here, there), roles=("support",)), agent, declared)
    assert limited.holds(here)
    assert not limited.holds(there)
    assert not limited.may_obtain(there)
    assert limited.effective == (here,)
    assert limited.required([here]) == (here,)
    assert limited.required([here, there]) is None


def test_what_covers_a_scope_of_another_environment_does_not_open_it(world):
    catalog = world.directory.catalog
    there = ScopeName("env:elsewhere:execute")
    wide = replace(catalog, hierarchy={**catalog.hierarchy, READ: frozenset({NAME, there})})
    limited = scope_limits(world.token(scopes=(READ,)), catalog.agents["assistant"], wide)
    assert limited.holds(READ)
    assert not limited.holds(there)


def test_a_foreign_tenants_scope_is_never_the_callers(world):
    catalog = world.directory.catalog
    bound = ScopeName("tenant:read:{organization_id}")
    agent = replace(catalog.agents["assistant"], scopes=(bound,))
    role = replace(catalog.roles["support"], scopes=(bound,))
    declared = replace(catalog, roles={**catalog.roles, "support": role})
    token = world.token(scopes=(ScopeName("tenant:read:globex"),), roles=("support",))
    assert token.organization_id != "globex"
    limited = scope_limits(
        replace(token, attributes={"organization_id": "globex", "environment": "x"}),
        agent,
        declared,
    )
    assert limited.required([bound]) == (f"tenant:read:{token.organization_id}",)
    assert not limited.holds(ScopeName("tenant:read:globex"))
