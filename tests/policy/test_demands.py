"""A policy is looked for by a value it demands, if nothing before that can fail or stay open."""

import pytest
from cedarpy import PolicySet

from remit.policy.demands import Demand, demand_of


def demand(clauses, head="principal, action, resource"):
    text = f"forbid({head}) {clauses};"
    (tree,) = PolicySet.from_str(text).to_pst().static_policies.values()
    return demand_of(tree)


ROLE = 'principal.roles.contains("x")'
X = Demand(("principal", "roles"), frozenset({"x"}))


@pytest.mark.parametrize(
    "clauses",
    [
        f"when {{ {ROLE} }}",
        f"when {{ context.time.hour > 3 && {ROLE} }}",
        f"when {{ context has ip && ({ROLE} && context.ip.isLoopback()) }}",
        f"when {{ {ROLE} && context.time.hour + 1 > 3 }}",
        f"when {{ resource.sensitivity_rank > 1 }} when {{ {ROLE} }}",
        f'unless {{ principal.tenant == "y" }} when {{ {ROLE} }}',
        f"when {{ {ROLE} && context.arguments.a == 1 }}",
        f'when {{ {ROLE} && principal.tenant == "y" }}',
        f"when {{ {ROLE} && {ROLE} }}",
    ],
)
def test_a_role_that_is_demanded_is_found(clauses):
    assert demand(clauses) == X


@pytest.mark.parametrize(
    "clauses",
    [
        "",
        f"when {{ {ROLE} || context.time.hour > 3 }}",
        f"when {{ !({ROLE}) }}",
        f"unless {{ {ROLE} }}",
        f"when {{ context.time.hour + 1 > 3 && {ROLE} }}",
        f"when {{ -context.time.hour < 3 && {ROLE} }}",
        f"when {{ context.time.hour * 2 < 3 }} when {{ {ROLE} }}",
        f"unless {{ context.time.hour * 2 < 3 }} when {{ {ROLE} }}",
        f"when {{ context.arguments.a == 1 && {ROLE} }}",
        f"when {{ context.arguments has a && {ROLE} }}",
        f"when {{ context has arguments && {ROLE} }}",
        f'when {{ principal.getTag("a") == "b" && {ROLE} }}',
        f'when {{ Remit::User::"y".id == "b" && {ROLE} }}',
        f'when {{ context.ip.isInRange(ip("10.0.0.0/8")) && {ROLE} }}',
        f"when {{ if {ROLE} then true else false }}",
        "when { principal.roles.contains(principal.id) }",
        'when { principal.roles == ["x"] }',
        'when { context.token.acr == "x" }',
        'when { principal.roles.containsAny(["x", principal.id]) }',
        f'when {{ {ROLE} || principal.tenant == "x" }}',
        'when { principal == Remit::Server::"x" }',
        'when { resource.owner == "x" }',
    ],
)
def test_what_may_matter_to_others_or_fail_for_them_is_looked_at_for_all(clauses):
    assert demand(clauses) is None


@pytest.mark.parametrize(
    ("clauses", "fact", "values"),
    [
        ('when { principal.roles.containsAny(["x", "y"]) }', ("principal", "roles"), {"x", "y"}),
        (f'when {{ {ROLE} || principal.roles.contains("y") }}', ("principal", "roles"), {"x", "y"}),
        ('when { "x" == principal.tenant }', ("principal", "tenant"), {"x"}),
        ('when { principal == Remit::User::"x" }', ("principal",), {"x"}),
        ('when { Remit::Workload::"x" == principal }', ("principal",), {"x"}),
        (
            'when { context.agent.id == "x" && principal.tenant == "y" }',
            ("context", "agent", "id"),
            {"x"},
        ),
        ('when { context.token.scopes.contains("x:y") }', ("context", "token", "scopes"), {"x:y"}),
    ],
)
def test_other_values_are_demanded_too_the_rarest_first(clauses, fact, values):
    assert demand(clauses) == Demand(fact, frozenset(values))


def test_a_head_may_demand_one_person():
    found = demand("", 'principal == Remit::User::"x", action, resource')
    assert found == Demand(("principal",), frozenset({"x"}))
    assert demand("", 'principal in Remit::User::"x", action, resource') is None
    assert demand("", "principal is Remit::User, action, resource") is None
