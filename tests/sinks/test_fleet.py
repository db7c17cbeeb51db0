"""What is recorded reaches whoever the repository names, whatever becomes of them meanwhile."""

import asyncio
import base64
import hashlib
import hmac
import math

import orjson
import pytest

from remit.audit.context import Context
from remit.audit.events import (
    AgentResumed,
    AgentSuspended,
    AuditGapFound,
    SinkLagging,
    SinkRecovered,
)
from remit.sinks.cursor_store import claim, list_cursors
from remit.testing.clock import FixedClock
from tests.sinks.certified import Authority
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
        again = type(world)(world.folder, world.database, world.events, world.clock)
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


async def test_a_receiver_that_is_slow_keeps_no_other_waiting(world, write):
    async with Collector(lambda _: None) as slow, Collector() as quick:
        world.declare("slow", url=slow.url, options={"timeout": "30"})
        world.declare("quick", url=quick.url)
        write(200)
        await world.until(lambda: len(numbers(quick)) == 201)
        assert slow.requests
        lags = {one.sink: one.behind for one in world.fleet.lags}
        assert lags["slow"] >= 200
        slow.hold.set()


async def test_a_receiver_that_says_yes_and_keeps_nothing_is_not_believed_where_it_confirms(
    world, write
):
    kept = []

    def lying(request):
        return Reply(200)

    def honest(request):
        records = request.json()["data"]["records"]
        kept.extend(one["seq"] for one in records)
        return Reply(200, headers={"remit-taken": records[-1]["leaf"]})

    async with Collector(lying) as collector:
        world.declare(url=collector.url, options={"confirm": "true"})
        write(50)
        await world.until(lambda: world.counts.failures)
        assert world.counts.failures[0] == ("siem", "not_confirmed")
        collector.answer = honest
        await world.until(lambda: len(kept) == 51)
        assert kept == list(range(51))


async def test_a_certificate_that_is_over_stops_copies_until_there_is_another(
    world, write, tmp_path
):
    authority = Authority(tmp_path / "authority")
    async with Collector(tls=authority.server(ends=-60)) as collector:
        world.declare(url=collector.url, options={"ca_file": str(authority.file)})
        write(5)
        await world.until(lambda: ("siem", "certificate_expired") in world.counts.failures)
        await collector.stop()
        collector._tls = authority.server()
        await collector.start()
        await world.until(lambda: len(numbers(collector)) == 6)


async def test_of_several_processes_each_log_is_carried_by_one_and_taken_over_when_it_dies(
    world, write, tmp_path
):
    """The clock of the second is ahead by more than a lease: to it the first has not been heard of."""
    later = FixedClock(world.clock.now() + 3_600)
    other = type(world)(tmp_path / "audit", world.database, world.events, world.clock, instance="b")
    heir = type(world)(tmp_path / "audit", world.database, world.events, later, instance="c")
    async with Collector() as first, Collector() as second, Collector() as third:
        for one, collector in ((world, first), (other, second), (heir, third)):
            one.declare(url=collector.url)
        write(20)
        await world.until(lambda: len(numbers(first)) == 21)
        for _ in range(5):
            await other.fleet.look()
        assert (await cursor_of(world)).holder == "main"
        assert not second.requests
        write(20, first=20)
        await world.until(lambda: len(numbers(first)) == 41)
        # It died without a word: its task ends, and nothing is released.
        await world.fleet._follow({})
        write(10, first=40)
        await heir.until(lambda: numbers(third))
        await heir.until(lambda: max(numbers(third)) == 50)
        assert (await cursor_of(world)).holder == "c"
        assert set(numbers(first)) | set(numbers(third)) == set(range(51))
    await other.fleet.close()
    await heir.fleet.close()


async def test_who_was_taken_over_moves_nothing_any_more(world, write):
    async with Collector() as collector:
        world.declare(url=collector.url)
        await world.until(lambda: numbers(collector))
        stolen = await cursor_of(world)
        await world.database.run(
            lambda tx: claim(
                tx, "siem", "remit/main", holder="b", begin=0,
                now=world.clock.now() + 3_600,
            )
        )  # fmt: skip
        write(10)
        for _ in range(40):
            await world.fleet.look()
            await asyncio.sleep(0.01)
        found = await cursor_of(world)
        assert found.holder == "b"
        assert found.position == stolen.position


async def test_a_sink_that_is_declared_to_begin_now_gets_nothing_of_before(world, write):
    write(30)
    async with Collector() as collector:
        world.declare(url=collector.url, options={"begin": "now"})
        await world.until(lambda: world.fleet.lags)
        write(3, first=30)
        await world.until(lambda: len(numbers(collector)) == 3)
        assert numbers(collector) == [31, 32, 33]


