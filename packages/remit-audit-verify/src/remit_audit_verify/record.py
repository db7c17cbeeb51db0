"""One record, read without trusting it: one line of canonical JSON, spelt the only way there is.

The profile: ASCII keys in order, no white space, strings, booleans, nulls and integers below
2^53, no floats, nested at most 64 deep, at most 16 KiB. Refused is every other spelling, so that no
two readers can take one line for two things. Written with the standard library alone: whoever checks
a log reads this page and Python's own `json`.

Source: AUDIT §1.2; RFC 8785; RFC 8259 §9 (limits).
"""

import json
from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeAlias

from remit_audit_verify.errors import VerifyError
from remit_audit_verify.tree import leaf_hash

__all__ = [
    "MAX_RECORD_BYTES",
    "BadRecordError",
    "Json",
    "JsonObject",
    "first_link",
    "read_record",
    "require_envelope",
]

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = "dict[str, Json]"

MAX_RECORD_BYTES: Final = 16 * 1024
_MAX_INTEGER: Final = 2**53 - 1
_MAX_DEPTH: Final = 64
_ENVELOPE: Final = {
    "v": int, "id": str, "kind": str, "time": str, "observed": str, "producer": dict, "actor": dict, "body": dict,
}  # fmt: skip


class BadRecordError(VerifyError):
    """A line that no log of Remit's writes."""


def first_link(origin: str) -> str:
    """`prev` of record 0: it has no record before it, so it names the log it belongs to."""
    return leaf_hash(f"remit audit log\n{origin}\n".encode()).hex()


def read_record(line: bytes) -> JsonObject:
    """What the record says whose stored bytes, without the newline, are `line`.

    Raises:
        BadRecordError: not JSON, a repeated key, white space, a float, a large integer, an order of
            keys or a spelling that is not canonical, a key beyond ASCII, too deep, or too long.
    """
    if len(line) > MAX_RECORD_BYTES:
        raise BadRecordError(f"longer than {MAX_RECORD_BYTES} bytes")
    if line.count(b"{") + line.count(b"[") > _MAX_DEPTH:
        _refuse_depth(line)
    try:
        value = _decode(line.decode())
        written = _encode(value).encode()
    except _OutsideProfileError as error:
        raise BadRecordError("holds a float or an integer from 2^53", cause=error) from error
    except (ValueError, RecursionError) as error:
        raise BadRecordError("not JSON", cause=error) from error
    if written != line:  # of a repeated key, only one is written
        raise BadRecordError("not in canonical form")
    if not isinstance(value, dict):
        raise BadRecordError("not a JSON object")
    if not line.isascii():
        _refuse_keys_beyond_ascii(value)
    return value


def require_envelope(entry: JsonObject) -> None:
    """Return if `entry` has what every record has, each of its sort; its number and link are for whoever follows the log.

    What else is in it is not looked at: fields are only ever added.

    Raises:
        BadRecordError: something is missing, or of another sort.
    """
    for name, sort in _ENVELOPE.items():
        if type(entry.get(name)) is not sort:
            raise BadRecordError(f"is no record: `{name}` is missing, or of another sort")


class _OutsideProfileError(ValueError):
    pass


def _integer(text: str) -> int:
    value = int(text) if len(text) < 18 else _MAX_INTEGER + 1
    if not -_MAX_INTEGER <= value <= _MAX_INTEGER:
        raise _OutsideProfileError
    return value


def _refuse_number(_: str) -> NoReturn:
    raise _OutsideProfileError


_decode: Callable[[str], Any] = json.JSONDecoder(
    parse_float=_refuse_number, parse_int=_integer, parse_constant=_refuse_number
).decode
_encode: Callable[[Any], str] = json.JSONEncoder(
    sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=False
).encode


def _refuse_depth(line: bytes) -> None:
    """Before anything is parsed: brackets outside texts are counted."""
    bare = line.replace(b"\\\\", b"").replace(b'\\"', b"")
    depth = 0
    for part in bare.split(b'"')[::2]:
        for character in part:
            if character in b"{[":
                depth += 1
                if depth > _MAX_DEPTH:
                    raise BadRecordError(f"nested deeper than {_MAX_DEPTH} levels")
            elif character in b"}]":
                depth -= 1


def _refuse_keys_beyond_ascii(root: Json) -> None:
    stack: list[Json] = [root]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if not all(key.isascii() for key in value):
                raise BadRecordError("holds a key beyond ASCII")
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
