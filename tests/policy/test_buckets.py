"""A bucket holds every policy that could matter: deciding by it is deciding by all."""

import pytest
from cedarpy import PolicySet

from remit.policy.buckets import Index, could_matter
from remit.policy.check import CheckedPolicy
from remit.policy.demands import Demand

GROUPS = ("read", "server/crm", "call")


def policies(*heads):
    made = []
    for number, head in enumerate(heads):
        text = f'@id("p{number}") {head};'
        (tree,) = PolicySet.from_str(text).to_pst().static_policies.values()
        made.append(CheckedPolicy(text, tree, dict(tree.annotations)))
    return made


@pytest.mark.parametrize(
    "head",
    [
        "forbid(principal, action, resource)",
        'permit(principal == Remit::User::"x", action, resource)',
        'permit(principal, action == Remit::Action::"crm/get", resource)',
        'permit(principal, action in Remit::Action::"call", resource)',
        'permit(principal, action in [Remit::Action::"write", Remit::Action::"read"], resource)',
        'permit(principal, action == Other::Action::"crm/put", resource)',
    ],
)
def test_what_could_matter_is_in_the_bucket(head):
    assert could_matter(policies(head), "crm/get", GROUPS) == (0,)


@pytest.mark.parametrize(
    "head",
    [
        'forbid(principal, action == Remit::Action::"crm/put", resource)',
        'forbid(principal, action in Remit::Action::"write", resource)',
        'forbid(principal, action in [Remit::Action::"issue", Remit::Action::"server/hr"], resource)',
    ],
)
def test_what_is_about_other_actions_is_not(head):
    assert could_matter(policies(head), "crm/get", GROUPS) == ()


def test_an_erring_policy_about_another_action_disturbs_nobody(desk):
    text = (
        '@id("all") permit(principal, action, resource);\n'
        '@id("bad") forbid(principal, action == Remit::Action::"crm/export_accounts", resource)\n'
        "  when { context.time.epoch + 9223372036854775807 > 0 };"
    )
    assert desk.decide(text, desk.ask()).allowed


ROLES, TENANT = ("principal", "roles"), ("principal", "tenant")


def test_a_question_meets_what_demands_nothing_and_what_demands_what_it_has(desk):
    index = Index(
        {
            3: Demand(ROLES, frozenset({"support", "finance"})),
            5: None,
            8: Demand(ROLES, frozenset({"auditor"})),
            9: Demand(TENANT, frozenset({"acme"})),
        }
    )

    def met(**changes):
        return index.positions(index.selection(desk.ask(**changes)))

    assert met(roles=("support",)) == (3, 5, 9)
    assert met(roles=("auditor", "other", "finance")) == (3, 5, 8, 9)
    assert met(roles=()) == (5, 9)


def test_values_that_nobody_demands_make_no_difference(desk):
    index = Index({0: Demand(ROLES, frozenset({"auditor"}))})
    selections = {index.selection(desk.ask(roles=roles)) for roles in ((), ("a",), ("b", "c"))}
    assert len(selections) == 1
