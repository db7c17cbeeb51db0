"""A server that runs as a child process: started without a shell, bounded, stopped with its family.

The child sees the variables it was given and four of ours, nothing else. Refused: a
line longer than the limit; the process is stopped, since the rest of the line
cannot be told from the next.

Source: MCP 2026-07-28 transports, stdio (shutdown); POSIX process groups.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from remit.gateway.rejection import UpstreamError
from remit.gateway.upstream.credentials import NO_CREDENTIALS, Credentials
from remit.gateway.upstream.stderr_log import StderrLog

__all__ = ["Child", "Launch"]

_INHERITED = ("PATH", "HOME", "LANG", "TZ")
_STDERR_LINE = 8 * 1024
_CLOSING_SECONDS = 2.0
_TERMINATING_SECONDS = 3.0
_DRAINING_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How to start the process. `python` as first word is the interpreter that runs Remit.

    `credentials` are those values of `environment` that no caller may learn.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    credentials: Credentials = NO_CREDENTIALS
    working_directory: str | None = None
    line_bytes: int = 16 * 1024 * 1024

    def argv(self) -> tuple[str, ...]:
        """The words that are executed."""
        first, *rest = self.command
        return (sys.executable if first == "python" else first, *rest)

    def variables(self, own: Mapping[str, str]) -> dict[str, str]:
        """The child's whole environment, from ours and what was configured."""
        inherited = {name: own[name] for name in _INHERITED if name in own}
        return {**inherited, **self.environment}


class Child:
    """One running process: lines in, lines out.

    `on_line` is called with every line it writes, `on_exit` once, when it has ended.
    """

    def __init__(
        self,
        process: Process,
        launch: Launch,
        *,
        on_line: Callable[[bytes], None],
        on_exit: Callable[[], None],
    ) -> None:
        self._process = process
        self._on_line = on_line
        self._on_exit = on_exit
        self._stopping = False
        self._stderr = StderrLog(launch.name, secrets=tuple(launch.environment.values()))
        self._reading = asyncio.create_task(self._read(), name=f"upstream {launch.name}")

    @classmethod
    async def start(
        cls, launch: Launch, *, on_line: Callable[[bytes], None], on_exit: Callable[[], None]
    ) -> "Child":
        """Start the process.

        Raises:
            UpstreamError: it cannot be started.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                *launch.argv(),
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                env=launch.variables(os.environ),
                cwd=launch.working_directory,
                limit=launch.line_bytes,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise UpstreamError("the server's process cannot be started", cause=error) from error
        return cls(process, launch, on_line=on_line, on_exit=on_exit)

    @property
    def running(self) -> bool:
        return self._process.returncode is None and not self._reading.done()

    async def write(self, line: bytes, *, seconds: float) -> None:
        """Write one line; wait while the process does not read.

        Raises:
            UpstreamError: it has ended, or does not read in time.
        """
        self.write_now(line)
        stdin = self._process.stdin
        try:
            if stdin is not None:
                async with asyncio.timeout(seconds):
                    await stdin.drain()
        except (ConnectionError, OSError) as error:
            if isinstance(error, TimeoutError):
                raise UpstreamError("the server does not read", timed_out=True) from error
            raise UpstreamError("the server's process has ended", cause=error) from error

    def write_now(self, line: bytes) -> None:
        """Hand one line to the pipe without waiting; dropped if the process has ended."""
        stdin = self._process.stdin
        if stdin is not None and not stdin.is_closing():
            stdin.write(line + b"\n")

    async def stop(self) -> None:
        """Close its input; if it does not end, ask it to; if it does not listen, kill it and its children."""
        self._stopping = True
        if self._process.stdin is not None:
            self._process.stdin.close()
        if not await self._ended_within(_CLOSING_SECONDS):
            self._signal(signal.SIGTERM)
            await self._ended_within(_TERMINATING_SECONDS)
        # Its own children may outlive it, so the group is signalled in any case.
        self._signal(signal.SIGKILL)
        await self._process.wait()
        await asyncio.wait([self._reading], timeout=_TERMINATING_SECONDS)
        self._reading.cancel()

    def kill(self) -> None:
        """End it at once."""
        self._signal(signal.SIGKILL)

    async def _ended_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._process.wait()
        return self._process.returncode is not None

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def _read(self) -> None:
        """Until its standard output ends; a process that can no longer answer is of no use."""
        grumbling = asyncio.create_task(self._read_stderr())
        try:
            await self._read_stdout()
        finally:
            self._on_exit()
            if not self._stopping:
                self.kill()
            # A grandchild may hold the pipe open for ever.
            await asyncio.wait([grumbling], timeout=_DRAINING_SECONDS)
            grumbling.cancel()

    async def _read_stdout(self) -> None:
        stdout = self._process.stdout
        while stdout is not None:
            try:
                line = await stdout.readline()
            except ValueError:
                self._stderr.note("a line on its standard output is too long; it is stopped")
                self.kill()
                return
            if not line:
                return
            if text := line.strip():
                self._on_line(text)

    async def _read_stderr(self) -> None:
        stderr = self._process.stderr
        while stderr is not None:
            chunk = await stderr.read(_STDERR_LINE)
            if not chunk:
                self._stderr.end()
                return
            self._stderr.take(chunk)
