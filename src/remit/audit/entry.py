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
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import jiter
import orjson

from remit.audit.event import Event
from remit.audit.free_text import said, spoken_name
from remit.audit.profile import (
    STRICT,
    BadEntryError,
    known_text,
    plain,
    quickly,
    shape_of,
    text,
)
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
_PROFILE = orjson.OPT_SORT_KEYS | STRICT
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_SHIFTS = range(40, -1, -10)
_MAX_PLACE_BYTES = len(',"observed":"2026-01-05T15:00:00.000Z","prev":"","seq":,') + 64 + 16

Draft: TypeAlias = "tuple[bytes, bytes, bytes]"
"""An entry in its bytes, in three pieces: between them the log says what it adds, `observed`, `prev` and `seq`."""


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
    shape = shape_of(type(event))  # type: ignore[arg-type]  # every class can be hashed
    body: dict[str, object] = dict(zip(shape.names, shape.values_of(event), strict=True))
    if not event.vetted:
        body = said(body)
    head, tail = _head(event, moment), _tail(event, moment)
    head["body"] = body
    before = quickly(event, shape, head)
    # Escapes and what is beyond ASCII are rare: one look at all bytes costs less than one at each text.
    if not before or b"\\" in before or b"\x7f" in before or not before.isascii():
        head["body"] = {name: plain(value, 1) for name, value in body.items()}
        before = orjson.dumps(head, option=STRICT)
    after = orjson.dumps(tail, option=STRICT)
    made = _produced(producer)
    room = MAX_ENTRY_BYTES - len(after) - len(made) - _MAX_PLACE_BYTES
    if len(before) > room:
        before = _shrunk(head, size=len(before), room=room)
    return before[:-1], made, after[1:]


def seal(entry: Draft, *, sequence: int, previous: str, observed: str) -> bytes:
    """The bytes of `entry` at its place in the log, without the newline; at most `MAX_ENTRY_BYTES`."""
    before, made, after = entry
    return b'%b,"observed":"%b","prev":"%b",%b,"seq":%d,%b' % (
        before,
        observed.encode(),
        previous.encode(),
        made,
        sequence,
        after,
    )


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


def _head(event: Event, moment: Moment) -> dict[str, object]:
    """The fields up to where the log says when it wrote. INVARIANT: in the order of their names."""
    context = event.context
    return {
        "act": context.act,
        "actor": {"id": known_text(context.actor.id), "type": context.actor.type},
        "agent": known_text(context.agent_id),
        "auth": context.auth,
        "body": None,
        "caused_by": context.caused_by,
        "client": known_text(context.client_id),
        "env": known_text(context.environment),
        "flow": text(context.flow_id),
        "grant": known_text(context.grant_id),
        # It tells events apart and guards nothing, so the system's source need not be asked.
        "id": f"evt_{moment.code}{random.getrandbits(64):016x}",
        "kind": event.kind,
        "net": {
            "hops": context.network.hops,
            "ip": known_text(context.network.ip),
            "ua": known_text(spoken_name(context.network.user_agent)),
            "zone": context.network.zones,
        },
    }


def _tail(event: Event, moment: Moment) -> JsonObject:
    """The fields after the record's number. INVARIANT: in the order of their names."""
    context = event.context
    trace = context.trace
    return {
        "tenant": known_text(context.tenant),
        "time": moment.text,
        "trace": None
        if trace is None
        else {
            "flags": trace.flags,
            "span_id": text(trace.span_id),
            "trace_id": text(trace.trace_id),
        },
        "user": known_text(context.user_id),
        "v": ENTRY_VERSION,
    }


@lru_cache(maxsize=16)
def _produced(producer: Producer) -> bytes:
    said = {"instance": producer.instance, "service": producer.service, "version": producer.version}
    return b'"producer":' + orjson.dumps(said, option=STRICT)


def _shrunk(head: dict[str, object], *, size: int, room: int) -> bytes:
    """`head` with the largest fields of its body replaced by size and digest until it fits."""
    body = head["body"]
    assert isinstance(body, dict)  # noqa: S101  `draft` made it so
    encoded = {name: orjson.dumps(value, option=STRICT) for name, value in body.items()}
    for name in sorted(encoded, key=lambda name: (-len(encoded[name]), name)):
        marker: JsonObject = {
            "omitted_bytes": len(encoded[name]),
            "omitted_sha256": hashlib.sha256(encoded[name]).hexdigest(),
        }
        size += len(orjson.dumps(marker)) - len(encoded[name])
        body[name] = marker
        if size <= room:
            break
    else:  # too many fields even for their markers: one marker for all of them
        whole = orjson.dumps(body, option=STRICT)
        head["body"] = {
            "omitted_bytes": len(whole),
            "omitted_sha256": hashlib.sha256(whole).hexdigest(),
        }
    return orjson.dumps(head, option=STRICT)


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
