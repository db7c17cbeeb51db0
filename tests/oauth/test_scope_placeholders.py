"""Scopes with placeholders, before anybody is known to fill them for."""

import pytest

from remit.oauth.scope_placeholders import is_declared, may_meet

TENANT = "tenant:reports.read.{organization_id}"


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


def test_a_pattern_and_a_scope_that_fits_it_may_meet():
    assert may_meet(TENANT, "tenant:reports.read.acme", {})
    assert may_meet("tenant:reports.read.acme", TENANT, {})
    assert not may_meet("crm:accounts.read", TENANT, {})
