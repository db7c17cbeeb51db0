"""Uvicorn, held on a short rein: listening sockets, limits that it lacks, and who is at the other end.

Signals, logs, trusted proxies and the life cycle are Remit's own; uvicorn speaks
HTTP and nothing else. Of every request on a connection the header section must have
come within `_HEADER_SECONDS` and 64 KiB, and the whole within `_REQUEST_SECONDS` more:
slow or endless requests would hold a connection, and what waits for them, for ever. So would
who asks and then reads nothing of the answer for `_STALLED_SECONDS`.
One address has at most its share of the connections. Probes are answered however many
there are, so that nobody has a process restarted by filling it. On the management
socket the peer's user id is read from the kernel.

Source: RFC 9112 §9.5 (connections may be closed on those who are slow); §2.2 (empty lines before a request).
"""

import asyncio
import os
import socket
import stat
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from remit.app.data_folder import DataFolderError
from remit.errors import Error
from remit.settings import Settings
from remit.web.site import IpNetwork

__all__ = [
    "ListenError",
    "Listener",
    "listen_tcp",
    "listen_unix",
    "management_server",
    "public_server",
]

_HEADER_SECONDS = 15.0
_REQUEST_SECONDS = 30.0
_STALLED_SECONDS = 60.0
_HEADER_BYTES = 65_536
_SHARE_OF_ONE_PEER = 0.5
_VERSIONS = frozenset({"1.0", "1.1"})
_PROBES = frozenset({b"/healthz", b"/readyz"})
_BACKLOG = 2_048


class ListenError(Error):
    """The address cannot be listened on."""

    code = "listen"


class Listener(uvicorn.Server):
    """A server that is told when to stop, instead of listening for signals itself."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        """Accept nothing more; answer what is in flight, within the grace."""
        self.should_exit = True


class LimitedProtocol(HttpToolsProtocol):
    """HTTP/1.1 with a deadline for each request, and a size for its header section."""

    _due: float | None = None
    _timer: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._due_within(_HEADER_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._timer, self._stalled):
            if timer is not None:
                timer.cancel()
        self._timer = self._stalled = self._due = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        # Empty lines before a request begin no message, and would put off the keep-alive limit for ever.
        if self._due is None and self._answered:
            self._due_within(_HEADER_SECONDS)
        super().data_received(data)

    def on_message_begin(self) -> None:
        self._header_bytes = 0
        if self._due is None:
            self._due_within(_HEADER_SECONDS)
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def send_400_response(self, msg: str) -> None:
        if self._answered:
            super().send_400_response(msg)
        else:
            # A request is still under way, and must not be taken to have been answered by this.
            self.transport.abort()

    def on_headers_complete(self) -> None:
        if self.parser.get_http_version() not in _VERSIONS:
            # A request line without a version is one of HTTP/0.9, which has no headers.
            raise ValueError("the version is not one of HTTP/1")
        self._due_within(_REQUEST_SECONDS)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._due = None
        super().on_message_complete()

    def pause_writing(self) -> None:
        # Who takes nothing of an answer holds all that waits to be taken, and whoever writes it.
        if self._stalled is None:
            self._stalled = self.loop.call_later(_STALLED_SECONDS, self.transport.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
        super().resume_writing()

    @property
    def _answered(self) -> bool:
        """Whether nothing that was asked on this connection still waits for its answer."""
        cycle: Any = self.cycle  # none before the first request, whatever its annotation says
        return cycle is None or bool(cycle.response_complete)

    def _due_within(self, seconds: float) -> None:
        """Cut the connection `seconds` from now, unless `_due` is changed. Its one timer is set anew when it goes off."""
        self._due = self.loop.time() + seconds
        if self._timer is None or self._timer.when() > self._due:
            self._set_timer(self._due)

    def _set_timer(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_at(due, self._look_at_clock)

    def _look_at_clock(self) -> None:
        self._timer = None
        if self._due is None:
            return
        if self.loop.time() < self._due:
            self._set_timer(self._due)
        else:
            self.transport.abort()

    def _count(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > _HEADER_BYTES:
            # The parser turns it into a parse error, which is answered with 400 and the end.
            raise ValueError("the header section is too large")


class PublicProtocol(LimitedProtocol):
    """On the network: nobody who is not a proxy of ours takes more than a share of the connections."""

    def __init__(self, *args: Any, proxies: tuple[IpNetwork, ...], **more: Any) -> None:
        super().__init__(*args, **more)
        self._proxies = proxies

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self._has_its_share():
            transport.abort()

    def on_headers_complete(self) -> None:
        limit = self.limit_concurrency
        if self.url in _PROBES:
            self.limit_concurrency = None
        super().on_headers_complete()
        self.limit_concurrency = limit

    def _has_its_share(self) -> bool:
        if self.limit_concurrency is None or self.client is None or self._is_proxy():
            return False
        address = self.client[0]
        peers: list[Any] = [getattr(other, "client", None) for other in self.connections]
        same: int = sum(peer is not None and peer[0] == address for peer in peers)
        return same > self.limit_concurrency * _SHARE_OF_ONE_PEER

    def _is_proxy(self) -> bool:
        return self.client is not None and any(
            ip_address(self.client[0]) in network for network in self._proxies
        )


class ManagementProtocol(LimitedProtocol):
    """On a Unix socket: `scope["state"]["peer_uid"]` is the user at the other end, as the kernel has it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "peer_uid": _peer_uid(transport)}


