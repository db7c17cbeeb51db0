"""From a command to a process that serves, and to its end.

Start: bind the port, open everything, try that forbidden calls are refused, listen on the
management socket, begin the tasks, answer. Stop (SIGTERM, SIGINT): accept nothing more, let calls in flight end within the
grace, close children, write what waits to the audit log, exit 0. A second signal does not
wait for the grace. SIGHUP reads the policy repository again.
"""

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import structlog
import uvloop

from remit.app.access_wiring import keep_access
from remit.app.approvals_wiring import keep_asking
from remit.app.logs import configure_logs
from remit.app.reload import PolicyReload
from remit.app.server import (
    Listener,
    listen_tcp,
    listen_unix,
    management_server,
    public_server,
)
from remit.app.upkeep import keep_counts, keep_up
from remit.app.wiring import App, build
from remit.errors import Error
from remit.settings import Settings
from remit.trail import keep_index

__all__ = ["serve"]

_log = structlog.stdlib.get_logger("remit")


def serve(settings: Settings, *, environ: Mapping[str, str] | None = None) -> int:
    """Serve until told to stop; the exit code.

    Raises:
        Error: it could not start; nothing is left open.
    """
    configure_logs(settings.log_level, settings.log_format)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, os.environ if environ is None else environ))
    return 0


async def _serve(settings: Settings, environ: Mapping[str, str]) -> None:
    stop = _Stop()
    with contextlib.closing(listen_tcp(settings.host, settings.port)) as listening:
        # With port 0 only the system knows the port, and the issuer depends on it.
        settings = settings.model_copy(update={"port": listening.getsockname()[1]})
        async with build(settings, environ=environ) as app:
            # Bound, but not answering: nobody is let in before it is known that nobody gets through.
            await app.self_test.run(app.asgi)
            with contextlib.closing(listen_unix(app.folder.socket)) as managing:
                await _run(app, (listening, managing), stop=stop)
            app.folder.socket.unlink(missing_ok=True)
    _log.info("stopped")


async def _run(app: App, listening: tuple[socket.socket, socket.socket], *, stop: "_Stop") -> None:
    public = public_server(app.asgi, app.settings)
    management = management_server(app.management, app.settings)
    stop.listeners = (public, management)
    async with asyncio.TaskGroup() as tasks, _background(app, tasks), _reloading(app.reload, tasks):
        app.gateway.start()
        serving = [
            tasks.create_task(public.serve(sockets=[listening[0]])),
            tasks.create_task(management.serve(sockets=[listening[1]])),
        ]
        _announce(app)
        told = tasks.create_task(stop.told.wait())
        await asyncio.wait([told, *serving], return_when=asyncio.FIRST_COMPLETED)
        _log.info("stopping", grace=app.settings.shutdown_grace)
        app.stopping.set()
        public.stop()
        await app.gateway.drain()
        management.stop()
        await asyncio.gather(*serving)
        told.cancel()


@contextlib.asynccontextmanager
async def _background(app: App, tasks: asyncio.TaskGroup) -> AsyncIterator[None]:
    """What goes on by itself while the process serves. If one of these ends, so does the process."""
    owned = [
        tasks.create_task(app.standing.run(), name="standing"),
        tasks.create_task(app.keys.run(), name="keys"),
        tasks.create_task(app.secrets.run(), name="secrets"),
        tasks.create_task(app.definitions.run(), name="definitions"),
        tasks.create_task(app.bundles.run(), name="bundles"),
        tasks.create_task(app.desk.run(lambda: app.bundles.present), name="trial"),
        tasks.create_task(
            keep_up(app.database, app.directory, app.clock, renew=app.renew_documents),
            name="upkeep",
        ),
        tasks.create_task(keep_counts(app.audit), name="counts"),
        tasks.create_task(app.joined.run(), name="joined"),
        tasks.create_task(app.keep_custody(), name="custody"),
        tasks.create_task(keep_asking(app.approvals), name="approvals"),
        tasks.create_task(keep_access(app.access), name="access"),
        tasks.create_task(app.telling.run(), name="notifications"),
        tasks.create_task(app.copies.run(), name="sinks"),
        tasks.create_task(app.proofs.run(), name="proofs"),
        tasks.create_task(keep_index(app.trail.index), name="trail"),
        tasks.create_task(app.copies.watch(), name="copy-gate"),
    ]
    try:
        yield
    finally:
        for task in owned:
            task.cancel()


@contextlib.asynccontextmanager
async def _reloading(reload: PolicyReload, tasks: asyncio.TaskGroup) -> AsyncIterator[None]:
    """Read the policy repository again on SIGHUP."""
    loop = asyncio.get_running_loop()

    async def once() -> None:
        # What is wrong with it has been logged; what was in force stays.
        with contextlib.suppress(Error):
            await reload()

    loop.add_signal_handler(signal.SIGHUP, lambda: tasks.create_task(once(), name="reload"))
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


class _Stop:
    """Whether the process has been told to stop; from the first moment, so that no signal is lost."""

    def __init__(self) -> None:
        self.told = asyncio.Event()
        self.listeners: tuple[Listener, ...] = ()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._tell)

    def _tell(self) -> None:
        if self.told.is_set():
            for listener in self.listeners:
                listener.force_exit = True
        self.told.set()


def _announce(app: App) -> None:
    settings = app.settings
    _log.info(
        "listening",
        url=settings.issuer,
        host=settings.host,
        port=settings.port,
        repo=str(settings.repo),
        data=str(settings.data),
        started_in=round(_running_for(), 2),
    )


def _running_for() -> float:
    """Seconds since this process began: what whoever typed the command waited, every import included.

    Source: proc_pid_stat(5), field 22. Where there is no such file, the processor time: a start
    waits for little else.
    """
    try:
        fields = (
            Path("/proc/self/stat")
            .read_text(encoding="ascii", errors="replace")
            .rpartition(")")[2]
            .split()
        )
        began = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - began
    except (OSError, AttributeError, IndexError, ValueError):
        return time.process_time()
