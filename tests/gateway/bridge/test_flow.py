"""Messages from one task to another: in order, bounded, with an end that is always told."""

import asyncio

import pytest

from remit.gateway.bridge.flow import Flow
from remit.gateway.jsonrpc import Notification, Response
from remit.gateway.rejection import UpstreamError

DONE = Response(1, result={})


def note(number):
    return Notification("notifications/progress", {"progress": number})


async def test_messages_come_in_order_and_the_response_last():
    async def source():
        yield note(1)
        yield DONE

    flow = Flow(source(), name="test")
    assert await flow.peek(60) == note(1)
    assert [await flow.next(), await flow.next()] == [note(1), DONE]
    await flow.finish()


async def test_an_end_without_a_response_is_a_failure():
    async def source():
        yield note(1)

    flow = Flow(source(), name="test")
    await flow.next()
    with pytest.raises(UpstreamError, match="without an answer"):
        await flow.next()


async def test_what_the_source_raises_is_raised_to_whoever_reads():
    async def source():
        raise UpstreamError("it broke")
        yield

    with pytest.raises(UpstreamError, match="it broke"):
        await Flow(source(), name="test").peek(60)


async def test_a_mistake_of_ours_is_a_failure_and_nobody_waits_for_ever(caplog):
    async def source():
        raise KeyError("secret")
        yield

    with pytest.raises(UpstreamError, match="the gateway failed"):
        await Flow(source(), name="test").next()
    assert "a bridged exchange failed" in caplog.text


async def test_nothing_is_read_far_ahead_of_whoever_reads():
    read = 0

    async def source():
        nonlocal read
        while True:
            read += 1
            yield note(read)

    flow = Flow(source(), name="test")
    await flow.next()
    for _ in range(10):
        await asyncio.sleep(0)
    assert read < 100
    assert not flow.offer(DONE)
    await flow.stop()


async def test_who_stops_leaves_what_the_source_is_in():
    left = []

    async def source():
        try:
            yield note(1)
            await asyncio.Event().wait()
        finally:
            left.append(True)

    flow = Flow(source(), name="test")
    await flow.next()
    await flow.stop()
    assert left


async def test_a_look_that_finds_nothing_loses_nothing():
    gate = asyncio.Event()

    async def source():
        await gate.wait()
        yield DONE

    flow = Flow(source(), name="test")
    assert await flow.peek(0) is None
    gate.set()
    assert await flow.next() == DONE
    await flow.finish()
