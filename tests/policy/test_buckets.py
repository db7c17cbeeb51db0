"""A bucket holds every policy that could matter: deciding by it is deciding by all."""

import pytest
from cedarpy import PolicySet

from remit.policy.buckets import could_matter
from remit.policy.check import CheckedPolicy

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
