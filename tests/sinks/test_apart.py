"""What a plug-in waits for or does wrong is its own: nobody else waits, and nothing ends."""

import asyncio
import threading
import time

import pytest

from remit.sinks.apart import Apart, beside
from remit.sinks.port import BatchRules, SinkDownError
from remit.sinks.receivers.options import SinkMisdeclaredError
from remit.testing.audit_sink import AuditSinkContract, SinkSubject, sample_shipments

pytestmark = pytest.mark.timeout(30)


class Plugin:
    """Keeps ids. `act` is done before it takes anything."""

    def __init__(self, act=None, *, closing=None):
        self.ids, self.threads = [], set()
        self.act, self.closing = act, closing
        self.batch = BatchRules()

    async def send(self, shipments):
        self.threads.add(threading.current_thread())
        if self.act is not None:
            await self.act()
        self.ids += [one.id for one in shipments]

    async def close(self):
        if self.closing is not None:
            await self.closing()


@pytest.fixture
async def apart():
    made = []

    def make(plugin):
        made.append(Apart(lambda: plugin, "kept"))
        return made[-1]

    yield make
    for one in made:
        await one.close()


class TestContract(AuditSinkContract):
    """A plug-in that keeps to the contract keeps to it there too."""

    @pytest.fixture
    async def subject(self, apart):
        plugin = Plugin()
        waiting = asyncio.Event()

        async def fail():
            async def act():
                raise SinkDownError("away")

            plugin.act = act

        async def mend():
            plugin.act = None

        async def stall():
            plugin.act = waiting.wait

        return SinkSubject(
            sink=apart(plugin), received=lambda: plugin.ids, fail=fail, mend=mend, stall=stall
        )


async def test_a_plug_in_that_blocks_its_loop_keeps_nobody_waiting(apart):
    free = threading.Event()

    async def block():
        free.wait(20)

    plugin = Plugin(block)
    sink = apart(plugin)
    sending = asyncio.ensure_future(sink.send(sample_shipments(1)))
    turns = 0
    while turns < 20:
        await asyncio.sleep(0)
        turns += 1
    assert not sending.done()
    free.set()
    await sending
    assert threading.current_thread() not in plugin.threads


@pytest.mark.parametrize("raised", [SystemExit(1), KeyboardInterrupt(), SinkDownError("x")])
async def test_what_would_end_a_program_is_a_failure_and_the_next_is_taken(apart, raised):
    async def act():
        raise raised

    plugin = Plugin(act)
    sink = apart(plugin)
    with pytest.raises(SinkDownError):
        await sink.send(sample_shipments(1))
    plugin.act = None
    await sink.send(sample_shipments(1))
    assert len(plugin.ids) == 1


async def test_whatever_it_raises_is_that_it_did_not_take_them(apart):
    async def act():
        raise RuntimeError("hunter2")

    sink = apart(Plugin(act))
    with pytest.raises(SinkDownError) as raised:
        await sink.send(sample_shipments(1))
    assert raised.value.detail == "RuntimeError"


async def test_what_is_no_longer_waited_for_goes_on_beside_nothing_else(apart):
    """It does not let itself be cancelled; what is sent next waits until it is over."""
    begun, release, order = threading.Event(), threading.Event(), []

    async def stubborn():
        begun.set()
        while not release.is_set():
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                order.append("would not")
        order.append("over")

    plugin = Plugin(stubborn)
    sink = apart(plugin)
    first = asyncio.ensure_future(sink.send(sample_shipments(1)))
    await asyncio.to_thread(begun.wait)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    second = asyncio.ensure_future(sink.send(sample_shipments(1, first=1)))
    await asyncio.sleep(0.05)
    assert not second.done()
    release.set()
    plugin.act = None
    await second
    assert order[0] == "would not"
    assert plugin.ids[-1] == sample_shipments(1, first=1)[0].id


async def test_who_never_closes_is_left(apart):
    sink = apart(Plugin(closing=asyncio.Event().wait))
    await sink.close()
    sink._thread.join(10)
    with pytest.raises(SinkDownError, match="plug_in_closed"):
        await sink.send(sample_shipments(1))
    await sink.close()


def test_what_is_no_sink_is_none():
    class Odd(Plugin):
        def __init__(self):
            super().__init__()
            self.batch = {"records": 3}

    for make in (object, Odd, lambda: None):
        with pytest.raises(SinkMisdeclaredError, match="no sink"):
            Apart(make, "odd")


def test_what_happens_beside_is_told_to_whoever_asked():
    assert beside(lambda: 7).result(10) == 7
    with pytest.raises(SystemExit):
        beside(lambda: (_ for _ in ()).throw(SystemExit(3))).result(10)
    before = time.monotonic()
    hung = beside(threading.Event().wait)
    assert not hung.done()
    assert time.monotonic() - before < 10
