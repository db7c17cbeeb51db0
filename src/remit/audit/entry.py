"""One record of the log: an event in its envelope, as the exact bytes that are hashed and kept.

Decides the profile: one line of canonical JSON; ASCII keys; strings, booleans,
nulls and integers below 2^53; no floats; at most 16 KiB. Caller's text cannot break
a line or hide in it: control, format and surrogate characters become U+FFFD. What
does not fit is replaced by its size and SHA-256, never cut silently and never a
reason to lose the event.

Source: AUDIT §1.2; RFC 8785; RFC 9562 for the idea of ids that sort by time.
"""

import hashlib
import random
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from operator import attrgetter
from types import MappingProxyType
from typing import ClassVar, TypeAlias

import jiter
import orjson

from remit.audit.events import Event
from remit.audit.port import AuditUnavailableError
from remit.canonical import Json, JsonObject
from remit.clock import rfc3339_ms
from remit_audit_verify.record import MAX_RECORD_BYTES, first_link

__all__ = [
    "ENTRY_VERSION",
    "MAX_ENTRY_BYTES",
    "BadEntryError",
    "Draft",
    "Moment",
    "Producer",
    "draft",
    "first_link",
    "read_entry",
    "seal",
]

ENTRY_VERSION = 1
MAX_ENTRY_BYTES = MAX_RECORD_BYTES
MAX_FIELD_BYTES = 512
"""Of one text of the envelope; a longer one is cut and ends in its own SHA-256."""
_MAX_DEPTH = 32
_MAX_INTEGER = 2**53 - 1
_PROFILE = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_SHIFTS = range(40, -1, -10)
_LISTS = (tuple, list)
_PLAIN = frozenset({tuple, list, dict})
_OBJECTS = (dict, MappingProxyType, Mapping)  # the abstract one last: asking it is slow
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

Draft: TypeAlias = "JsonObject"
"""An entry that lacks only what the log adds: `seq`, `prev` and `observed`."""


