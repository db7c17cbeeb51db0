"""The connections to one server that are kept between requests.

A connection is kept for seconds only: a server that closes an idle one in the very
moment it is used leaves open whether the call was made, and a call is never made twice.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from remit.gateway.upstream.connection import Answer, Connection, request_head

__all__ = ["Pool"]

_IDLE_SECONDS = 3.0
_MAX_IDLE = 64
_CONNECT_SECONDS = 5.0


class Pool:
    """Connections to the server at one URL."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._secure = parts.scheme == "https"
        self._port = parts.port or (443 if self._secure else 80)
        self._authority = parts.netloc.rpartition("@")[2]
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._idle: list[tuple[Connection, float]] = []
        self._busy: set[Connection] = set()
        self._tls: ssl.SSLContext | None = None

    @asynccontextmanager
    async def request(
        self, method: str, headers: list[tuple[str, str]], body: bytes, *, seconds: float
    ) -> AsyncIterator[Answer]:
        """Send a request; inside, its answer. Leaving before the answer's end closes the connection.

        Raises:
            OSError: no connection; `TimeoutError` if not in time.
            BrokenConnectionError: it ended before the answer's head.
        """
        length = [("content-length", str(len(body)))] if body else []
        head = request_head(method, self._target, [("host", self._authority), *length, *headers])
        async with asyncio.timeout(seconds):
            connection = self._reused() or await self._opened()
        self._busy.add(connection)
        try:
            async with asyncio.timeout(seconds):
                answer = await connection.exchange(head, body)
            yield answer
        finally:
            self._busy.discard(connection)
            if connection.finish() and len(self._idle) < _MAX_IDLE:
                self._idle.append((connection, asyncio.get_running_loop().time()))
            else:
                connection.close()

    def close(self) -> None:
        """Close every connection; what is under way breaks off."""
        for connection, _ in self._idle:
            connection.close()
        for connection in tuple(self._busy):
            connection.close()
        self._idle.clear()

    def _reused(self) -> Connection | None:
        oldest = asyncio.get_running_loop().time() - _IDLE_SECONDS
        while self._idle:
            connection, since = self._idle.pop()
            if connection.reusable and since >= oldest:
                return connection
            connection.close()
        return None

    async def _opened(self) -> Connection:
        if self._secure and self._tls is None:
            self._tls = ssl.create_default_context()
        async with asyncio.timeout(_CONNECT_SECONDS):
            _, connection = await asyncio.get_running_loop().create_connection(
                Connection, self._host, self._port, ssl=self._tls
            )
        return connection
