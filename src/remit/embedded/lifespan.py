"""The life of the application behind, lived as an ASGI server would have it live.

An application that knows no lifespan has none, which is not an error. One that says that it cannot start is
not called.

Source: ASGI 3.0 lifespan.
"""

import asyncio
from collections.abc import MutableMapping
from typing import Any, ClassVar

from remit.errors import Error
from remit.guard.protect import AsgiApplication

__all__ = ["Lifespan", "NotStartedError"]


class NotStartedError(Error):
    """The application behind did not start; `detail` is what it says."""

    code: ClassVar[str] = "not_started"


class Lifespan:
    """One life. `state` is what the application keeps of it."""

    def __init__(self, application: AsgiApplication, state: dict[str, Any]) -> None:
        self._application = application
        self._state = state
        self._said: asyncio.Queue[str] = asyncio.Queue()
        self._heard: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._living: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Let the application start.

        Raises:
            NotStartedError: it says that it cannot.
        """
        self._said.put_nowait("lifespan.startup")
        self._living = asyncio.create_task(self._live(), name="guarded application's life")
        answer = await self._heard.get()
        if answer["type"] == "lifespan.startup.failed":
            raise NotStartedError(str(answer.get("message", "")) or "the application did not start")

    async def end(self) -> None:
        """Let it end."""
        if self._living is None or self._living.done():
            return
        self._said.put_nowait("lifespan.shutdown")
        await asyncio.wait([self._living])

    async def _live(self) -> None:
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self._state,
        }
        try:
            await self._application(scope, self._receive, self._send)
        except Exception:  # noqa: BLE001  the root of a task: what knows no lifespan says so in this way
            self._heard.put_nowait({"type": "lifespan.unsupported"})
        else:
            self._heard.put_nowait({"type": "lifespan.ended"})

    async def _receive(self) -> MutableMapping[str, Any]:
        return {"type": await self._said.get()}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        self._heard.put_nowait(message)
