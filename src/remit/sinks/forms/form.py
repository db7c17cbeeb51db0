"""The forms by name, and how a record is made to fit where a receiver takes no longer ones.

What is too long loses its largest fields, each for its size and digest, as in the log itself; what is still too long
says no more than who, when, which and where in the log. Whoever needs the rest finds it there by number.

Source: docs/reference/audit-log.md, "A record"; docs/reference/sinks.md.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

import orjson

from remit.sinks.forms.cef import cef_of
from remit.sinks.forms.ecs import ecs_of
from remit.sinks.forms.envelope import body_of, instant_ms, severity_of, text, trace_of
from remit.sinks.forms.ocsf import ocsf_of
from remit.sinks.shipment import Entry, Shipment, Told

__all__ = ["FORMS", "Form", "shipment_of", "stub_of"]

_KEPT: Final = ("v", "id", "seq", "kind", "time", "observed", "tenant")
_LONGEST: Final = 64


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write a record. `is_json`: whether it is a JSON object."""

    name: str
    is_json: bool
    write: Callable[[Told], bytes]


def _json(told: Told) -> bytes:
    """The very bytes of the log with two fields more: without `leaf` and `log` they hash to `leaf`."""
    mark = b'{"leaf":"%s","log":%s,' % (told.leaf.encode(), orjson.dumps(told.log))
    if told.line is not None:
        return mark + told.line[1:]
    return mark + orjson.dumps(told.entry, option=orjson.OPT_SORT_KEYS)[1:]


FORMS: Final[Mapping[str, Form]] = MappingProxyType(
    {
        one.name: one
        for one in (
            Form("json", True, _json),
            Form("ocsf", True, lambda told: orjson.dumps(ocsf_of(told))),
            Form("ecs", True, lambda told: orjson.dumps(ecs_of(told))),
            Form("cef", False, lambda told: cef_of(told).encode(errors="replace")),
        )
    }
)


def shipment_of(told: Told, form: Form, *, longest: int) -> Shipment:
    """`told` in that form, in at most `longest` bytes."""
    content = form.write(told)
    if len(content) > longest:
        content = _shrunk(told, form, longest)
    return _shipment(told, content)


def stub_of(told: Told, form: Form) -> Shipment:
    """What is left of `told` for a receiver that does not take it: that it is, and where it is whole."""
    return _shipment(told, form.write(_least(told)))


def _shipment(told: Told, content: bytes) -> Shipment:
    entry = told.entry
    return Shipment(
        log=told.log,
        sequence=told.sequence,
        leaf=told.leaf,
        id=text(entry.get("id")) or f"{told.log}/{told.sequence}",
        kind=text(entry.get("kind")) or "unknown",
        tenant=text(entry.get("tenant")),
        milliseconds=instant_ms(entry.get("time")),
        severity=severity_of(entry),
        trace=trace_of(entry),
        content=content,
        entry=entry,
    )


def _shrunk(told: Told, form: Form, longest: int) -> bytes:
    body = dict(body_of(told.entry))
    sizes = {name: len(orjson.dumps(value)) for name, value in body.items()}
    for name in sorted(sizes, key=lambda name: (-sizes[name], name)):
        body[name] = _omitted(body[name])
        content = form.write(replace(told, entry={**told.entry, "body": body}, line=None))
        if len(content) <= longest:
            return content
    return form.write(_least(told))


def _least(told: Told) -> Told:
    """The envelope's shortest, and of everything else size and digest."""
    entry: Entry = {
        name: value[:_LONGEST] if isinstance(value, str) else value
        for name, value in told.entry.items()
        if name in _KEPT and isinstance(value, str | int | None)
    }
    entry["body"] = _omitted(told.entry)
    return replace(told, entry=entry, line=None)


def _omitted(value: object) -> dict[str, Any]:
    written = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return {"omitted_bytes": len(written), "omitted_sha256": hashlib.sha256(written).hexdigest()}
