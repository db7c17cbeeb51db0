"""A person as policies see them."""

from dataclasses import replace

import pytest

from remit.identity import User, UserDetails, subject_of
from remit.identity.user import check_details, normalized_username
from remit.policy import SubjectKind

ADA = User(
    id="usr_1",
    tenant="acme",
    username="ada",
    display_name="Ada",
    roles=("support",),
    attributes={},
    created_at=1,
)


def test_a_subject_has_the_roles_of_the_account(catalog):
    subject = subject_of(ADA, catalog)
    assert (subject.kind, subject.id, subject.tenant) == (SubjectKind.USER, "usr_1", "acme")
    assert subject.roles == ("support",)


def test_attributes_add_roles_where_all_of_a_rule_match(catalog):
    finance = replace(ADA, attributes={"department": "finance"})
    lead = replace(ADA, attributes={"department": "finance", "grade": "lead"})
    assert subject_of(finance, catalog).roles == ("support", "finance")
    assert subject_of(lead, catalog).roles == ("support", "finance", "manager")
    assert subject_of(lead, catalog).attributes == lead.attributes


@pytest.mark.parametrize(
    "attributes", [{"department": "Finance"}, {"grade": "lead"}, {"Department": "finance"}]
)
def test_attributes_that_do_not_match_add_nothing(catalog, attributes):
    assert subject_of(replace(ADA, attributes=attributes), catalog).roles == ("support",)


def test_a_role_that_the_catalog_does_not_declare_is_not_held(catalog):
    assert subject_of(replace(ADA, roles=("root", "support")), catalog).roles == ("support",)


def test_a_role_held_twice_counts_once(catalog):
    twice = replace(ADA, roles=("finance",), attributes={"department": "finance"})
    assert subject_of(twice, catalog).roles == ("finance",)


def test_a_rule_without_attributes_gives_nobody_anything(catalog):
    rule = replace(catalog.attribute_rules[0], attributes={})
    assert subject_of(ADA, replace(catalog, attribute_rules=(rule,))).roles == ("support",)


def test_a_name_is_compared_in_one_form():
    assert normalized_username("  ADA@Example ") == "ada@example"


def test_an_account_without_a_display_name_is_shown_by_its_name(catalog):
    assert check_details(UserDetails(username="ada", tenant="acme"), catalog).display_name == "ada"
