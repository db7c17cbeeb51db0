"""One way to read JSON and one way to write it.

Reading refuses what two parsers could read differently: duplicate keys, NaN and
infinities, a byte-order mark, other encodings than UTF-8, lone surrogates,
integers beyond 64 bits, deep nesting. It also refuses, before it parses, a text of
so many values that reading it would hold up everyone else in the process. Writing
sorts keys, so that the bytes that are forwarded, hashed or signed depend on the
value alone.

Source: RFC 8785; RFC 8259 §8.1, §9 (limits); RFC 8725 §2.4.
"""

from collections.abc import Iterable
from math import isfinite
from typing import ClassVar, TypeAlias

import jiter
import orjson

from remit.errors import Error

__all__ = [
    "MAX_DEPTH",
    "MAX_VALUES",
    "Json",
    "JsonObject",
    "MalformedJsonError",
    "canonical_bytes",
    "canonical_text",
    "parse_json",
    "parse_object",
]

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = dict[str, "Json"]

MAX_DEPTH = 64
MAX_VALUES = 25_000
"""How many values a text has at most, unless its reader says otherwise; see `parse_json`."""
_MAX_INTEGER = 2**63 - 1
_MIN_INTEGER = -(2**63)


class MalformedJsonError(Error):
    """The bytes are not one JSON text that every parser reads alike."""

    code: ClassVar[str] = "malformed_json"


def parse_json(data: bytes, *, max_values: int = MAX_VALUES) -> Json:
    """Read one JSON text, strictly.

    `max_values` bounds the commas and opening brackets outside strings, which are never
    fewer than the values inside the outermost one: an empty list or object counts twice.

    Raises:
        MalformedJsonError: not UTF-8, not JSON, a duplicate key, NaN, an integer
            beyond 64 bits, nested deeper than `MAX_DEPTH`, or too many values.
    """
    if data.startswith(b"\xef\xbb\xbf"):
        raise MalformedJsonError("the text starts with a byte-order mark")
    # A megabyte of `[[[…]]],` costs the parser half a second, and it parses on the event loop.
    if _has_more_values(data, max_values):
        raise MalformedJsonError(f"the text has more than {max_values} values")
    try:
        value: Json = jiter.from_json(data, catch_duplicate_keys=True, allow_inf_nan=False)
    except ValueError as error:
        raise MalformedJsonError(_printable(str(error))) from error
    _refuse_differences((value,))
    return value


def parse_object(data: bytes) -> JsonObject:
    """Read one JSON object, strictly.

    Raises:
        MalformedJsonError: as `parse_json`, or the text is not an object.
    """
    value = parse_json(data)
    if not isinstance(value, dict):
        raise MalformedJsonError("the text is not a JSON object")
    return value


def canonical_bytes(value: object) -> bytes:
    """`value` as JSON with sorted keys and no white space.

    Equal to RFC 8785 byte for byte for values without floats whose keys are in
    the basic multilingual plane, which is every value Remit hashes or signs.

    Raises:
        TypeError: `value` is not made of JSON's types, or holds an integer beyond 64 bits.
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def canonical_text(value: object) -> str:
    """As `canonical_bytes`, decoded."""
    return canonical_bytes(value).decode()


def _has_more_values(data: bytes, most: int) -> bool:
    """Whether `data` has more than `most` values, told from its bytes without parsing.

    Exact up to the first mistake in the text, which is where the parser stops.
    """
    if len(data) <= most or _count_marks(data) <= most:
        return False
    # Texts are full of commas: leave the strings out. A run of backslashes starts with an escape,
    # so that what is left after both replacements has no quote but those around strings.
    bare = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    if bare.count(b'"') > 4 * (most + 1):
        return True  # A value brings two strings at most, its key and itself.
    return _count_marks(b"".join(bare.split(b'"')[::2])) > most


def _count_marks(data: bytes) -> int:
    return data.count(b",") + data.count(b"[") + data.count(b"{")


def _refuse_differences(values: "Iterable[Json]", levels: int = MAX_DEPTH + 1) -> None:
    """Refuse what the parser admits and another reader may take for something else.

    Every value of every message comes by here: the most frequent kinds are asked for first.
    """
    if not levels:
        raise MalformedJsonError(f"nested deeper than {MAX_DEPTH} levels")
    for value in values:
        if isinstance(value, str):
            continue
        if isinstance(value, dict):
            _refuse_differences(value.values(), levels - 1)
        elif isinstance(value, list):
            _refuse_differences(value, levels - 1)
        elif isinstance(value, int):
            if not _MIN_INTEGER <= value <= _MAX_INTEGER:
                # A parser that reads it as a double compares it differently from ours.
                raise MalformedJsonError("an integer does not fit in 64 bits")
        elif isinstance(value, float) and not isfinite(value):
            # The parser reads `1e999` as infinity, and the writer would turn that into `null`.
            raise MalformedJsonError("a number does not fit in a 64-bit float")


def _printable(message: str) -> str:
    return "".join(character if " " <= character <= "~" else "?" for character in message)[:200]