def public_server(app: ASGIApp, settings: Settings) -> Listener:
    """The server of the authorization server and the gateway."""
    protocol = partial(PublicProtocol, proxies=settings.trusted_proxies)
    return Listener(_config(app, protocol, settings, limit_concurrency=settings.max_connections))


def management_server(app: ASGIApp, settings: Settings) -> Listener:
    """The server of the management API."""
    return Listener(_config(app, ManagementProtocol, settings, limit_concurrency=None))


def _config(
    app: ASGIApp,
    protocol: Callable[..., HttpToolsProtocol],
    settings: Settings,
    *,
    limit_concurrency: int | None,
) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=protocol,  # type: ignore[arg-type]  # it is only ever called
        ws="none",
        loop="uvloop",
        interface="asgi3",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=limit_concurrency,
        timeout_graceful_shutdown=settings.shutdown_grace,
        workers=1,
    )


def listen_tcp(host: str, port: int) -> socket.socket:
    """A listening socket, bound before anything else is opened; port 0 lets the system choose.

    Raises:
        ListenError: the port is taken, or the address is not this machine's.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise ListenError(
            f"the host `{host}` is not an address of this machine", cause=error
        ) from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        reason = (error.strerror or "it cannot be bound").lower()
        raise ListenError(
            f"cannot listen on `{host}:{port}`: {reason}; choose another with --host and --port",
            cause=error,
        ) from error
    listening.setblocking(False)
    return listening


def listen_unix(path: Path) -> socket.socket:
    """A listening Unix socket of mode 0600. What a process that died left there is removed.

    The caller holds the data folder's lock, so nobody else is listening.

    Raises:
        DataFolderError: the path is too long for a socket, or something else stands there.
    """
    if path.exists() and not stat.S_ISSOCK(path.lstat().st_mode):
        raise DataFolderError(f"`{path}` is not a socket; remove it")
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        path.unlink(missing_ok=True)
        listening.bind(str(path))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise DataFolderError(
            f"cannot listen on `{path}`; a socket's path may have about 100 characters", cause=error
        ) from error
    finally:
        os.umask(mask)
    listening.setblocking(False)
    return listening


def _peer_uid(transport: asyncio.Transport) -> int | None:
    """The user at the other end of a Unix socket; `None` where the system does not say."""
    peer: Any = transport.get_extra_info("socket")
    if peer is None or not hasattr(socket, "SO_PEERCRED"):
        return None
    with socket.socket(fileno=os.dup(peer.fileno())) as duplicate:
        credentials = duplicate.getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
        )
    uid: int = struct.unpack("3i", credentials)[1]
    return uid
