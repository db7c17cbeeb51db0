"""What a caller was answered is in the log, whatever happened to the process, the disk or the power."""

import asyncio
import random

import httpx2
import pytest

from remit.audit import read_events, verify_log
from tests.e2e.durability import (
    Account,
    ForgetfulDisk,
    House,
    house_in,
    kill_under_load,
    until,
)

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not ForgetfulDisk.is_possible(), reason="there is no C compiler here"),
]


def events(house: House, kind: str) -> list[dict]:
    return [e["body"] for e in read_events(house.data / "audit" / "main") if e["kind"] == kind]


async def test_a_gateway_that_is_killed_under_load_loses_nothing_that_it_answered(tmp_path):
    async with house_in(tmp_path) as house:
        await kill_under_load(house, kills=3, chance=random.Random(1))
        await house.stop()
        account = Account.of(house)
        account.check(house)
        assert len(house.told.allowed) > 3
        unknown = [e for e in events(house, "call.completed") if e["outcome"] == "unknown"]
        assert all(e["reconciled"]["log"] == "remit/main" for e in unknown)


@pytest.fixture
def disk(tmp_path) -> ForgetfulDisk:
    return ForgetfulDisk(root=tmp_path / "data" / "audit", folder=tmp_path / "disk")


async def test_a_power_cut_loses_nothing_that_was_answered(tmp_path, disk):
    async with house_in(tmp_path, environment=disk.environment) as house:
        stop = asyncio.Event()
        load = asyncio.create_task(house.hurry("power", callers=16, until=stop))
        await until(lambda: len(house.told.allowed) > 50)
        await house.kill()
        stop.set()
        await load
        disk.cut_power(random.Random(2))
        assert disk.syncs() > 0
        await house.start()
        await house.call("after")
        await house.stop()
        Account.of(house).check(house)


async def test_a_disk_that_lies_would_be_found_out(tmp_path, disk):
    """The control of the test above: where a sync does nothing, a power cut takes what was answered."""
    async with house_in(tmp_path, environment=disk.environment) as house:
        disk.set("l")
        for n in range(5):
            await house.call(f"lost-{n}")
        assert len(house.told.allowed) == 5
        await house.kill()
        disk.cut_power(NothingSurvives())
        decided = Account.of(house).decided
        assert not house.told.allowed & decided


class NothingSurvives(random.Random):
    def randint(self, a, b):
        return a


@pytest.mark.parametrize("fault", ["e", "r"], ids=["input/output error", "read-only"])
async def test_a_disk_that_fails_lets_no_call_through_until_it_works(tmp_path, disk, fault):
    async with house_in(tmp_path, environment=disk.environment) as house:
        assert (await house.call("before")).status_code == 200
        disk.set(fault)
        for n in range(3):
            assert (await house.call(f"refused-{n}")).status_code == 503
        assert house.executed() == ["before"]
        await not_ready(house)
        disk.set("0")
        await ready(house)
        assert (await house.call("after")).status_code == 200
        assert house.executed() == ["before", "after"]
        await house.stop()
        Account.of(house).check(house)
        assert events(house, "audit.recovered")


async def test_a_full_disk_without_a_reserve_lets_no_call_through(tmp_path, disk):
    async with house_in(tmp_path, environment=disk.environment) as house:
        disk.set("f")
        answers = await asyncio.gather(*(house.call(f"refused-{n}") for n in range(10)))
        assert {answer.status_code for answer in answers} == {503}
        assert house.executed() == []
        disk.set("0")
        await ready(house)
        assert (await house.call("after")).status_code == 200


async def not_ready(house: House) -> None:
    for _ in range(200):
        found = await house.readiness()
        if found["checks"]["audit"] == "failed":
            return
        await asyncio.sleep(0.05)
    raise AssertionError("readiness does not say that the log has failed")


async def ready(house: House) -> None:
    for _ in range(400):
        try:
            if (await house.readiness())["status"] == "ready":
                return
        except httpx2.HTTPError:
            pass
        await asyncio.sleep(0.05)
    raise AssertionError("it does not recover")


async def test_the_log_of_all_that_verifies_and_says_what_was_cut_off(tmp_path, disk):
    async with house_in(tmp_path, environment=disk.environment) as house:
        await house.call("one")
        await house.kill()
        with next((house.data / "audit" / "main").glob("*.jsonl")).open("ab") as file:
            file.write(b'{"actor":{"id":null,')
        await house.start()
        await house.stop()
        assert events(house, "audit.started")[-1]["repaired_bytes"] == 20
        assert verify_log(house.data / "audit").exit_code == 0
