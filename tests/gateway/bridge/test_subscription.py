"""`subscriptions/listen` in front of a server whose sessions have a stream of their own."""

import pytest

from remit.gateway.bridge import Bridge
from remit.gateway.jsonrpc import Notification, Request, Response
from remit.gateway.rejection import RejectedError
from tests.gateway.bridge.fakes import OldServer, modern
from tests.gateway.doubles import until

ID = "io.modelcontextprotocol/subscriptionId"
WISHED = {
    "toolsListChanged": True, "promptsListChanged": True, "resourceSubscriptions": ["a:b", "no:no"],
}  # fmt: skip


async def subscribing(session, request):
    if request.params["uri"] == "no:no":
        yield Response(request.id, error={"code": -32002, "message": "no such resource"})
    else:
        yield Response(request.id, result={})


@pytest.fixture
def server():
    return OldServer(subscribing)


@pytest.fixture
async def bridge(server):
    bridge = Bridge(server)
    yield bridge
    await bridge.close()


def listen(bridge):
    return bridge.ask(
        modern("subscriptions/listen", {"notifications": WISHED}, declares={}, request_id="s1")
    )


async def test_what_is_promised_and_taken_is_acknowledged(bridge):
    async with listen(bridge) as reply:
        acknowledged = await anext(reply.messages)
    assert acknowledged.method == "notifications/subscriptions/acknowledged"
    assert acknowledged.params["notifications"] == {
        "toolsListChanged": True,
        "resourceSubscriptions": ["a:b"],
    }
    assert acknowledged.params["_meta"] == {ID: "s1"}


async def test_only_what_was_acknowledged_comes_down_under_the_id_of_the_stream(bridge, server):
    async with listen(bridge) as reply:
        await anext(reply.messages)
        own = server.sessions[0].unasked
        for method in ("prompts", "tools"):
            own.put_nowait(Notification(f"notifications/{method}/list_changed"))
        own.put_nowait(Notification("notifications/message", {"level": "error", "data": "x"}))
        own.put_nowait(Notification("notifications/resources/updated", {"uri": "a:b"}))
        told = [await anext(reply.messages) for _ in range(2)]
    assert [one.method for one in told] == [
        "notifications/tools/list_changed",
        "notifications/resources/updated",
    ]
    assert all(one.params["_meta"] == {ID: "s1"} for one in told)


async def test_a_question_there_is_refused(bridge, server):
    async with listen(bridge) as reply:
        await anext(reply.messages)
        session = server.sessions[0]
        session.unasked.put_nowait(Request("q1", "elicitation/create", {}))
        session.unasked.put_nowait(Notification("notifications/tools/list_changed"))
        await anext(reply.messages)
        assert (await session.answered("q1")).error is not None


async def test_who_stops_listening_ends_the_session(bridge, server):
    async with listen(bridge) as reply:
        await anext(reply.messages)
    await until(lambda: not server.open)


async def test_the_stream_ends_with_a_result_when_the_server_ends_its_own(bridge, server):
    async with listen(bridge) as reply:
        await anext(reply.messages)
        server.sessions[0].unasked.put_nowait(None)
        ended = await anext(reply.messages)
    assert ended == Response("s1", result={"resultType": "complete", "_meta": {ID: "s1"}})


async def test_a_server_without_a_stream_of_its_own_is_not_listened_to(bridge, server):
    server.offers_stream = False
    with pytest.raises(RejectedError) as caught:
        async with listen(bridge):
            pass
    assert caught.value.rpc_code == -32601
    await until(lambda: not server.open)
