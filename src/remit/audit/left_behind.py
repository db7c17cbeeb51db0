"""The calls that a process which died had under way, told by another one that lives.

A process whose lease on its log is over, and that has said nothing between two looks, is taken for gone. What it had begun
and not ended gets its outcome, `unknown`, in the log of whoever found it; and the log it left says up to where that was
done, so that it is not done again when it is taken up. If the process was only cut off, and comes back, it may say what really became of
such a call: two outcomes of one call, of which the one that is not `unknown` is right.

Source: AUDIT §1.3, §1.10 (7).
"""

import struct
from typing import Final

from remit.audit.database_source import DatabaseSource
from remit.audit.log_store import LogRow, last_checkpoints, list_logs, settle_log
from remit.audit.open_calls import MOST_LISTED, CallsUnderWay, listed
from remit.audit.reconcile import outcomes_of
from remit.audit.source import Record
from remit.db import Database, Recorder

__all__ = ["LeftBehind"]

_ALL: Final = 2**53


class LeftBehind:
    """Looks after the logs of others. One thread at a time; every call blocks.

    `recorder` is the log of this process; `own` are names of logs that are not looked after.
    """

    def __init__(self, database: Database, recorder: Recorder, *, own: frozenset[str]) -> None:
        self._database = database
        self._source = DatabaseSource(database)
        self._recorder = recorder
        self._own = own
        self._seen: dict[str, LogRow] = {}

    def look(self) -> int:
        """Record the outcome of what processes left that are gone; of how many calls.

        Raises:
            AuditUnavailableError: it cannot be recorded; the next look tries again.
            DatabaseUnavailableError, OSError: the database does not answer.
        """
        count = 0
        before, self._seen = self._seen, {}
        for row in self._database.read_now(list_logs):
            if row.name in self._own or row.lease > 0 or row.settled >= row.size:
                continue
            self._seen[row.name] = row
            seen = before.get(row.name)
            if seen is not None and (seen.held_until, seen.size) == (row.held_until, row.size):
                count += self._settle(row)
        return count

    def _settle(self, row: LogRow) -> int:
        left = self._left(row)
        # Told twice, if another process does it at the same moment, is better than not told.
        self._recorder.record(outcomes_of(left))
        self._database.run_now(
            lambda tx: settle_log(tx, row.name, before=row.settled, settled=row.size)
        )
        return len(left)

    def _left(self, row: LogRow) -> tuple[Record, ...]:
        """The records with which the calls begin that have not ended in `row`'s log."""
        calls, start = CallsUnderWay(), row.first
        for checkpoint in self._database.read_now(lambda tx: last_checkpoints(tx, row.name, 1)):
            start = checkpoint.size
            numbers = _numbers(checkpoint.open_calls)
            if len(numbers) >= MOST_LISTED:
                start = numbers[-1] + 1
            for number in numbers:
                self._see(calls, row.name, number, 1)
        self._see(calls, row.name, start, _ALL)
        calls.forget_before(row.settled)
        return tuple(
            record
            for number in calls.sequences()
            for record in self._source.read(row.name, number, limit=1)
            if record.sequence == number
        )

    def _see(self, calls: CallsUnderWay, log: str, start: int, limit: int) -> None:
        for record in self._source.read(log, start, limit=limit):
            calls.see(record.sequence, record.line)


def _numbers(kept: bytes) -> list[int]:
    try:
        return list(listed(kept))
    except struct.error:
        return []
