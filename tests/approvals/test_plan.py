"""What a cure takes: which rule counts, one confirmation for all that is the person's own, and nobody asked in vain."""

from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

import pytest

from remit.approvals.plan import Subject, approval_of, plan_of
from remit.approvals.request import Part, PartKind
from remit.model import (
    ACR_MULTI_FACTOR,
    ACR_PHISHING_RESISTANT,
    ApprovalRule,
    Approvals,
    Confirmation,
    Escalation,
    Role,
)
from remit.policy.evaluation import Money
from remit.policy.obligation import Obligation, ObligationKind
from remit.testing.catalog import PAYMENTS, PROD, small_catalog

LARGE = "payments:refund.large"
CALL = Subject(
    server=PAYMENTS,
    action="payments/refund",
    environment=PROD,
    arguments={"amount": Money(Decimal("600.00"), "EUR")},
    grantable=frozenset({LARGE}),
    has_person=True,
)


def _need(kind, value):
    return Obligation(kind=ObligationKind(kind), value=value, rule="r")


APPROVAL = _need("require_approval", "manager")


def _catalog(*rules, **approvals):
    catalog = small_catalog()
    roles = {**catalog.roles, "manager": Role(name="manager", scopes=())}
    return replace(
        catalog,
        roles=MappingProxyType(roles),
        approvals=Approvals(rules=rules, **approvals),
    )


def _rule(name="first", role="manager", **changes):
    return ApprovalRule(name=name, role=role, **changes)


def test_without_a_rule_one_person_of_the_role_approves():
    plan = plan_of([APPROVAL], CALL, _catalog())
    assert plan.parts == (Part(kind=PartKind.APPROVAL, role="manager", acr=ACR_MULTI_FACTOR),)
    assert (plan.waits, plan.holds) == (900, 300)


def test_the_first_rule_that_fits_counts():
    rules = (
        _rule("of-another-role", role="finance"),
        _rule("elsewhere", servers=("crm",)),
        _rule("fits", quorum=2, owners=True, escalation=Escalation(after=60, role="director")),
        _rule("later"),
    )
    (part,) = plan_of([APPROVAL], CALL, _catalog(*rules)).parts
    assert (part.rule, part.quorum, part.owners) == ("fits", 2, True)
    assert part.escalation == Escalation(after=60, role="director")


@pytest.mark.parametrize(
    ("conditions", "fits"),
    [
        ({"servers": ("payments",)}, True),
        ({"servers": ("crm",)}, False),
        ({"tools": ("payments/refund",)}, True),
        ({"tools": ("refund",)}, False),
        ({"environments": ("prod",)}, True),
        ({"environments": ("staging",)}, False),
        ({"above": Decimal("599.99"), "currency": "EUR"}, True),
        ({"above": Decimal("600.00"), "currency": "EUR"}, False),
        ({"above": Decimal("9999.00"), "currency": "USD"}, True),
    ],
)
def test_a_rule_fits_where_all_that_it_says_holds(conditions, fits):
    (part,) = plan_of([APPROVAL], CALL, _catalog(_rule(**conditions))).parts
    assert (part.rule == "first") is fits


def test_a_call_without_an_amount_may_be_above_any():
    rule = _rule(above=Decimal(1_000), currency="EUR")
    (part,) = plan_of([APPROVAL], replace(CALL, arguments={"note": "x"}), _catalog(rule)).parts
    assert part.rule == "first"


def test_all_that_is_the_persons_own_is_one_confirmation_as_strong_as_any_of_it():
    needs = [
        _need("confirm", ACR_MULTI_FACTOR),
        _need("step_up", ACR_PHISHING_RESISTANT),
        _need("step_up", "2m"),
        _need("step_up", "1h"),
    ]
    (part,) = plan_of(needs, CALL, _catalog()).parts
    assert part == Part(
        kind=PartKind.CONFIRMATION, acr=ACR_PHISHING_RESISTANT, fresh=120, anew=True
    )


def test_a_step_up_alone_may_have_been_before_it_was_asked_for():
    (part,) = plan_of([_need("step_up", "5m")], CALL, _catalog()).parts
    assert part == Part(kind=PartKind.CONFIRMATION, fresh=300, anew=False)


def test_each_scope_is_confirmed():
    (part,) = plan_of([_need("require_scope", LARGE)], CALL, _catalog()).parts
    assert (part.scope, part.anew, part.fresh) == (LARGE, True, 300)


def test_a_confirmation_and_an_approval_wait_for_the_longer_and_hold_for_the_shorter():
    needs = [_need("confirm", ACR_MULTI_FACTOR), APPROVAL]
    rule = _rule(waits=3_600, holds=900)
    plan = plan_of(needs, CALL, _catalog(rule, confirmation=Confirmation(waits=60, holds=120)))
    assert (plan.waits, plan.holds) == (3_600, 120)


def test_two_policies_that_want_the_same_role_are_one_approval():
    plan = plan_of([APPROVAL, replace(APPROVAL, rule="other")], CALL, _catalog())
    assert len(plan.parts) == 1


def test_nobody_is_asked_to_confirm_a_call_that_no_person_stands_for():
    workload = replace(CALL, has_person=False)
    assert plan_of([_need("confirm", ACR_MULTI_FACTOR)], workload, _catalog()) is None
    assert plan_of([_need("confirm", ACR_MULTI_FACTOR), APPROVAL], workload, _catalog()) is None


def test_a_workloads_call_is_approved_by_others():
    assert plan_of([APPROVAL], replace(CALL, has_person=False), _catalog()) is not None


def test_nobody_is_asked_for_a_scope_that_the_person_could_not_give():
    assert plan_of([_need("require_scope", "payments:else.at_all")], CALL, _catalog()) is None


def test_nobody_is_asked_for_a_role_that_is_not_declared():
    assert plan_of([_need("require_approval", "emperor")], CALL, _catalog()) is None


def test_nobody_is_asked_for_nothing():
    assert plan_of([], CALL, _catalog()) is None


def test_what_is_no_call_is_approved_by_the_same_rules():
    plan = approval_of("manager", CALL, _catalog(_rule(quorum=2)))
    assert plan.parts[0].quorum == 2
    assert approval_of("emperor", CALL, _catalog()) is None
