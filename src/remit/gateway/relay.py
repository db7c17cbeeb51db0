"""A server's reply, on its way down: whole as JSON, or event by event as it comes.

Nothing is collected first: an event leaves before the next is read, and while the
caller does not read, the server is not read either. Each message was parsed; what
is sent is written anew. A reply that ends without its response is a failure, said
in words of ours.

Source: MCP 2026-07-28 and 2025-11-25 transports (sending messages, statuses).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from remit.canonical import canonical_bytes
from remit.gateway.events import COMMENT, EVENT_STREAM_HEADERS, encode_event
from remit.gateway.http import Exchange, HeaderLine
from remit.gateway.jsonrpc import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    MISSING_CAPABILITY,
    PARSE_ERROR,
    UNSUPPORTED_VERSION,
    Message,
    Notification,
    Request,
    Response,
)
from remit.gateway.protocol import Era
from remit.gateway.rejection import UpstreamError
from remit.gateway.upstream.port import Reply

__all__ = ["Relay", "kept_alive", "status_of"]

_STATUS = {
    PARSE_ERROR: 400,
    INVALID_REQUEST: 400,
    INVALID_PARAMS: 400,
    HEADER_MISMATCH: 400,
    MISSING_CAPABILITY: 400,
    UNSUPPORTED_VERSION: 400,
    METHOD_NOT_FOUND: 404,
}

Finish = Callable[[Response], Awaitable[Response | None]]
"""Edits and settles the response; `None` when something else was answered in its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """One answer under way. `on_request` hears of requests that the server makes of the client."""

    exchange: Exchange
    request: Request
    era: Era
    keep_alive: float
    finish: Finish
    headers: tuple[HeaderLine, ...] = ()
    on_request: Callable[[Request], None] | None = None
    on_notification: Callable[[Notification], None] | None = None

    async def run(self, reply: Reply) -> None:
        """Pass `reply` down.

        Raises:
            UpstreamError: it breaks off, or ends without a response to this request.
        """
        if not reply.streamed:
            if reply.whole is not None:
                await self.end(self._own(reply.whole))
                return
            async for message in reply.messages:
                await self.end(self._own(message))
                return
        if not self.exchange.started:
            await self.exchange.start(200, (*EVENT_STREAM_HEADERS, *self.headers))
        async with kept_alive(self.exchange, self.keep_alive):
            response = await self._events(reply.messages)
        await self.end(response)

    async def end(self, response: Response, *, status: int | None = None) -> None:
        """Send `response` and end the answer."""
        finished = await self.finish(response)
        if finished is None:
            return
        if self.exchange.started:
            await self.exchange.write(encode_event(finished.to_bytes()))
            await self.exchange.finish()
            return
        sent = self._status_of(finished) if status is None else status
        headers = self.headers if finished.error is None else ()
        await self.exchange.answer_json(sent, finished.to_bytes(), headers)

    async def _events(self, messages: AsyncIterator[Message]) -> Response:
        """Pass on what precedes the response, and return that."""
        async for message in messages:
            match message:
                case Response():
                    return self._own(message)
                case Notification():
                    if self.on_notification is not None:
                        self.on_notification(message)
                    await self._write(message)
                case Request() if self.on_request is not None:
                    self.on_request(message)
                    await self._write(message)
                case Request():
                    # RS-40: a modern server makes no requests; this one gets no answer.
                    continue
        raise UpstreamError("the server ended the stream without an answer")

    async def _write(self, message: Message) -> None:
        await self.exchange.write(encode_event(canonical_bytes(message.to_json())))

    def _own(self, message: Message) -> Response:
        """`message` as the response to this very request."""
        if not isinstance(message, Response):
            raise UpstreamError("the server's answer is not a response")
        same = message.id == self.request.id and type(message.id) is type(self.request.id)
        if not same and message.error is None:
            raise UpstreamError("the server answered another request")
        return message if same else Response(self.request.id, error=message.error)

    def _status_of(self, response: Response) -> int:
        return 200 if self.era is Era.LEGACY else status_of(response)


def status_of(response: Response) -> int:
    """The status with which a modern client gets `response`."""
    code = None if response.error is None else response.error["code"]
    return _STATUS.get(code, 200) if isinstance(code, int) else 200


@asynccontextmanager
async def kept_alive(exchange: Exchange, seconds: float) -> AsyncIterator[None]:
    """While inside, send a comment every so often, so that no proxy closes a silent stream."""

    async def breathe() -> None:
        while True:
            await asyncio.sleep(seconds)
            await exchange.write(COMMENT)

    breathing = asyncio.create_task(breathe(), name="keep-alive")
    try:
        yield
    finally:
        breathing.cancel()
        await asyncio.gather(breathing, return_exceptions=True)
