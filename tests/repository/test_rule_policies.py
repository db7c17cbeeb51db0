"""A rule becomes the policy that one would write, is checked where it stands, and decides as it says."""

from decimal import Decimal

import pytest

from remit.model import Operation, Sensitivity
from remit.policy import CedarEngine, DecisionPoint, Money, PolicySource
from remit.repository.rule_policies import cedar_of, rule_id
from remit.repository.rules_file import RuleSection
from tests.policy.conftest import PAST, Desk

ALL = '@id("all") permit(principal, action, resource);\n'
MONDAY_10 = 1767603600  # 2026-01-05 10:00 in Berlin


@pytest.fixture
def desk(clock):
    return Desk(clock)


def decide(desk, rule, asked):
    text = cedar_of(rule_id("x", "r"), RuleSection.model_validate(rule))
    sources = [PolicySource(ALL, "all.cedar"), PolicySource(text, "rules/x.yaml")]
    return DecisionPoint(CedarEngine.load(sources, desk.catalog), desk.clock).decide(asked)


HOURS = {"business_hours": {"from": "09:00", "until": "17:00"}}
HALVES = {"business_hours": {"from": "09:30", "until": "17:30", "days": ["mon"]}}


@pytest.mark.parametrize(
    ("rule", "minutes", "allowed"),
    [
        (HOURS, 0, True), (HOURS, -60, True), (HOURS, -61, False), (HOURS, 7 * 60, False),
        (HOURS, 7 * 60 - 1, True), (HOURS, 24 * 60, True), (HOURS, 5 * 24 * 60, False),
        (HALVES, -30, True), (HALVES, -31, False), (HALVES, 7 * 60 + 29, True),
        (HALVES, 7 * 60 + 30, False), (HALVES, 24 * 60, False),
    ],
)  # fmt: skip
def test_business_hours_are_those_of_the_clock_on_the_wall(desk, rule, minutes, allowed):
    decision = decide(desk, rule, desk.ask(now=MONDAY_10 + 60 * minutes))
    assert decision.allowed is allowed
    if not allowed:
        assert "This is possible from" in decision.rules[0].message


