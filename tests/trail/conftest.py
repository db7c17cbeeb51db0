"""A log with a story in it, the index of it on both databases, and the search over both."""

from contextlib import ExitStack, closing

import pytest

from remit.audit.entry import Moment, Producer, draft, seal
from remit.audit.source import Record
from remit.clock import rfc3339_ms
from remit.errors import NotFoundError
from remit.trail.collecting import collect
from remit.trail.index import TrailIndex
from remit_audit_verify.tree import leaf_hash

START = 1_767_625_200_000


class MemorySource:
    """Logs in memory: a `RecordSource` whose records a test writes with `add`."""

    def __init__(self) -> None:
        self.lines: dict[str, list[bytes]] = {}
        self.pruned: dict[str, int] = {}
        self.reads = 0
        self.now = START

    def add(self, log, event, *, at_ms=None) -> Record:
        at_ms = self.now if at_ms is None else at_ms
        lines = self.lines.setdefault(log, [])
        moment = Moment.of(at_ms)
        line = seal(
            draft(event, Producer(), moment),
            sequence=len(lines),
            previous="0" * 64,
            observed=rfc3339_ms(at_ms),
        )
        lines.append(line)
        return Record(log, len(lines) - 1, line)

    def logs(self):
        return tuple(sorted(self.lines))

    def bounds(self, log):
        if log not in self.lines:
            raise NotFoundError("there is no such log")
        return self.pruned.get(log, 0), len(self.lines[log])

    def read(self, log, start, *, limit):
        start = max(start, self.pruned.get(log, 0))
        for number, line in enumerate(self.lines[log][start : start + limit], start):
            self.reads += 1
            yield Record(log, number, line)

    def entry_time(self, log, number):
        return Record(log, number, self.lines[log][number]).entry()["observed"]

    def leaves(self, log, first, last):
        return [leaf_hash(line) for line in self.lines[log][first:last]]

    def checkpoint(self, log):
        return f"{log}\n{len(self.lines[log])}\nroot\n"


@pytest.fixture
def source() -> MemorySource:
    return MemorySource()


@pytest.fixture
def index(database, source, clock) -> TrailIndex:
    return TrailIndex(database, source, clock=clock, own="remit/main")


@pytest.fixture
def collecting(index):
    """`collect` over the index; what was collected is closed afterwards."""
    with ExitStack() as stack:
        yield lambda question, **more: stack.enter_context(
            closing(collect(index, question, **more))
        )
