"""What a caller may see at present, asked again while a stream is open, though not for every event.

A stream outlives the moment at which it was opened. What passes on it is held against what its
listener may see now, or could a few seconds ago: not against what they could see then.
"""

from collections.abc import Awaitable, Callable

from remit.clock import Clock, Seconds
from remit.guard.outcome import Challenge, Deny
from remit.guard.visible import Visible
from remit.policy.evaluation import ResourceKind

__all__ = ["Sight"]

Look = Callable[[], Awaitable[Visible | Challenge | Deny]]


class Sight:
    """What one listener may see. `look` asks the guard, at most once in `seconds`; a refusal is sight of nothing."""

    def __init__(
        self, look: Look, clock: Clock, *, seconds: Seconds, seen: Visible | None = None
    ) -> None:
        self._look = look
        self._clock = clock
        self._seconds = seconds
        self._seen = seen
        self._looked = None if seen is None else clock.monotonic()

    async def admits(self, kind: ResourceKind, name: str) -> bool:
        """Whether the thing of that name may be seen."""
        seen = await self._visible()
        return seen is not None and seen.admits(kind, name)

    async def offers(self, kind: ResourceKind) -> bool:
        """Whether anything of `kind` may be seen."""
        seen = await self._visible()
        return seen is not None and seen.offers(kind)

    async def _visible(self) -> Visible | None:
        now = self._clock.monotonic()
        if self._looked is None or now - self._looked >= self._seconds:
            seen = await self._look()
            self._seen = seen if isinstance(seen, Visible) else None
            self._looked = now
        return self._seen
