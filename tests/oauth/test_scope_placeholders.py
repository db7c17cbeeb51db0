"""Scopes with placeholders, before anybody is known to fill them for."""

import pytest

from remit.model import ScopeDefinition
from remit.oauth.scope_placeholders import is_declared, is_elevated, may_meet

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


def declared(**elevated):
    return {
        name: ScopeDefinition(name=name, title="T", description="D", elevated=is_so)
        for name, is_so in elevated.items()
    }


def test_a_scope_is_elevated_by_its_line_or_by_the_pattern_that_it_fills():
    scopes = declared(**{TENANT: True, "crm:accounts.erase": True})
    assert is_elevated(TENANT, scopes)
    assert is_elevated("tenant:reports.read.acme", scopes)
    assert is_elevated("crm:accounts.erase", scopes)


def test_what_is_declared_otherwise_or_not_at_all_is_not_elevated():
    scopes = declared(**{TENANT: True, "crm:accounts.read": False})
    for ordinary in ("crm:accounts.read", "tenant:reports.read", "tenant:reports.read.a.b", "x:y"):
        assert not is_elevated(ordinary, scopes)
