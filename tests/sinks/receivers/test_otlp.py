"""OpenTelemetry's collector over HTTP, in JSON."""

import json

import pytest

from remit.sinks.port import SinkDownError, SinkRefusedError
from remit.sinks.receivers.otlp import OtlpSink
from remit.testing.audit_sink import AuditSinkContract, SinkSubject, sample_shipments
from tests.sinks.collecting import Collector, Reply, json_reply
from tests.sinks.made import SECRETS, settings, shipments


def records(request):
    [resource] = request.json()["resourceLogs"]
    [scope] = resource["scopeLogs"]
    return scope["logRecords"]


def attributes(record):
    return {one["key"]: next(iter(one["value"].values())) for one in record["attributes"]}


@pytest.fixture
async def collector():
    made = Collector(lambda _: json_reply({"partialSuccess": {}}))
    async with made:
        yield made


@pytest.fixture
async def opened(collector):
    sink = OtlpSink(settings(f"{collector.url}/v1/logs", timeout="20"))
    yield sink
    await sink.close()


class TestContract(AuditSinkContract):
    @pytest.fixture
    async def subject(self, collector, opened):
        usual, ids = collector.answer, []

        def answer(request):
            ids.extend(attributes(one)["log.record.uid"] for one in records(request))
            return usual(request)

        async def stall():
            collector.answer = lambda _: None

        async def mend():
            await collector.back(answer)

        collector.answer = answer
        return SinkSubject(
            sink=opened, received=lambda: ids, fail=collector.stop, mend=mend, stall=stall,
            secret=SECRETS["env:TOKEN"],
        )  # fmt: skip


async def test_a_record_says_what_tools_of_opentelemetry_look_for(collector, opened):
    [one] = shipments(1)
    await opened.send([one])
    [request] = collector.requests
    assert request.path == "/v1/logs"
    assert request.headers["authorization"] == f"Bearer {SECRETS['env:TOKEN']}"
    [record] = records(request)
    assert record["timeUnixNano"] == "1795366800123000000"
    assert record["traceId"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert record["spanId"] == "00f067aa0ba902b7"
    assert record["eventName"] == "remit.decision"
    said = attributes(record)
    assert said["mcp.method.name"] == "tools/call"
    assert said["gen_ai.tool.name"] == "refund"
    assert said["gen_ai.operation.name"] == "execute_tool"
    assert said["error.type"] == "policy"
    assert said["remit.audit.leaf"] == one.leaf
    assert said["remit.audit.sequence"] == "0"
    assert not [name for name in said if "arguments" in name]
    assert json.loads(record["body"]["stringValue"])["leaf"] == one.leaf


@pytest.mark.parametrize(
    "answer",
    [json_reply({"partialSuccess": {"rejectedLogRecords": "1"}}),
     json_reply({"partialSuccess": {"rejectedLogRecords": 3}})],
)  # fmt: skip
async def test_an_answer_that_says_that_some_were_rejected_has_them_looked_for(
    collector, opened, answer
):
    """They are never taken as they are: waiting for that would keep back all that follow."""
    collector.answer = lambda _: answer
    with pytest.raises(SinkRefusedError, match="rejected_some"):
        await opened.send(sample_shipments(2))


@pytest.mark.parametrize("answer", [Reply(200, b"<html>"), Reply(503)])
async def test_an_answer_that_is_no_yes_is_a_no(collector, opened, answer):
    collector.answer = lambda _: answer
    with pytest.raises(SinkDownError):
        await opened.send(sample_shipments(2))


async def test_an_empty_answer_is_a_yes(collector, opened):
    collector.answer = lambda _: Reply(200)
    await opened.send(sample_shipments(2))


async def test_a_secret_may_go_in_another_header(collector):
    sink = OtlpSink(settings(f"{collector.url}/v1/logs", header="X-Api-Key"))
    await sink.send(sample_shipments(1))
    assert collector.requests[0].headers["x-api-key"] == SECRETS["env:TOKEN"]
    assert "authorization" not in collector.requests[0].headers
    await sink.close()
