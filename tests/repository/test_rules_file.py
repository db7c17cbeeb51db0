"""A rule has one template, filled in so that it says something."""

import pytest
from pydantic import ValidationError

from remit.repository.rules_file import TEMPLATES, RuleSection, RulesFile

GOOD = {
    "business_hours": {"from": "09:00", "until": "17:00"},
    "trusted_networks": {"networks": ["office"]},
    "own_organization": {},
    "amount_limit": {"argument": "amount", "currency": "USD", "at_most": "500.00"},
    "region": {"regions": ["eu"]},
    "require_justification": {},
    "separation_of_duties": {"roles": ["clerk", "payer"]},
    "no_export_outside": {"data_categories": ["hr"]},
}


def test_there_is_an_example_of_every_template():
    assert set(GOOD) == set(TEMPLATES)


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_can_be_filled_in(template):
    rule = RuleSection.model_validate({template: GOOD[template], "servers": ["crm"]})
    assert rule.template == getattr(rule, template)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({}, "a rule has one template, and not none"),
        ({"region": GOOD["region"], "own_organization": {}}, "not `own_organization` and `region`"),
        ({"region": GOOD["region"], "servers": ["a"], "things": ["a/b"]}, "`servers` beside `things`"),
        ({"busines_hours": GOOD["business_hours"]}, "Extra inputs"),
        ({"region": {"regions": []}}, "at least 1 item"),
        ({"region": GOOD["region"], "mode": "off"}, "enforce"),
        ({"business_hours": {"from": "17:00", "until": "09:00"}}, "end before they begin"),
        ({"business_hours": {"from": "9:00", "until": "17:00"}}, "no time of day"),
        ({"business_hours": {"from": 900, "until": "17:00"}}, "no time of day"),
        ({"business_hours": {"from": "09:00", "until": "25:00"}}, "no time of day"),
        ({"business_hours": {"from": "09:00", "until": "17:00", "days": ["monday"]}}, "mon"),
        ({"amount_limit": {"argument": "amount", "at_most": "5,00"}}, "no amount"),
        ({"amount_limit": {"argument": "amount", "at_most": 5.5}}, "no amount"),
        ({"amount_limit": {"argument": "amount", "at_most": True}}, "no amount"),
        ({"amount_limit": {"argument": "amount", "at_most": "-5"}}, "no amount"),
        ({"amount_limit": {"at_most": 5}}, "what is limited is not said"),
        ({"amount_limit": {"at_most": 5, "argument": "a", "history": "b"}}, "what is limited is not said"),
        ({"amount_limit": {"at_most": 5, "history": "b", "currency": "USD"}}, "beside a fact of history"),
        ({"separation_of_duties": {}}, "which duties"),
        ({"separation_of_duties": {"roles": ["clerk"]}}, "at least 2 items"),
        ({"separation_of_duties": {"history": "used"}}, "say it together"),
        ({"require_justification": {"what": "The reason"}}, "pattern"),
    ],
)  # fmt: skip
def test_what_says_nothing_or_two_things_is_refused(rule, said):
    with pytest.raises(ValidationError, match=said):
        RuleSection.model_validate(rule)


def test_a_rule_has_a_name():
    with pytest.raises(ValidationError):
        RulesFile.model_validate({"The rule": {"own_organization": {}}})
