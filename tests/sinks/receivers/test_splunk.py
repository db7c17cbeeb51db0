"""Splunk's collector, as its documentation has it: acknowledged is what was indexed, not what was read."""

import itertools
import json

import orjson
import pytest

from remit.sinks.port import SinkDownError
from remit.sinks.receivers import splunk
from remit.sinks.receivers.options import SinkMisdeclaredError
from remit.sinks.receivers.splunk import SplunkSink
from remit.testing.audit_sink import AuditSinkContract, SinkSubject, sample_shipments
from tests.sinks.collecting import Collector, json_reply
from tests.sinks.made import SECRETS, settings, shipments


class Hec:
    """An event collector with acknowledgement; `acknowledges` says what was indexed."""

    def __init__(self, *, acks=True):
        self.events, self._numbers, self.acks = [], itertools.count(), acks
        self.acknowledges = lambda number: True
        self.collector = Collector(self.answer)
        self.asked = []

    def answer(self, request):
        if request.path.startswith("/services/collector/ack"):
            numbers = request.json()["acks"]
            self.asked += numbers
            return json_reply({"acks": {str(one): self.acknowledges(one) for one in numbers}})
        if request.headers["authorization"] != f"Splunk {SECRETS['env:TOKEN']}":
            return json_reply({"text": "Invalid token", "code": 4}, 403)
        self.events += [json.loads(line) for line in request.body.splitlines()]
        answer = {"text": "Success", "code": 0}
        return json_reply(answer | ({"ackId": next(self._numbers)} if self.acks else {}))

    @property
    def ids(self):
        return [one["fields"]["id"] for one in self.events]


@pytest.fixture
async def hec():
    made = Hec()
    async with made.collector:
        yield made


def sink(hec, **changes):
    return SplunkSink(
        settings(hec.collector.url, **{"timeout": "2", "ack_timeout": "0.4", **changes})
    )


class TestContract(AuditSinkContract):
    @pytest.fixture
    async def subject(self, hec):
        opened = sink(hec, ack_timeout="20", timeout="20")

        async def stall():
            hec.acknowledges = lambda number: False

        async def mend():
            hec.acknowledges = lambda number: True
            await hec.collector.back(hec.answer)

        yield SinkSubject(
            sink=opened, received=lambda: hec.ids, fail=hec.collector.stop, mend=mend, stall=stall,
            secret=SECRETS["env:TOKEN"],
        )  # fmt: skip
        await opened.close()


async def test_an_event_says_when_which_and_where(hec):
    opened = sink(hec, index="audit", host="gw-1")
    [one] = shipments(1)
    await opened.send([one])
    [event] = hec.events
    assert event["time"] == "1795366800.123"
    assert event["source"] == "remit/main"
    assert event["sourcetype"] == "remit:audit:json"
    assert (event["index"], event["host"]) == ("audit", "gw-1")
    assert event["fields"] == {"id": one.id, "leaf": one.leaf, "seq": 0}
    assert orjson.dumps(event["event"], option=orjson.OPT_SORT_KEYS)
    assert event["event"]["body"]["name"] == "refund"
    await opened.close()


async def test_what_is_not_text_of_json_is_a_text(hec):
    opened = sink(hec, form="cef")
    await opened.send(shipments(1, form="cef"))
    assert hec.events[0]["event"].startswith("CEF:0|Remit|")
    await opened.close()


async def test_a_200_counts_for_nothing_until_it_is_indexed(hec):
    hec.acknowledges = lambda number: False
    opened = sink(hec)
    with pytest.raises(SinkDownError, match="not_acknowledged"):
        await opened.send(sample_shipments(2))
    assert hec.asked
    await opened.close()


async def test_several_requests_are_acknowledged_together_and_each_is_short_enough(
    hec, monkeypatch
):
    """A number that was said to be indexed is said once; what is left is asked again."""
    monkeypatch.setattr(splunk, "_REQUEST", 3_000)
    said = set()

    def once(number):
        first = number not in said
        said.add(number)
        return first

    hec.acknowledges = once
    opened = sink(hec, ack_timeout="30")
    some = sample_shipments(25)
    await opened.send(some)
    assert hec.ids == [one.id for one in some]
    posts = [one for one in hec.collector.requests if one.path.endswith("/event")]
    assert len(posts) > 3
    assert max(len(one.body) for one in posts) <= 3_000
    assert hec.asked == list(range(len(posts)))
    await opened.close()


async def test_what_a_collector_calls_an_error_is_not_repeated(hec):
    hec.collector.answer = lambda _: json_reply({"code": "\x1b[31m<script>"})
    opened = sink(hec)
    with pytest.raises(SinkDownError) as raised:
        await opened.send(sample_shipments(1))
    assert raised.value.detail == "answered_code_unknown"
    await opened.close()


async def test_it_is_asked_again_until_it_is(hec):
    hec.acknowledges = lambda number: len(hec.asked) > 2
    opened = sink(hec, ack_timeout="30")
    await opened.send(sample_shipments(2))
    assert len(hec.asked) == 3
    await opened.close()


async def test_a_collector_without_acknowledgement_is_believed_but_where_it_is_required():
    hec = Hec(acks=False)
    async with hec.collector:
        opened, strict = sink(hec), sink(hec, ack="required")
        await opened.send(sample_shipments(1))
        with pytest.raises(SinkDownError, match="not_acknowledged"):
            await strict.send(sample_shipments(1))
        await opened.close()
        await strict.close()


@pytest.mark.parametrize("answer", [{"text": "Invalid index", "code": 7}, {}, [], {"code": "0"}])
async def test_a_200_that_says_no_is_a_no(hec, answer):
    hec.collector.answer = lambda _: json_reply(answer)
    opened = sink(hec)
    with pytest.raises(SinkDownError):
        await opened.send(sample_shipments(1))
    await opened.close()


@pytest.mark.parametrize("changes", [{"ack": "perhaps"}, {"colour": "red"}, {"begin": "never"}])
def test_options_that_there_are_not_are_refused(hec_url, changes):
    with pytest.raises(SinkMisdeclaredError):
        SplunkSink(settings(hec_url, **changes))


@pytest.fixture
def hec_url():
    return "https://localhost:8088"


async def test_without_a_secret_nothing_is_sent(hec):
    opened = sink(hec, secret=None)
    with pytest.raises(SinkMisdeclaredError):
        await opened.send(sample_shipments(1))
    assert not hec.collector.requests
    await opened.close()
