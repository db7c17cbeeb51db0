"""A legacy session over standard streams: one process, one caller.

The pipe does not say which request a message of the server's belongs to. It goes to
the stream of the request sent last, or, with none in flight, to the session's own
stream; what nobody listens for waits there, up to a limit.

Source: MCP 2025-11-25 lifecycle, transports.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from remit.canonical import JsonObject
from remit.gateway.jsonrpc import Message, Notification, Request, Response
from remit.gateway.rejection import UpstreamError
from remit.gateway.trace_context import with_trace
from remit.gateway.upstream.back_off import BackOff
from remit.gateway.upstream.child import Launch
from remit.gateway.upstream.pipe import Pipe
from remit.gateway.upstream.port import Limits, Outgoing, Reply

__all__ = ["StdioSession"]

_WAITING = 64


class StdioSession:
    """The session of one caller. Its process starts with `initialize` and ends with it."""

    def __init__(
        self,
        launch: Launch,
        limits: Limits,
        *,
        back_off: BackOff,
        on_close: Callable[["StdioSession"], None],
    ) -> None:
        self._launch = launch
        self._limits = limits
        self._on_close = on_close
        self._back_off = back_off
        self._started = 0.0
        self._initialised = False
        self._pipe: Pipe | None = None
        self._closed = False
        self._unasked: asyncio.Queue[Message | None] = asyncio.Queue(_WAITING)

    @asynccontextmanager
    async def ask(self, outgoing: Outgoing[Request]) -> AsyncIterator[Reply]:
        pipe = await self._opened(outgoing.message)
        async with pipe.ask(with_trace(outgoing.message, outgoing.headers)) as reply:
            yield reply
        self._initialised = self._initialised or pipe.running

    async def tell(self, outgoing: Outgoing[Notification] | Outgoing[Response]) -> None:
        message = outgoing.message
        if self._pipe is None:
            raise UpstreamError("the session is not initialised", session_ended=True)
        if isinstance(message, Notification) and message.method == "notifications/cancelled":
            message = self._renumbered(message, self._pipe)
        await self._pipe.send(message)

    @asynccontextmanager
    async def listen(self, outgoing_version: str) -> AsyncIterator[AsyncIterator[Message]]:
        yield self._unasked_messages()

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._on_close(self)
            self._exited()
            if self._pipe is not None:
                await self._pipe.close()

    async def _opened(self, request: Request) -> Pipe:
        if self._pipe is None and request.method == "initialize" and not self._closed:
            self._back_off.check()
            self._started = asyncio.get_running_loop().time()
            try:
                self._pipe = await Pipe.open(
                    self._launch, self._limits, on_exit=self._died, on_unasked=self._take_unasked
                )
            except UpstreamError as error:
                self._back_off.ended(started=self._started, why=error.detail)
                raise
        if self._pipe is None or not self._pipe.running:
            raise UpstreamError("the server has ended the session", session_ended=True)
        return self._pipe

    def _take_unasked(self, message: Message) -> None:
        pending = self._pipe.correlation.latest() if self._pipe is not None else None
        if pending is not None:
            pending.put(message)
        elif not self._unasked.full():
            self._unasked.put_nowait(message)

    async def _unasked_messages(self) -> AsyncIterator[Message]:
        while (message := await self._unasked.get()) is not None:
            yield message

    def _died(self) -> None:
        """One that served its caller first may have died of what the caller sent; others need not wait for that."""
        if not self._initialised and self._pipe is not None:
            self._back_off.ended(started=self._started, why=self._pipe.why_ended)
        self._exited()

    def _exited(self) -> None:
        if self._unasked.full():
            self._unasked.get_nowait()
        self._unasked.put_nowait(None)

    @staticmethod
    def _renumbered(notice: Notification, pipe: Pipe) -> Notification:
        """The cancellation of a request, under the number that the process knows it by."""
        params: JsonObject = dict(notice.params or {})
        caller_id = params.get("requestId")
        if isinstance(caller_id, str | int) and not isinstance(caller_id, bool):
            # Zero is the number of no request: a cancellation that came too late cancels nothing.
            params["requestId"] = pipe.correlation.number_of(caller_id) or 0
        return Notification(notice.method, params)
