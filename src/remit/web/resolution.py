"""How a host name becomes addresses: asked once, and all of them told, so that each can be judged."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import ip_address
from typing import Protocol

from remit.web.reach import Address

__all__ = ["Resolve", "SystemResolver"]


class Resolve(Protocol):
    """How a host name becomes addresses: all of them, asked once."""

    async def __call__(self, host: str, port: int) -> tuple[Address, ...]: ...


class SystemResolver:
    """The resolver of the machine, in threads of its own.

    A name server that does not answer holds a thread for longer than we wait; it
    must not be one that somebody else waits for.
    """

    def __init__(self, threads: int = 8) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolver")

    async def __call__(self, host: str, port: int) -> tuple[Address, ...]:
        ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return tuple(dict.fromkeys(ip_address(entry[4][0]) for entry in found))
