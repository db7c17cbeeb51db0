"""Whether the clock goes as time does: records are ordered by number, and a clock that was set is told of.

Source: AUDIT §1.4 (clock jump).
"""

from dataclasses import dataclass
from typing import Final

from remit.clock import Clock

__all__ = ["ClockWatch"]

_AHEAD_MS: Final = 2_000
_BACK_MS: Final = -50
"""Two clocks are read one after the other, and who keeps time well slews it by less than this between two looks."""


@dataclass(slots=True)
class ClockWatch:
    """Compares the clock with the time that has passed since it looked last."""

    clock: Clock
    _wall: int = 0
    _passed: float = -1.0

    def jumped(self) -> int | None:
        """By how many milliseconds the clock was set since the last look; `None`: it was not."""
        wall, passed = self.clock.now_ms(), self.clock.monotonic()
        before, since = self._wall, self._passed
        self._wall, self._passed = wall, passed
        if since < 0:
            return None
        off = wall - before - int((passed - since) * 1000)
        return off if off > _AHEAD_MS or off < _BACK_MS else None
