"""A machine of one's own: signed, known again, and believed only where it says what it keeps."""

import pytest

from remit.sinks.port import SinkDownError
from remit.sinks.receivers.options import SinkMisdeclaredError
from remit.sinks.receivers.webhook import WebhookSink
from remit.testing.audit_sink import AuditSinkContract, SinkSubject, sample_shipments
from tests.sinks.collecting import Collector, Reply
from tests.sinks.made import WEBHOOK_SECRET, settings


@pytest.fixture
async def collector():
    async with Collector() as made:
        yield made


def sink(collector, **changes):
    return WebhookSink(
        settings(collector.url, **{"secret": "env:HOOK", "timeout": "20", **changes})
    )


class TestContract(AuditSinkContract):
    @pytest.fixture
    async def subject(self, collector):
        ids, opened = [], sink(collector)

        def answer(request):
            ids.extend(one["id"] for one in request.json()["data"]["records"])
            return Reply()

        async def stall():
            collector.answer = lambda _: None

        async def mend():
            await collector.back(answer)

        collector.answer = answer
        yield SinkSubject(
            sink=opened, received=lambda: ids, fail=collector.stop, mend=mend, stall=stall,
            secret=WEBHOOK_SECRET,
        )  # fmt: skip
        await opened.close()


async def test_what_is_sent_again_has_the_id_that_it_had(collector):
    opened = sink(collector)
    for _ in range(2):
        await opened.send(sample_shipments(3))
    await opened.send(sample_shipments(3, first=1))
    first, second, third = (one.headers["webhook-id"] for one in collector.requests)
    assert first == second != third
    await opened.close()


async def test_with_confirm_a_status_alone_counts_for_nothing(collector):
    """A receiver that says yes and keeps nothing does not know what it should have kept."""
    opened, some = sink(collector, confirm="true"), sample_shipments(3)
    with pytest.raises(SinkDownError, match="not_confirmed"):
        await opened.send(some)
    collector.answer = lambda _: Reply(headers={"remit-taken": some[0].leaf})
    with pytest.raises(SinkDownError, match="not_confirmed"):
        await opened.send(some)
    collector.answer = lambda _: Reply(headers={"remit-taken": some[-1].leaf})
    await opened.send(some)
    await opened.close()


@pytest.mark.parametrize("secret", [None, "env:TOKEN"])
async def test_nothing_goes_out_unsigned(collector, secret):
    opened = sink(collector, secret=secret)
    with pytest.raises(Exception, match="secret") as raised:
        await opened.send(sample_shipments(1))
    assert not collector.requests
    assert "b3f1" not in str(raised.value)
    await opened.close()


def test_a_confirmation_that_there_is_not_is_refused():
    with pytest.raises(SinkMisdeclaredError):
        WebhookSink(settings("https://localhost/", confirm="maybe"))
