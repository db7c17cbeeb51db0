"""A server that runs as a child process: started without a shell, bounded, stopped with its family.

The child sees the variables it was given, four of ours and those of ours that are named, nothing else:
never the master key nor where the database is (a process of the same user may read them elsewhere; see
SECURITY.md). It leads a session of its own, has no open file but its streams, and dies with Remit.
Refused: a line longer than the limit; the process is stopped, since the rest of the line cannot be told
from the next. More processes than it may be: all of them are.

Source: MCP 2026-07-28 transports, stdio (shutdown); POSIX process groups.
"""

import asyncio
import os
import shutil
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from remit.gateway.rejection import UpstreamError
from remit.gateway.upstream import launcher
from remit.gateway.upstream.credentials import NO_CREDENTIALS, Credentials
from remit.gateway.upstream.process_limits import (
    NO_PROCESS_LIMITS,
    ProcessLimits,
    family_of,
    kill_family,
)
from remit.gateway.upstream.stderr_log import StderrLog

__all__ = ["Child", "Launch"]

_INHERITED = ("PATH", "HOME", "LANG", "TZ")
_STDERR_LINE = 8 * 1024
_CLOSING_SECONDS = 2.0
_TERMINATING_SECONDS = 3.0
_DRAINING_SECONDS = 0.5
_ENDING_SECONDS = 0.5
_COUNTING_SECONDS = 0.25
_OWN = "REMIT_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How to start the process. `python` as first word is the interpreter that runs Remit.

    `credentials` are those values of `environment` that no caller may learn; `inherit` names
    variables of ours that it gets besides the four.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    credentials: Credentials = NO_CREDENTIALS
    working_directory: str | None = None
    line_bytes: int = 16 * 1024 * 1024
    inherit: tuple[str, ...] = ()
    limits: ProcessLimits = NO_PROCESS_LIMITS

    def argv(self) -> tuple[str, ...]:
        """The words that are executed."""
        first, *rest = self.command
        return (sys.executable if first == "python" else first, *rest)

    def variables(self, own: Mapping[str, str]) -> dict[str, str]:
        """The child's whole environment, from ours and what was configured."""
        allowed = (*_INHERITED, *(name for name in self.inherit if not name.startswith(_OWN)))
        inherited = {name: own[name] for name in allowed if name in own}
        return {**inherited, **self.environment}

    def program(self, variables: Mapping[str, str]) -> str:
        """The file that is executed.

        Raises:
            FileNotFoundError: there is no such program, or no such working directory.
        """
        folder = self.working_directory
        if folder is not None and not Path(folder).is_dir():
            raise FileNotFoundError("the working directory is not there")
        first = self.argv()[0]
        wanted = first if "/" not in first else str(Path(folder or ".", first).absolute())
        found = shutil.which(wanted, path=variables.get("PATH", os.defpath))
        if found is None:
            raise FileNotFoundError("the program is not there")
        return str(Path(found).absolute())


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
        self._most = launch.limits.processes
        self._why: str | None = None
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
        variables = launch.variables(os.environ)
        try:
            program = await asyncio.to_thread(launch.program, variables)
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                "-S",
                launcher.__file__,
                str(os.getpid()),
                _words(launch, variables),
                program,
                *launch.argv(),
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                env=variables,
                cwd=launch.working_directory,
                limit=launch.line_bytes,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise UpstreamError(
                f"the server's process cannot be started: {_said(error)}", cause=error
            ) from error
        except (OSError, ValueError) as error:
            raise UpstreamError("the server's process cannot be started", cause=error) from error
        return cls(process, launch, on_line=on_line, on_exit=on_exit)

    @property
    def running(self) -> bool:
        return self._process.returncode is None and not self._reading.done()

    @property
    def why_ended(self) -> str:
        """In what way it ended, as far as that is known; fit for a caller."""
        if self._why is not None:
            return self._why
        if self._process.returncode == -signal.SIGXCPU:
            return "the server's process has ended: it has used up its processor time"
        return "the server's process has ended"

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
        try:
            if not await self._ended_within(_CLOSING_SECONDS):
                self._signal(signal.SIGTERM)
                await self._ended_within(_TERMINATING_SECONDS)
        except asyncio.CancelledError:
            self.kill()  # whoever stops it has no time left: nothing may outlive that
            raise
        # Its own children may outlive it, so they are ended in any case.
        await asyncio.to_thread(kill_family, self._process.pid)
        await self._process.wait()
        await asyncio.wait([self._reading], timeout=_TERMINATING_SECONDS)
        self._reading.cancel()

    def kill(self) -> None:
        """End it at once."""
        self._signal(signal.SIGKILL)

    async def _ended_within(self, seconds: float) -> bool:
        # Not `asyncio.timeout`: in a task that was cancelled before, as many are that stop a process, early
        # releases of Python 3.11 (3.11.2 of Debian 12) let it end in that cancellation, and the process lives on.
        waiting = asyncio.ensure_future(self._process.wait())
        try:
            await asyncio.wait([waiting], timeout=seconds)
        finally:
            waiting.cancel()
        return self._process.returncode is not None

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def _read(self) -> None:
        """Until its standard output ends; a process that can no longer answer is of no use."""
        grumbling = asyncio.create_task(self._read_stderr())
        counting = asyncio.create_task(self._count_processes())
        try:
            await self._read_stdout()
        finally:
            counting.cancel()
            if not self._stopping:
                await self._ended_within(_ENDING_SECONDS)
                await asyncio.to_thread(kill_family, self._process.pid)
            self._on_exit()
            # A grandchild may hold the pipe open for ever.
            await asyncio.wait([grumbling], timeout=_DRAINING_SECONDS)
            grumbling.cancel()

    async def _count_processes(self) -> None:
        """End it when it is more processes than it may be."""
        while self._most is not None and self._process.returncode is None:
            await asyncio.sleep(_COUNTING_SECONDS)
            family = await asyncio.to_thread(family_of, self._process.pid)
            if len(family) > self._most:
                self._why = "the server's process was ended: it had become too many"
                self._stderr.note(f"it had become more than {self._most} processes, and was ended")
                await asyncio.to_thread(kill_family, self._process.pid)

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


def _said(error: FileNotFoundError) -> str:
    """Our own words, and none of the system's: those name paths."""
    return str(error) if error.filename is None else "the program is not there"


def _words(launch: Launch, variables: Mapping[str, str]) -> str:
    """What the launcher is told to hold it to, and whether a locale of its own is to stay."""
    limits = launch.limits.words()
    return f"{limits},locale" if "LC_CTYPE" in variables else limits
