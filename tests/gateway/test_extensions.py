"""Which extensions are spoken of: those that are carried, those that a declaration allows, and our own."""

from dataclasses import replace

import pytest

from remit.gateway.extensions import (
    CLIENT_CREDENTIALS,
    ENTERPRISE_MANAGED,
    TASKS,
    Offered,
    authorization_extensions,
    declares_tasks,
    with_carried,
)
from remit.model.trust import PersonTrust, Trust, TrustedIssuer
from tests.gateway.doubles import catalog_of


def test_the_authorization_server_supports_what_its_catalog_lets_it():
    catalog = catalog_of()
    assert authorization_extensions(catalog) == (CLIENT_CREDENTIALS,)
    trusted = TrustedIssuer(
        name="idp", issuer="https://idp.example", id_jag=PersonTrust(provider="corporate")
    )
    trusting = replace(catalog, trust=Trust(issuers={"idp": trusted}))
    assert authorization_extensions(trusting) == (CLIENT_CREDENTIALS, ENTERPRISE_MANAGED)


def test_what_is_neither_carried_nor_allowed_is_taken_out():
    told = {"tools": {}, "extensions": {TASKS: {}, "a/b": {"x": 1}, "c/d": {}}}
    kept = with_carried(told, Offered.by(("a/b",)))
    assert kept == {"tools": {}, "extensions": {TASKS: {}, "a/b": {"x": 1}}}


def test_what_is_said_of_authorization_is_ours_whatever_the_server_says():
    told = {"extensions": {CLIENT_CREDENTIALS: {"x": 1}, ENTERPRISE_MANAGED: {}}}
    allowing = Offered.by((CLIENT_CREDENTIALS, ENTERPRISE_MANAGED), (CLIENT_CREDENTIALS,))
    assert with_carried(told, allowing, to_client=True) == {"extensions": {CLIENT_CREDENTIALS: {}}}
    assert with_carried(told, allowing) == {"extensions": {}}
    assert with_carried({}, allowing, to_client=True) == {"extensions": {CLIENT_CREDENTIALS: {}}}


@pytest.mark.parametrize("told", [None, [], "x", {}], ids=str)
def test_extensions_in_no_known_form_are_none(told):
    kept = with_carried({"extensions": told, "x": 1}, Offered())
    assert kept == ({"x": 1, "extensions": {}} if told == {} else {"x": 1})


@pytest.mark.parametrize(
    "capabilities",
    [
        None,
        {},
        {"extensions": []},
        {"extensions": {TASKS: True}},
        {"extensions": {TASKS.upper(): {}}},
    ],
    ids=str,
)
def test_who_does_not_declare_tasks_to_the_letter_knows_none(capabilities):
    assert not declares_tasks(capabilities)
    assert declares_tasks({"extensions": {TASKS: {}}})
