"""An audit log in memory: the port's contract without a disk, and a switch that makes it fail."""

import threading
from collections.abc import Sequence
from typing import TypeVar

from remit.audit.context import Context
from remit.audit.entry import (
    BadEntryError,
    Draft,
    Moment,
    Producer,
    draft,
    first_link,
    read_entry,
    seal,
)
from remit.audit.events import EffectFailed, Event
from remit.audit.port import AuditUnavailableError, Receipt
from remit.canonical import JsonObject
from remit.testing.clock import FixedClock
from remit_audit_verify.tree import leaf_hash

__all__ = ["InMemoryAuditLog"]

E = TypeVar("E", bound=Event)


class InMemoryAuditLog:
    """Keeps every event in `events` and as it would be written in `entries`, in order.

    While `failing` is true it takes none. Refuses whatever a real log refuses. Safe to
    call from several threads, as `db.Database` does.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.entries: list[JsonObject] = []
        self.failing = False
        self._clock = FixedClock()
        self._previous = first_link("memory")
        self._lock = threading.Lock()

    def of(self, kind: type[E]) -> list[E]:
        """The events of one class, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    async def append(self, event: Event) -> Receipt:
        return self._take([event])[0]

    def append_soon(self, event: Event) -> None:
        self._take([event])

    def count_refusal(
        self, context: Context, *, where: str, error: str, about: str = "", token: str | None = None
    ) -> bool:
        return False

    def record(self, events: Sequence[object]) -> None:
        self._take(events)

    def abandon(self, events: Sequence[object], cause: BaseException) -> None:
        identities = {id(event) for event in events}
        sequences = tuple(n for n, event in enumerate(self.events) if id(event) in identities)
        first = events[0] if events else None
        context = first.context if isinstance(first, Event) else Context()
        self._take([EffectFailed(context=context, sequences=sequences, error=type(cause).__name__)])

    def _take(self, events: Sequence[object]) -> list[Receipt]:
        """All of `events`, or none."""
        now = Moment.of(self._clock.now_ms())
        drafts: list[tuple[Event, Draft]] = []
        for event in events:
            if not isinstance(event, Event):
                raise BadEntryError(f"a `{type(event).__name__}` is not an event")
            drafts.append((event, draft(event, Producer(service="test"), now)))
        with self._lock:
            if self.failing:
                raise AuditUnavailableError("the audit log cannot be written")
            return [self._keep(event, entry, now.text) for event, entry in drafts]

    def _keep(self, event: Event, entry: Draft, now: str) -> Receipt:
        sequence = len(self.events)
        line = seal(entry, sequence=sequence, previous=self._previous, observed=now)
        self._previous = leaf_hash(line).hex()
        self.events.append(event)
        self.entries.append(read_entry(line))
        return Receipt(sequence=sequence, leaf=self._previous)
