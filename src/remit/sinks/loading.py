"""The next records of a log as one sink gets them, read and written in a thread beside the requests.

Whoever works in a thread keeps the interpreter from the loop that answers requests, for five milliseconds at a time if
it is let. So it stops for a moment again and again: a request waits for a millisecond of this at most.

Source: AUDIT §1.5 ("never block").
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from remit.audit.source import Record, RecordSource
from remit.errors import NotFoundError
from remit.model import SinkRules
from remit.sinks.forms.envelope import instant_ms
from remit.sinks.forms.form import Form, shipment_of, stub_of
from remit.sinks.port import BatchRules
from remit.sinks.selection import is_for
from remit.sinks.shipment import Shipment, told_of

__all__ = ["Load", "load", "load_stub", "observed_ms"]

_PASSED_OVER: Final = 5_000
"""So many records are looked at for one load, however few of them are for the sink."""
_AT_A_TIME: Final = 0.001
_PAUSE: Final = 0.0001


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What goes out next: of the records from `start` on, up to `after`, which is behind the last that was looked at."""

    start: int
    shipments: tuple[Shipment, ...]
    first: int | None
    """The number of the first record that there was, whether it is for the sink or not; `None` for none."""
    after: int
    is_full: bool = False
    """Whether there is no room for more."""
    more: bool = False
    """Whether there may be more in the log by now."""

    def joined(self, later: "Load") -> "Load":
        """This, and what was found behind it."""
        return Load(
            start=self.start,
            shipments=self.shipments + later.shipments,
            first=later.first if self.first is None else self.first,
            after=later.after,
            is_full=later.is_full,
            more=later.more,
        )


def load(
    source: RecordSource, log: str, start: int, *, rules: SinkRules, form: Form, batch: BatchRules
) -> Load:
    """Read from number `start` on. Blocks.

    Raises:
        OSError: the log cannot be read.
    """
    shipments: list[Shipment] = []
    size, first, after = 0, None, start

    def found(*, is_full: bool, more: bool) -> Load:
        some = tuple(shipments)
        return Load(
            start=start, shipments=some, first=first, after=after, is_full=is_full, more=more
        )

    for record in _gently(source.read(log, start, limit=_PASSED_OVER)):
        if first is None:
            first = record.sequence
        told = told_of(record)
        if is_for(rules, told.entry):
            one = shipment_of(told, form, longest=batch.longest)
            if shipments and size + len(one.content) > batch.content:
                return found(is_full=True, more=True)
            shipments.append(one)
            size += len(one.content)
        after = record.sequence + 1
        if len(shipments) >= batch.records:
            return found(is_full=True, more=True)
    return found(is_full=False, more=after - start >= _PASSED_OVER)


def load_stub(source: RecordSource, one: Shipment, form: Form) -> Shipment:
    """What is left of a record that the receiver does not take. Blocks.

    Raises:
        OSError: the log cannot be read.
    """
    for record in source.read(one.log, one.sequence, limit=1):
        if record.sequence == one.sequence:
            return stub_of(told_of(record), form)
    raise OSError("the record is not there any more")


def observed_ms(source: RecordSource, log: str, sequence: int) -> int | None:
    """When the first record from that number on came into the log; `None` while there is none. Blocks."""
    try:
        for record in source.read(log, sequence, limit=1):
            entry = told_of(record).entry
            return instant_ms(entry.get("observed")) or instant_ms(entry.get("time"))
    except NotFoundError:
        pass
    return None


def _gently(records: Iterator[Record]) -> Iterator[Record]:
    # Of the thread's own time: what passes while it has to wait keeps nobody from anything.
    began = time.thread_time()
    for record in records:
        yield record
        if time.thread_time() - began > _AT_A_TIME:
            time.sleep(_PAUSE)
            began = time.thread_time()
