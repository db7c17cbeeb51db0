"""What ends a call before its answer does: its client leaves, its time is up, its token is backed no more.

A call runs in the task that its request came in, and is ended by cancelling that. Most calls
are over within milliseconds, so a connection is watched only once a call has taken
`_PATIENCE`: until then there is one timer, and no task.

Source: MCP 2026-07-28 transports (who closes the connection cancels the request, RS-40).
"""

import asyncio
from enum import Enum
from types import TracebackType
from typing import Self

from remit.gateway.http import Receive

__all__ = ["Ended", "Oversight"]

_PATIENCE = 0.02


class Ended(Enum):
    """Why a call ended before its answer did."""

    GONE = "gone"
    LATE = "late"
    UNBACKED = "unbacked"


class Oversight:
    """Around one call, for the length of a `with`; swallows the cancellation that it caused itself, and no other."""

    __slots__ = (
        "_cancelling",
        "_due",
        "_failure",
        "_loop",
        "_receive",
        "_task",
        "_timer",
        "_watching",
        "ended",
    )

    def __init__(self, receive: Receive, *, seconds: float) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a call is carried in a task")
        self._task = task
        self._cancelling = task.cancelling()
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time() + seconds
        self._watching: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.ended: Ended | None = None

    def __enter__(self) -> Self:
        self._timer = self._loop.call_at(min(self._loop.time() + _PATIENCE, self._due), self._look)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._watching is not None:
            self._watching.cancel()
        if self.ended is None:
            return False
        ours_alone = self._task.uncancel() <= self._cancelling
        if self._failure is not None:
            raise self._failure
        return ours_alone and kind is asyncio.CancelledError

    def unbacked(self) -> None:
        """End the call, since its token is backed no more."""
        self._end(Ended.UNBACKED)

    def _end(self, why: Ended) -> None:
        # Without a timer nothing is under way any more, or not yet.
        if self.ended is None and self._timer is not None:
            self.ended = why
            self._task.cancel()

    def _look(self) -> None:
        if self._loop.time() >= self._due:
            self._end(Ended.LATE)
            return
        if self._watching is None:
            self._watching = self._loop.create_task(self._disconnected(), name="gateway client")
            self._watching.add_done_callback(self._left)
        self._timer = self._loop.call_at(self._due, self._look)

    async def _disconnected(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def _left(self, watching: "asyncio.Task[None]") -> None:
        if not watching.cancelled():
            self._failure = watching.exception()
            self._end(Ended.GONE)
