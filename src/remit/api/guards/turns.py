"""One delivery at a time: the records of a guard share their way to the log and the database with all that others do.

A thousand records are half a second of it. Twenty such deliveries at once would fill what waits for the log, and
nobody could suspend an agent, nor would any call be recorded. Refused: one more than a server may have waiting,
and one that waited too long; its guard keeps the records, and comes again.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar, Final

from remit.errors import Error
from remit.ids import ServerName

__all__ = ["NotItsTurnError", "Turns"]

_PATIENCE: Final = 5.0
_WAITING: Final = 4
"""Deliveries of one server that may wait, so that it does not keep those of the others out."""


class NotItsTurnError(Error):
    """Others deliver at present; it may be tried again in a moment."""

    code: ClassVar[str] = "busy"


class Turns:
    """Who delivers now, and how many of each server wait for that. Lives in one event loop."""

    def __init__(self, *, patience: float = _PATIENCE) -> None:
        self._patience = patience
        self._delivering = asyncio.Lock()
        self._waiting: Counter[ServerName] = Counter()

    @asynccontextmanager
    async def turn(self, server: ServerName) -> AsyncIterator[None]:
        """Inside, no other delivery is taken.

        Raises:
            NotItsTurnError: see the module.
        """
        if self._waiting[server] >= _WAITING:
            raise NotItsTurnError("other records of this server wait to be taken")
        self._waiting[server] += 1
        try:
            async with asyncio.timeout(self._patience):
                await self._delivering.acquire()
        except TimeoutError as error:
            raise NotItsTurnError("other records are being taken", cause=error) from error
        finally:
            self._waiting[server] -= 1
            if not self._waiting[server]:
                del self._waiting[server]
        try:
            yield
        finally:
            self._delivering.release()
