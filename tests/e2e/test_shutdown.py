"""A process that is told to stop finishes what it began, and its log proves it."""

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from remit.audit import Verdict, tail, verify_log
from remit.demo.person import Person
from remit.demo.stage import (
    Stage,
    _process,
    _remit,
    _until_listening,
    _until_ready,
    _write_repository,
    free_port,
)
from tests.e2e.application import application
from tests.e2e.wire import ask

pytestmark = pytest.mark.e2e

PATIENCE = 60.0
READ = {"name": "get_account", "arguments": {"organization_id": "acme", "account_id": "acc-1001"}}


@dataclass(frozen=True, slots=True)
class House:
    """A Remit whose process the test holds, in front of a CRM that answers when it is let."""

    stage: Stage
    process: asyncio.subprocess.Process
    token: str

    async def begin_call(self) -> "asyncio.Task[httpx2.Response]":
        """A call that has arrived upstream, and waits there."""
        server = self.stage.server("crm")
        call = asyncio.create_task(ask(server, "tools/call", READ, token=self.token))
        await _until((self.stage.folder / "begun").exists)
        return call

    async def told_to_stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        log = self.stage.folder / "remit.log"
        await _until(lambda: '"stopping"' in log.read_text())

    def release(self) -> None:
        (self.stage.folder / "release").touch()

    def outcomes(self) -> list[str]:
        """What became of the calls, in a log that verifies to its last record."""
        report = verify_log(self.stage.data / "audit")
        assert report.verdict is Verdict.VALID
        rows = tail(self.stage.data / "audit", count=50)
        return [row.outcome for row in rows if row.what == "call.completed"]


@asynccontextmanager
async def _house(folder: Path, *options: str) -> AsyncIterator[House]:
    crm_port, port = free_port(), free_port()
    _write_repository(folder / "policy", crm_port)
    environment = {"CRM_GATEWAY_TOKEN": "gateway", "REMIT_BILLING_JOB_SECRET": "a job's secret"}
    crm = [sys.executable, "-m", "tests.e2e.servers.slow_crm", str(crm_port), str(folder)]
    serve = _remit(
        "serve",
        "--repo", str(folder / "policy"),
        "--data", str(folder / "data"),
        "--port", str(port),
        *options,
    )  # fmt: skip
    async with (
        _process(crm, folder / "crm.log", environment),
        _process(serve, folder / "remit.log", environment) as process,
    ):
        url = f"http://127.0.0.1:{port}"
        await _until_ready(f"{url}/readyz", process, folder / "remit.log")
        await _until_listening(crm_port, folder / "crm.log")
        stage = Stage(
            folder=folder, url=url, username="dana", password="correct horse", ready_seconds=0
        )
        await stage.remit(
            "users", "add", "dana", "--tenant", "acme", "--role", "support",
            "--password-stdin", stdin="correct horse\n",
        )  # fmt: skip
        yield House(stage, process, await _token(stage))


async def _token(stage: Stage) -> str:
    dana = Person(username=stage.username, password=stage.password, keeps=lambda _: True)
    async with application(stage) as client:
        callback = await dana.walk(client.request(), client.redirect_uri)
        (code,) = parse_qs(urlsplit(callback).query)["code"]
        return (await client.redeem(code))["access_token"]


async def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_a_call_in_flight_is_answered_and_nobody_else_is_let_in(tmp_path):
    async with _house(tmp_path, "--shutdown-grace", "60") as house:
        call = await house.begin_call()
        await house.told_to_stop()
        late = None
        with contextlib.suppress(httpx2.TransportError):  # the door may be shut already
            late = await ask(house.stage.server("crm"), "tools/call", READ, token=house.token)
        assert late is None or late.status_code == 503
        assert house.process.returncode is None
        assert not call.done()
        house.release()
        answer = await asyncio.wait_for(call, PATIENCE)
        assert answer.status_code == 200
        assert "at last" in answer.text
        assert await asyncio.wait_for(house.process.wait(), PATIENCE) == 0
        assert house.outcomes() == ["ok"]


async def test_a_call_beyond_the_grace_is_not_waited_for_and_not_forgotten(tmp_path):
    async with _house(tmp_path, "--shutdown-grace", "1") as house:
        call = await house.begin_call()
        await house.told_to_stop()
        assert await asyncio.wait_for(house.process.wait(), PATIENCE) == 0
        try:
            answer = await asyncio.wait_for(call, PATIENCE)
        except httpx2.TransportError:
            pass  # cut off
        else:
            assert "at last" not in answer.text
        (outcome,) = house.outcomes()
        assert outcome != "ok"
        assert "Traceback" not in (house.stage.folder / "remit.log").read_text()
