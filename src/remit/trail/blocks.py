"""A block: records of one log that follow each other, and in which of them each word stands.

The index keeps one row for each word of each organisation in a block, with the places of the records that have it.
What every record has thus costs two bytes a record, and what few have is found without looking at others.

Blocks are numbered by the time of their last record, then by their log, and never twice; within a log they are
numbered in its order, whatever the clock did.

Source: AUDIT §1.7.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import and_
from sys import byteorder
from typing import Final

from remit.audit.entry import BadEntryError
from remit.audit.facets import facets_of
from remit.audit.source import Record
from remit.canonical import Json
from remit.trail.terms import EVERY, Condition, term_of

__all__ = [
    "LARGEST",
    "Block",
    "Posting",
    "block_number",
    "index_records",
    "log_number",
    "milliseconds",
    "places_in",
    "time_of",
]

LARGEST: Final = 4_096
"""Records in one block."""
_LOG_BITS: Final = 20
_LAST_MILLISECOND: Final = 2**42 - 1


@dataclass(frozen=True, slots=True)
class Block:
    """Where a block stands: its own number, the number of its log, its first record, and how many it has.

    `span` is with which other blocks it was written.
    """

    number: int
    log: int
    first: int
    count: int
    span: int = 0


@dataclass(frozen=True, slots=True)
class Posting:
    """In which records of a block a term stands, for one organisation; `""` is that of none."""

    tenant: str
    term: int
    offsets: bytes


def index_records(records: Sequence[Record]) -> tuple[list[Posting], tuple[int, int]]:
    """What a block of `records` is found by, and between when they were written, in epoch milliseconds.

    A line that is no record is found by nothing but the question for everything that belongs to nobody.
    """
    found: dict[tuple[str, int], array[int]] = {}
    times: list[int] = []
    for offset, record in enumerate(records):
        try:
            entry = record.entry()
        except BadEntryError:
            entry = {}
        tenant = entry.get("tenant")
        whose = tenant if isinstance(tenant, str) else ""
        if written := milliseconds(entry.get("observed")):
            times.append(written)
        for facet in (*facets_of(entry), EVERY):
            found.setdefault((whose, term_of(facet)), array("H")).append(offset)
    postings = [Posting(*key, _packed(offsets)) for key, offsets in sorted(found.items())]
    return postings, (min(times, default=0), max(times, default=0))


def block_number(latest: int, log: int, *, after: int) -> int:
    """The number of a block of `log` whose last record was written at `latest`, above `after`, the one before it."""
    number = min(latest, _LAST_MILLISECOND) << _LOG_BITS | log
    return number if number > after else after + (1 << _LOG_BITS)


def log_number(block: int) -> int:
    """The number of the log that a block is of."""
    return block & ((1 << _LOG_BITS) - 1)


def time_of(block: int) -> int:
    """The time of a block, in epoch milliseconds: none of its records was written later."""
    return block >> _LOG_BITS


def places_in(postings: Iterable[Posting], conditions: Sequence[Condition]) -> dict[str, list[int]]:
    """The offsets of the records in one block that meet all `conditions`, ascending, by organisation."""
    by_tenant: dict[str, dict[int, bytes]] = {}
    for one in postings:
        by_tenant.setdefault(one.tenant, {})[one.term] = one.offsets
    found: dict[str, list[int]] = {}
    for tenant, held in by_tenant.items():
        offsets = reduce(and_, [_any_of(held, condition) for condition in conditions])
        if offsets:
            found[tenant] = sorted(offsets)
    return found


def milliseconds(observed: Json) -> int:
    """An instant of the log in epoch milliseconds; 0 for what is none."""
    try:
        return round(datetime.fromisoformat(str(observed)).timestamp() * 1_000)
    except (ValueError, OverflowError):
        return 0


def _any_of(held: Mapping[int, bytes], condition: Condition) -> set[int]:
    found: set[int] = set()
    for facet in condition:
        offsets = held.get(term_of(facet))
        if offsets is not None:
            found.update(_unpacked(offsets))
    return found


def _packed(offsets: "array[int]") -> bytes:
    if byteorder == "big":
        offsets = offsets[:]
        offsets.byteswap()
    return offsets.tobytes()


def _unpacked(packed: bytes) -> "array[int]":
    offsets = array("H", packed)
    if byteorder == "big":
        offsets.byteswap()
    return offsets
