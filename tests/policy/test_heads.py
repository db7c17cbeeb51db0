"""The head of a policy says which actions it is about; what it leaves open is about every one."""

import pytest
from cedarpy import PolicySet

from remit.policy.heads import admits


@pytest.mark.parametrize(
    ("action", "names", "admitted"),
    [
        ("action", {"issue"}, True),
        ('action == Remit::Action::"issue"', {"issue"}, True),
        ('action == Remit::Action::"issue"', {"call", "crm/x"}, False),
        ('action in Remit::Action::"call"', {"call", "crm/x"}, True),
        ('action in [Remit::Action::"read", Remit::Action::"crm/x"]', {"write", "crm/x"}, True),
        ('action in [Remit::Action::"read"]', {"write", "crm/x"}, False),
        ('action == Other::Action::"y"', {"issue"}, True),
    ],
)
def test_a_head_admits_what_it_names(action, names, admitted):
    text = f'@id("x") permit(principal, {action}, resource);'
    (tree,) = PolicySet.from_str(text).to_pst().static_policies.values()
    assert admits(tree, names) is admitted
