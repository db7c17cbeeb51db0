"""The index as a whole: made of the logs, brought forward as they grow, and made anew when it does not fit them.

It is never the record. What it has not come to yet is read off the log itself by whoever asks; when it is of another
version, damaged, or says more than a log has, it is thrown away. Of several processes on one database each indexes its
own log, and those of others only where nobody else does.

Source: AUDIT §1.5 (the index can be made again), §1.7.
"""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Final

import structlog

from remit.audit.source import RecordSource
from remit.clock import Clock
from remit.db import Database, DatabaseUnavailableError, Transaction
from remit.errors import Error, NotFoundError
from remit.ids import new_id
from remit.trail.blocks import (
    LARGEST,
    Block,
    Posting,
    block_number,
    index_records,
    milliseconds,
    time_of,
)
from remit.trail.index_store import (
    IndexedLog,
    add_block,
    empty_index,
    epoch_of,
    indexed_logs,
    is_damaged,
    make_tables,
    move_log,
    name_log,
    set_epoch,
    tenants,
)
from remit.trail.reading import read_range

__all__ = ["TrailIndex", "keep_index", "open_index_file", "renew_index_file"]

_VERSION: Final = "trl2"
"""Another one when blocks, terms or facets mean something else."""
_OWN: Final = (512, 3_600_000)
_OTHERS: Final = (LARGEST, 7_200_000)
"""So many records, or the first of them so old (milliseconds), before a block is made of them.

A year in which little happens is thus some thousand blocks; what waits is read off the log by whoever asks.
"""
_PAUSE: Final = 1.0
_MANY: Final = 20_000
_TOLD_EVERY: Final = 10.0

_log = structlog.stdlib.get_logger("remit.trail")


def open_index_file(path: Path) -> Database:
    """The index in a file of its own, made if it is not there; one that is damaged is replaced.

    Raises:
        DatabaseUnavailableError: it cannot be made.
    """
    try:
        return _opened(path)
    except DatabaseUnavailableError:
        return renew_index_file(path)


def renew_index_file(path: Path) -> Database:
    """An empty index in the place of what is there.

    Raises:
        DatabaseUnavailableError, OSError: it cannot be made.
    """
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    return _opened(path)


