"""A record as Elastic's schema has it."""

import json

import pytest

from remit.sinks.forms.ecs import VERSION, ecs_of
from tests.sinks.made import ENTRY, told

# Elastic Common Schema, allowed values of `event.category` and `event.type`.
CATEGORIES = {"api", "authentication", "configuration", "iam", "intrusion_detection"}
TYPES = {"access", "allowed", "change", "denied", "indicator", "info"}


def test_a_decision_stands_where_elastic_looks_for_it():
    document = ecs_of(told())
    assert document["@timestamp"] == "2026-11-22T17:00:00.123Z"
    assert document["ecs"] == {"version": VERSION}
    assert document["event"]["action"] == "decision"
    assert document["event"]["outcome"] == "failure"
    assert document["event"]["type"] == ["denied"]
    assert document["event"]["hash"] == told().leaf
    assert document["event"]["sequence"] == 7
    assert document["event"]["duration"] == 1_234_000
    assert document["organization"] == {"id": "acme"}
    assert document["user"] == {"id": "usr_1"}
    assert document["source"] == {"address": "192.0.2.7", "ip": "192.0.2.7"}
    assert document["rule"] == {"id": ["refunds-of-500"], "version": "sha256:ab"}
    assert document["trace"] == {"id": "4bf92f3577b34da6a3ce929d0e0e4736"}
    assert document["span"] == {"id": "00f067aa0ba902b7"}
    assert document["remit"]["body"]["input"] == {"amount": "tok1.string.abcdef"}


@pytest.mark.parametrize(
    "kind",
    ["decision", "token.issued", "authn.login", "agent.suspended", "audit.gap", "no.such", "account.created"],
)  # fmt: skip
def test_categories_and_types_are_those_of_the_schema(kind):
    event = ecs_of(told({**ENTRY, "kind": kind}))["event"]
    assert set(event["category"]) <= CATEGORIES
    assert set(event["type"]) <= TYPES
    assert event["kind"] in {"event", "alert"}


def test_what_is_unknown_is_left_out_and_what_is_no_address_is_no_ip():
    document = ecs_of(
        told({**ENTRY, "net": {"ip": "nowhere", "ua": None}, "trace": None, "tenant": None})
    )
    assert document["source"] == {"address": "nowhere"}
    assert not {"trace", "span", "organization", "user_agent"} & set(document)


@pytest.mark.parametrize("broken", [{}, {"body": 7}, {"net": [], "trace": "x", "producer": None}])
def test_an_entry_that_is_not_what_it_should_be_is_a_document_too(broken):
    assert json.dumps(ecs_of(told({"kind": "decision", **broken})))
