"""An audit log in memory: the port's contract without a disk, and a switch that makes it fail."""

import hashlib
import threading
from collections.abc import Sequence
from typing import TypeVar

from remit.audit.events import EffectFailed, Event
from remit.audit.port import AuditUnavailableError, Receipt

__all__ = ["InMemoryAuditLog"]

E = TypeVar("E", bound=Event)


class InMemoryAuditLog:
    """Keeps every event in `events`, in order; while `failing` is true it takes none.

    Safe to call from several threads, as `db.Database` does.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.failing = False
        self._lock = threading.Lock()

    def of(self, kind: type[E]) -> list[E]:
        """The events of one class, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    async def append(self, event: Event) -> Receipt:
        return self._take([event])[0]

    def append_soon(self, event: Event) -> None:
        self._take([event])

    def record(self, events: Sequence[object]) -> None:
        self._take(events)

    def abandon(self, events: Sequence[object], cause: BaseException) -> None:
        identities = {id(event) for event in events}
        sequences = [n for n, event in enumerate(self.events) if id(event) in identities]
        self._take([EffectFailed(sequences=tuple(sequences), error=type(cause).__name__)])

    def _take(self, events: Sequence[object]) -> list[Receipt]:
        receipts: list[Receipt] = []
        with self._lock:
            if self.failing:
                raise AuditUnavailableError("the audit log cannot be written")
            for event in events:
                if not isinstance(event, Event):
                    raise TypeError(f"`{type(event).__name__}` is not an event")
                leaf = hashlib.sha256(f"{len(self.events)}{event!r}".encode()).hexdigest()
                receipts.append(Receipt(sequence=len(self.events), leaf=leaf))
                self.events.append(event)
        return receipts
