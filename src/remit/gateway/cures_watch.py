"""Who waits here until people have answered: a retry that is held open, a session that is to be told.

Nobody is asked while nobody waits. While somebody does, what they wait for is looked up together, every so often, whatever
process took the answer. What cannot be looked up goes on waiting: nothing is allowed by it, only told later.

Source: MCP 2025-11-25 elicitation (completion notifications); docs/adr/0025-cures.md.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from remit.errors import UnavailableError
from remit.gateway.ports import Answers

__all__ = ["Watch"]

_MAX_WATCHED: Final = 10_000


class Watch:
    """Everybody who waits in this process; looked after every so many `seconds`. Without `answers` nobody is told anything."""

    def __init__(self, answers: Answers | None, *, seconds: float) -> None:
        self._answers = answers
        self._seconds = seconds
        self._waiting: dict[str, list[Callable[[], None]]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._holding: set[asyncio.Event] = set()
        self._stopped = False

    def __len__(self) -> int:
        return len(self._waiting)

    async def until_answered(self, request_id: str, *, seconds: float) -> bool:
        """Return once `request_id` waits no longer, so many seconds have gone by, or the process stops; whether it was the first.

        At once, and as if it were, where nobody can be asked.
        """
        if self._answers is None or self._stopped:
            return not self._stopped
        answered = asyncio.Event()
        forget = self.tell(request_id, answered.set)
        self._holding.add(answered)
        try:
            async with asyncio.timeout(seconds):
                await answered.wait()
        except TimeoutError:
            return False
        finally:
            self._holding.discard(answered)
            forget()
        return not self._stopped

    def tell(self, request_id: str, hear: Callable[[], None]) -> Callable[[], None]:
        """Have `hear` called, once, when `request_id` waits no longer; what makes that undone."""
        if self._answers is not None and not self._stopped and len(self._waiting) < _MAX_WATCHED:
            self._waiting.setdefault(request_id, []).append(hear)
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look(), name="gateway answers of people")

        def forget() -> None:
            heard = self._waiting.get(request_id, [])
            if hear in heard:
                heard.remove(hear)
            if not heard:
                self._waiting.pop(request_id, None)

        return forget

    async def stop(self) -> None:
        """Hold nobody any longer, and tell nobody anything."""
        self._stopped = True
        self._waiting.clear()
        for held in self._holding:
            held.set()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])

    async def _look(self) -> None:
        while self._waiting and self._answers is not None:
            try:
                answered = await self._answers.answered(frozenset(self._waiting))
            except UnavailableError as error:
                logging.getLogger("remit.gateway").warning(
                    "whether people have answered cannot be told: %s", error.detail
                )
                answered = frozenset()
            for request_id in answered:
                for hear in self._waiting.pop(request_id, []):
                    hear()
            if self._waiting:
                await asyncio.sleep(self._seconds)
