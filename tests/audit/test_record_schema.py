"""Every record fits the schema that is made from the classes, and what is none does not."""

from pathlib import Path

import jsonschema
import orjson
import pytest

from remit.audit.context import Actor, ActorType, Context, Network, Trace, authenticated, chain_of
from remit.audit.entry import Moment, Producer, draft, seal
from remit.audit.events import AuditQueried, GrantRevoked
from remit.audit.record_schema import event_classes, record_schema, schema_bytes

FILE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "record.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(record_schema())
NOW = "2026-01-05T15:00:00.000Z"
FULL = Context(
    actor=Actor(ActorType.AGENT, "assistant"),
    tenant="acme",
    flow_id="flo_1",
    network=Network("192.0.2.7", "client/1", ("office",), 1),
    trace=Trace("a" * 32, "b" * 16, "00"),
    auth=authenticated("gold", ("pwd",), 5),
    act=chain_of([("first", "cli_1")]),
    caused_by=("dec_1",),
)


def record(event) -> dict:
    entry = draft(event, Producer(), Moment.of(1_767_625_200_000))
    return orjson.loads(seal(entry, sequence=7, previous="0" * 64, observed=NOW))


def complaints(entry: object) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(entry)]


def test_the_committed_schema_is_what_the_classes_say():
    assert FILE.read_bytes() == schema_bytes(), (
        "run `python -m remit.audit.record_schema > docs/reference/record.schema.json`"
    )


def test_the_schema_is_one_and_has_every_kind():
    schema = record_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert set(schema["$defs"]) == {"omitted", *event_classes()}
    assert len(event_classes()) > 100


@pytest.mark.parametrize("context", [Context(), FULL], ids=["nothing", "everything"])
def test_a_record_with_nothing_and_with_everything_known_fits(context, decided):
    assert complaints(record(GrantRevoked(context=context, reason="over"))) == []
    assert complaints(record(decided)) == []


def test_what_was_too_long_fits_as_what_is_said_of_it():
    assert complaints(record(AuditQueried(query={"a": "x" * 20_000}))) == []


def test_a_field_and_a_kind_of_a_later_version_fit():
    entry = record(GrantRevoked(reason="over"))
    assert complaints({**entry, "later": 1, "body": {**entry["body"], "later": 1}}) == []
    assert complaints({**entry, "kind": "moon.landed", "body": {}}) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"seq": -1},
        {"prev": "x"},
        {"kind": "Grant.Revoked"},
        {"time": "2026-01-05 15:00:00"},
        {"actor": {"type": "god", "id": None}},
        {"tenant": 1},
        {"trace": {"trace_id": "a" * 32, "span_id": "b" * 16}},
        {"net": {"ip": None, "ua": None}},
        {"auth": {"acr": "gold"}},
        {"act": [{"agent": "a"}]},
        {"caused_by": "dec_1"},
        {"body": {}},
        {"body": {"reason": 1}},
        {"body": []},
    ],
)
def test_what_is_no_record_does_not_fit(changes):
    assert complaints({**record(GrantRevoked(reason="over")), **changes})


@pytest.mark.parametrize("left", ["id", "producer", "trace", "body", "caused_by", "observed"])
def test_what_is_not_known_is_null_and_not_left_out(left):
    entry = record(GrantRevoked(reason="over"))
    del entry[left]
    assert complaints(entry)
