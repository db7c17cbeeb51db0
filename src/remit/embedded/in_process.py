"""Requests to an ASGI application in this very process, as if it were at the other end of a connection.

The gateway's way to a server by HTTP does the rest: what is sent is written anew from what was judged,
what comes back is read strictly and within its limits. Whoever leaves before the end is gone, and the
application hears of it as it would over a network. While nobody reads, the application's `send` waits.

Source: ASGI 3.0 HTTP, lifespan.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from remit.gateway.http import Receive, Scope, Send
from remit.guard.protect import AsgiApplication
from remit.web.connection import Answer, BrokenConnectionError

__all__ = ["InProcess"]

_WAITING_PARTS = 16
# Servers on loopback expect to be addressed there, against rebinding; nobody else can reach them here.
_HOST = b"127.0.0.1:80"


class InProcess:
    """The application, and the requests to it that are under way."""

    def __init__(self, application: AsgiApplication, path: str, *, host: bytes = _HOST) -> None:
        self._application = application
        self._path = path
        self._host = host
        self._running: set[asyncio.Task[None]] = set()
        self.state: dict[str, Any] = {}
        """What the application keeps of its life, for each request to see."""

    @asynccontextmanager
    async def request(
        self, method: str, headers: list[tuple[str, str]], body: bytes, *, seconds: float
    ) -> AsyncIterator[Answer]:
        """Send a request; inside, its answer.

        Raises:
            TimeoutError: its head did not come in time.
            BrokenConnectionError: the application failed, or ended without one.
        """
        exchange = _Exchange(body)
        scope = self._scope(method, headers, len(body))
        work = exchange.run(self._application, scope)
        task = asyncio.create_task(work, name="guarded application")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            async with asyncio.timeout(seconds):
                answer = await exchange.head()
            yield answer
        finally:
            exchange.leave()

    def close(self) -> None:
        """End what is under way."""
        for task in tuple(self._running):
            task.cancel()

    def _scope(self, method: str, headers: list[tuple[str, str]], length: int) -> Scope:
        lines = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
        lines = [(b"host", self._host), *lines]
        if length:
            lines.append((b"content-length", str(length).encode()))
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": self._path,
            "raw_path": self._path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": lines,
            "client": ("127.0.0.1", 0),
            "server": ("127.0.0.1", 80),
            "state": dict(self.state),
        }


class _Exchange:
    """One request: the application on the one side, who reads its answer on the other."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._gone = asyncio.Event()
        self._head: asyncio.Future[tuple[int, dict[str, str]]]
        self._head = asyncio.get_running_loop().create_future()
        self._parts: asyncio.Queue[bytes | None] = asyncio.Queue(_WAITING_PARTS)
        self._whole = False
        self._failed = False

    async def run(self, application: AsgiApplication, scope: Scope) -> None:
        """The root of a task: the application, until it has answered or given up."""
        receive: Receive = self._receive
        send: Send = self._send
        try:
            await application(scope, receive, send)
        except Exception:  # the application's own failure: its caller hears of a broken connection
            logging.getLogger("remit.guard").exception("the guarded application failed")
            self._failed = True
        finally:
            self._failed = self._failed or not self._whole
            if not self._head.done():
                self._head.set_exception(BrokenConnectionError("the application gave no answer"))
                # Whoever asked may have left; then nobody looks.
                self._head.exception()
            if not self._gone.is_set():
                with suppress(asyncio.CancelledError):
                    await self._put(None)

    async def head(self) -> Answer:
        """The answer, once its head is there."""
        status, headers = await self._head
        return _LocalAnswer(self, status, headers)

    async def read_chunk(self, seconds: float | None) -> bytes | None:
        """The next part; `None` at the end."""
        async with asyncio.timeout(seconds):
            part = await self._parts.get()
        if part is None:
            self._parts.put_nowait(None)  # for whoever asks again
            if self._failed:
                raise BrokenConnectionError("the application broke off its answer")
        return part

    def leave(self) -> None:
        """Nobody reads any more."""
        self._gone.set()

    async def _receive(self) -> MutableMapping[str, Any]:
        body, self._body = self._body, None
        if body is not None:
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if self._gone.is_set():
            raise OSError("whoever asked has left")
        if message["type"] == "http.response.start":
            lines = message.get("headers", ())
            headers = {
                bytes(n).decode("latin-1").lower(): bytes(v).decode("latin-1") for n, v in lines
            }
            if not self._head.done():
                self._head.set_result((int(message["status"]), headers))
        elif message["type"] == "http.response.body":
            part = bytes(message.get("body", b""))
            if part:
                await self._put(part)
            if not message.get("more_body", False):
                self._whole = True

    async def _put(self, part: bytes | None) -> None:
        """Hand `part` on when there is room, or drop it when nobody reads any more."""
        if not self._parts.full():
            self._parts.put_nowait(part)
            return
        putting = asyncio.ensure_future(self._parts.put(part))
        leaving = asyncio.ensure_future(self._gone.wait())
        try:
            await asyncio.wait((putting, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            putting.cancel()
            leaving.cancel()


class _LocalAnswer(Answer):
    """An answer of an application in this process."""

    def __init__(self, exchange: _Exchange, status: int, headers: dict[str, str]) -> None:
        self._exchange = exchange
        self._of = headers
        self.status = status

    def get_header(self, name: str) -> str | None:
        return self._of.get(name)

    async def read_chunk(self, seconds: float | None = None) -> bytes | None:
        return await self._exchange.read_chunk(seconds)
