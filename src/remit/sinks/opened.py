"""A sink that is opened when it is needed, beside everything else, and given up without waiting for it for long."""

import asyncio
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Final

from remit.model import SinkRules
from remit.sinks.apart import beside
from remit.sinks.deps import SinkDeps
from remit.sinks.opening import open_sink, settings_of
from remit.sinks.port import AuditSink

__all__ = ["OpenSink"]

_OPENING: Final = 30.0
_CLOSING: Final = 5.0


class OpenSink:
    """The sink of `rules`. Used by one task at a time."""

    def __init__(self, rules: SinkRules, deps: SinkDeps) -> None:
        self._rules = rules
        self._deps = deps
        self._sink: AuditSink | None = None
        self._opening: Future[AuditSink] | None = None

    async def get(self) -> AuditSink:
        """It, open.

        Raises:
            SinkMisdeclaredError: it cannot be opened as it is declared.
            TimeoutError: it is not open in time. It is waited for the next time, and not opened twice.
        """
        if self._sink is None:
            if self._opening is None:
                settings = settings_of(
                    self._rules, read_secret=self._deps.read_secret, clock=self._deps.clock
                )
                self._opening = beside(partial(open_sink, self._rules.kind, settings))
            async with asyncio.timeout(_OPENING):
                opened = asyncio.shield(asyncio.wrap_future(self._opening))
                try:
                    self._sink = await opened
                finally:
                    if self._opening.done():
                        self._opening = None
        return self._sink

    async def close(self) -> None:
        """Give it up. What it raises then is nobody's concern, and who does not come back is left."""
        sink, self._sink = self._sink, None
        if sink is not None:
            with suppress(Exception):
                async with asyncio.timeout(_CLOSING):
                    await sink.close()
