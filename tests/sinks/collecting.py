"""Receivers for tests: an HTTP server that answers as it is told, over plain TCP or TLS, and one that only takes bytes."""

import asyncio
import gzip
import json
import ssl
from contextlib import suppress
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    """What was posted."""

    path: str
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b""
    headers: dict = field(default_factory=dict)


def json_reply(value, status=200, **headers):
    return Reply(status, json.dumps(value).encode(), headers)


class Collector:
    """Speaks HTTP. `answer` makes a `Reply` of a `Request`; `None` says nothing for as long as `hold` is not set."""

    def __init__(self, answer=None, *, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.answer = answer or (lambda request: Reply())
        self.requests: list[Request] = []
        self.hold = asyncio.Event()
        self._tls = tls
        self._wanted = port
        self._tasks: set[asyncio.Task] = set()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://localhost:{self.port}"

    async def __aenter__(self):
        await self.start()
        return self

    async def __aexit__(self, *_):
        await self.stop()

    async def back(self, answer):
        """Answer so from now on, whether anybody was told to wait or nobody listened."""
        self.answer = answer
        self.hold.set()
        if not self._server.is_serving():
            await self.start()

    async def start(self):
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self._wanted, ssl=self._tls, limit=2**24
        )
        self.port = self._wanted = self._server.sockets[0].getsockname()[1]

    async def stop(self):
        """Nobody answers on that port any more, and who was talking is cut off."""
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        try:
            while (request := await self._read(reader)) is not None:
                self.requests.append(request)
                reply = self.answer(request)
                if reply is None:
                    await self.hold.wait()
                    reply = Reply()
                head = {"content-length": str(len(reply.body)), **reply.headers}
                lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
                writer.write(f"HTTP/1.1 {reply.status} X\r\n{lines}\r\n".encode() + reply.body)
                await writer.drain()
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._tasks.discard(asyncio.current_task())

    async def _read(self, reader):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None
        first, *lines = head.decode().split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            if value:
                headers[name.lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        return Request(first.split()[1], headers, body)


class ByteHost:
    """Takes syslog frames with their length before them, over TCP or TLS. Stops reading when told."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.messages: list[bytes] = []
        self.connections = 0
        self.reads = True
        self._tls, self._wanted = tls, port
        self._writers: set = set()
        self._tasks: set[asyncio.Task] = set()

    async def __aenter__(self):
        await self.start()
        return self

    async def __aexit__(self, *_):
        await self.stop()

    async def start(self):
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self._wanted, ssl=self._tls
        )
        self.port = self._wanted = self._server.sockets[0].getsockname()[1]

    async def stop(self):
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        self.connections += 1
        try:
            while self.reads and (length := await reader.readuntil(b" ")):
                self.messages.append(await reader.readexactly(int(length)))
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            with suppress(Exception):
                writer.close()
            self._tasks.discard(asyncio.current_task())
