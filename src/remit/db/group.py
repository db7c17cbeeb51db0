"""Writes that wait together commit together: one wait for the log, one for the database.

SQLite has one writer. While it waits for the disk, others queue; whoever is in the queue when
it comes back goes into its next transaction, each in a savepoint of its own, so that one
that raises takes back nothing of another's. Their events are recorded in one go before
the one commit. When the log or the commit refuses, all of them are refused. Coroutines of one
loop are woken with one call into that loop.

Source: https://www.sqlite.org/lang_savepoint.html; docs/adr/0003.
"""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from remit.db.prepared import execute
from remit.db.transaction import Recorder, Transaction

__all__ = [
    "MOST_TOGETHER",
    "Answer",
    "Queue",
    "Waiting",
    "WorkEndedTransactionError",
    "settle",
    "write_together",
]

MOST_TOGETHER = 64
"""More than this is not written in one transaction: the first would wait for the last."""


class WorkEndedTransactionError(RuntimeError):
    """The work given to a transaction ended it. A mistake of ours."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Work to be done in a transaction, and who waits for its result: a thread, or a coroutine of `loop`."""

    work: Callable[[Transaction], Any]
    future: "asyncio.Future[Any] | Future[Any]"
    loop: asyncio.AbstractEventLoop | None = None

    def begins(self) -> bool:
        """Whether anybody still waits for it. From then on it is done, whoever gives up."""
        if isinstance(self.future, Future):
            return self.future.set_running_or_notify_cancel()
        return not self.future.cancelled()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a work returned; or what it, the log or the database raised."""

    result: Any = None
    error: BaseException | None = None


class Queue:
    """What waits to be written, in the order it came."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Waiting] = deque()

    def add(self, waiting: Waiting) -> bool:
        """Let it wait. Whether it is the first to: then the writer has to be told."""
        with self._lock:
            self._waiting.append(waiting)
            return len(self._waiting) == 1

    def take(self) -> tuple[list[Waiting], bool]:
        """What is to be written now: at most `MOST_TOGETHER`, without those nobody waits for any more.

        And whether others wait on; the writer has to be told again.
        """
        with self._lock:
            taken = [self._waiting.popleft() for _ in range(min(MOST_TOGETHER, len(self._waiting)))]
            left = bool(self._waiting)
        return [one for one in taken if one.begins()], left

    def cancel(self) -> None:
        """Tell all who still wait that it will not be done."""
        with self._lock:
            left, self._waiting = self._waiting, deque()
        for one in left:
            if one.loop is None:
                one.future.cancel()
            else:
                _call(one.loop, one.future.cancel)


def write_together(
    connection: Connection, together: Sequence[Waiting], recorder: Recorder
) -> list[tuple[Waiting, Answer]]:
    """Do all of it in one transaction and commit; what each is to be told then.

    Nobody is told anything before the commit, whoever's work raised included.

    Raises:
        BaseException: nothing of it was changed, whatever the others' work did; all must be told.
    """
    transaction = connection.begin()
    answers: list[tuple[Waiting, Answer]] = []
    events: list[object] = []
    for one in together:
        try:
            result, recorded = _attempt(connection, one, alone=len(together) == 1)
        except WorkEndedTransactionError:
            raise
        except BaseException as error:
            if len(together) == 1 or not _is_open(connection):
                raise
            answers.append((one, Answer(error=error)))
        else:
            answers.append((one, Answer(result)))
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
    return answers


def settle(answers: Iterable[tuple[Waiting, Answer]]) -> None:
    """Tell everybody who waited."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[Waiting, Answer]]] = {}
    for one, answer in answers:
        if one.loop is None:
            _tell(one, answer)
        else:
            loops.setdefault(one.loop, []).append((one, answer))
    for loop, told in loops.items():
        _call(loop, _tell_all, told)


def _tell_all(answers: list[tuple[Waiting, Answer]]) -> None:
    for one, answer in answers:
        _tell(one, answer)


def _tell(one: Waiting, answer: Answer) -> None:
    if one.future.done():  # it gave up meanwhile
        return
    if answer.error is None:
        one.future.set_result(answer.result)
    else:
        one.future.set_exception(answer.error)


def _call(loop: asyncio.AbstractEventLoop, function: Callable[..., object], *given: object) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed, and everybody in it gone
        loop.call_soon_threadsafe(function, *given)


def _attempt(connection: Connection, one: Waiting, *, alone: bool) -> tuple[Any, list[object]]:
    """The result of its work and the events recorded in it; undone alone if it raises."""
    tx = Transaction(connection)
    if alone:
        result = one.work(tx)
        _require_open(connection)
        return result, tx.events
    execute(connection, "SAVEPOINT one")
    try:
        result = one.work(tx)
    except BaseException:
        if _is_open(connection):
            execute(connection, "ROLLBACK TO one")
            execute(connection, "RELEASE one")
        raise
    _require_open(connection)
    execute(connection, "RELEASE one")
    return result, tx.events


def _require_open(connection: Connection) -> None:
    if not connection.in_transaction() or not _is_open(connection):
        raise WorkEndedTransactionError("the work given to a transaction ended it")


def _is_open(connection: Connection) -> bool:
    """Whether the database still has the transaction open: a full disk may have ended it."""
    driver = connection.connection.dbapi_connection
    return driver is not None and getattr(driver, "in_transaction", True)
