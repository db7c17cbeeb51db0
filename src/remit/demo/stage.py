"""The stage of the story: a folder of its own, a policy repository, two MCP servers, Remit.

Everything is a real process on loopback, started with the commands a user would
type, and gone when the story ends.
"""

import asyncio
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from remit.repository import write_example

__all__ = ["Stage", "StageError", "set_up"]

_READY_WITHIN = 60.0


class StageError(Exception):
    """A process of the demonstration did not start; `output` holds its last words."""

    def __init__(self, what: str, output: str) -> None:
        super().__init__(f"{what} did not start:\n{output}")


def _nothing() -> None:
    """No server to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where everything is."""

    folder: Path
    url: str
    username: str
    password: str
    ready_seconds: float
    turn_crm: Callable[[], None] = _nothing
    """Has the CRM server change one of its tools, as a compromised server would."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Settings of Remit, besides its arguments."""

    @property
    def repository(self) -> Path:
        return self.folder / "policy"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def server(self, name: str) -> str:
        """The URL at which an agent reaches the MCP server `name`."""
        return f"{self.url}/mcp/{name}"

    async def knock(self, name: str, token: str | None = None) -> httpx2.Response:
        """What the MCP server `name` answers to whoever has `token`, or nothing."""
        headers = {"accept": "application/json, text/event-stream"}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
        async with httpx2.AsyncClient() as http:
            return await http.post(self.server(name), json=listing, headers=headers)

    async def remit(self, *arguments: str, stdin: str = "", found: int = 0) -> str:
        """Run `remit …` against this stage's data folder, and return what it printed. It has to exit with `found`."""
        process = await asyncio.create_subprocess_exec(
            *_remit(*arguments, "--data", str(self.data)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=_environment(self.environment),
        )
        output, _ = await process.communicate(stdin.encode())
        if process.returncode != found:
            raise StageError(f"`remit {' '.join(arguments)}`", output.decode())
        return output.decode()


@asynccontextmanager
async def set_up(folder: Path, settings: Mapping[str, str] | None = None) -> AsyncIterator[Stage]:
    """Write the repository, start the CRM and Remit, add a user; stop all of it afterwards.

    `settings` are environment variables of Remit.
    """
    crm_port, remit_port = free_port(), free_port()
    token = secrets.token_urlsafe(24)
    _write_repository(folder / "policy", crm_port)
    url = f"http://127.0.0.1:{remit_port}"
    crm = [sys.executable, "-m", "remit.demo.crm_server", "--port", str(crm_port)]
    serve = _remit(
        "serve",
        "--repo", str(folder / "policy"),
        "--data", str(folder / "data"),
        "--port", str(remit_port),
    )  # fmt: skip
    environment = {
        "CRM_GATEWAY_TOKEN": token,
        "REMIT_BILLING_JOB_SECRET": secrets.token_urlsafe(24),
        **(settings or {}),
    }
    started = time.monotonic()
    async with (
        _process(crm, folder / "crm.log", environment) as crm_server,
        _process(serve, folder / "remit.log", environment) as remit,
    ):
        await _until_ready(f"{url}/readyz", remit, folder / "remit.log")
        ready = time.monotonic() - started
        await _until_listening(crm_port, folder / "crm.log")
        stage = Stage(
            folder=folder,
            url=url,
            username="dana",
            password=secrets.token_urlsafe(12),
            ready_seconds=ready,
            turn_crm=lambda: crm_server.send_signal(signal.SIGUSR1),
            environment=settings or {},
        )
        await stage.remit(
            "users", "add", stage.username, "--tenant", "acme", "--role", "support",
            "--display-name", "Dana Reyes", "--password-stdin", stdin=f"{stage.password}\n",
        )  # fmt: skip
        yield stage


def free_port() -> int:
    """A port on loopback that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _remit(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "remit", *arguments]


def _environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REMIT_")}
    return {**kept, "NO_COLOR": "1", **(extra or {})}


def _write_repository(folder: Path, crm_port: int) -> None:
    write_example(folder)
    crm = folder / "servers" / "crm.yaml"
    text = crm.read_text()
    crm.write_text(text.replace("http://127.0.0.1:8611/mcp", f"http://127.0.0.1:{crm_port}/mcp"))


@asynccontextmanager
async def _process(
    command: Sequence[str], log: Path, environment: dict[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_environment(environment),
            # Ctrl-C is for the story alone, which ends them in their order.
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
                try:
                    await asyncio.wait_for(process.wait(), 10)
                except TimeoutError:
                    process.kill()
                    await process.wait()


async def _until_ready(url: str, process: asyncio.subprocess.Process, log: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    async with httpx2.AsyncClient(timeout=2) as http:
        while time.monotonic() < deadline and process.returncode is None:
            try:
                if (await http.get(url)).status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.05)
    raise StageError("remit", _last_words(log))


async def _until_listening(port: int, log: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    while time.monotonic() < deadline:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise StageError("the CRM server", _last_words(log))


def _last_words(log: Path) -> str:
    return log.read_text()[-4000:]
