"""One record on its way to a receiver: its place in the log, what it says, and how it is written in the form asked for.

Every shipment names its log, its number there and its leaf hash, so that whoever has copies can prove that a record is
missing from the log, and can tell from the numbers that one is missing among the copies.

Source: AUDIT §1.4 (receipts), §1.5 (sinks).
"""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson

from remit.audit.source import Record

__all__ = ["Entry", "Shipment", "Told", "told_of"]

Entry: TypeAlias = dict[str, Any]
"""What a record says: JSON that this process, or another of ours, wrote."""


@dataclass(frozen=True, slots=True)
class Told:
    """A record as forms see it. `line` is `None` where `entry` is no longer the whole of it."""

    log: str
    sequence: int
    leaf: str
    entry: Entry
    line: bytes | None


@dataclass(frozen=True, slots=True)
class Shipment:
    """A record as receivers see it. `content` is one line in UTF-8: JSON, but for the form `cef`.

    `id` is the same however often it is sent. `milliseconds` is when it happened, since 1970.
    """

    log: str
    sequence: int
    leaf: str
    id: str
    kind: str
    tenant: str | None
    milliseconds: int
    severity: int
    """As in syslog: 2 critical, 4 warning, 5 notice, 6 informational."""
    trace: tuple[str, str] | None
    """The ids of trace and span in hexadecimal, where they have the W3C's length."""
    content: bytes
    entry: Entry = field(repr=False)
    """What the record says, for receivers that have places of their own for some of it."""


def told_of(record: Record) -> Told:
    """What it says. Reading is not checking: that it is canonical is the verifier's to say.

    A record that nobody can read is told as such: what is broken in the log must not keep the rest from going out.
    """
    try:
        entry = orjson.loads(record.line)
    except ValueError:
        entry = None
    if not isinstance(entry, dict) or not entry:
        return Told(
            record.log,
            record.sequence,
            record.leaf,
            {"kind": "record.unreadable", "body": {}},
            None,
        )
    return Told(record.log, record.sequence, record.leaf, entry, record.line)
