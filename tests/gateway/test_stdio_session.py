"""A legacy session over standard streams: where its server's own words go."""

import asyncio

import pytest

from remit.gateway.jsonrpc import Notification, Request, Response
from remit.gateway.rejection import UpstreamError
from remit.gateway.upstream import Outgoing, Stdio
from remit.gateway.upstream.child import Launch
from remit.gateway.upstream.port import Limits
from tests.gateway.conftest import SERVERS

VERSION = "2025-11-25"
INITIALIZE = Outgoing(Request(0, "initialize", {"protocolVersion": VERSION}), VERSION)


@pytest.fixture
async def server():
    launch = Launch(name="talker", command=("python", str(SERVERS / "talker.py")))
    server = Stdio(launch, limits=Limits(seconds=10))
    yield server
    await server.close()


@pytest.fixture
async def session(server):
    session = server.open_session()
    await ask(session, INITIALIZE)
    return session


async def ask(session, outgoing):
    async with session.ask(outgoing) as reply:
        return [message async for message in reply.messages]


def call(tool, caller_id=1):
    return Outgoing(Request(caller_id, "tools/call", {"name": tool}), VERSION)


async def test_what_the_server_says_during_a_call_goes_to_that_call(session):
    messages = await ask(session, call("chatty"))
    assert [type(message) for message in messages] == [Notification, Request, Response]
    assert messages[1].id == "theirs"


async def test_what_it_says_between_calls_waits_for_its_own_stream(session):
    await ask(session, call("later"))
    async with session.listen(VERSION) as messages:
        assert await asyncio.wait_for(anext(messages), 10) == Notification(
            "notifications/tools/list_changed"
        )


async def test_the_callers_answer_reaches_the_server_under_the_servers_id(session):
    await session.tell(Outgoing(Response("theirs", result={"x": 1}), VERSION))
    [told] = await ask(session, call("told"))
    assert told.result["told"] == [{"jsonrpc": "2.0", "id": "theirs", "result": {"x": 1}}]


async def test_a_cancellation_names_the_request_as_the_server_knows_it(session):
    waiting = asyncio.create_task(ask(session, call("silent", "slow one")))
    await ask(session, call("told", "other"))
    await session.tell(
        Outgoing(Notification("notifications/cancelled", {"requestId": "slow one"}), VERSION)
    )
    await session.tell(
        Outgoing(Notification("notifications/cancelled", {"requestId": "unknown"}), VERSION)
    )
    [told] = await ask(session, call("told", "third"))
    named = [message["params"]["requestId"] for message in told.result["told"]]
    assert named[0] in told.result["silent"]
    assert named[1] == 0, "what is not in flight is not guessed"
    waiting.cancel()
    await asyncio.wait([waiting])


async def test_the_stream_ends_with_the_process(session):
    async with session.listen(VERSION) as messages:
        with pytest.raises(UpstreamError):
            await ask(session, call("exit"))
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(anext(messages), 10)
    with pytest.raises(UpstreamError) as caught:
        await ask(session, call("chatty"))
    assert caught.value.session_ended


async def test_two_sessions_share_nothing(server):
    one, two = server.open_session(), server.open_session()
    await ask(one, INITIALIZE)
    await ask(two, INITIALIZE)
    await one.tell(Outgoing(Notification("notifications/x", {}), VERSION))
    [told] = await ask(two, call("told"))
    assert told.result["told"] == []
