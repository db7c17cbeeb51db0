"""One way to read JSON and one way to write it.

Reading refuses what two parsers could read differently: duplicate keys, NaN and
infinities, a byte-order mark, other encodings than UTF-8, lone surrogates,
integers beyond 64 bits, deep nesting. Writing sorts keys, so that the bytes
that are forwarded, hashed or signed depend on the value alone.

Source: RFC 8785; RFC 8259 §8.1; RFC 8725 §2.4.
"""

from math import isfinite
from typing import ClassVar, TypeAlias

import jiter
import orjson

from remit.errors import Error

__all__ = [
    "MAX_DEPTH",
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
_MAX_INTEGER = 2**63 - 1
_MIN_INTEGER = -(2**63)


class MalformedJsonError(Error):
    """The bytes are not one JSON text that every parser reads alike."""

    code: ClassVar[str] = "malformed_json"


def parse_json(data: bytes) -> Json:
    """Read one JSON text, strictly.

    Raises:
        MalformedJsonError: not UTF-8, not JSON, a duplicate key, NaN, an integer
            beyond 64 bits, or nested deeper than `MAX_DEPTH`.
    """
    if data.startswith(b"\xef\xbb\xbf"):
        raise MalformedJsonError("the text starts with a byte-order mark")
    try:
        value: Json = jiter.from_json(data, catch_duplicate_keys=True, allow_inf_nan=False)
    except ValueError as error:
        raise MalformedJsonError(_printable(str(error))) from error
    _refuse_differences(value)
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


def _refuse_differences(root: Json) -> None:
    """Refuse what the parser admits and another reader may take for something else."""
    stack: list[tuple[Json, int]] = [(root, 1)]
    while stack:
        value, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise MalformedJsonError(f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(value, dict):
            stack.extend((item, depth + 1) for item in value.values() if not isinstance(item, str))
        elif isinstance(value, list):
            stack.extend((item, depth + 1) for item in value if not isinstance(item, str))
        elif isinstance(value, int) and not _MIN_INTEGER <= value <= _MAX_INTEGER:
            # A parser that reads it as a double compares it differently from ours.
            raise MalformedJsonError("an integer does not fit in 64 bits")
        elif isinstance(value, float) and not isfinite(value):
            # The parser reads `1e999` as infinity, and the writer would turn that into `null`.
            raise MalformedJsonError("a number does not fit in a 64-bit float")


def _printable(message: str) -> str:
    return "".join(character if " " <= character <= "~" else "?" for character in message)[:200]
