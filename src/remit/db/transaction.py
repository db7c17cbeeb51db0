"""The only transaction there is: state and the events that describe it.

A transaction carries the events recorded in it. Before it commits they are
handed to the recorder, which returns only when they are on stable storage; if
it cannot, the transaction rolls back. So nothing takes effect that is not in
the log. When the commit itself then fails, the recorder is told, so that the
log says that the effect did not happen (docs/adr/0003).
"""

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import Connection

from remit.errors import Error

__all__ = ["NoRecorder", "Recorder", "Transaction", "UnrecordedEventError"]


class UnrecordedEventError(Error):
    """Events were recorded on a database that has nowhere durable to put them."""

    code = "unrecorded_event"


class Recorder(Protocol):
    """What makes events durable; the audit log is one. Called from worker threads."""

    def record(self, events: Sequence[object]) -> None:
        """Return when every event is on stable storage; raise, and the transaction rolls back."""
        ...

    def abandon(self, events: Sequence[object], cause: BaseException) -> None:
        """Say that what `events` announce did not happen: their transaction failed to commit."""
        ...


class NoRecorder:
    """Refuses every event: the default, so that a forgotten audit log cannot pass unnoticed."""

    def record(self, events: Sequence[object]) -> None:
        raise UnrecordedEventError("this database was opened without an audit log")

    def abandon(self, events: Sequence[object], cause: BaseException) -> None:
        """Nothing was recorded, so there is nothing to take back."""


class Transaction:
    """One open transaction: a SQLAlchemy connection, and the events recorded in it so far.

    Stores take it as their first argument, run statements on `connection`, and
    return frozen values. It lives in one worker thread and must not leave it.
    """

    __slots__ = ("connection", "events")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.events: list[object] = []

    def record(self, event: object) -> None:
        """Add `event` to what becomes durable before this transaction commits."""
        self.events.append(event)
