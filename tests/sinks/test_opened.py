"""A sink is opened beside everything else, once, and given up whatever it does."""

import asyncio
import threading

import pytest

from remit.model import SinkRules
from remit.sinks import opened
from remit.sinks.opened import OpenSink
from remit.sinks.port import BatchRules

pytestmark = pytest.mark.timeout(30)
RULES = SinkRules(name="siem", kind="webhook", url="https://localhost/")


class Kept:
    batch = BatchRules()

    def __init__(self, close=None):
        self.closed, self._close = 0, close

    async def close(self):
        self.closed += 1
        if self._close is not None:
            await self._close()


@pytest.fixture
def opening(monkeypatch):
    """What is opened, how often, and what is waited for meanwhile."""

    class Opening:
        def __init__(self):
            self.sink, self.count, self.free = Kept(), 0, threading.Event()
            self.free.set()

        def __call__(self, kind, settings):
            self.count += 1
            self.free.wait(20)
            return self.sink

    made = Opening()
    monkeypatch.setattr(opened, "open_sink", made)
    yield made
    made.free.set()


@pytest.fixture
def sink(world):
    return OpenSink(RULES, world.deps)


async def test_it_is_opened_once(sink, opening):
    assert await sink.get() is await sink.get() is opening.sink
    assert opening.count == 1


async def test_one_that_hangs_while_it_is_opened_is_waited_for_and_not_opened_again(
    sink, opening, monkeypatch
):
    monkeypatch.setattr(opened, "_OPENING", 0.01)
    opening.free.clear()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await sink.get()
    assert opening.count == 1
    opening.free.set()
    monkeypatch.setattr(opened, "_OPENING", 20.0)
    assert await sink.get() is opening.sink
    assert opening.count == 1


@pytest.mark.parametrize("how", ["raises", "hangs"])
async def test_one_that_does_not_close_well_is_given_up(sink, opening, monkeypatch, how):
    async def close():
        if how == "raises":
            raise RuntimeError("no")
        await asyncio.Event().wait()

    monkeypatch.setattr(opened, "_CLOSING", 0.01)
    opening.sink = Kept(close)
    await sink.get()
    await sink.close()
    await sink.close()
    assert opening.sink.closed == 1
