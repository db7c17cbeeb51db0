"""Time, passed in and never looked up.

Two durations are two types, so that an instant cannot be given where a length
is meant. All instants are UTC; a time zone is applied only where a policy or a
report asks for one.
"""

import time
from datetime import UTC, datetime
from typing import NewType, Protocol

__all__ = ["Clock", "EpochSeconds", "Seconds", "SystemClock", "rfc3339_ms"]

EpochSeconds = NewType("EpochSeconds", int)
"""An instant: whole seconds since 1970-01-01T00:00:00Z."""

Seconds = NewType("Seconds", int)
"""A length of time in whole seconds."""


class Clock(Protocol):
    """Where a room learns the time; tests pass a fixed one."""

    def now(self) -> EpochSeconds:
        """The present instant, in whole seconds."""
        ...

    def now_ms(self) -> int:
        """The present instant, in milliseconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards; only differences mean anything."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> EpochSeconds:
        return EpochSeconds(int(time.time()))

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()


def rfc3339_ms(epoch_ms: int) -> str:
    """`epoch_ms` as RFC 3339 in UTC with milliseconds, such as `2026-11-21T09:30:00.123Z`."""
    instant = datetime.fromtimestamp(epoch_ms // 1000, tz=UTC)
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{epoch_ms % 1000:03d}Z"