class BadEntryError(AuditUnavailableError):
    """An event cannot be written as it is: an error in the code that made it, not in what a caller sent."""

    code: ClassVar[str] = "audit_bad_entry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Producer:
    """The process that writes: which program, which of its instances, which version, under which settings."""

    service: str = "remit"
    instance: str = "local"
    version: str = "0"
    settings_digest: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant as records need it: as RFC 3339, and as the beginning of an id that sorts by time."""

    text: str
    code: str

    @classmethod
    def of(cls, now_ms: int) -> "Moment":
        """The instant `now_ms`."""
        seconds, milliseconds = divmod(now_ms, 1_000)
        bits = now_ms << 2
        code = "".join([_PAIRS[bits >> shift & 1023] for shift in _SHIFTS])
        return cls(f"{_to_the_second(seconds)}{milliseconds:03d}Z", code)


@lru_cache(maxsize=4)
def _to_the_second(seconds: int) -> str:
    """The beginning of what `rfc3339_ms` makes of any millisecond of a second."""
    return rfc3339_ms(seconds * 1_000).removesuffix("000Z")


def draft(event: Event, producer: Producer, moment: Moment) -> Draft:
    """`event` in its envelope, checked and cleaned, but for its place in the log.

    Raises:
        BadEntryError: a field is a float, an integer from 2^53, an unknown type, or
            nested too deep; or a key is not ASCII.
    """
    names, values_of = _fields_of(type(event))  # type: ignore[arg-type]  # every class can be hashed
    context = event.context
    trace = context.trace
    return {
        "v": ENTRY_VERSION,
        # It tells events apart and guards nothing, so the system's source need not be asked.
        "id": f"evt_{moment.code}{random.getrandbits(64):016x}",
        "kind": event.kind,
        "time": moment.text,
        "producer": {
            "service": producer.service,
            "instance": producer.instance,
            "version": producer.version,
        },
        "tenant": _known_text(context.tenant),
        "env": _known_text(context.environment),
        "actor": {"type": context.actor.type, "id": _known_text(context.actor.id)},
        "user": _known_text(context.user_id),
        "agent": _known_text(context.agent_id),
        "client": _known_text(context.client_id),
        "grant": _known_text(context.grant_id),
        "flow": _text(context.flow_id),
        "net": {
            "ip": _known_text(context.network.ip),
            "ua": _known_text(context.network.user_agent),
        },
        "trace": None
        if trace is None
        else {"trace_id": _text(trace.trace_id), "span_id": _text(trace.span_id)},
        "body": {
            name: value
            if value is None or value is False or (type(value) is str and value.isprintable())
            else []
            if value == ()
            else _plain(value, 1)
            for name, value in zip(names, values_of(event), strict=True)
        },
    }


def seal(entry: Draft, *, sequence: int, previous: str, observed: str) -> bytes:
    """The bytes of `entry` at its place in the log, without the newline; at most `MAX_ENTRY_BYTES`."""
    entry["seq"] = sequence
    entry["prev"] = previous
    entry["observed"] = observed
    line = orjson.dumps(entry, option=_PROFILE)
    return line if len(line) <= MAX_ENTRY_BYTES else _shrunk(entry, len(line))


def read_entry(line: bytes) -> JsonObject:
    """The entry whose stored bytes, without the newline, are `line`.

    Raises:
        BadEntryError: `line` is not exactly what `seal` writes for some value:
            not JSON, a repeated key, white space, a float, an order of keys or a
            spelling that is not canonical, a key beyond ASCII, or too long.
    """
    if len(line) > MAX_ENTRY_BYTES:
        raise BadEntryError(f"longer than {MAX_ENTRY_BYTES} bytes")
    try:
        value = jiter.from_json(line, allow_inf_nan=False, float_mode="decimal", cache_mode="none")
        written = orjson.dumps(value, option=_PROFILE)
    except ValueError as error:
        raise BadEntryError("not JSON", cause=error) from error
    except TypeError as error:  # a Decimal, or an integer beyond 53 bits
        raise BadEntryError("holds a float or an integer from 2^53", cause=error) from error
    if written != line:  # of a repeated key, only one is written
        raise BadEntryError("not in canonical form")
    if not isinstance(value, dict):
        raise BadEntryError("not a JSON object")
    if not line.isascii():
        _refuse_keys_beyond_ascii(value)
    return value


@cache
def _fields_of(event: type[Event]) -> tuple[tuple[str, ...], Callable[[Event], tuple[object, ...]]]:
    """The names of what an event of a class says beyond the envelope, and what reads it all at once."""
    names = tuple(field.name for field in fields(event) if field.name != "context")
    if len(names) > 1:
        return names, attrgetter(*names)
    return names, lambda one: tuple(getattr(one, name) for name in names)


def _plain(value: object, depth: int) -> Json:
    """`value` as plain JSON within the profile, its text cleaned."""
    if isinstance(value, str):
        return value if value.isprintable() else _clean(value)
    if value is None or value is True or value is False:
        return value
    if isinstance(value, int):
        if abs(value) > _MAX_INTEGER:
            raise BadEntryError("an event holds an integer from 2^53")
        return int(value)
    if depth > _MAX_DEPTH:
        raise BadEntryError(f"an event is nested deeper than {_MAX_DEPTH} levels")
    if not value and type(value) in _PLAIN:
        return [] if type(value) is not dict else {}
    if isinstance(value, _LISTS):
        # Most of what there is are plain texts; a call for each would cost more than looking.
        return [
            item if type(item) is str and item.isprintable() else _plain(item, depth + 1)
            for item in value
        ]
    if isinstance(value, _OBJECTS):
        return {
            key if type(key) is str and key.isascii() and key.isprintable() else _key(key): item
            if type(item) is str and item.isprintable()
            else _plain(item, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, frozenset):
        return [_plain(item, depth + 1) for item in sorted(value)]
    raise BadEntryError(f"an event holds a `{type(value).__name__}`")


def _key(key: object) -> str:
    if not isinstance(key, str) or not key.isascii() or not key.isprintable():
        raise BadEntryError("an event holds a key that is not printable ASCII")
    return key


@lru_cache(maxsize=4_096)
def _known_text(value: str | None) -> str | None:
    """As `_text`, for what comes again and again: who acts, through what, from where."""
    return _text(value)


def _text(value: str | None) -> str | None:
    """One text of the envelope: cleaned, and short. Identifiers of ours are never cut."""
    if value is None:
        return None
    if len(value) <= MAX_FIELD_BYTES:
        cleaned = value if value.isprintable() else _clean(value)
        if len(cleaned) * 4 <= MAX_FIELD_BYTES or len(cleaned.encode()) <= MAX_FIELD_BYTES:
            return cleaned
    digest = hashlib.sha256(value.encode(errors="surrogatepass")).hexdigest()
    mark = f"~sha256:{digest}"
    head = _clean(value[:MAX_FIELD_BYTES]).encode()[: MAX_FIELD_BYTES - len(mark)]
    return head.decode(errors="ignore") + mark


def _clean(text: str) -> str:
    return "".join(
        "\ufffd" if unicodedata.category(character) in _HIDDEN else character for character in text
    )


def _shrunk(entry: Draft, size: int) -> bytes:
    """`entry` with its largest fields replaced by size and digest until it fits."""
    body = entry["body"]
    assert isinstance(body, dict)  # noqa: S101  `draft` made it so
    encoded = {name: orjson.dumps(value, option=_PROFILE) for name, value in body.items()}
    for name in sorted(encoded, key=lambda name: (-len(encoded[name]), name)):
        marker: JsonObject = {
            "omitted_bytes": len(encoded[name]),
            "omitted_sha256": hashlib.sha256(encoded[name]).hexdigest(),
        }
        size += len(orjson.dumps(marker)) - len(encoded[name])
        body[name] = marker
        if size <= MAX_ENTRY_BYTES:
            break
    else:  # too many fields even for their markers: one marker for all of them
        whole = orjson.dumps(body, option=_PROFILE)
        entry["body"] = {
            "omitted_bytes": len(whole),
            "omitted_sha256": hashlib.sha256(whole).hexdigest(),
        }
    return orjson.dumps(entry, option=_PROFILE)


def _refuse_keys_beyond_ascii(root: Json) -> None:
    stack: list[Json] = [root]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if not all(key.isascii() for key in value):
                raise BadEntryError("holds a key beyond ASCII")
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
