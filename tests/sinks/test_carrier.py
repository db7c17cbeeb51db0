"""What is carried arrives in order and not oftener than it has to, whatever one batch, one log or one receiver does."""

import asyncio
from dataclasses import replace

import pytest

from remit.audit.events import AuditGapFound
from remit.sinks import carrier as carrying
from remit.sinks.carrier import Carrier, word_of
from remit.sinks.cursor_store import claim, list_cursors
from remit.sinks.port import BatchRules, SinkDownError, SinkRefusedError
from remit.testing.clock import FixedClock

pytestmark = pytest.mark.timeout(60)


class Receiver:
    """A sink that does with each batch what `answer` says; `taken` is what it kept."""

    def __init__(self, answer=None, batch=None):
        self.batch = batch or BatchRules(records=20)
        self.answer = answer or (lambda some: None)
        self.taken, self.asked = [], []

    async def send(self, some):
        self.asked.append([one.sequence for one in some])
        answered = self.answer(some)
        if answered is not None:
            await answered
        self.taken += some

    async def close(self):
        """Nothing is open."""

    @property
    def numbers(self):
        return [one.sequence for one in self.taken]


@pytest.fixture
def pauses(monkeypatch):
    """Seconds that were waited between attempts; nobody really waits for long."""
    waited = []

    async def rest(self, seconds):
        waited.append(seconds)
        await asyncio.sleep(0.001)

    monkeypatch.setattr(Carrier, "_rest", rest)
    return waited


@pytest.fixture
def carry(world, pauses, log):
    """Have this receiver get the log of the test, until something is so."""
    world.declare()

    async def carry(receiver, until, *, clock=None, begin=0):
        deps = world.deps if clock is None else replace(world.deps, clock=clock)
        one = Carrier(world.rules["siem"], deps, world.fleet._readers)
        one._opened.get = lambda: _given(receiver)
        now = deps.clock.now()
        cursor = await world.database.run(
            lambda tx: claim(tx, "siem", "remit/main", holder="main", begin=begin, now=now)
        )
        one.take(cursor)
        task = asyncio.create_task(one.run())
        try:
            for _ in range(2_000):
                if until():
                    return one
                await asyncio.sleep(0.005)
            raise AssertionError(f"it never came about: {receiver.asked[-5:]}")
        finally:
            task.cancel()
            await asyncio.wait({task})
            await one.close()

    return carry


async def _given(receiver):
    return receiver


async def test_what_was_taken_before_a_failure_is_not_sent_again(carry, write):
    """Half of a batch is taken, then the receiver is away: what it has it does not get twice."""
    away = [3]

    def answer(some):
        if len(some) > 10:
            raise SinkRefusedError("too_many")
        if some[0].sequence >= 10 and away[0]:
            away[0] -= 1
            raise SinkDownError("answered_503")

    receiver = Receiver(answer)
    write(19)
    await carry(receiver, lambda: len(receiver.taken) >= 20)
    assert receiver.numbers == list(range(20))


async def test_neighbours_that_are_refused_are_one_gap(world, carry, write):
    def answer(some):
        if any(7 <= one.sequence < 16 and b"omitted" not in one.content for one in some):
            raise SinkRefusedError("answered_400")

    receiver = Receiver(answer)
    write(30)
    await carry(receiver, lambda: len(receiver.taken) == 31 and world.events.of(AuditGapFound))
    assert receiver.numbers == list(range(31))
    assert [(one.first, one.last) for one in world.events.of(AuditGapFound)] == [(7, 15)]


async def test_a_gap_that_is_refused_is_no_gap_of_its_own(world, carry, log):
    """Or each would be the reason of the next, for as long as the disk has room."""

    def answer(some):
        if any(b"omitted" not in one.content for one in some):
            raise SinkRefusedError("answered_400")

    log.record([AuditGapFound(sink="other", log="remit/main", first=1, last=2)] * 5)
    receiver = Receiver(answer)
    await carry(receiver, lambda: len(receiver.taken) == 6)
    assert [(one.first, one.last) for one in world.events.of(AuditGapFound)] == [(0, 0)]


