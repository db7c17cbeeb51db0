import asyncio

import pytest
import structlog

from remit.app.repetition import for_ever

LOG = structlog.stdlib.get_logger("remit.tests")


class Work:
    """Fails when its turn in `turns` says so, and ends the task when there are no more turns."""

    def __init__(self, *turns: str) -> None:
        self._turns = list(turns)

    async def __call__(self) -> None:
        if not self._turns:
            raise asyncio.CancelledError
        if self._turns.pop(0) == "fail":
            raise ValueError("broken")


async def said(*turns: str) -> tuple[list[str], int]:
    failures = []
    with structlog.testing.capture_logs() as logs, pytest.raises(asyncio.CancelledError):
        await for_ever(
            Work(*turns), every=0, log=LOG, what="rows", failed=lambda: failures.append(1)
        )
    return [line["event"] for line in logs], len(failures)


async def test_a_failure_is_said_once_and_counted_each_time():
    assert await said("fail", "fail", "fail") == (["rows_unreadable"], 3)


async def test_that_it_is_over_is_said_and_the_next_failure_is_a_new_one():
    logged, failures = await said("fail", "go", "go", "fail")
    assert logged == ["rows_unreadable", "rows_readable_again", "rows_unreadable"]
    assert failures == 2


async def test_what_goes_well_says_nothing():
    assert await said("go", "go") == ([], 0)


async def test_it_ends_when_its_owner_ends_it():
    task = asyncio.create_task(for_ever(Work(), every=3_600, log=LOG, what="rows"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
