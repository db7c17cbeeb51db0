import asyncio
import threading

import pytest

from remit.app import standing as room
from remit.app.metrics import Metrics
from remit.app.standing import StandingRefresh
from remit.db import Database
from remit.errors import UnavailableError
from remit.guard.ports import Standing


class Readings:
    """Readings of standing, made to fail on request."""

    def __init__(self) -> None:
        self.version = 0
        self.failing: Exception | None = None
        self.published: list[int] = []
        self.arrived = asyncio.Event()
        self.failed = threading.Event()

    def read(self, tx, now) -> Standing:
        if self.failing is not None:
            self.failed.set()
            raise self.failing
        return Standing(as_of=self.version)

    def publish(self, standing: Standing) -> None:
        self.published.append(standing.as_of)
        self.arrived.set()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(version="0", is_server=lambda _: False)


@pytest.fixture
def readings() -> Readings:
    return Readings()


@pytest.fixture
def refresh(database: Database, readings, clock, metrics, monkeypatch) -> StandingRefresh:
    monkeypatch.setattr(room, "INTERVAL", 0.01)
    return StandingRefresh(
        database,
        readings.publish,
        read=readings.read,
        clock=clock,
        metrics=metrics,
    )


async def test_what_was_committed_before_is_in_force_when_it_returns(refresh, readings):
    readings.version = 7
    await refresh.now()
    assert readings.published == [7]


async def test_many_at_once_never_publish_an_older_one_after_a_newer(refresh, readings):
    async def bump() -> None:
        readings.version += 1
        await refresh.now()

    await asyncio.gather(*(bump() for _ in range(20)))
    assert readings.published == sorted(readings.published)
    assert readings.published[-1] == 20


async def test_a_failure_reaches_who_asked_and_publishes_nothing(refresh, readings):
    readings.failing = UnavailableError("the database does not answer")
    with pytest.raises(UnavailableError):
        await refresh.now()
    assert readings.published == []


@pytest.mark.parametrize(
    "failure", [UnavailableError("the database does not answer"), RuntimeError("unforeseen")]
)
async def test_the_task_outlives_failures_and_counts_them(refresh, readings, metrics, failure):
    readings.failing = failure
    task = asyncio.create_task(refresh.run())
    try:
        async with asyncio.timeout(60):
            await asyncio.to_thread(readings.failed.wait, 10)
            assert readings.published == []
            readings.failing = None
            await readings.arrived.wait()
    finally:
        task.cancel()
    assert readings.published
    assert metrics.registry.get_sample_value("remit_standing_failures_total")
