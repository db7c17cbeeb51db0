"""The connections to one server that are kept between requests.

A connection is kept for seconds only: a server that closes an idle one in the very
moment it is used leaves open whether the call was made, and a call is never made twice.
Refused: an address that the owner of the pool does not admit, whatever name led to it; redirects are the
caller's to refuse.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from remit.web.connection import Answer, Connection, request_head
from remit.web.reach import Address
from remit.web.resolution import Resolve

__all__ = ["Pool", "PooledRequest"]

_IDLE_SECONDS = 3.0
_MAX_IDLE = 64
_CONNECT_SECONDS = 5.0
_MAX_ADDRESSES = 3


class Pool:
    """Connections to the server at one URL.

    `tls`: who is believed, if not the authorities of the machine. `admits`: which addresses may be
    connected to; a name with a single other one is not connected to at all. `idle`: seconds for which a
    connection is kept. `resolve`: who says which addresses a name has, where they are admitted; else the loop does,
    in threads that are everybody's.
    """

    def __init__(
        self,
        url: str,
        *,
        tls: ssl.SSLContext | None = None,
        admits: Callable[[Address], bool] | None = None,
        idle: float = _IDLE_SECONDS,
        resolve: Resolve | None = None,
    ) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._secure = parts.scheme == "https"
        self._port = parts.port or (443 if self._secure else 80)
        self._authority = parts.netloc.rpartition("@")[2]
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._idle: list[tuple[Connection, float]] = []
        self._busy: set[Connection] = set()
        self._tls = tls
        self._admits = admits
        self._keeps = idle
        self._resolve = resolve

    def request(
        self, method: str, headers: list[tuple[str, str]], body: bytes, *, seconds: float
    ) -> "PooledRequest":
        """A request to be sent on entering; inside, its answer. Leaving before the answer's end closes the connection.

        Raises:
            ValueError: a header cannot be sent.
        """
        length = [("content-length", str(len(body)))] if body else []
        head = request_head(method, self._target, [("host", self._authority), *length, *headers])
        return PooledRequest(self, head, body, seconds)

    def close(self) -> None:
        """Close every connection; what is under way breaks off."""
        for connection, _ in self._idle:
            connection.close()
        for connection in tuple(self._busy):
            connection.close()
        self._idle.clear()

    async def take(self, seconds: float) -> Connection:
        """A connection that is open, kept or new."""
        connection = self._reused()
        if connection is None:
            async with asyncio.timeout(min(seconds, _CONNECT_SECONDS)):
                connection = await self._opened()
        self._busy.add(connection)
        return connection

    def give_back(self, connection: Connection) -> None:
        """Keep `connection` for the next, if it is fit for it."""
        self._busy.discard(connection)
        if connection.finish() and len(self._idle) < _MAX_IDLE:
            self._idle.append((connection, asyncio.get_running_loop().time()))
        else:
            connection.close()

    def _reused(self) -> Connection | None:
        oldest = asyncio.get_running_loop().time() - self._keeps
        while self._idle:
            connection, since = self._idle.pop()
            if connection.reusable and since >= oldest:
                return connection
            connection.close()
        return None

    async def _opened(self) -> Connection:
        if self._secure and self._tls is None:
            self._tls = ssl.create_default_context()
        loop = asyncio.get_running_loop()
        if self._admits is None:
            _, connection = await loop.create_connection(
                Connection, self._host, self._port, ssl=self._tls
            )
            return connection
        refused: OSError | None = None
        for address in await self._addresses(self._admits):
            try:
                # To an address that was looked at, and in TLS still for the name.
                _, connection = await loop.create_connection(
                    Connection,
                    address,
                    self._port,
                    ssl=self._tls,
                    server_hostname=self._host if self._secure else None,
                )
            except OSError as error:
                refused = error
            else:
                return connection
        raise refused or OSError(f"`{self._host}` has no address")

    async def _addresses(self, admits: Callable[[Address], bool]) -> list[str]:
        if self._resolve is not None:
            addresses = await self._resolve(self._host, self._port)
        else:
            found = await asyncio.get_running_loop().getaddrinfo(
                self._host, self._port, type=socket.SOCK_STREAM
            )
            addresses = tuple(ip_address(entry[4][0]) for entry in found)
        if not all(admits(one) for one in addresses):
            raise OSError(f"`{self._host}` has an address that is out of reach")
        return [str(one) for one in addresses[:_MAX_ADDRESSES]]


class PooledRequest:
    """One request on a connection of the pool, for the length of an `async with`."""

    __slots__ = ("_body", "_connection", "_head", "_pool", "_seconds")

    def __init__(self, pool: Pool, head: bytes, body: bytes, seconds: float) -> None:
        self._pool = pool
        self._head = head
        self._body = body
        self._seconds = seconds
        self._connection: Connection | None = None

    async def __aenter__(self) -> Answer:
        """Send it; the head of its answer.

        Raises:
            OSError: no connection; `TimeoutError` if not in time.
            BrokenConnectionError: it ended before the answer's head.
        """
        connection = self._connection = await self._pool.take(self._seconds)
        answer: Answer | None = None
        try:
            answer = await connection.exchange(self._head, self._body, seconds=self._seconds)
        finally:
            if answer is None:
                self._release()
        return answer

    async def __aexit__(self, *_: object) -> None:
        self._release()

    def _release(self) -> None:
        """Give the connection back; a second time it is nothing."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.give_back(connection)