async def test_nothing_is_sent_of_a_log_that_is_held_no_more(world, carry, write, pauses):
    """As after a sleep of the machine: somebody else may have gone on with it since."""
    clock = FixedClock(world.clock.now())

    async def sleeps():
        clock.advance(31)

    receiver = Receiver(lambda some: sleeps(), BatchRules(records=5))
    write(50)
    await carry(receiver, lambda: len(pauses) >= 5, clock=clock)
    assert receiver.numbers == list(range(5))


async def test_a_receiver_that_says_how_long_it_wants_to_be_left_alone_is(carry, write, pauses):
    asks = [7.0, 90_000.0, float("nan"), -3.0, None]

    def answer(some):
        if asks:
            raise SinkDownError("answered_429", wait=asks.pop(0))

    receiver = Receiver(answer)
    await carry(receiver, lambda: receiver.taken)
    failed = [one for one in pauses if one != carrying._IDLE][:5]
    for waited, (least, most) in zip(
        failed, ((5.6, 8.4), (240, 360), (1.6, 2.4), (4, 6), (8, 12)), strict=True
    ):
        assert least <= waited <= most


async def test_what_is_kept_back_until_there_is_more_is_read_once(world, carry, write):
    """And goes out whole when there is enough, however few records are looked at in one go."""
    reads = []
    source = world.source.read
    world.source.read = lambda log, start, *, limit: (
        reads.append(start) or source(log, start, limit=limit)
    )
    receiver = Receiver(batch=BatchRules(records=60, wait=3_000.0))
    write(50)
    one = asyncio.ensure_future(carry(receiver, lambda: receiver.taken))
    await asyncio.sleep(0.2)
    assert not receiver.asked
    write(20, first=50)
    await one
    assert receiver.numbers == list(range(60))
    assert reads.count(0) == 1


async def test_what_comes_to_no_answer_in_time_is_tried_with_less(carry, write):
    def answer(some):
        if len(some) > 6:
            raise SinkDownError("timed_out")

    receiver = Receiver(answer)
    write(99)
    await carry(receiver, lambda: len(receiver.taken) >= 100)
    assert receiver.numbers == list(range(100))
    assert len(receiver.asked[0]) == len(receiver.asked[1]) == 20


async def test_a_log_that_cannot_be_read_keeps_no_other_back(world, carry, write):
    write(30)

    def read(log, start, *, limit):
        if log == "remit/broken":
            raise OSError(5, "input/output error")
        return source(log, start, limit=limit)

    source, world.source.read = world.source.read, read
    receiver = Receiver()
    broken = None

    def until():
        nonlocal broken
        return len(receiver.taken) >= 31 and world.counts.failures

    original = Carrier.take

    def take(self, cursor):
        original(self, replace(cursor, log="remit/broken"))
        original(self, cursor)

    Carrier.take = take
    try:
        await carry(receiver, until)
    finally:
        Carrier.take = original
    assert receiver.numbers == list(range(31))
    assert ("siem", "log_unreadable") in world.counts.failures


async def test_what_is_written_down_is_never_ahead_of_what_was_taken(world, carry, write):
    """A process that is killed at any moment has something sent again, and nothing left out."""
    ahead = []

    async def look():
        for one in await world.database.read(list_cursors):
            ahead.append(one.position - len(receiver.taken))

    receiver = Receiver(lambda some: look(), BatchRules(records=7))
    write(200)
    await carry(receiver, lambda: len(receiver.taken) == 201)
    assert max(ahead) <= 0


def test_what_is_shown_of_a_failure_is_a_word_of_ours():
    assert word_of(RuntimeError("hunter2")) == "RuntimeError"
    assert word_of(SinkDownError("answered_500")) == "answered_500"
    assert word_of(TimeoutError()) == "timed_out"
    assert word_of(SinkDownError("a\n\x1b[31m\u202eb" + "x" * 9_000)) == "a__[31m_b" + "x" * 91
    assert word_of(SinkRefusedError("")) == "sink_refused"
