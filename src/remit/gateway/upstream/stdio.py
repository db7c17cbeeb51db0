"""A server reached over the standard streams of a child process.

One process serves all modern callers, each message told apart by `correlation`; a
legacy session, whose state is its process, has one to itself. A process that ends
fails the calls in flight and is started again, later each time it fails. A modern
notification that names no request in flight is dropped: on a shared pipe nobody can
say whose it is.

Source: MCP 2026-07-28 transports (stdio), versioning; MCP 2025-11-25 transports (stdio).
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from remit.canonical import JsonObject
from remit.gateway.jsonrpc import Request, Response
from remit.gateway.protocol import CAPABILITIES_KEY, LEGACY_VERSIONS, MODERN_VERSIONS, VERSION_KEY
from remit.gateway.rejection import NoPlaceError, UpstreamError, unsupported_version
from remit.gateway.upstream.child import Launch
from remit.gateway.upstream.pipe import Pipe
from remit.gateway.upstream.port import Limits, Outgoing, Reply
from remit.gateway.upstream.stdio_session import StdioSession

__all__ = ["Stdio"]

_FIRST_DELAY = 0.5
_LONGEST_DELAY = 30.0
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
        self._starting = asyncio.Lock()
        self._legacy_only = False
        self._failures = 0
        self._not_before = 0.0
        self._closed = False

    @asynccontextmanager
    async def ask(self, outgoing: Outgoing[Request]) -> AsyncIterator[Reply]:
        pipe = await self._modern_pipe(outgoing.version)
        async with pipe.ask(outgoing.message, cancel=True) as reply:
            yield reply

    def open_session(self) -> StdioSession:
        if self._closed:
            raise UpstreamError("the gateway is stopping the server")
        if len(self._sessions) >= self._max_sessions:
            raise NoPlaceError
        session = StdioSession(self._launch, self._limits, on_close=self._sessions.discard)
        self._sessions.add(session)
        return session

    async def close(self) -> None:
        self._closed = True
        sessions, shared = tuple(self._sessions), self._shared
        self._shared = None
        async with asyncio.TaskGroup() as group:
            for session in sessions:
                group.create_task(session.close())
            if shared is not None:
                group.create_task(shared.close())

    async def _modern_pipe(self, version: str) -> Pipe:
        async with self._starting:
            if not self._legacy_only and (self._shared is None or not self._shared.running):
                self._shared = await self._start()
            if self._shared is None:
                raise unsupported_version(version, LEGACY_VERSIONS)
            return self._shared

    async def _start(self) -> Pipe | None:
        """A new process that speaks the modern protocol; `None` if it turns out not to."""
        now = asyncio.get_running_loop().time()
        if self._closed or now < self._not_before:
            raise UpstreamError("the server's process has ended and is about to be started again")
        try:
            pipe = await Pipe.open(self._launch, self._limits, on_exit=self._exited)
        except UpstreamError:
            self._back_off()
            raise
        spoken = False
        try:
            spoken = await _speaks_modern(pipe, self._limits)
            self._legacy_only = not spoken
        finally:
            if not spoken:
                self._back_off()
                await pipe.close()
        self._failures = 0 if spoken else self._failures
        return pipe if spoken else None

    def _exited(self) -> None:
        if not self._closed:
            logging.getLogger("remit.gateway.upstream").warning(
                "upstream %s: its process has ended", self._launch.name
            )
            self._back_off()

    def _back_off(self) -> None:
        delay = min(_FIRST_DELAY * 2**self._failures, _LONGEST_DELAY)
        self._failures += 1
        self._not_before = asyncio.get_running_loop().time() + delay


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
