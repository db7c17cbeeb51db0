"""Real decision points in processes of their own: Cerbos, and a small one that speaks AuthZEN."""

import asyncio
import os
import platform
import shutil
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from remit.demo.stage import free_port

HERE = Path(__file__).parent
PACKAGES = HERE.parent / "node" / "node_modules" / "@cerbos"
_SYSTEMS = {"Linux": "linux", "Darwin": "darwin"}
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


def cerbos_binary() -> Path:
    """The Cerbos of this machine: the package that npm installed for it, or one on the path."""
    name = "cerbos-{}-{}".format(
        _SYSTEMS.get(platform.system(), "unknown"),
        _MACHINES.get(platform.machine().lower(), "unknown"),
    )
    packaged = PACKAGES / name / name
    if packaged.exists():
        return packaged
    found = shutil.which("cerbos")
    if found is not None:
        return Path(found)
    reason = f"there is no package @cerbos/{name} here and no `cerbos` on the path: run `make test`, or install Cerbos"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class Running:
    """A decision point at `url`; it can be killed and started again at the same port."""

    def __init__(self, command, url, ready, log) -> None:
        self.url = url
        self._command = command
        self._ready = ready
        self._log = log
        self._process = None
        self._stalled = False

    async def start(self) -> None:
        with self._log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        async with httpx2.AsyncClient(timeout=2) as http:
            for _ in range(600):
                assert self._process.returncode is None, self._log.read_text()[-2000:]
                try:
                    if (await http.get(self.url + self._ready)).status_code == 200:
                        return
                except httpx2.TransportError:
                    pass
                await asyncio.sleep(0.05)
        raise AssertionError(self._log.read_text()[-2000:])

    async def stall(self) -> None:
        """Take connections and questions, and say nothing."""
        self._process.send_signal(signal.SIGSTOP)
        self._stalled = True

    async def mend(self) -> None:
        """Answer again, whatever was the matter."""
        if self._stalled:
            self._process.send_signal(signal.SIGCONT)
            self._stalled = False
        else:
            await self.start()

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def cerbos(folder: Path, policies: Path = HERE / "policies" / "cerbos"):
    """A real Cerbos that holds `policies`."""
    http, grpc = free_port(), free_port()
    config = folder / "cerbos.yaml"
    config.write_text(
        f"""
server:
  httpListenAddr: "127.0.0.1:{http}"
  grpcListenAddr: "127.0.0.1:{grpc}"
storage:
  driver: disk
  disk: {{directory: "{policies}", watchForChanges: false}}
telemetry: {{disabled: true}}
"""
    )
    command = [str(cerbos_binary()), "server", "--config", str(config)]
    async with _running(command, http, "/_cerbos/health", folder / "cerbos.log") as running:
        yield running


@asynccontextmanager
async def authzen(folder: Path, secret: str | None = None, *, complete: bool = False):
    """A real decision point that speaks AuthZEN 1.0; with the rules of the contract, or of the complete example."""
    port = free_port()
    given = [secret or "", *(["complete"] if complete else [])]
    command = [sys.executable, str(HERE / "pdp.py"), str(port), *given]
    ready = "/.well-known/authzen-configuration"
    async with _running(command, port, ready, folder / "pdp.log") as running:
        yield running


@asynccontextmanager
async def _running(command, port, ready, log):
    running = Running(command, f"http://127.0.0.1:{port}", ready, log)
    await running.start()
    try:
        yield running
    finally:
        await running.kill()
