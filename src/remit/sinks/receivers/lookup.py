"""The addresses of one receiver, asked in a thread that nobody else waits for.

A name server that does not answer holds the thread of whoever asks for half a minute. It must be none of those in
which calls are worked on; and however often a receiver is tried meanwhile, it is one.

Source: getaddrinfo(3), resolv.conf(5).
"""

import asyncio
import socket
from concurrent.futures import Future
from functools import partial
from ipaddress import ip_address

from remit.sinks.apart import beside
from remit.web.reach import Address

__all__ = ["Lookup"]


class Lookup:
    """Of one host. Implements `web.resolution.Resolve`."""

    def __init__(self) -> None:
        self._asking: Future[tuple[Address, ...]] | None = None

    async def __call__(self, host: str, port: int) -> tuple[Address, ...]:
        """All that the host has.

        Raises:
            OSError: it has none, or nobody says.
        """
        if self._asking is None or self._asking.done():
            self._asking = beside(partial(_addresses, host, port))
        return await asyncio.shield(asyncio.wrap_future(self._asking))


def _addresses(host: str, port: int) -> tuple[Address, ...]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(ip_address(entry[4][0]) for entry in found))
