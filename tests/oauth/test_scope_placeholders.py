"""Scopes that bind a claim."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.oauth.scope_placeholders import fill, fill_hierarchy, is_declared, may_meet

TENANT = "tenant:reports.read.{organization_id}"


def test_a_placeholder_is_filled_from_the_claim_of_its_name():
    assert fill(TENANT, {"organization_id": "acme"}) == "tenant:reports.read.acme"


@pytest.mark.parametrize("value", ["", "Acme", "a.b", "a b", "{x}", "acme:admin", "acme\n", "ä"])
def test_what_is_no_part_of_a_scope_name_fills_nothing(value):
    assert fill(TENANT, {"organization_id": value}) is None


def test_a_claim_that_is_missing_fills_nothing():
    assert fill(TENANT, {"environment": "prod"}) is None


def test_a_scope_without_placeholders_stays_as_it_is():
    assert fill("crm:accounts.read", {}) == "crm:accounts.read"


@settings(deadline=None)
@given(st.text(max_size=20))
def test_filling_never_makes_more_than_one_part(value):
    filled = fill(TENANT, {"organization_id": value})
    assert filled is None or filled.count(".") == TENANT.count(".")


def test_a_filled_scope_is_declared_by_its_pattern_and_so_is_the_pattern():
    assert is_declared("tenant:reports.read.acme", [TENANT])
    assert is_declared(TENANT, [TENANT])


@pytest.mark.parametrize(
    "stranger",
    [
        "tenant:reports.read.",
        "tenant:reports.read.a.b",
        "tenant:reports.read",
        "xtenant:reports.read.a",
    ],
)
def test_what_does_not_fit_the_pattern_is_not_declared(stranger):
    assert not is_declared(stranger, [TENANT, "crm:accounts.read"])


def test_a_hierarchy_reads_for_the_subject_and_leaves_out_what_cannot_be_filled():
    hierarchy = {"a:all.x": frozenset({TENANT}), "b:{team}.x": frozenset({"c:d.e"})}
    assert fill_hierarchy(hierarchy, {"organization_id": "acme"}) == {
        "a:all.x": frozenset({"tenant:reports.read.acme"})
    }


def test_a_pattern_and_a_scope_that_fits_it_may_meet():
    assert may_meet(TENANT, "tenant:reports.read.acme", {})
    assert may_meet("tenant:reports.read.acme", TENANT, {})
    assert not may_meet("crm:accounts.read", TENANT, {})
