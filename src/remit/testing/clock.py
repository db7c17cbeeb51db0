"""A clock that stands still until it is told to move."""

from remit.clock import EpochSeconds

__all__ = ["FixedClock"]


class FixedClock:
    """Stands at `start` (2026-01-05T15:00:00Z, a Monday, unless told otherwise) until advanced."""

    def __init__(self, start: int = 1_767_625_200) -> None:
        self._ms = start * 1000

    def now(self) -> EpochSeconds:
        return EpochSeconds(self._ms // 1000)

    def now_ms(self) -> int:
        return self._ms

    def monotonic(self) -> float:
        return self._ms / 1000

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds`."""
        self._ms += int(seconds * 1000)

    def set(self, now: int) -> None:
        """Move to the instant `now`."""
        self._ms = now * 1000
