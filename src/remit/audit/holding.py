"""Why a log takes nothing at present but what is reserved: its disk is full, or nobody has signed for too long.

Asked by the log's writer before each batch; what there is to tell of the disk, of the clock and of an end of the holding comes
back as events. Callers are refused while it lasts.

Source: AUDIT §1.4 (clock), §1.5 (reserve); docs/adr/0026-audit-trail.md (unsigned).
"""

import contextlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from remit.audit.attestation import Attestation
from remit.audit.clock_watch import ClockWatch
from remit.audit.events import AuditRecovered, ClockJumped, DiskFilling, Event
from remit.audit.port import AuditUnavailableError
from remit.audit.reserve import DiskUse, Reserve, is_full, is_reserved

__all__ = ["DISK_FULL", "UNSIGNED", "Holding"]

DISK_FULL: Final = "the disk is full"
UNSIGNED: Final = "nobody signs the log"


@dataclass(slots=True)
class Holding:
    """Of one log. `admit` is safe for many threads; everything else is the writer's."""

    attestation: Attestation
    clock: ClockWatch
    reserve: Reserve | None = None
    reason: str | None = None
    refused: int = 0
    """Events that were refused since the log took everything."""
    _full: bool = False
    _use: DiskUse = field(default_factory=DiskUse)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self, events: Sequence[object]) -> bool:
        """Whether all of `events`, which go together, may be written whatever happens.

        Raises:
            AuditUnavailableError: they may not, and the log is held.
        """
        if self.reason is None:
            return all(isinstance(event, Event) and event.reserved for event in events)
        if all(is_reserved(event) for event in events):
            return True
        self.count_refused(len(events))
        raise AuditUnavailableError(f"the audit log takes nothing: {self.reason}")

    def count_refused(self, number: int) -> None:
        """Remember that so many more were refused."""
        with self._lock:
            self.refused += number

    def look(self) -> list[Event]:
        """See whether the log is held now; what there is to tell."""
        news: list[Event] = []
        jumped = self.clock.jumped()
        if jumped is not None:
            news.append(ClockJumped(milliseconds=jumped))
        reserve = self.reserve
        if reserve is not None:
            self._full = not reserve.refill() if self._full else reserve.is_short()
            news += self._of_use(reserve)
        self._settle(news)
        return news

    def draw(self, error: OSError) -> bool:
        """Take `error` for a full disk, if it says so, and give up some of the reserve; whether there was some."""
        if self.reserve is None or not is_full(error):
            return False
        self._full, self.reason = True, DISK_FULL
        return self.reserve.give_up()

    def make_room(self) -> None:
        """On a full disk, see to it that what is written next fits, and what the database then commits."""
        if self._full and self.reserve is not None:
            self.reserve.make_room()

    def recovered(self, error: str) -> AuditRecovered:
        """That the log takes everything again, and how much it had refused; `forget_refused` once that is written."""
        return AuditRecovered(refused=self.refused, error=error)

    def forget_refused(self) -> None:
        """Begin to count anew."""
        with self._lock:
            self.refused = 0

    def close(self) -> None:
        """Give up the reserve's file."""
        if self.reserve is not None:
            self.reserve.close()

    def _of_use(self, reserve: Reserve) -> list[Event]:
        with contextlib.suppress(OSError):
            space = reserve.space()
            level = self._use.passed(space)
            if level is not None:
                return [DiskFilling(percent=level, free_bytes=space.free)]
        return []

    def _settle(self, news: list[Event]) -> None:
        reason = DISK_FULL if self._full else UNSIGNED if self.attestation.is_overdue() else None
        if reason is None and self.reason is not None:
            news.append(self.recovered(self.reason))
            self.forget_refused()
        self.reason = reason
