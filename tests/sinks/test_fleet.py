"""What is recorded reaches whoever the repository names, whatever becomes of them meanwhile."""

import base64
import hashlib
import hmac

import orjson
import pytest

from remit.audit.events import AuditGapFound, SinkLagging, SinkRecovered
from remit.sinks.cursor_store import list_cursors
from tests.sinks.collecting import Collector, Reply
from tests.sinks.made import WEBHOOK_SECRET

pytestmark = pytest.mark.timeout(60)


def numbers(collector):
    """The numbers of the records of each message that was answered well."""
    return [
        record["seq"] for request in collector.requests for record in request.json()["data"]["records"]
    ]  # fmt: skip


async def cursor_of(world, sink="siem"):
    found = await world.database.read(list_cursors)
    return next((one for one in found if one.sink == sink), None)


async def test_every_record_arrives_in_order_with_its_place_and_its_leaf(world, write):
    async with Collector() as collector:
        world.declare(url=collector.url)
        write(1_200)
        await world.until(lambda: len(numbers(collector)) == 1_201)
        assert numbers(collector) == list(range(1_201))
        for request in collector.requests:
            for record in request.json()["data"]["records"]:
                leaf, name = record.pop("leaf"), record.pop("log")
                line = orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
                assert leaf == hashlib.sha256(b"\0" + line).hexdigest()
                assert name == "remit/main"


async def test_what_is_posted_is_signed(world, write):
    async with Collector() as collector:
        world.declare(url=collector.url)
        await world.until(lambda: collector.requests)
        request = collector.requests[0]
        key = base64.b64decode(WEBHOOK_SECRET.removeprefix("whsec_"))
        head = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}."
        mac = hmac.new(key, head.encode() + request.body, hashlib.sha256).digest()
        assert request.headers["webhook-signature"] == f"v1,{base64.b64encode(mac).decode()}"


async def test_a_process_that_starts_again_goes_on_where_it_was(world, write):
    async with Collector() as collector:
        world.declare(url=collector.url)
        write(10)
        await world.until(lambda: len(numbers(collector)) == 11)
        await world.fleet.close()
        write(5, first=10)
        again = type(world)(world.source._path, world.database, world.events, world.clock)
        again.rules = world.rules
        await again.until(lambda: len(numbers(collector)) == 16)
        assert numbers(collector) == list(range(16))
        await again.fleet.close()


async def test_a_receiver_that_is_down_gets_everything_when_it_is_back(world, write):
    collector = Collector()
    await collector.start()
    world.declare(url=collector.url)
    await world.until(lambda: len(numbers(collector)) == 1)
    await collector.stop()
    write(300)
    await world.until(lambda: world.counts.failures)
    assert world.counts.failures[0][0] == "siem"
    await collector.start()
    await world.until(lambda: sorted(set(numbers(collector))) == list(range(301)))
    await collector.stop()


async def test_a_record_that_a_receiver_does_not_take_keeps_no_other_back(world, write):
    """It is told without what is in it, and the log says that it was."""

    def answer(request):
        records = request.json()["data"]["records"]
        bad = any(one.get("body", {}).get("query", {}).get("n") == 41 for one in records)
        return Reply(400 if bad else 200)

    async with Collector(answer) as collector:
        taken = []
        collector.answer = lambda request: (
            reply := answer(request),
            reply.status == 200 and taken.extend(request.json()["data"]["records"]),
        )[0]
        world.declare(url=collector.url)
        write(100)
        await world.until(lambda: len(taken) == 101)
        assert [one["seq"] for one in taken] == list(range(101))
        [stub] = [one for one in taken if "omitted_bytes" in one["body"]]
        assert stub["seq"] == 42
        await world.until(lambda: world.events.of(AuditGapFound))
        [gap] = world.events.of(AuditGapFound)
        assert (gap.sink, gap.log, gap.first, gap.last) == ("siem", "remit/main", 42, 42)


async def test_a_receiver_that_takes_nothing_is_waited_for_and_nothing_is_left_out(world, write):
    async with Collector(lambda _: Reply(400)) as collector:
        world.declare(url=collector.url)
        write(3)
        await world.until(lambda: world.counts.failures)
        assert world.counts.failures[0] == ("siem", "takes_nothing_answered_400")
        assert (await cursor_of(world)).position == 0
        taken = []
        collector.answer = lambda request: (
            Reply(),
            taken.extend(request.json()["data"]["records"]),
        )[0]
        await world.until(lambda: len(taken) == 4)
        assert not world.events.of(AuditGapFound)


async def test_who_is_too_far_behind_is_said_once_and_that_it_is_over_too(
    world, write, monkeypatch
):
    async with Collector(lambda _: Reply(500)) as collector:
        world.declare(url=collector.url, alert_after=1)
        write(3)
        await world.until(lambda: world.events.of(SinkLagging))
        [lagging] = world.events.of(SinkLagging)
        assert (lagging.sink, lagging.behind, lagging.error) == ("siem", 4, "answered_500")
        collector.answer = lambda _: Reply()
        await world.until(lambda: world.events.of(SinkRecovered))
        assert len(world.events.of(SinkLagging)) == 1
