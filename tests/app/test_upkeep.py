import asyncio

import pytest

from remit.app import upkeep as room
from remit.app.upkeep import forget_expired, keep_counts, keep_up, record_counts
from remit.audit import Context, FloodLimits, TallyingAuditLog
from remit.audit.events import RefusalsCounted
from remit.clock import EpochSeconds
from remit.db.throttle import count_attempt, network_of
from remit.errors import UnavailableError
from remit.testing.audit import InMemoryAuditLog

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

    task = asyncio.create_task(keep_up(Failing(), None, clock))
    async with asyncio.timeout(10):
        await again.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.fixture
def flooded(clock):
    """A log in which one refusal has been counted, and the tally before it."""
    log = InMemoryAuditLog()
    limits = FloodLimits(per_network=0)
    audit = TallyingAuditLog(log, clock, network_of=network_of, limits=limits)
    assert audit.count_refusal(Context(), where="token", error="invalid_client")
    return log, audit


async def test_what_was_counted_is_recorded_when_its_window_ends(flooded, monkeypatch):
    log, audit = flooded
    monkeypatch.setattr(room, "WINDOW", 0.01)
    task = asyncio.create_task(keep_counts(audit))
    async with asyncio.timeout(10):
        while not log.of(RefusalsCounted):  # noqa: ASYNC110  it is the log that is waited for
            await asyncio.sleep(0.01)
    task.cancel()
    assert [one.count for one in log.of(RefusalsCounted)] == [1]


async def test_counts_that_the_log_cannot_take_stop_nothing_and_come_later(flooded):
    log, audit = flooded
    log.failing = True
    await record_counts(audit)
    log.failing = False
    await record_counts(audit)
    assert [one.count for one in log.of(RefusalsCounted)] == [1]
