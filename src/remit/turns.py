"""One at a time for each name: whoever comes while somebody is at it waits for their turn.

A name is forgotten when the last of those who came for it has gone, and not before: to forget it while
somebody waits would let whoever comes next begin beside them.
"""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

__all__ = ["Turns"]

_Name = TypeVar("_Name", bound=Hashable)


@dataclass(slots=True)
class _Queue:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    people: int = 0


class Turns(Generic[_Name]):
    """Lives in one event loop."""

    __slots__ = ("_queues",)

    def __init__(self) -> None:
        self._queues: dict[_Name, _Queue] = {}

    def __len__(self) -> int:
        """How many names somebody is at, or waits for."""
        return len(self._queues)

    @asynccontextmanager
    async def of(self, name: _Name) -> AsyncIterator[None]:
        """Wait until nobody else is at `name`, and be at it until the context ends."""
        queue = self._queues.setdefault(name, _Queue())
        queue.people += 1
        try:
            async with queue.lock:
                yield
        finally:
            queue.people -= 1
            if not queue.people:
                del self._queues[name]
