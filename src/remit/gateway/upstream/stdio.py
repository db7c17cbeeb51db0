"""A server reached over the standard streams of a child process.

One process serves all modern callers, each message told apart by `correlation`; a
legacy session, whose state is its process, has one to itself. A process that ends
fails the calls in flight and is started again, later each time it fails. A modern
notification that names no request in flight is dropped: on a shared pipe nobody can
say whose it is.

Source: MCP 2026-07-28 transports (stdio), versioning; MCP 2025-11-25 transports (stdio).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from remit.canonical import JsonObject
from remit.gateway.jsonrpc import Request, Response
from remit.gateway.methods import LISTEN
from remit.gateway.protocol import CAPABILITIES_KEY, LEGACY_VERSIONS, MODERN_VERSIONS, VERSION_KEY
from remit.gateway.rejection import NoPlaceError, UpstreamError, unsupported_version
from remit.gateway.trace_context import with_trace
from remit.gateway.upstream.back_off import BackOff
from remit.gateway.upstream.child import Launch
from remit.gateway.upstream.pipe import Pipe
from remit.gateway.upstream.port import Limits, Outgoing, Reply
from remit.gateway.upstream.stdio_session import StdioSession

__all__ = ["Stdio"]

_PROBE_SECONDS = 20.0


class Stdio:
    """One server that is started as a process."""

    def __init__(
        self, launch: Launch, *, limits: Limits | None = None, max_sessions: int = 32
    ) -> None:
        self._launch = launch
        self._limits = limits or Limits()
        self._max_sessions = max_sessions
        self._sessions: set[StdioSession] = set()
        self._shared: Pipe | None = None
        self._starting: asyncio.Task[Pipe | None] | None = None
        self._legacy_only = False
        self._back_off = BackOff(launch.name)
        self._started = 0.0
        self._in_flight = 0
        self._retired = False
        self._closed = False
        self._closing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def ask(self, outgoing: Outgoing[Request]) -> AsyncIterator[Reply]:
        self._in_flight += 1
        listens = outgoing.message.method == LISTEN
        try:
            pipe = await self._modern_pipe(outgoing.version)
            message = with_trace(outgoing.message, outgoing.headers)
            async with pipe.ask(message, cancel=True, patient=listens) as reply:
                yield reply
        finally:
            self._in_flight -= 1
            self._leave_if_retired()

    def open_session(self) -> StdioSession:
        if self._closed:
            raise UpstreamError("the gateway is stopping the server")
        if len(self._sessions) >= self._max_sessions:
            raise NoPlaceError
        session = StdioSession(
            self._launch, self._limits, back_off=self._back_off, on_close=self._sessions.discard
        )
        self._sessions.add(session)
        return session

    def retire(self) -> None:
        """Another adapter has taken its place: end the shared process once nobody waits for it.

        Sessions stay as long as those who have them.
        """
        self._retired = True
        self._leave_if_retired()

    async def close(self) -> None:
        self._closed = True
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait([self._starting])
        sessions, shared = tuple(self._sessions), self._shared
        self._shared = None
        async with asyncio.TaskGroup() as group:
            for session in sessions:
                group.create_task(session.close())
            if shared is not None:
                group.create_task(shared.close())
            for task in self._closing:
                group.create_task(_finished(task))

    def _leave_if_retired(self) -> None:
        if self._retired and not self._in_flight and self._shared is not None:
            shared, self._shared = self._shared, None
            task = asyncio.create_task(shared.close(), name=f"retiring {self._launch.name}")
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _modern_pipe(self, version: str) -> Pipe:
        pipe = self._shared
        if not self._legacy_only and (pipe is None or not pipe.running):
            pipe = await self._begun()
        if pipe is None:
            raise unsupported_version(version, LEGACY_VERSIONS)
        return pipe

    async def _begun(self) -> Pipe | None:
        """A new process; the same for all who wait. Its start goes on for the others when one of them leaves."""
        starting = self._starting
        if starting is None:
            starting = asyncio.create_task(self._start(), name=f"starting {self._launch.name}")
            self._starting = starting
            starting.add_done_callback(self._take)
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise UpstreamError("the gateway is stopping the server") from None

    def _take(self, starting: "asyncio.Task[Pipe | None]") -> None:
        self._starting = None
        if not starting.cancelled() and starting.exception() is None:
            self._shared = starting.result()
            self._leave_if_retired()

    async def _start(self) -> Pipe | None:
        """A new process that speaks the modern protocol; `None` if it turns out not to."""
        if self._closed:
            raise UpstreamError("the gateway is stopping the server")
        self._back_off.check()
        self._started = asyncio.get_running_loop().time()
        try:
            pipe = await Pipe.open(self._launch, self._limits, on_exit=self._exited)
        except UpstreamError as error:
            self._back_off.ended(started=self._started, why=error.detail)
            raise
        spoken = False
        try:
            spoken = await _speaks_modern(pipe, self._limits)
            self._legacy_only = not spoken
        finally:
            if not spoken:
                if not self._legacy_only and pipe.running:
                    self._back_off.ended(
                        started=self._started, why="it does not say what it speaks"
                    )
                await pipe.close()
        return pipe if spoken else None

    def _exited(self) -> None:
        if not self._closed and not self._retired:
            why = "its process has ended" if self._shared is None else self._shared.why_ended
            self._back_off.ended(started=self._started, why=why)


async def _speaks_modern(pipe: Pipe, limits: Limits) -> bool:
    """Ask the new process which versions it speaks; an error for an answer means: sessions only."""
    meta: JsonObject = {VERSION_KEY: MODERN_VERSIONS[-1], CAPABILITIES_KEY: {}}
    probe = Request("probe", "server/discover", {"_meta": meta})
    seconds = min(_PROBE_SECONDS, limits.seconds)
    async with asyncio.timeout(seconds + 1), pipe.ask(probe, seconds=seconds) as reply:
        async for message in reply.messages:
            if isinstance(message, Response):
                spoken = message.result.get("supportedVersions") if message.result else None
                return isinstance(spoken, list) and any(one in MODERN_VERSIONS for one in spoken)
    return False


async def _finished(task: asyncio.Task[None]) -> None:
    await asyncio.wait([task])