class TrailIndex:
    """The index of all logs that `source` reads. Its methods block; they may be called from any thread.

    `own` is the log that this process writes. `anew` makes the file that takes the place of one that is damaged.
    """

    def __init__(
        self,
        database: Database,
        source: RecordSource,
        *,
        clock: Clock,
        own: str | None = None,
        anew: Callable[[], Database] | None = None,
    ) -> None:
        self.database = database
        self._anew = anew
        self._healing = Lock()
        self.source = source
        self._clock = clock
        self._own = own

    def begin(self) -> str:
        """Its name since it was last begun anew, which it is now if it has none of this version."""
        epoch = self.database.read_now(epoch_of)
        if epoch is not None and epoch.startswith(_VERSION):
            return epoch
        return self.forget()

    def forget(self) -> str:
        """Begin it anew; its new name. What it said is in the logs."""
        epoch = new_id(_VERSION)

        def work(tx: Transaction) -> None:
            empty_index(tx)
            set_epoch(tx, epoch)

        self.database.run_now(work)
        return epoch

    def advance(self, *, at_once: bool = False) -> int:
        """Index what is due, a block of each log, `at_once` everything; how many records it was.

        Raises:
            DatabaseUnavailableError, OSError: it cannot be written, or a log not read; what was written stays.
        """
        self.begin()
        known = self.database.read_now(indexed_logs)
        return sum(
            self._advance(log, known.get(log), at_once=at_once) for log in self.source.logs()
        )

    def _advance(self, log: str, known: IndexedLog | None, *, at_once: bool) -> int:
        try:
            first, size = self.source.bounds(log)
        except NotFoundError:
            return 0
        while known is None:  # another log of another process may have got the number
            self.database.run_now(lambda tx: name_log(tx, log, first=first))
            known = self.database.read_now(indexed_logs).get(log)
        if known.next > size:
            _log.warning("the index says more than a log has, and is made anew", log=log)
            self.forget()
            return 0
        done = 0
        while self._is_due(known, first, size, at_once=at_once):
            moved = self._add_block(known, max(known.next, first), size)
            if moved is None:
                break  # somebody else did
            done += moved.next - known.next
            known = moved
            if not at_once:
                break
        return done

    def waiting(self) -> int:
        """How many records are not indexed yet."""
        known = self.database.read_now(indexed_logs)
        found = 0
        for log in self.source.logs():
            with suppress(NotFoundError):
                first, size = self.source.bounds(log)
                found += size - max(first, known[log].next if log in known else first)
        return found

    def organisations(self) -> list[str]:
        """All of whom there are records, `""` being none: those that are indexed, and those of the newest records."""
        found, known = self.database.read_now(lambda tx: (tenants(tx), indexed_logs(tx)))
        held = set(found)
        for log in self.source.logs():
            with suppress(NotFoundError):
                first, size = self.source.bounds(log)
                start = max(known[log].next if log in known else first, first, size - _MANY)
                for one in read_range(self.source, log, start, size):
                    tenant = one.entry.get("tenant")
                    held.add(tenant if isinstance(tenant, str) else "")
        return sorted(held)

    def close(self) -> None:
        """Close the file that it is in by now."""
        self.database.close()

    def heal(self, database: Database, error: DatabaseUnavailableError) -> bool:
        """Begin it anew in another file where `error` says that that of `database` is damaged; whether it is not any more."""
        if self._anew is None or not is_damaged(error):
            return False
        with self._healing:
            if self.database is not database:
                return True  # somebody else did
            self.database = self._anew()
        database.close()
        _log.warning("the index was damaged, and is made anew")
        return True

    def _is_due(self, known: IndexedLog, first: int, size: int, *, at_once: bool) -> bool:
        start = max(known.next, first)
        many, old = _OWN if known.log == self._own else _OTHERS
        if at_once or size - start >= many:
            return size > start
        for record in self.source.read(known.log, start, limit=1):
            with suppress(Error):
                written = milliseconds(record.entry().get("observed"))
                return self._clock.now_ms() - written >= old
        return False

    def _add_block(self, known: IndexedLog, start: int, size: int) -> IndexedLog | None:
        limit = min(LARGEST, size - start)
        records = list(self.source.read(known.log, start, limit=limit))
        if not records:
            return None
        postings, span = index_records(records)
        number = block_number(span[1], known.number, after=known.last_block)
        block = Block(number, known.number, records[0].sequence, len(records))
        moved = IndexedLog(
            log=known.log,
            number=known.number,
            next=records[-1].sequence + 1,
            last_block=number,
            reach=max(known.reach, time_of(number) - span[0]),
        )
        return moved if self._write(known, moved, block, postings) else None

    def _write(
        self, known: IndexedLog, moved: IndexedLog, block: Block, postings: list[Posting]
    ) -> bool:
        def work(tx: Transaction) -> bool:
            # First, so that of two who index one log the other writes nothing.
            if not move_log(tx, known, moved):
                return False
            add_block(tx, block, postings)
            return True

        return self.database.run_now(work)


async def keep_index(index: TrailIndex) -> None:
    """Bring `index` forward for ever. What fails is said and tried again: nothing waits for it.

    When much waits, as after a restore, it says how much, and leaves half a core to the others.
    """
    failed = False
    told = _Waits()
    while True:
        began, done, database = monotonic(), 0, index.database
        try:
            done = await asyncio.to_thread(index.advance)
            await told.tell(index)
            failed = False
        except Exception as error:  # noqa: BLE001  nothing that an index does may end the process
            if not failed:
                _log.warning("the index is not brought forward", error=str(error))
            failed = not await asyncio.to_thread(_healed, index, database, error)
        pause = _PAUSE * (10 if failed else 1)
        await asyncio.sleep(min(pause, monotonic() - began) if done else pause)


def _healed(index: TrailIndex, database: Database, error: Exception) -> bool:
    try:
        return isinstance(error, DatabaseUnavailableError) and index.heal(database, error)
    except (Error, OSError):
        return False


class _Waits:
    """Says how much waits to be indexed, when it is much, and when it is no more."""

    def __init__(self) -> None:
        self._many = False
        self._next = 0.0

    async def tell(self, index: TrailIndex) -> None:
        """Say so if it is time to."""
        if monotonic() < self._next:
            return
        self._next = monotonic() + _TOLD_EVERY
        waiting = await asyncio.to_thread(index.waiting)
        if waiting > _MANY:
            _log.info("the index of the audit log is being made", records_waiting=waiting)
        elif self._many:
            _log.info("the index of the audit log is made", records_waiting=waiting)
        self._many = waiting > _MANY


def _opened(path: Path) -> Database:
    with ExitStack() as undo:
        database = Database.open(f"sqlite:///{path}", pool=2)
        undo.callback(database.close)
        database.run_now(make_tables)
        database.read_now(epoch_of)
        undo.pop_all()
        return database
