"""Records read back by their numbers, the last one first, a few at a time; and how many of them at most."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from time import monotonic
from typing import Final

from remit.audit.entry import BadEntryError
from remit.audit.source import Record, RecordSource
from remit.trail.question import Found

__all__ = ["Budget", "backwards", "fetch", "read_range"]

_GAP: Final = 16
"""Records between two that are wanted, which are read with them rather than sought beyond."""
_FIRST_READ: Final = 8
_LONGEST_READ: Final = 128


class Budget:
    """How many records may still be looked at for one answer, and until when: whoever asks waits only so long."""

    __slots__ = ("_until", "left")

    def __init__(self, records: int, *, seconds: float) -> None:
        self.left = records
        self._until = monotonic() + seconds

    @property
    def is_spent(self) -> bool:
        """Whether no more should be."""
        return self.left <= 0 or monotonic() >= self._until


def backwards(
    source: RecordSource,
    log: str,
    numbers: Sequence[int],
    *,
    wanted: Callable[[Found], bool],
    budget: Budget,
) -> Iterator[Found | int]:
    """Of the records with these ascending `numbers` those that are `wanted`, the last first.

    Between them, whenever the budget is spent, the number under which nothing has been looked at yet.
    """
    end, step = len(numbers), _FIRST_READ
    while end:
        # Of each log a few are read whatever is left, or an answer could end where it began.
        if budget.is_spent and end < len(numbers):
            yield numbers[end - 1] + 1
        begin = max(0, end - step)
        records = fetch(source, log, numbers[begin:end])
        budget.left -= end - begin
        for record in reversed(records):
            found = read(record)
            if found is not None and wanted(found):
                yield found
        end, step = begin, min(_LONGEST_READ, step * 2)


def fetch(source: RecordSource, log: str, numbers: Sequence[int]) -> list[Record]:
    """The records with these ascending numbers, as far as they are kept."""
    found: list[Record] = []
    begin = 0
    ends = [at + 1 for at, (one, next_) in enumerate(pairwise(numbers)) if next_ - one > _GAP]
    for end in (*ends, len(numbers)):
        run = numbers[begin:end]
        if run:
            held = set(run)
            limit = run[-1] - run[0] + 1
            read_on = source.read(log, run[0], limit=limit)
            found += [record for record in read_on if record.sequence in held]
        begin = end
    return found


def read_range(source: RecordSource, log: str, first: int, below: int) -> Iterator[Found]:
    """The records from number `first`, below `below`, in order; what is no record is passed over."""
    if below > first:
        for record in source.read(log, first, limit=below - first):
            found = read(record)
            if found is not None and record.sequence < below:
                yield found


def read(record: Record) -> Found | None:
    """What a record says; `None` for what no log writes, which a verification tells of."""
    try:
        return Found(record, record.entry())
    except BadEntryError:
        return None
