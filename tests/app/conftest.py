"""Remit as a process: the command line and servers, in a folder of the test's own."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from remit.app import App, build
from remit.repository import write_example
from remit.settings import Settings
from remit.testing.clock import FixedClock

READY_WITHIN = 60.0
SECRET = "a-secret-for-the-billing-job-of-the-example"


class Server:
    """A running `remit serve`."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, port: int) -> None:
        self.process = process
        self.log = log
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def get(self, path: str, **options: object) -> httpx2.Response:
        return httpx2.get(self.url + path, timeout=10, **options)

    def post(self, path: str, **options: object) -> httpx2.Response:
        return httpx2.post(self.url + path, timeout=30, **options)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


class Remit:
    """Runs `remit …` with one policy repository; `data` is the data folder unless told otherwise."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder = folder
        self.repo = folder / "policy"
        self.data = folder / "data"
        kept = {k: v for k, v in os.environ.items() if not k.startswith("REMIT_")}
        # Compiled modules are shared by all processes of a test session: it starts many.
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        self.environ = {
            **kept,
            "PYTHONPYCACHEPREFIX": str(cache),
            "NO_COLOR": "1",
            "REMIT_BILLING_JOB_SECRET": SECRET,
            "CRM_GATEWAY_TOKEN": "a-token-for-the-crm-of-the-example",
        }

    def run(
        self, *arguments: str, stdin: str = "", environ: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "remit", *arguments],
            cwd=self.folder,
            env={**self.environ, **(environ or {})},
            input=stdin,
            text=True,
            capture_output=True,
            timeout=90,
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return done

    def ok(self, *arguments: str, stdin: str = "") -> str:
        """What a command that must succeed prints."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def serving(
        self, *flags: str, data: Path | None = None, environ: Mapping[str, str] | None = None
    ) -> Iterator[Server]:
        """A server that answers `/readyz`, stopped at the end if the test has not done it."""
        data = data or self.data
        log = self.folder / f"{data.name}.log"
        command = [
            sys.executable, "-m", "remit", "serve", "--repo", str(self.repo), "--data", str(data),
            "--log-format", "json", *flags,
        ]  # fmt: skip
        if "--port" not in flags:
            command += ["--port", "0"]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**self.environ, **(environ or {})},
                stdout=output,
                stderr=output,
            )
        try:
            yield Server(process, log, _ready(process, log))
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(10)


def _ready(process: subprocess.Popen[bytes], log: Path) -> int:
    """The port it listens on, once it says that it is ready."""
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r'"port": (\d+)', log.read_text())
        if found is not None:
            port = int(found[1])
            try:
                if httpx2.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200:
                    return port
            except httpx2.TransportError:
                pass
        time.sleep(0.02)
    raise AssertionError(f"remit did not become ready:\n{log.read_text()[-4000:]}")


@pytest.fixture(scope="session")
def bytecode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bytecode")


@pytest.fixture
def remit(tmp_path: Path, bytecode: Path) -> Remit:
    """A Remit with the example repository; nothing runs yet."""
    made = Remit(tmp_path, bytecode)
    write_example(made.repo)
    return made


@pytest.fixture(scope="session")
def _opened_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a migrated database and its keys."""
    folder = tmp_path_factory.mktemp("opened")
    write_example(folder / "policy")

    async def once() -> None:
        async with build(Settings(repo=folder / "policy", data=folder / "data"), environ={}):
            pass

    asyncio.run(once())
    return folder / "data"


@pytest.fixture
def settings(tmp_path: Path, _opened_once: Path) -> Settings:
    """Settings of a Remit in this process, opened once before."""
    write_example(tmp_path / "rules")
    data = tmp_path / "state"
    data.mkdir(mode=0o700)
    for name in ("remit.sqlite3", "master.key"):
        shutil.copy(_opened_once / name, data / name)
    return Settings(repo=tmp_path / "rules", data=data)


@pytest.fixture
async def app(settings: Settings, clock: FixedClock) -> AsyncIterator[App]:
    """A whole Remit in this process, its clock standing still."""
    async with build(settings, environ={}, clock=clock) as opened:
        yield opened
