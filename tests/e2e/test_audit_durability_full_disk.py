"""On a disk that is really full no call goes through, and rights can still be taken away."""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from remit.audit import read_events
from tests.e2e.durability import Account, House, house_in
from tests.e2e.test_audit_durability import events, not_ready, ready

pytestmark = pytest.mark.e2e

MIB = 1024 * 1024
SIZE = 224


@pytest.fixture
def small(tmp_path) -> Iterator[Path]:
    """A file system of a few hundred MiB of its own, where one may be mounted."""
    place = tmp_path / "small"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}m,mode=0700", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip("nothing can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path) -> None:
    """Take every byte that is free."""
    with (place / "filler").open("ab", buffering=0) as file:
        for size in (MIB, 4096, 1):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass
    assert os.statvfs(place).f_bavail == 0


async def call_until(house: House, name: str, status: int) -> None:
    for n in range(200):
        if (await house.call(f"{name}-{n}")).status_code == status:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"no call is answered with {status}")


def grant_of(house: House) -> str:
    """Under which Dana's application calls."""
    said = [e for e in read_events(house.data / "audit" / "main") if e["kind"] == "token.issued"]
    return str(said[-1]["grant"])


async def test_on_a_full_disk_nothing_is_allowed_and_rights_are_taken_away(tmp_path, small):
    async with house_in(tmp_path, data=small / "data") as house:
        await house.call("before")
        grant = grant_of(house)
        fill(small)
        await call_until(house, "filled", 503)
        reached = house.executed()
        for n in range(5):
            assert (await house.call(f"refused-{n}")).status_code == 503
        assert house.executed() == reached
        await not_ready(house)
        fill_again(small)

        await house.remit("agents", "suspend", "billing-job", "--reason", "the disk is full")
        fill_again(small)
        await house.remit("grants", "revoke", grant)
        assert [e["reason"] for e in events(house, "agent.suspended")] == ["the disk is full"]
        assert len(events(house, "grant.revoked")) == 1
        kept = (house.data / "audit" / "main" / "reserve").stat().st_size
        assert 0 < kept < 64 * MIB
        assert house.executed() == reached

        (small / "filler").unlink()
        await ready(house)
        assert (await house.call("revoked")).status_code == 401
        assert (house.data / "audit" / "main" / "reserve").stat().st_size == 64 * MIB
        await house.log_in()
        assert (await house.call("after")).status_code == 200
        assert house.executed() == [*reached, "after"]
        await house.stop()
        Account.of(house).check(house)
        said = [e["kind"] for e in read_events(house.data / "audit" / "main")]
        assert "disk.filling" in said
        assert "audit.recovered" in said


def fill_again(place: Path) -> None:
    """Somebody else on the machine takes what the reserve gave up."""
    fill(place)


async def test_a_gateway_that_starts_on_a_full_disk_takes_rights_away_and_gives_none(
    tmp_path, small
):
    async with house_in(tmp_path, data=small / "data") as house:
        await house.call("before")
        await house.stop()
        fill(small)
        await house.start(ready=False)
        await call_until(house, "refused", 503)
        await house.remit("agents", "suspend", "billing-job", "--reason", "the disk is full")
        assert len(events(house, "agent.suspended")) == 1
        assert house.executed() == ["before"]
