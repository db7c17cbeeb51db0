"""A record as Elastic's schema has it."""

import json
from datetime import datetime
from ipaddress import ip_address

import pytest

from remit.sinks.forms.ecs import VERSION, ecs_of
from remit.sinks.forms.ocsf_kinds import KINDS
from tests.sinks.made import ENTRY, told

# Elastic Common Schema 9.2, "ECS categorization field: event.category": the types that each is expected to have.
EXPECTED = {
    "api": {"access", "admin", "allowed", "change", "creation", "deletion", "denied", "end", "info", "start", "user"},
    "authentication": {"start", "end", "info"},
    "configuration": {"access", "change", "creation", "deletion", "info"},
    "iam": {"admin", "change", "creation", "deletion", "group", "info", "user"},
    "intrusion_detection": {"allowed", "denied", "info"},
}  # fmt: skip
# Elastic Common Schema 9.2, field reference: what is no keyword or text.
DATES = {"@timestamp", "event.created"}
NUMBERS = {"event.duration", "event.sequence", "event.severity"}
ARRAYS = {"event.category", "event.type", "rule.id"}
ADDRESSES = {"source.ip"}


def leaves(document, before=""):
    for name, value in document.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


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


@pytest.mark.parametrize("outcome", ["allow", "deny", "challenge", "error", None])
@pytest.mark.parametrize("kind", [*sorted(KINDS), "no.such", "x"])
def test_categories_and_types_are_those_of_the_schema(kind, outcome):
    entry = {**ENTRY, "kind": kind, "body": {**ENTRY["body"], "outcome": outcome}}
    event = ecs_of(told(entry))["event"]
    [category], [sort] = event["category"], event["type"]
    assert sort in EXPECTED[category]
    assert event["kind"] in {"event", "alert"}
    assert event["outcome"] in {"success", "failure"}


def test_fields_of_the_schema_have_its_types():
    document = ecs_of(told())
    del document["remit"]
    found = dict(leaves(document))
    assert set(found) >= DATES | NUMBERS | ARRAYS | ADDRESSES
    for name, value in found.items():
        if name in NUMBERS:
            assert type(value) is int, name
        elif name in ARRAYS:
            assert all(type(one) is str for one in value), name
        else:
            assert type(value) is str, name
    for name in DATES:
        datetime.fromisoformat(found[name])
    for name in ADDRESSES:
        ip_address(found[name])


def test_what_is_unknown_is_left_out_and_what_is_no_address_is_no_ip():
    document = ecs_of(
        told({**ENTRY, "net": {"ip": "nowhere", "ua": None}, "trace": None, "tenant": None})
    )
    assert document["source"] == {"address": "nowhere"}
    assert not {"trace", "span", "organization", "user_agent"} & set(document)


@pytest.mark.parametrize("broken", [{}, {"body": 7}, {"net": [], "trace": "x", "producer": None}])
def test_an_entry_that_is_not_what_it_should_be_is_a_document_too(broken):
    assert json.dumps(ecs_of(told({"kind": "decision", **broken})))