@pytest.mark.parametrize(
    ("rule", "changes", "allowed"),
    [
        ({"trusted_networks": {"networks": ["office", "vpn"]}}, {"networks": ("vpn",)}, True),
        ({"trusted_networks": {"networks": ["office"]}}, {"networks": ("vpn",)}, False),
        ({"trusted_networks": {"networks": ["office"]}}, {}, False),
        ({"trusted_networks": {"networks": ["office"]}, "except_roles": ["support"]}, {}, True),
        ({"trusted_networks": {"networks": ["office"]}, "except_roles": ["finance"]}, {}, False),
        ({"trusted_networks": {"networks": ["office"]}, "servers": ["payments"]}, {}, True),
        ({"trusted_networks": {"networks": ["office"]}, "operations": ["write"]}, {}, True),
        ({"trusted_networks": {"networks": ["office"]}, "operations": ["read"]}, {}, False),
        (
            {"trusted_networks": {"networks": ["office"]}, "servers": ["crm"], "operations": ["write"]},
            {},
            True,
        ),
        (
            {"trusted_networks": {"networks": ["office"]}, "things": ["crm/get_account"], "operations": ["read"]},
            {},
            False,
        ),
        ({"own_organization": {}}, {"tenant": "acme"}, True),
        ({"own_organization": {}}, {"tenant": "globex"}, False),
        ({"own_organization": {}}, {}, False),
        ({"own_organization": {"max_sensitivity": "low"}}, {"tenant": "acme"}, True),
        (
            {"own_organization": {"max_sensitivity": "low"}},
            {"tenant": "acme", "sensitivity": Sensitivity.MEDIUM},
            False,
        ),
        (
            {"own_organization": {"argument": "account"}, "servers": ["crm"]},
            {"arguments": {"account": "acme"}},
            True,
        ),
        (
            {"own_organization": {"argument": "account"}, "servers": ["crm"]},
            {"arguments": {"account": "globex"}},
            False,
        ),
        ({"require_justification": {}}, {}, False),
        ({"require_justification": {}}, {"justification": "INC-7"}, True),
        ({"require_justification": {"what": "account"}}, {}, True),
        ({"separation_of_duties": {"roles": ["support", "finance"]}}, {}, True),
        (
            {"separation_of_duties": {"roles": ["support", "finance"]}},
            {"roles": ("finance", "support", "x")},
            False,
        ),
        ({"no_export_outside": {"data_categories": ["hr"]}}, {"data_categories": ("hr",)}, True),
        (
            {"no_export_outside": {"data_categories": ["hr"], "reads": True}},
            {"data_categories": ("hr",)},
            False,
        ),
        (
            {"no_export_outside": {"data_categories": ["hr"], "reads": True, "networks": ["office"]}},
            {"data_categories": ("hr",), "networks": ("office",)},
            True,
        ),
        ({"no_export_outside": {"data_categories": ["hr"], "reads": True}}, {}, True),
        (
            {"no_export_outside": {"data_categories": ["hr"], "history": "opened", "reads": True}},
            {"history": PAST},
            False,
        ),
        (
            {"no_export_outside": {"data_categories": ["law"], "history": "opened", "reads": True}},
            {"history": PAST},
            True,
        ),
        ({"amount_limit": {"history": "spent", "at_most": "1.5"}}, {"history": PAST}, True),
        ({"amount_limit": {"history": "spent", "at_most": "1.49"}}, {"history": PAST}, False),
        ({"separation_of_duties": {"history": "opened", "after": ["hr"]}}, {"history": PAST}, False),
        ({"separation_of_duties": {"history": "opened", "after": ["x"]}}, {"history": PAST}, True),
    ],
)  # fmt: skip
def test_a_rule_decides_as_it_says(desk, rule, changes, allowed):
    assert decide(desk, rule, desk.ask(**changes)).allowed is allowed


@pytest.mark.parametrize(
    ("value", "currency", "allowed"),
    [("500", "EUR", True), ("500.0001", "EUR", False), ("1", "USD", False)],
)
def test_an_amount_is_limited_in_its_currency(desk, value, currency, allowed):
    limit = {"argument": "amount", "currency": "EUR", "at_most": "500.00"}
    rule = {"amount_limit": limit, "things": ["payments/refund"]}
    asked = desk.refund(value, currency=currency)
    assert asked.context.arguments["amount"] == Money(Decimal(value), currency)
    assert decide(desk, rule, asked).allowed is allowed


@pytest.mark.parametrize(("region", "allowed"), [("eu", True), ("us", False), (None, False)])
def test_data_stays_in_its_region(desk, region, allowed):
    asked = desk.ask(operation=Operation.READ, region=region)
    assert decide(desk, {"region": {"regions": ["eu"]}}, asked).allowed is allowed


def test_a_rule_on_trial_refuses_nobody(desk):
    decision = decide(desk, {"region": {"regions": ["eu"]}, "mode": "observe"}, desk.ask())
    assert decision.allowed
    assert [rule.id for rule in decision.observed] == ["rules/x#r"]


def test_words_of_ones_own_are_said_and_end_no_string(desk):
    rule = {"region": {"regions": ["eu"]}, "message": 'Not "here" \\ now.'}
    decision = decide(desk, rule, desk.ask())
    assert decision.rules[0].message == 'Not "here" \\ now.'


def test_who_administers_remit_is_shut_out_by_no_rule_that_names_no_server(desk):
    text = cedar_of("rules/x#r", RuleSection.model_validate({"region": {"regions": ["eu"]}}))
    assert 'resource.server != "remit"' in text
    named = {"region": {"regions": ["eu"]}, "servers": ["crm"]}
    assert "remit" not in cedar_of("x", RuleSection.model_validate(named)).replace("Remit::", "")
