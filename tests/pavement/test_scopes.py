"""What covers what, and what is still missing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.ids import ScopeName
from remit.scopes import (
    covers,
    environment_named_by,
    fill,
    fill_hierarchy,
    is_scope_name,
    is_scope_token,
    may_become_one,
    missing,
    parse_scope_param,
)

READ, BASIC, WRITE = (
    ScopeName("crm:accounts.read"),
    ScopeName("crm:accounts.read.basic"),
    ScopeName("crm:accounts.write"),
)
HIERARCHY = {READ: frozenset({BASIC})}


def test_a_scope_covers_itself_and_what_stands_below_it():
    assert covers(READ, READ, HIERARCHY)
    assert covers(READ, BASIC, HIERARCHY)


def test_nothing_is_covered_that_is_not_written_down():
    assert not covers(BASIC, READ, HIERARCHY)
    assert not covers(WRITE, READ, HIERARCHY)
    assert not covers(ScopeName("crm:accounts"), READ, HIERARCHY)
    assert not covers(ScopeName("crm:*"), READ, HIERARCHY)
    assert not covers(ScopeName("CRM:accounts.read"), READ, HIERARCHY)


def test_missing_names_all_that_lacks_in_the_order_asked():
    assert missing([WRITE, BASIC, READ], [BASIC], HIERARCHY) == (WRITE, READ)
    assert missing([BASIC, READ], [READ], HIERARCHY) == ()
    assert missing([], [], HIERARCHY) == ()


@given(st.lists(st.sampled_from([READ, BASIC, WRITE])))
def test_holding_all_that_is_required_leaves_nothing_missing(required):
    assert missing(required, required, HIERARCHY) == ()


@pytest.mark.parametrize(
    "name",
    [
        "crm:accounts.read",
        "prod:payments.refund",
        "tenant:read:{organization_id}",
        "env:prod:execute",
        "hr:payroll.export",
        "crm:customer.read.basic",
    ],
)
def test_the_convention_admits(name):
    assert is_scope_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "mcp",
        "crm:",
        ":read",
        "crm:*",
        "Crm:read",
        "crm: read",
        "crm:a..b",
        "crm:{Tenant}",
        "a:b:",
        "crm:é",
    ],
)
def test_the_convention_refuses(name):
    assert not is_scope_name(name)


@pytest.mark.parametrize("token", ["", 'a"b', "a\\b", "a b", "é", "a\tb", "a\x7f"])
def test_rfc_6749_refuses_as_a_scope_token(token):
    assert not is_scope_token(token)


def test_a_scope_parameter_keeps_its_order_and_drops_repeats():
    assert parse_scope_param("a:b  c:d a:b") == ("a:b", "c:d")
    assert parse_scope_param("") == ()
    assert parse_scope_param('a:b "x"') is None
    assert parse_scope_param("a:b\tc:d") is None


@pytest.mark.parametrize("value", ["", "A", "a.b", "a:b", "a b", "{x}", "*", "é"])
def test_a_placeholder_is_filled_with_one_part_of_a_name_or_not_at_all(value):
    scope = ScopeName("tenant:read:{organization_id}")
    assert fill(scope, {"organization_id": "acme-2"}) == "tenant:read:acme-2"
    assert fill(scope, {"organization_id": value}) is None
    assert fill(scope, {}) is None


def test_a_hierarchy_is_filled_and_what_cannot_be_covers_nothing():
    read, name = ScopeName("{env}:a.read"), ScopeName("{env}:a.read.name")
    hierarchy = {read: frozenset({name}), ScopeName("{x}:b"): frozenset({name})}
    assert fill_hierarchy(hierarchy, {"env": "prod"}) == {
        "prod:a.read": frozenset({"prod:a.read.name"})
    }


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


def test_a_hierarchy_reads_for_the_subject_and_leaves_out_what_cannot_be_filled():
    hierarchy = {"a:all.x": frozenset({TENANT}), "b:{team}.x": frozenset({"c:d.e"})}
    assert fill_hierarchy(hierarchy, {"organization_id": "acme"}) == {
        "a:all.x": frozenset({"tenant:reports.read.acme"})
    }


@pytest.mark.parametrize(
    ("scope", "environment"),
    [
        ("prod:payments.refund", "prod"),
        ("prod:payments:invoices.read", "prod"),
        ("env:prod:execute", "prod"),
        ("env:retired:execute", "retired"),
        ("payments:prod.refund", None),
        ("crm:accounts.read", None),
        ("production:payments.refund", None),
        ("env:{environment}:execute", None),
        ("env:execute", None),
        ("prod", None),
    ],
)
def test_a_name_that_begins_with_an_environment_is_of_it(scope, environment):
    assert environment_named_by(scope, frozenset({"dev", "prod"})) == environment


@pytest.mark.parametrize(
    "value", ["Acme", "acm\u00e9", "acme\n", "\u0430cme", "acme ", "ACME", "\uff41cme", "{x}"]
)
def test_what_only_looks_like_a_name_fills_nothing(value):
    assert fill(TENANT, {"organization_id": value}) is None


@pytest.mark.parametrize(
    "name",
    ["crm:{a}{b}.read", "crm:x{a}.read", "crm:{a}x.read", "crm:{}.read", "crm:{a.b}.read", "crm:{{a}}.read",
     "crm:{a:b}.read", "Crm:accounts.read", "crm:accounts.r\u00e9ad", "crm:accounts.read\n", "crm:acc\u200bounts.read"],
)  # fmt: skip
def test_a_placeholder_is_a_whole_part_and_letters_are_plain(name):
    assert not is_scope_name(name)


def test_every_placeholder_of_a_name_is_filled_or_none():
    scope = "tenant:{organization_id}:{environment}.{organization_id}"
    claims = {"organization_id": "acme", "environment": "prod"}
    assert fill(scope, claims) == "tenant:acme:prod.acme"
    assert fill(scope, {"organization_id": "acme"}) is None


_PARTS = st.sampled_from(["a", "b", "{x}", "{y}"])
_SCOPES = st.builds("{}:{}.{}".format, _PARTS, _PARTS, _PARTS)


@given(_SCOPES, _SCOPES, st.sampled_from("abc"), st.sampled_from("abc"))
def test_two_names_that_claims_make_equal_are_known_to_be_able_to(first, second, x, y):
    claims = {"x": x, "y": y}
    if fill(first, claims) == fill(second, claims):
        assert may_become_one(first, second)
    assert may_become_one(first, first)
    assert may_become_one(first, second) == may_become_one(second, first)
