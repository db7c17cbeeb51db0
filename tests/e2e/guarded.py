"""A Remit, and a CRM that guards itself, each a process of its own."""

import asyncio
import secrets
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from remit.demo.agent import Keyring, connect
from remit.demo.person import Person
from remit.demo.stage import (
    Stage,
    _process,
    _remit,
    free_port,
)
from remit.repository import write_example
from tests.e2e.conftest import REDIRECT_URI

HERE = Path(__file__).parent
SERVER = HERE / "guarded_crm.py"
_WITHIN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """A stage with a server that guards itself at `url`."""

    stage: Stage
    url: str
    port: int
    remit_port: int
    secret: str

    def environment(self, folder: Path) -> dict[str, str]:
        """What a guarded server is told."""
        return {
            "REMIT_URL": self.stage.url,
            "CRM_GUARD_SECRET": self.secret,
            "GUARD_FOLDER": str(folder),
            "PYTHONPATH": str(HERE.parents[1]),
        }

    @asynccontextmanager
    async def server(self, kind: str, **environment: str):
        """The CRM as a server of `kind`, for as long as the context lasts."""
        folder = self.stage.folder / f"guard-{kind}"
        log = self.stage.folder / f"guarded-{kind}.log"
        command = [sys.executable, str(SERVER), kind, str(self.port)]
        told = self.environment(folder) | environment
        async with _process(command, log, told) as process:
            await _until(lambda: _is_listening(self.port), process, log)
            yield process

    @asynccontextmanager
    async def remit(self, **settings: str):
        """`remit serve`, once more, on the same data and port. `settings` are variables."""
        async with _serving(self.stage.folder, self.remit_port, self.secret, settings) as process:
            yield process

    async def add_dana(self):
        """Whom everybody here acts for."""
        await self.stage.remit(
            "users", "add", "dana", "--tenant", "acme", "--role", "support",
            "--display-name", "Dana Reyes", "--password-stdin", stdin=f"{self.stage.password}\n",
        )  # fmt: skip


@asynccontextmanager
async def guarded(folder: Path, *, serving: bool = True):
    """`remit serve` with the example repository, whose CRM is reached where it guards itself."""
    port, remit_port = free_port(), free_port()
    secret = secrets.token_urlsafe(24)
    url = f"http://127.0.0.1:{port}/mcp"
    write_example(folder / "policy")
    crm = folder / "policy" / "servers" / "crm.yaml"
    crm.write_text(
        f"{crm.read_text()}\nguard_secret: env:CRM_GUARD_SECRET\nresource_identifier: {url}\n"
    )
    stage = Stage(
        folder=folder,
        url=f"http://127.0.0.1:{remit_port}",
        username="dana",
        password=secrets.token_urlsafe(12),
        ready_seconds=0.0,
    )
    found = Guarded(stage=stage, url=url, port=port, remit_port=remit_port, secret=secret)
    if not serving:
        yield found
        return
    async with _serving(folder, remit_port, secret):
        await found.add_dana()
        yield found


@asynccontextmanager
async def _serving(folder: Path, port: int, secret: str, settings: dict[str, str] | None = None):
    serve = _remit(
        "serve", "--repo", str(folder / "policy"), "--data", str(folder / "data"),
        "--port", str(port),
    )  # fmt: skip
    environment = {
        "CRM_GATEWAY_TOKEN": secrets.token_urlsafe(24),
        "CRM_GUARD_SECRET": secret,
        "REMIT_BILLING_JOB_SECRET": secrets.token_urlsafe(24),
        **(settings or {}),
    }
    async with _process(serve, folder / "remit.log", environment) as remit:
        ready = f"http://127.0.0.1:{port}/readyz"
        await _until(lambda: _is_ready(ready), remit, folder / "remit.log")
        yield remit


async def dance(guard: Guarded, keyring: Keyring, url: str | None = None) -> None:
    """Let Dana allow an agent what it asks for at `url`, or where the CRM guards itself."""
    stage = guard.stage
    dana = Person(username=stage.username, password=stage.password, keeps=lambda _: True)

    async def browse(url: str) -> str:
        return await dana.walk(url, REDIRECT_URI)

    async with connect(
        url or guard.url, redirect_uri=REDIRECT_URI, browse=browse, keyring=keyring
    ) as agent:
        await agent.client.list_tools()


async def _until(holds, process, log: Path) -> None:
    """Wait for a process to be there; long, for many may be starting beside it."""
    async with asyncio.timeout(_WITHIN):
        while not await holds():
            assert process.returncode is None, _last_words(log)
            await asyncio.sleep(0.1)


async def _is_listening(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def _is_ready(url: str) -> bool:
    try:
        async with httpx2.AsyncClient(timeout=5) as http:
            return (await http.get(url)).status_code == 200
    except httpx2.TransportError:
        return False


def _last_words(log: Path) -> str:
    return log.read_text()[-4000:]
