"""An application with the guard in front of it: what an ASGI server is given in the application's place.

Two paths are answered: the server's own, and that of its metadata. Every other is 404, whatever the
application has there: what the catalog does not know is not decided, and so not reached. Until the first
snapshot is in force every call is refused with 503; so is each whose log cannot be written.

Source: ASGI 3.0; docs/adr/0017-guard-in-process.md.
"""

import asyncio
import logging
import os
from collections.abc import Coroutine, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from remit.audit.flood import WINDOW, TallyingAuditLog
from remit.audit.port import AuditUnavailableError
from remit.canonical import canonical_bytes
from remit.clock import Clock, SystemClock
from remit.embedded.assembly import Assembly, Surroundings
from remit.embedded.delivery import Delivery
from remit.embedded.directory import Heard
from remit.embedded.feed import SnapshotFeed
from remit.embedded.in_process import InProcess
from remit.embedded.lifespan import Lifespan, NotStartedError
from remit.embedded.local_log import LocalLog, WaitingLog, network_of, open_local_log
from remit.embedded.remit_door import RemitDoor
from remit.embedded.remote_elevations import RemoteElevations
from remit.embedded.remote_past import RemotePast
from remit.embedded.stdio import StdioDoor
from remit.errors import Error
from remit.gateway.http import Receive, Scope, Send
from remit.guard.protect import AsgiApplication
from remit.guard.snapshot import Snapshot

__all__ = ["GuardedApplication", "Remit", "guarded_application"]

_FIRST_WORD: Final = 10.0
"""Seconds for which a start waits for the first snapshot; then it goes on, and refuses."""
_LAST_WORD: Final = 3.0

