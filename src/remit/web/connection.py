"""One HTTP/1.1 connection to a server: a request out, an answer in, piece by piece.

Written here, and not taken from a client library, for one reason: who leaves closes the
connection at once, whether the answer has begun or not, and so the server learns
that nobody waits. Refused: what does not parse, a head beyond the limit, and
whatever comes unasked; fields after the body are read past. While its reader does not read, the
socket is not read. A connection has one timer for all that is waited for on it, which is
set anew only when it goes off: nearly every wait is over long before.

Source: RFC 9112 §6, §9; MCP 2026-07-28 transports (cancellation).
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import cast

import httptools

__all__ = ["Answer", "BrokenConnectionError", "Connection", "request_head"]

_MAX_HEAD = 64 * 1024
_HIGH_WATER = 256 * 1024


class BrokenConnectionError(Exception):
    """The connection ended, or what came over it is not HTTP."""


class Answer:
    """The head of an answer, and its body as it arrives."""

    def __init__(self, connection: "Connection", status: int, headers: dict[str, str]) -> None:
        self._connection = connection
        self._headers = headers
        self.status = status

    def get_header(self, name: str) -> str | None:
        """The value of a header; of several with one name the last."""
        return self._headers.get(name)

    async def read_chunk(self, seconds: float | None = None) -> bytes | None:
        """The next piece of the body; `None` at its end.

        Raises:
            BrokenConnectionError: the body ends before its time.
            TimeoutError: nothing came for `seconds`.
        """
        return await self._connection.read_chunk(seconds)


class Connection(asyncio.Protocol):
    """A connection that carries one exchange at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._due: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False
        self._failure: str | None = None
        self._reset()

    def _reset(self) -> None:
        self._headers: dict[str, str] = {}
        self._head_bytes = 0
        self._status: int | None = None
        self._chunks: deque[bytes] = deque()
        self._buffered = 0
        self._complete = False
        self._reusable = False
        self._asked = False
        self._followed = False

    @property
    def reusable(self) -> bool:
        """Whether another exchange may follow: the last ended cleanly and nothing came after it."""
        return self._failure is None and not self._asked and self._transport is not None

    async def exchange(self, head: bytes, body: bytes, *, seconds: float) -> Answer:
        """Send a request; its answer's head.

        Raises:
            BrokenConnectionError: the connection ended first.
            TimeoutError: nothing came for `seconds`.
        """
        if self._transport is None or self._failure is not None:
            raise BrokenConnectionError(self._failure or "the connection is not open")
        self._reset()
        self._asked = True
        self._transport.write(head + body)
        due = self._loop.time() + seconds
        while self._status is None:
            await self._news(due)
        return Answer(self, self._status, self._headers)

    async def read_chunk(self, seconds: float | None) -> bytes | None:
        """The next piece of the body; `None` at its end."""
        due = None
        while not self._chunks:
            if self._complete:
                self._asked = not self._reusable
                return None
            if seconds is not None and due is None:
                due = self._loop.time() + seconds
            await self._news(due)
        chunk = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._buffered = 0
        if self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()
        return chunk

    def finish(self) -> bool:
        """End the exchange; whether the connection can be kept. One whose answer is unread is closed."""
        if self._complete and self._reusable and not self._chunks:
            self._asked = False
        if not self.reusable:
            self.close()
        return self.reusable

    def close(self) -> None:
        """Close at once; what is under way is given up."""
        self._failure = self._failure or "the connection was closed"
        if self._transport is not None:
            self._transport.abort()

    async def _news(self, due: float | None) -> None:
        """Until something has changed; `TimeoutError` at `due`, on the loop's clock."""
        if self._failure is not None:
            raise BrokenConnectionError(self._failure)
        self._due = due
        if due is not None and (self._timer is None or self._timer.when() > due):
            self._set_timer(due)
        waiter = self._waiter = self._loop.create_future()
        try:
            await waiter
        finally:
            self._waiter = self._due = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _set_timer(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._look_at_clock)

    def _look_at_clock(self) -> None:
        self._timer = None
        if self._due is None or self._waiter is None or self._waiter.done():
            return
        if self._loop.time() < self._due:
            self._set_timer(self._due)
        else:
            self._waiter.set_exception(TimeoutError())

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # The transports of uvloop are no `asyncio.Transport`, but behave like one.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._status is None:
            self._head_bytes += len(data)
        if not self._asked or self._complete:
            self._fail("something came unasked")
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(f"the answer is not HTTP: {type(error).__name__}")
        if self._status is None and self._head_bytes > _MAX_HEAD:
            self._fail("the head of the answer is too large")
        if self._buffered > _HIGH_WATER and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        if self._status is not None:
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        until_close = not {"content-length", "transfer-encoding"} & set(self._headers)
        if self._status is not None and exc is None and until_close:
            # RFC 9112 §6.3: without a length, the end of the connection ends the body.
            self._complete = True
        self._failure = self._failure or "the connection ended"
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._wake()

    # -- httptools

    def on_message_begin(self) -> None:
        # A second answer in one breath: nobody asked, and it must not look like part of the first.
        self._followed = self._complete

    def on_header(self, name: bytes, value: bytes) -> None:
        if (
            self._status is None
        ):  # what follows a body is nobody's header, and there may be any number
            self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if self._followed:
            return
        if status >= 200:
            self._status = status
        else:
            self._headers.clear()

    def on_body(self, body: bytes) -> None:
        if not self._followed:
            self._chunks.append(body)
            self._buffered += len(body)

    def on_message_complete(self) -> None:
        if self._followed:
            self._reusable = False
        elif self._status is not None:
            self._complete = True
            self._reusable = self._parser.should_keep_alive()

    def _fail(self, reason: str) -> None:
        self._failure = self._failure or reason
        self._wake()
        if self._transport is not None:
            self._transport.abort()


def request_head(method: str, target: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """The head of a request. Source: RFC 9112 §3.

    Raises:
        ValueError: a header that would be read as two.
    """
    fields = list(headers)
    if not _sendable("".join(map("".join, fields))):
        culprits = [name for name, value in fields if not _sendable(name + value)]
        raise ValueError(f"header `{culprits[0]!r}` cannot be sent")
    lines = "\r\n".join(map(": ".join, fields))
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n\r\n".encode("ascii")


def _sendable(text: str) -> bool:
    return text.isascii() and text.isprintable()
