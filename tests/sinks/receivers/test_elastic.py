"""Elasticsearch's bulk interface, whose answer is read record by record."""

import json

import pytest

from remit.sinks.port import SinkDownError, SinkRefusedError
from remit.sinks.receivers.elastic import ElasticSink
from remit.sinks.receivers.options import SinkMisdeclaredError
from remit.testing.audit_sink import AuditSinkContract, SinkSubject, sample_shipments
from tests.sinks.collecting import Collector, json_reply
from tests.sinks.made import SECRETS, settings


class Cluster:
    """Keeps documents by id; `status_of` may say of one that it is not taken."""

    def __init__(self):
        self.documents, self.ids = {}, []
        self.status_of = lambda identifier: None
        self.collector = Collector(self.answer)

    def answer(self, request):
        assert request.headers["content-type"] == "application/x-ndjson"
        lines = request.body.decode().split("\n")
        assert lines.pop() == ""
        items = []
        for action, document in zip(lines[::2], lines[1::2], strict=True):
            meta = json.loads(action)["create"]
            status = self.status_of(meta["_id"])
            if status is None:
                status = 409 if meta["_id"] in self.documents else 201
                if status == 201:
                    self.ids.append(meta["_id"])
                    self.documents[meta["_id"]] = (meta["_index"], json.loads(document))
            items.append({"create": {"_id": meta["_id"], "status": status}})
        return json_reply({"errors": True, "items": items})


@pytest.fixture
async def cluster():
    made = Cluster()
    async with made.collector:
        yield made


@pytest.fixture
async def opened(cluster):
    sink = ElasticSink(settings(cluster.collector.url, form="ecs", timeout="20"))
    yield sink
    await sink.close()


class TestContract(AuditSinkContract):
    @pytest.fixture
    async def subject(self, cluster, opened):
        usual = cluster.collector.answer

        async def stall():
            cluster.collector.answer = lambda _: None

        async def mend():
            await cluster.collector.back(usual)

        return SinkSubject(
            sink=opened, received=lambda: cluster.ids, fail=cluster.collector.stop, mend=mend,
            stall=stall, secret=SECRETS["env:TOKEN"], form="ecs",
        )  # fmt: skip


async def test_what_was_there_already_is_there_once(cluster, opened):
    some = sample_shipments(3, form="ecs")
    await opened.send(some)
    await opened.send(some)
    assert cluster.ids == [one.id for one in some]
    index, document = cluster.documents[some[0].id]
    assert index == "logs-remit.audit-default"
    assert document["event"]["hash"] == some[0].leaf
    assert (
        cluster.collector.requests[0].headers["authorization"] == f"ApiKey {SECRETS['env:TOKEN']}"
    )


@pytest.mark.parametrize("status", [400, 422])
async def test_one_that_is_never_taken_is_refused_as_such(cluster, opened, status):
    some = sample_shipments(3, form="ecs")
    cluster.status_of = lambda identifier: status if identifier == some[1].id else None
    with pytest.raises(SinkRefusedError):
        await opened.send(some)


@pytest.mark.parametrize("status", [429, 500, 503, "200", None, True])
async def test_one_that_is_not_taken_now_is_tried_again(cluster, opened, status):
    some = sample_shipments(3, form="ecs")
    usual = cluster.answer

    def answer(request):
        found = json.loads(usual(request).body)
        found["items"][1]["create"]["status"] = status
        return json_reply(found)

    cluster.collector.answer = answer
    with pytest.raises(SinkDownError):
        await opened.send(some)


@pytest.mark.parametrize(
    "answer",
    [{}, {"items": []}, {"items": [{"create": {"status": 201}}]}, {"errors": False}, {"items": [1, 2, 3]},
     {"items": [{"create": {"_id": "another", "status": 201}}] * 3}],
)  # fmt: skip
async def test_an_answer_that_does_not_speak_of_each_is_none(cluster, opened, answer):
    cluster.collector.answer = lambda _: json_reply(answer)
    with pytest.raises(SinkDownError):
        await opened.send(sample_shipments(3, form="ecs"))


def test_what_is_no_json_is_no_document():
    with pytest.raises(SinkMisdeclaredError):
        ElasticSink(settings("https://localhost:9200", form="cef"))