_log = logging.getLogger("remit.guard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remit:
    """The Remit that a guard belongs to, and what the server is called there."""

    url: str
    name: str
    secret: str = field(repr=False)


def guarded_application(
    application: AsgiApplication,
    *,
    remit: str,
    name: str,
    secret: str,
    path: str,
    folder: str | Path | None,
) -> "GuardedApplication":
    """As `remit.guard.protect`, which says what the arguments are."""
    where = _state_folder(name) if folder is None else Path(folder)
    return GuardedApplication(
        application, Remit(url=remit, name=name, secret=secret), path=path, folder=where
    )


class GuardedApplication:
    """Raw ASGI. Starts with the lifespan that its server gives it, or else with the first request."""

    def __init__(
        self,
        application: AsgiApplication,
        remit: Remit,
        *,
        path: str,
        folder: Path,
        clock: Clock | None = None,
    ) -> None:
        self._behind = InProcess(application, path)
        self._life = Lifespan(application, self._behind.state)
        self._remit = remit
        self._folder = folder
        self._clock = clock or SystemClock()
        self._release = version("remit")
        self._assembly: Assembly | None = None
        self._heard = asyncio.Event()
        self._starting = asyncio.Lock()
        self._open: _Open | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})

    async def serve_stdio(self, token: str | None) -> None:
        """Speak MCP over standard input and output, on behalf of whoever has `token`, until the input ends."""
        await self.start()
        try:
            assembly = self._assembly
            if assembly is None:
                raise AuditUnavailableError("remit was not heard, so that nothing can be decided")
            door = InProcess(
                assembly.gateway, f"/mcp/{self._remit.name}", host=assembly.host.encode()
            )
            await StdioDoor(door, token).run()
        finally:
            await self.stop()

    async def start(self) -> None:
        """Open everything, and wait a while for the first word of Remit's.

        Raises:
            NotStartedError: the application behind does not start.
            Error: the guard's own log cannot be opened.
        """
        async with self._starting:
            if self._open is not None:
                return
            await self._life.start()
            self._open = await self._opened()
        with suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_WORD):
                await self._heard.wait()

    async def stop(self) -> None:
        """Let what is under way end, deliver what is there, and close everything."""
        opened, self._open = self._open, None
        if opened is None:
            return
        if self._assembly is not None:
            await self._assembly.gateway.drain()
            await self._assembly.close()
        for task in opened.tasks:
            task.cancel()
        await asyncio.gather(*opened.tasks, return_exceptions=True)
        with suppress(TimeoutError, Error, OSError):
            async with asyncio.timeout(_LAST_WORD):
                await opened.audit.record_counts()
                await opened.delivery.deliver()
        opened.door.close()
        self._behind.close()
        await self._life.end()
        await asyncio.to_thread(opened.local.log.close)

    async def _opened(self) -> "_Open":
        local = await asyncio.to_thread(
            open_local_log, self._folder, release=self._release, server=self._remit.name
        )
        waiting = WaitingLog(local.log)
        audit = TallyingAuditLog(waiting, self._clock, network_of=network_of)
        door = RemitDoor(
            self._remit.url,
            name=self._remit.name,
            secret=self._remit.secret,
            instance=local.instance,
        )
        delivery = Delivery(local, waiting, door)
        feed = SnapshotFeed(
            door,
            name=self._remit.name,
            instance=local.instance,
            release=self._release,
            clock=self._clock,
        )
        around = Surroundings(
            application=self._behind,
            audit=audit,
            clock=self._clock,
            past=RemotePast(door),
            elevations=RemoteElevations(door),
            log_name=local.log_name,
        )

        async def take(snapshot: Snapshot, heard: Heard) -> None:
            self._take(snapshot, heard, around)

        tasks = (
            _task(feed.run(take, self._renew), "guard feed"),
            _task(delivery.run(), "guard records"),
            _task(self._watch(), "guard lease"),
            _task(_counts(audit), "guard counts"),
        )
        return _Open(local=local, audit=audit, door=door, delivery=delivery, tasks=tasks)

    def _take(self, snapshot: Snapshot, heard: Heard, around: Surroundings) -> None:
        if self._assembly is not None:
            self._assembly.take(snapshot, heard)
            return
        assembly = Assembly(snapshot, heard, around)
        assembly.gateway.start()
        self._assembly = assembly
        self._heard.set()

    def _renew(self, heard: Heard) -> None:
        if self._assembly is not None:
            self._assembly.renew(heard)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(1)
            if self._assembly is not None:
                self._assembly.look_at_the_clock()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._open is None:
            await self.start()
        assembly = self._assembly
        if assembly is None:
            await _refuse(send, 503, "it is not known at present who may act")
            return
        within = assembly.path_within(str(scope["path"]))
        if within is None:
            await _refuse(send, 404, "there is nothing here")
            return
        inner = {**scope, "path": within, "raw_path": within.encode()}
        await assembly.gateway(inner, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self.start()
        except (NotStartedError, Error) as error:
            await send({"type": "lifespan.startup.failed", "message": error.detail})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """What is open between start and stop."""

    local: LocalLog
    audit: TallyingAuditLog
    door: RemitDoor
    delivery: Delivery
    tasks: tuple[asyncio.Task[None], ...]


def _task(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    return asyncio.create_task(work, name=name)


async def _counts(audit: TallyingAuditLog) -> None:
    while True:
        await asyncio.sleep(WINDOW)
        try:
            await audit.record_counts()
        except AuditUnavailableError as error:
            _log.error("refusals could not be recorded: %s", error.detail)


async def _refuse(send: Send, status: int, detail: str) -> None:
    reason = "stale_snapshot" if status == 503 else "not_found"
    error = {"code": 1009 if status == 503 else 1011, "message": detail, "data": {"reason": reason}}
    body = canonical_bytes({"jsonrpc": "2.0", "id": None, "error": error})
    headers = [
        (b"content-type", b"application/json"),
        (b"cache-control", b"no-store"),
        (b"content-length", str(len(body)).encode()),
    ]
    if status == 503:
        headers.append((b"retry-after", b"1"))
    start: MutableMapping[str, Any] = {
        "type": "http.response.start",
        "status": status,
        "headers": headers,
    }
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _state_folder(name: str) -> Path:
    """As the XDG base directories have it."""
    state = os.environ.get("XDG_STATE_HOME")
    return Path(state or Path.home() / ".local" / "state") / "remit-guard" / name
