"""What an event says, as JSON that a log may hold: its types, its keys, its text.

The profile: ASCII keys in order; strings, booleans, nulls and integers below 2^53; no floats;
nested at most 32 deep. Control, format and surrogate characters of anybody's text become U+FFFD, so that nobody
breaks a line, colours a terminal or reverses what is read.

Source: AUDIT §1.2; RFC 8785.
"""

import hashlib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from operator import attrgetter, itemgetter
from types import MappingProxyType
from typing import Any, ClassVar

import orjson

from remit.audit.event import Event
from remit.audit.port import AuditUnavailableError
from remit.canonical import Json

__all__ = [
    "MAX_FIELD_BYTES",
    "STRICT",
    "BadEntryError",
    "Shape",
    "known_text",
    "plain",
    "quickly",
    "shape_of",
    "text",
]

MAX_FIELD_BYTES = 512
"""Of one text of the envelope; a longer one is cut and ends in its own SHA-256."""
STRICT = orjson.OPT_STRICT_INTEGER
_MAX_DEPTH = 32
_MAX_INTEGER = 2**53 - 1
_LISTS = (tuple, list)
_OBJECTS = (dict, MappingProxyType, Mapping)  # the abstract one last: asking it is slow
_EMPTY = frozenset({tuple, list, dict, type(None)})
_SCALARS = frozenset({str, int, bool, type(None)})
_SCALAR_FIELDS = (str, int, bool, str | None, int | None, bool | None)
_FIRST = itemgetter(0)
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class BadEntryError(AuditUnavailableError):
    """An event cannot be written as it is: an error in the code that made it, not in what a caller sent."""

    code: ClassVar[str] = "audit_bad_entry"


@dataclass(frozen=True, slots=True)
class Shape:
    """What an event of a class says beyond the envelope, and what reads it all at once."""

    names: tuple[str, ...]
    values_of: Callable[[Event], tuple[object, ...]]
    scalars_of: Callable[[Event], tuple[object, ...]]
    containers: tuple[str, ...]
    """Fields that may hold anything but a text, an integer, a boolean or nothing."""


@cache
def shape_of(event: type[Event]) -> Shape:
    kinds = {field.name: field.type for field in fields(event) if field.name != "context"}
    kinds = dict(sorted(kinds.items()))
    scalars = tuple(name for name, kind in kinds.items() if kind in _SCALAR_FIELDS)
    return Shape(
        tuple(kinds),
        _reader(tuple(kinds)),
        _reader(scalars),
        tuple(name for name in kinds if name not in scalars),
    )


def _reader(names: tuple[str, ...]) -> Callable[[Event], tuple[object, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda one: tuple(getattr(one, name) for name in names)


def quickly(event: Event, shape: Shape, head: dict[str, object]) -> bytes:
    """`head` in bytes, its text not looked at yet; nothing, if it has to be gone through one by one.

    INVARIANT: every value has been looked at for its type, and every object has its keys in order.
    """
    body = head["body"]
    assert isinstance(body, dict)  # noqa: S101  `draft` made it so
    try:
        for name in shape.containers:
            value = body[name]
            if value:
                body[name] = _shaped(value, 1)
            elif type(value) not in _EMPTY:
                body[name] = {} if type(value) is MappingProxyType else plain(value, 1)
        if _SCALARS.issuperset(map(type, shape.scalars_of(event))):
            return orjson.dumps(head, option=STRICT)
    except TypeError:  # too large an integer, half of a surrogate pair, or a key that is no text
        return b""
    return b""


def plain(value: object, depth: int) -> Json:
    """`value` as plain JSON within the profile, its text cleaned, its keys sorted."""
    if isinstance(value, str):
        return value if value.isprintable() else _clean(value)
    if value is None or value is True or value is False:
        return value
    if isinstance(value, int):
        if abs(value) > _MAX_INTEGER:
            raise BadEntryError("an event holds an integer from 2^53")
        return int(value)
    _require_shallow(depth)
    if isinstance(value, _LISTS):
        # Most of what there is are plain texts; a call for each would cost more than looking.
        return [
            item if type(item) is str and item.isprintable() else plain(item, depth + 1)
            for item in value
        ]
    if isinstance(value, _OBJECTS):
        return {
            key: item if type(item) is str and item.isprintable() else plain(item, depth + 1)
            for key, item in _keyed(value)
        }
    if isinstance(value, frozenset):
        return [plain(item, depth + 1) for item in sorted(value)]
    raise BadEntryError(f"an event holds a `{type(value).__name__}`")


def _keyed(value: Mapping[object, object]) -> list[tuple[str, object]]:
    """What is in `value`, in the order of its keys, all of which are printable ASCII."""
    found: list[tuple[str, object]] = []
    for key, item in value.items():
        if not isinstance(key, str) or not key.isascii() or not key.isprintable():
            raise BadEntryError("an event holds a key that is not printable ASCII")
        found.append((key, item))
    if len(found) > 1:
        found.sort(key=_FIRST)
    return found


@lru_cache(maxsize=4_096)
def known_text(value: str | None) -> str | None:
    """As `text`, for what comes again and again: who acts, through what, from where."""
    return text(value)


def text(value: str | None) -> str | None:
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


def _clean(value: str) -> str:
    return "".join(
        "\ufffd" if unicodedata.category(character) in _HIDDEN else character for character in value
    )


def _shaped(value: Any, depth: int) -> object:
    """`value` as orjson writes it: objects sorted, and nothing in it but what the profile admits, text aside."""
    kind = type(value)
    if kind is tuple or kind is list:
        if _SCALARS.issuperset(map(type, value)):
            return value
        _require_shallow(depth)
        return [_shaped(item, depth + 1) for item in value]
    if kind is dict or kind is MappingProxyType:
        if _SCALARS.issuperset(map(type, value.values())):
            return dict(sorted(value.items())) if len(value) > 1 else dict(value)
        _require_shallow(depth)
        return {key: _shaped(item, depth + 1) for key, item in sorted(value.items(), key=_FIRST)}
    return value if kind in _SCALARS else plain(value, depth)


def _require_shallow(depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise BadEntryError(f"an event is nested deeper than {_MAX_DEPTH} levels")
