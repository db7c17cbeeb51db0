"""Messages on their way from whoever fetches them to whoever passes them on, in tasks of their own.

What fetches may thus outlive the request that wanted the answer. Nothing piles up:
so many messages wait, then the server is not read either.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from remit.gateway.jsonrpc import Message, Response
from remit.gateway.rejection import RejectedError, UpstreamError

__all__ = ["Flow"]

_AHEAD = 64

_LEAVING_SECONDS = 1.0

_Item = Message | UpstreamError | RejectedError


class Flow:
    """The messages of `source`, which ends with a response or an error."""

    def __init__(self, source: AsyncGenerator[Message], *, name: str) -> None:
        self._waiting: asyncio.Queue[_Item] = asyncio.Queue(_AHEAD)
        self._held: _Item | None = None
        self._task = asyncio.create_task(self._fetch(source), name=name)

    async def peek(self, seconds: float) -> Message | None:
        """The next message, which `next` will return again; `None` if none comes for `seconds`.

        Raises:
            UpstreamError, RejectedError: as `source` did.
        """
        if self._held is None:
            try:
                async with asyncio.timeout(seconds):
                    self._held = await self._waiting.get()
            except TimeoutError:
                return None
        return self._told(self._held)

    async def next(self) -> Message:
        """The next message.

        Raises:
            UpstreamError, RejectedError: as `source` did.
        """
        item, self._held = self._held, None
        return self._told(await self._waiting.get() if item is None else item)

    def offer(self, message: Message) -> bool:
        """Put in what came another way; whether there was room."""
        if self._waiting.full():
            return False
        self._waiting.put_nowait(message)
        return True

    async def finish(self) -> None:
        """Leave what `source` is in, which has given its response, in its own way: its connection stays good."""
        await asyncio.wait([self._task], timeout=_LEAVING_SECONDS)
        await self.stop()

    async def stop(self) -> None:
        """Fetch nothing more, and leave what `source` is in."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _fetch(self, source: AsyncGenerator[Message]) -> None:
        last: _Item | None = UpstreamError("the server ended the stream without an answer")
        try:
            async with aclosing(source):
                async for message in source:
                    await self._waiting.put(message)
                    last = None if isinstance(message, Response) else last
        except (UpstreamError, RejectedError) as error:
            last = error
        except Exception as error:
            # A task root: whoever waits at the other end must not wait for ever.
            logging.getLogger("remit.gateway").exception("a bridged exchange failed")
            last = UpstreamError("the gateway failed", cause=error)
        if last is not None:
            await self._waiting.put(last)

    @staticmethod
    def _told(item: _Item) -> Message:
        if isinstance(item, UpstreamError | RejectedError):
            raise item
        return item
