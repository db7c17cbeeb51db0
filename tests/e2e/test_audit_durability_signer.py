"""A signer that is stopped: calls go on for as long as they may unsigned, and no longer; taking away goes on."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from remit.audit import read_events
from tests.e2e.durability import Account, House, house_in, until
from tests.e2e.test_audit_durability import events, not_ready, ready

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform != "linux", reason="the signer is found by /proc"),
]


def signer_of(house: House) -> int:
    """The process id of the signer, a child of the gateway."""
    assert house.process is not None
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == house.process.pid and b"remit.signer" in command:
            return int(folder.name)
    raise AssertionError("the gateway has no signer")


async def test_a_signer_that_is_stopped_stops_what_is_allowed_and_nothing_that_is_taken_away(
    tmp_path,
):
    async with house_in(tmp_path, "--audit-unsigned", "3") as house:
        assert (await house.call("before")).status_code == 200
        async with no_signer(house):
            assert (await house.call("unsigned")).status_code == 200
            await not_ready(house)
            reached = house.executed()
            for n in range(3):
                assert (await house.call(f"refused-{n}")).status_code == 503
            assert house.executed() == reached
            await house.remit("agents", "suspend", "billing-job", "--reason", "nobody signs")
            assert [e["reason"] for e in events(house, "agent.suspended")] == ["nobody signs"]
        await ready(house)
        assert (await house.call("after")).status_code == 200
        await house.stop()
        Account.of(house).check(house)
        said = [entry["kind"] for entry in read_events(house.data / "audit" / "main")]
        assert "signer.lost" in said
        assert "signer.recovered" in said


@asynccontextmanager
async def no_signer(house: House) -> AsyncIterator[None]:
    """Stop the signer, and each that is started in its place."""
    stopped: set[int] = set()

    async def stop() -> None:
        while True:
            with suppress(AssertionError, ProcessLookupError):
                signer = signer_of(house)
                os.kill(signer, signal.SIGSTOP)
                stopped.add(signer)
            await asyncio.sleep(0.02)

    stopping = asyncio.create_task(stop())
    try:
        await until(lambda: bool(stopped))
        yield
    finally:
        stopping.cancel()
        for signer in stopped:
            with suppress(ProcessLookupError):
                os.kill(signer, signal.SIGCONT)


async def test_a_signer_that_is_killed_is_started_again_and_nobody_is_refused(tmp_path):
    async with house_in(tmp_path) as house:
        first = signer_of(house)
        os.kill(first, signal.SIGKILL)
        for n in range(5):
            assert (await house.call(f"meanwhile-{n}")).status_code == 200
        await until(lambda: _has_another(house, first))
        await house.stop()
        Account.of(house).check(house)


def _has_another(house: House, first: int) -> bool:
    try:
        return signer_of(house) != first
    except AssertionError:
        return False
