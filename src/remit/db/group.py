"""Writes that wait together commit together: one wait for the log, one for the database.

SQLite has one writer. While it waits for the disk, others queue; whoever is in the queue when
it comes back goes into its next transaction, each in a savepoint of its own, so that one
that raises takes back nothing of another's. Their events are recorded in one go before
the one commit. When the log or the commit refuses, all of them are refused.

Source: https://www.sqlite.org/lang_savepoint.html; docs/adr/0003.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from remit.db.transaction import Recorder, Transaction

__all__ = ["MOST_TOGETHER", "Queue", "Waiting", "WorkEndedTransactionError", "write_together"]

MOST_TOGETHER = 64
"""More than this is not written in one transaction: the first would wait for the last."""


class WorkEndedTransactionError(RuntimeError):
    """The work given to a transaction ended it. A mistake of ours."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Work to be done in a transaction, and who waits for its result."""

    work: Callable[[Transaction], Any]
    future: Future[Any]


class Queue:
    """What waits to be written, in the order it came."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Waiting] = deque()

    def add(self, waiting: Waiting) -> None:
        """Let it wait."""
        with self._lock:
            self._waiting.append(waiting)

    def take(self) -> list[Waiting]:
        """What is to be written now: at most `MOST_TOGETHER`, without those nobody waits for any more."""
        with self._lock:
            taken = [self._waiting.popleft() for _ in range(min(MOST_TOGETHER, len(self._waiting)))]
        return [one for one in taken if one.future.set_running_or_notify_cancel()]

    def cancel(self) -> None:
        """Tell all who still wait that it will not be done."""
        with self._lock:
            left, self._waiting = self._waiting, deque()
        for one in left:
            one.future.cancel()


def write_together(
    connection: Connection, together: Sequence[Waiting], recorder: Recorder
) -> Callable[[], None]:
    """Do all of it in one transaction and commit; what is returned wakes those who wait.

    Nobody is told anything before the commit, whoever's work raised included.

    Raises:
        BaseException: nothing of it was changed, whatever the others' work did; all must be told.
    """
    transaction = connection.begin()
    done: list[tuple[Waiting, Any]] = []
    failed: list[tuple[Waiting, BaseException]] = []
    events: list[object] = []
    for one in together:
        try:
            result, recorded = _attempt(connection, one, alone=len(together) == 1)
        except WorkEndedTransactionError:
            raise
        except BaseException as error:
            if len(together) == 1 or not _is_open(connection):
                raise
            failed.append((one, error))
        else:
            done.append((one, result))
            events.extend(recorded)
    if events:
        recorder.record(tuple(events))
    # INVARIANT: here every event is on stable storage and no effect has taken place.
    try:
        transaction.commit()
    except BaseException as error:
        # SQLite keeps the transaction open after a COMMIT that failed: close, and it is gone.
        connection.invalidate(error)
        if events:
            recorder.abandon(tuple(events), error)
        raise

    def wake() -> None:
        for one, error in failed:
            one.future.set_exception(error)
        for one, result in done:
            one.future.set_result(result)

    return wake


def _attempt(connection: Connection, one: Waiting, *, alone: bool) -> tuple[Any, list[object]]:
    """The result of its work and the events recorded in it; undone alone if it raises."""
    tx = Transaction(connection)
    if alone:
        result = one.work(tx)
        _require_open(connection)
        return result, tx.events
    connection.exec_driver_sql("SAVEPOINT one")
    try:
        result = one.work(tx)
    except BaseException:
        if _is_open(connection):
            connection.exec_driver_sql("ROLLBACK TO one")
            connection.exec_driver_sql("RELEASE one")
        raise
    _require_open(connection)
    connection.exec_driver_sql("RELEASE one")
    return result, tx.events


def _require_open(connection: Connection) -> None:
    if not connection.in_transaction() or not _is_open(connection):
        raise WorkEndedTransactionError("the work given to a transaction ended it")


def _is_open(connection: Connection) -> bool:
    """Whether the database still has the transaction open: a full disk may have ended it."""
    driver = connection.connection.dbapi_connection
    return driver is not None and getattr(driver, "in_transaction", True)
