"""What whoever manages sinks sees and does."""

import pytest

from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import SinkReset, SinkTested
from remit.errors import ConflictError, NotFoundError
from remit.sinks.desk import SinkDesk
from tests.sinks.collecting import Collector, Reply

ADMIN = Context(actor=Actor(ActorType.ADMIN, "usr_1"))


@pytest.fixture
def desk(world, log):
    return SinkDesk(world.deps, log)


async def test_a_sink_that_got_nothing_yet_is_seen(world, desk):
    world.declare(url="https://localhost/")
    [state] = await desk.survey()
    assert (state.rules.name, state.cursor, state.lag, state.is_held) == ("siem", None, None, False)


async def test_how_far_it_is_and_who_carries_it_is_seen(world, write, desk):
    async with Collector(lambda _: Reply(500)) as collector:
        world.declare(url=collector.url)
        write(10)
        await world.until(lambda: len(world.counts.failures) > 1)
        [state] = await desk.survey()
        assert state.is_held
        assert (state.cursor.position, state.lag.behind) == (0, 11)
        assert state.cursor.error == "answered_500"


async def test_a_record_of_the_log_is_sent_to_try_it(world, desk, log):
    async with Collector() as collector:
        world.declare(url=collector.url)
        assert await desk.test("siem", context=ADMIN) is None
        [record] = collector.requests[0].json()["data"]["records"]
        assert (record["kind"], record["body"]) == ("sink.tested", {"sink": "siem"})
        assert record["actor"] == {"type": "admin", "id": "usr_1"}
        collector.answer = lambda _: Reply(403)
        assert await desk.test("siem", context=ADMIN) == "answered_403"
    assert await desk.test("siem", context=ADMIN) == "unreachable"
    assert SinkTested.kind == "sink.tested"


async def test_why_it_cannot_be_tried_is_said_without_a_secret(world, desk):
    world.declare(url="https://localhost/", secret="env:NOWHERE")
    said = await desk.test("siem", context=ADMIN)
    assert said.startswith("sink_misdeclared")


async def test_it_is_set_back_and_gets_everything_again(world, write, desk, events):
    async with Collector() as collector:
        world.declare(url=collector.url)
        write(10)
        await world.until(lambda: sum(_count(one) for one in collector.requests) == 11)
        await world.until(lambda: not any(one.behind for one in world.fleet.lags))
        collector.requests.clear()
        [before] = await desk.reset("siem", None, to="start", reason="anew", context=ADMIN)
        assert before.position == 11
        await world.until(lambda: sum(_count(one) for one in collector.requests) >= 11)
        [reset] = events.of(SinkReset)
        assert (reset.before, reset.after, reset.reason) == (11, 0, "anew")


async def test_it_is_set_forward_and_gets_nothing_between(world, write, desk):
    async with Collector(lambda _: Reply(500)) as collector:
        world.declare(url=collector.url)
        write(10)
        await world.until(lambda: world.counts.failures)
        await desk.reset("siem", "remit/main", to="end", reason="", context=ADMIN)
        collector.requests.clear()
        collector.answer = lambda _: Reply()
        write(2, first=10)
        await world.until(lambda: sum(_count(one) for one in collector.requests) == 2)


@pytest.mark.parametrize(
    ("name", "its_log", "to", "error"),
    [
        ("nobody", None, "start", NotFoundError),
        ("siem", "remit/other", "start", NotFoundError),
        ("siem", None, 900, ConflictError),
        ("siem", None, -1, ConflictError),
    ],
)
async def test_what_is_not_there_is_not_set(world, desk, name, its_log, to, error):
    async with Collector() as collector:
        world.declare(url=collector.url)
        await world.until(lambda: collector.requests)
        with pytest.raises(error):
            await desk.reset(name, its_log, to=to, reason="", context=ADMIN)


async def test_nobody_tries_what_is_not_declared(desk):
    with pytest.raises(NotFoundError):
        await desk.test("siem", context=ADMIN)


def _count(request):
    return len(request.json()["data"]["records"])
