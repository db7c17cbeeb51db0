"""JSON Schema of a record of the log, made from the classes of events: `python -m remit.audit.record_schema > file`.

One schema for the envelope, and one in `$defs` for what each kind says beyond it. It admits what is not known: fields are
only ever added, and a reader passes over kinds and fields that it does not know.

Source: JSON Schema 2020-12; AUDIT §1.2.
"""

import dataclasses
import sys
from collections.abc import Mapping
from types import MappingProxyType, UnionType
from typing import Final, get_args, get_origin, get_type_hints

import orjson

from remit.audit import events
from remit.audit.context import ActorType
from remit.audit.entry import ENTRY_VERSION
from remit.audit.event import Event
from remit.canonical import Json, JsonObject

__all__ = ["event_classes", "main", "record_schema", "schema_bytes"]

_TEXT: Final[JsonObject] = {"type": ["string", "null"]}
_HASH: Final[JsonObject] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_INSTANT: Final[JsonObject] = {
    "type": "string",
    "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$",
}
_MOST: Final = 2**53 - 1
_INTEGER: Final[JsonObject] = {"type": "integer", "minimum": -_MOST, "maximum": _MOST}
_OMITTED: Final = "omitted"
_TYPES: Final[Mapping[object, JsonObject]] = MappingProxyType(
    {str: {"type": "string"}, int: _INTEGER, bool: {"type": "boolean"}}
)


def event_classes() -> dict[str, type[Event]]:
    """Every class of event by its kind, in the order of kinds."""
    found = [getattr(events, name) for name in events.__all__]
    classes = [
        one
        for one in found
        if isinstance(one, type) and issubclass(one, Event) and one is not Event
    ]
    return {one.kind: one for one in sorted(classes, key=lambda one: one.kind)}


def record_schema() -> JsonObject:
    """The schema of one record."""
    classes = event_classes()
    envelope = _envelope()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A record of Remit's audit log, version {ENTRY_VERSION}",
        "type": "object",
        "properties": envelope,
        "required": [*sorted(envelope)],
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": kind}}},
                "then": {"properties": {"body": {"$ref": f"#/$defs/{kind}"}}},
            }
            for kind in classes
        ],
        "$defs": {
            _OMITTED: {
                "description": "What was too long for a record, and what can be said of it.",
                "type": "object",
                "properties": {"omitted_bytes": _INTEGER, "omitted_sha256": _HASH},
                "required": ["omitted_bytes", "omitted_sha256"],
                "additionalProperties": False,
            },
            **{kind: _body(one) for kind, one in classes.items()},
        },
    }


def schema_bytes() -> bytes:
    """The schema as it is written to a file."""
    return orjson.dumps(record_schema(), option=orjson.OPT_INDENT_2) + b"\n"


def main() -> None:
    """Write the schema to standard output."""
    sys.stdout.buffer.write(schema_bytes())


def _envelope() -> JsonObject:
    return {
        "v": {"const": ENTRY_VERSION},
        "id": {"type": "string", "pattern": "^evt_[0-9a-z]{26}$"},
        "seq": {"type": "integer", "minimum": 0, "maximum": _MOST},
        "prev": _HASH,
        "kind": {"type": "string", "pattern": r"^[a-z_]+(\.[a-z_]+)?$"},
        "time": _INSTANT,
        "observed": _INSTANT,
        "producer": _closed(instance=_said(), service=_said(), version=_said()),
        "tenant": _TEXT,
        "env": _TEXT,
        "actor": _closed(type={"enum": [one.value for one in ActorType]}, id=_TEXT),
        "user": _TEXT,
        "agent": _TEXT,
        "client": _TEXT,
        "grant": _TEXT,
        "flow": _TEXT,
        "net": _closed(ip=_TEXT, ua=_TEXT, zone=_list(_said()), hops={"type": "integer", "minimum": 0}),
        "trace": _or_null(
            _closed(
                trace_id={"type": "string", "pattern": "^[0-9a-f]{32}$"},
                span_id={"type": "string", "pattern": "^[0-9a-f]{16}$"},
                flags={"type": "string", "pattern": "^[0-9a-f]{2}$"},
            )
        ),
        "auth": _or_null(
            _closed(acr=_TEXT, amr=_list(_said()), auth_time={"type": ["integer", "null"]})
        ),
        "act": _list(_closed(agent=_said(), client=_said())),
        "caused_by": _list(_said()),
        "body": {"type": "object"},
    }  # fmt: skip


def _said() -> JsonObject:
    return {"type": "string"}


def _list(of: JsonObject) -> JsonObject:
    return {"type": "array", "items": of}


def _or_null(schema: JsonObject) -> JsonObject:
    return {"anyOf": [{"type": "null"}, schema]}


def _closed(**members: Json) -> JsonObject:
    """An object that has each of `members`; others may be added some day."""
    return {"type": "object", "properties": members, "required": [*sorted(members)]}


def _body(event: type[Event]) -> JsonObject:
    hints = get_type_hints(event, localns={"Json": object})
    own = [field.name for field in dataclasses.fields(event) if field.name != "context"]
    omitted: JsonObject = {"$ref": f"#/$defs/{_OMITTED}"}
    return {
        "anyOf": [
            {
                "type": "object",
                "properties": {name: {"anyOf": [_type(hints[name]), omitted]} for name in own},
                "required": [*own],
            },
            omitted,
        ]
    }


def _type(hint: object) -> JsonObject:
    origin = get_origin(hint)
    if origin is tuple:
        return _list(_type(get_args(hint)[0]))
    if origin is Mapping:
        return {"type": "object"}
    if origin is UnionType:
        return {"anyOf": [_type(one) for one in get_args(hint)]}
    if hint is type(None):
        return {"type": "null"}
    return _TYPES[hint]


if __name__ == "__main__":
    main()
