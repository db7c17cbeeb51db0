"""MCP over standard input and output, through the very doors that HTTP goes through.

Each line is a message; it is put to the guard as a request over HTTP would be, in the name of whoever's token
this process was started with. A pipe has no headers, so those that mirror a message are made from it, and
the session of the older era is kept here. A notification that a request is cancelled ends it.

Source: MCP 2026-07-28 and 2025-11-25 transports (stdio).
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import suppress

from remit.canonical import canonical_bytes
from remit.embedded.in_process import InProcess
from remit.gateway.events import EventReader, EventTooLargeError
from remit.gateway.jsonrpc import (
    INTERNAL_ERROR,
    InvalidMessageError,
    JsonRpcId,
    Message,
    Notification,
    Request,
    Response,
    error_response,
    parse_message,
)
from remit.gateway.media_types import is_event_stream
from remit.gateway.protocol import VERSION_KEY
from remit.gateway.routing_headers import routing_headers_of
from remit.web.connection import Answer, BrokenConnectionError

__all__ = ["StdioDoor"]

_MAX_LINE = 4 * 1024 * 1024
_MAX_MESSAGE = 16 * 1024 * 1024
_CALL_SECONDS = 600.0
_ACCEPT = ("accept", "application/json, text/event-stream")
_JSON = ("content-type", "application/json")


class StdioDoor:
    """One client at the other end of the pipes. `door` is the way to the guard."""

    def __init__(self, door: InProcess, token: str | None) -> None:
        self._door = door
        self._own = [_ACCEPT] if token is None else [_ACCEPT, ("authorization", f"Bearer {token}")]
        self._session: list[tuple[str, str]] = []
        self._running: dict[JsonRpcId, asyncio.Task[None]] = {}
        self._listening: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()

    async def run(self) -> None:
        """Answer until the input ends."""
        try:
            async for line in _lines():
                await self._message(line)
        finally:
            tasks = [*self._running.values()]
            if self._listening is not None:
                tasks.append(self._listening)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _message(self, line: bytes) -> None:
        try:
            message = parse_message(line)
        except InvalidMessageError as error:
            await self._write(error_response(error.id, error.rpc_code, error.detail))
            return
        if isinstance(message, Request) and message.method != "initialize":
            task = asyncio.create_task(self._request(message), name="guarded call")
            self._running[message.id] = task
            task.add_done_callback(lambda _: self._running.pop(message.id, None))
            return
        if isinstance(message, Request):
            await self._request(message)
            return
        if isinstance(message, Notification) and message.method == "notifications/cancelled":
            self._cancel(message)
        if self._session:
            await self._tell(message)
        if isinstance(message, Notification) and message.method == "notifications/initialized":
            self._listening = asyncio.create_task(self._listen(), name="guarded session")

    async def _request(self, request: Request) -> None:
        """Put one request, and write what comes of it; something always does."""
        answered = False
        try:
            body = canonical_bytes(request.to_json())
            headers = [*self._own, _JSON, *self._headers(request)]
            async with self._door.request("POST", headers, body, seconds=_CALL_SECONDS) as answer:
                if request.method == "initialize":
                    self._open(answer)
                async for message in _messages(answer):
                    answered = answered or isinstance(message, Response)
                    await self._write(_addressed(message, request.id))
        except (BrokenConnectionError, InvalidMessageError, EventTooLargeError, TimeoutError):
            answered = await self._give_up(request, answered=answered)
        if not answered:
            await self._give_up(request, answered=False)

    async def _give_up(self, request: Request, *, answered: bool) -> bool:
        if not answered:
            await self._write(
                error_response(request.id, INTERNAL_ERROR, "the call was not answered")
            )
        return True

    async def _tell(self, message: Notification | Response) -> None:
        body = canonical_bytes(message.to_json())
        headers = [*self._own, _JSON, *self._session]
        with suppress(BrokenConnectionError, TimeoutError):
            async with self._door.request("POST", headers, body, seconds=_CALL_SECONDS):
                pass

    async def _listen(self) -> None:
        """Write what the server says unasked, for as long as it says anything."""
        headers = [*self._own, *self._session]
        with suppress(BrokenConnectionError, InvalidMessageError, EventTooLargeError, TimeoutError):
            async with self._door.request("GET", headers, b"", seconds=_CALL_SECONDS) as answer:
                if answer.status == 200:
                    async for message in _messages(answer):
                        await self._write(message)

    def _headers(self, request: Request) -> list[tuple[str, str]]:
        meta = request.params.get("_meta") if request.params else None
        version = meta.get(VERSION_KEY) if isinstance(meta, dict) else None
        if isinstance(version, str):
            return [*routing_headers_of(request, version)]
        return self._session

    def _open(self, answer: Answer) -> None:
        session = answer.get_header("mcp-session-id")
        if session is not None:
            self._session = [("mcp-session-id", session)]

    def _cancel(self, message: Notification) -> None:
        named = message.params.get("requestId") if message.params else None
        if isinstance(named, str | int) and not self._session:
            task = self._running.get(named)
            if task is not None:
                task.cancel()

    async def _write(self, message: Message) -> None:
        line = canonical_bytes(message.to_json()) + b"\n"
        async with self._writing:
            await asyncio.to_thread(_put, line)


async def _messages(answer: Answer) -> AsyncIterator[Message]:
    """What the guard answers: one message, or those of a stream."""
    if is_event_stream(answer.get_header("content-type") or ""):
        events = EventReader(_MAX_MESSAGE)
        while (chunk := await answer.read_chunk()) is not None:
            for event in events.feed(chunk):
                if event.type == "message" and event.data:
                    yield parse_message(event.data)
        return
    body = bytearray()
    while (chunk := await answer.read_chunk()) is not None:
        body += chunk
    if body:
        yield parse_message(bytes(body))


def _addressed(message: Message, request_id: JsonRpcId) -> Message:
    """A refusal from before the body was read names no request; here there is but one that it can be of."""
    if isinstance(message, Response) and message.id is None:
        return Response(request_id, message.result, message.error)
    return message


async def _lines() -> AsyncIterator[bytes]:
    """The lines of standard input, none longer than a message may be."""
    reader = asyncio.StreamReader(limit=_MAX_LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        if line.strip():
            yield line.strip()


def _put(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
