"""`remit audit tail -f`: events as they come, from one server after the other.

A server that is started again is waited for, and gone on with where the last line was: what it wrote meanwhile is shown
first. When that is more than it hands out at once, the gap is told. Nothing is shown twice.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from remit.cli.connection import Management, ManagementRefusedError, NotReachableError
from remit.cli.terminal import say_hint

__all__ = ["Follower"]

_MOST: Final = 1_000
"""Events that a server hands out at once."""
_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 15.0
_KNOWN: Final = 5_000
_LEEWAY: Final = timedelta(seconds=5)
"""So much later than the clock of one process may that of another be."""
_AGAIN: Final = frozenset({"audit_unavailable", "database_unavailable", "unavailable", "503"})


class Follower:
    """Shows each event once with `show`, whichever server tells it."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._known: deque[str] = deque(maxlen=_KNOWN)
        self._last: str | None = None

    async def follow(self, management: Management, query: Mapping[str, Any]) -> None:
        """Show what `query` asks for, for ever.

        Raises:
            ManagementRefusedError: the question is refused, or whoever asks may not ask it any more.
            NotReachableError: there is no server to begin with.
        """
        pause, told = 0.0, False
        while True:
            first = True
            try:
                async for line in management.lines("audit.tail", **self._asked(query)):
                    self._take(line, first=first)
                    pause, first, told = 0.0, False, False
            except NotReachableError:
                if not self._known:
                    raise
            except ManagementRefusedError as error:
                if not self._known or error.reason not in _AGAIN:
                    raise
            if not told:
                say_hint("the server ended its answer; waiting for it, or another in its place")
                told = True
            pause = min(_LONGEST_PAUSE, max(_PAUSE, pause * 1.5))
            await asyncio.sleep(pause)

    def _asked(self, query: Mapping[str, Any]) -> dict[str, Any]:
        """The question as it is asked now: from a little before the last line on, once there is one."""
        if self._last is None:
            return dict(query)
        since = datetime.fromisoformat(self._last) - _LEEWAY
        return {**query, "count": _MOST, "since": f"{since:%Y-%m-%dT%H:%M:%S}Z"}

    def _take(self, line: str, *, first: bool) -> None:
        entry = orjson.loads(line)
        written = str(entry["observed"])
        if first and self._last is not None and written > self._last:
            say_hint(
                f"more came meanwhile than is shown: remit audit search since={self._last} until={written}"
            )
        if entry["id"] in self._known:
            return
        self._known.append(entry["id"])
        self._last = max(self._last or "", written)
        self._show(line)