async def test_a_sink_that_begins_now_gets_nothing_of_before_of_any_log_whoever_carries_it(
    world, write, tmp_path
):
    """The log of another process, which nobody carries for the length of a lease, begins where it was then."""
    clock = FixedClock(world.clock.now())
    other = type(world)(tmp_path / "audit", world.database, world.events, clock, instance="b")
    write(30)
    async with Collector() as collector:
        other.declare(url=collector.url, options={"begin": "now"})
        await other.fleet.look()
        write(3, first=30)
        clock.advance(60)
        await other.until(lambda: len(numbers(collector)) >= 3)
        assert numbers(collector) == [31, 32, 33]
    await other.fleet.close()


async def test_a_sink_that_is_declared_again_goes_on_where_it_was(world, write):
    async with Collector() as collector:
        world.declare(url=collector.url)
        write(5)
        await world.until(lambda: len(numbers(collector)) == 6)
        kept, world.rules = world.rules, {}
        await world.fleet.look()
        write(5, first=5)
        world.rules = kept
        await world.until(lambda: len(numbers(collector)) == 11)
        assert numbers(collector) == list(range(11))
        # By another name it is another sink.
        world.declare("renamed", url=collector.url)
        await world.until(lambda: len(numbers(collector)) == 22)
        assert numbers(collector)[11:] == list(range(11))


async def test_only_its_kinds_and_its_organisations_reach_a_sink(world, log):
    log.record(
        [
            AgentSuspended(context=Context(tenant="acme", agent_id="a")),
            AgentSuspended(context=Context(tenant="globex", agent_id="b")),
            AgentResumed(context=Context(tenant="acme", agent_id="a")),
        ]
    )
    async with Collector() as collector:
        world.declare(url=collector.url, kinds=("agent.suspended",), tenants=("acme",))
        await world.until(lambda: collector.requests)
        assert numbers(collector) == [1]
        await world.until(lambda: not any(one.behind for one in world.fleet.lags))


async def test_what_was_pruned_before_it_was_taken_is_a_gap_that_the_log_names(world, write):
    class Pruned(type(world.source)):
        def read(self, log, start, *, limit):
            return super().read(log, max(start, 40), limit=limit)

        def bounds(self, log):
            return 40, super().bounds(log)[1]

    world.source.__class__ = Pruned
    async with Collector() as collector:
        world.declare(url=collector.url)
        await world.database.run(
            lambda tx: claim(
                tx, "siem", "remit/main", holder="main", begin=10, now=world.clock.now()
            )
        )
        write(60)
        await world.until(lambda: len(numbers(collector)) >= 20)
        assert min(numbers(collector)) == 40
        await world.until(lambda: world.events.of(AuditGapFound))
        [gap] = world.events.of(AuditGapFound)
        assert (gap.first, gap.last) == (10, 39)


async def test_a_sink_that_cannot_be_opened_is_said_and_begins_when_it_can(world, write):
    async with Collector() as collector:
        world.declare(url=collector.url, secret="env:NOWHERE")
        await world.until(lambda: world.counts.failures)
        assert "sink_misdeclared" in world.counts.failures[0][1]
        world.declare(url=collector.url)
        await world.until(lambda: numbers(collector))


async def test_how_far_behind_it_may_be_is_without_an_end_where_nothing_is_known(world, write):
    assert world.fleet.seconds_behind("siem", "remit/main") == math.inf
    async with Collector(lambda _: Reply(500)) as collector:
        world.declare(url=collector.url)
        await world.until(lambda: world.fleet.lags)
        assert 0 <= world.fleet.seconds_behind("siem", "remit/main") < 60
        assert world.fleet.seconds_behind("other", "remit/main") == math.inf
        collector.answer = lambda _: Reply()
        await world.until(lambda: not any(one.behind for one in world.fleet.lags))
        assert world.fleet.seconds_behind("siem", "remit/main") < 60


async def test_a_log_that_was_set_back_is_said_and_not_gone_on_with(world, write):
    write(5)
    async with Collector() as collector:
        world.declare(url=collector.url, alert_after=1)
        await world.until(lambda: len(numbers(collector)) == 6)
        world.declare("other", url=collector.url)
        now = world.clock.now()
        await world.database.run(
            lambda tx: claim(tx, "other", "remit/main", holder="main", begin=900, now=now - 90)
        )
        await world.until(lambda: world.events.of(SinkLagging))
        assert world.events.of(SinkLagging)[0].error == "log_set_back"
        assert world.fleet.seconds_behind("other", "remit/main") == math.inf


async def test_a_log_whose_writer_never_carried_it_is_carried_by_another_in_the_end(
    world, write, tmp_path
):
    clock = FixedClock(world.clock.now())
    other = type(world)(tmp_path / "audit", world.database, world.events, clock, instance="b")
    async with Collector() as collector:
        other.declare(url=collector.url)
        write(5)
        for _ in range(5):
            await other.fleet.look()
        assert await cursor_of(world) is None
        clock.advance(60)
        await other.until(lambda: len(numbers(collector)) == 6)
        assert (await cursor_of(world)).holder == "b"
    await other.fleet.close()
