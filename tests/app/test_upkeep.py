import asyncio

import pytest

from remit.app import upkeep as room
from remit.app.upkeep import forget_expired, keep_up
from remit.clock import EpochSeconds
from remit.db.throttle import count_attempt
from remit.errors import UnavailableError

NOW = EpochSeconds(1_767_625_200)


def test_what_has_long_expired_is_forgotten_and_the_rest_is_not(database):
    def attempts(tx):
        count_attempt(tx, "old", now=EpochSeconds(NOW - 3 * 86_400), window=300)
        count_attempt(tx, "new", now=NOW, window=300)

    database.run_now(attempts)
    assert database.run_now(lambda tx: forget_expired(tx, NOW)) == 1
    assert database.run_now(lambda tx: forget_expired(tx, NOW)) == 0


async def test_a_failure_is_tried_again(database, clock, monkeypatch):
    monkeypatch.setattr(room, "INTERVAL", 0.01)
    tries = 0
    again = asyncio.Event()

    class Failing:
        async def run(self, work):
            nonlocal tries
            tries += 1
            if tries == 2:
                again.set()
            raise UnavailableError("not now")

    task = asyncio.create_task(keep_up(Failing(), clock))
    async with asyncio.timeout(10):
        await again.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
