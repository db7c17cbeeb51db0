"""Receipts: what somebody who is not the log was told about where a record stands.

Every answer to a tool's call carries one, and every record that went to a sink names its log, number and leaf hash.
Whoever kept some of them holds the log to them: a record that is gone, or is another, shows. They are taken from
any JSON, or JSON lines, in which an object has a number `seq` and a leaf hash `leaf` and stands in, or is, an
object with a `log`. What is not a receipt is passed over; a text that holds none at all is refused.

Source: AUDIT §1.4.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from remit_audit_verify.errors import VerifyError

__all__ = ["BadReceiptError", "Receipt", "read_receipts"]

_LEAF = re.compile(r"[0-9a-f]{64}")


class BadReceiptError(VerifyError):
    """What was handed over holds no receipt."""


@dataclass(frozen=True, slots=True, order=True)
class Receipt:
    """Record `sequence` of `log` has the leaf hash `leaf`."""

    log: str
    sequence: int
    leaf: bytes


def read_receipts(text: str) -> tuple[Receipt, ...]:
    """All receipts in `text`, each once, in order.

    Raises:
        BadReceiptError: it is neither JSON nor JSON lines, or there is none in it.
    """
    found = {receipt for value in _values(text) for receipt in _within(value, None, 0)}
    if not found:
        raise BadReceiptError("there is no receipt in it")
    return tuple(sorted(found))


def _values(text: str) -> Iterator[Any]:
    try:
        yield json.loads(text)
    except (ValueError, RecursionError):
        pass
    else:
        return
    try:
        for line in text.split("\n"):
            if line.strip():
                yield json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadReceiptError("neither JSON nor JSON lines", cause=error) from error


def _within(value: Any, log: str | None, depth: int) -> Iterator[Receipt]:
    if depth > 64:
        return
    if isinstance(value, list):
        for item in value:
            yield from _within(item, log, depth + 1)
    if not isinstance(value, dict):
        return
    named = value.get("log")
    log = named if isinstance(named, str) and named else log
    sequence, leaf = value.get("seq"), value.get("leaf")
    if (
        log is not None
        and type(sequence) is int
        and 0 <= sequence < 2**53
        and isinstance(leaf, str)
        and _LEAF.fullmatch(leaf)
    ):
        yield Receipt(log, sequence, bytes.fromhex(leaf))
    for item in value.values():
        yield from _within(item, log, depth + 1)
