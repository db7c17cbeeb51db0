"""What a server speaks: found out once, remembered, found out anew; and who is told what on the way."""

from contextlib import asynccontextmanager

import pytest

from remit.gateway.bridge import Bridge
from remit.gateway.jsonrpc import Request, Response
from remit.gateway.rejection import RejectedError, UpstreamError
from remit.gateway.upstream.port import Reply
from tests.gateway.bridge.fakes import (
    NewServer,
    OldServer,
    answers,
    call,
    legacy,
    modern,
    result,
)
from tests.gateway.doubles import ListGuard, ScriptedServer, answering, gateway, until

OPENING = Request(0, "initialize", {"protocolVersion": "2025-11-25", "capabilities": {}})


@pytest.fixture
async def bridges():
    made = []

    def make(server):
        made.append(Bridge(server))
        return made[-1]

    yield make
    for bridge in made:
        await bridge.close()


async def test_a_server_of_the_callers_era_is_spoken_to_as_it_is(bridges):
    server = NewServer()
    bridge = bridges(server)
    for _ in range(2):
        outgoing = modern("tools/call", call())
        await result(bridge.ask(outgoing))
        assert server.asked[-1] is outgoing
    assert len(server.asked) == 2
    assert server.opened == 0


async def test_a_server_of_sessions_is_asked_once_whether_it_is_one(bridges):
    server = OldServer()
    bridge = bridges(server)
    for _ in range(3):
        await result(bridge.ask(modern("tools/call", call())))
    assert len(server.probes) == 1
    assert len(server.calls) == 3


SESSIONS_ONLY = Response(1, result={"supportedVersions": ["2025-11-25"]})


@pytest.mark.parametrize(
    "says",
    [
        *(Response(1, error={"code": code, "message": "?"}) for code in (-32601, -32600, -32602)),
        SESSIONS_ONLY,
        UpstreamError("the server did not answer in time", timed_out=True),
        UpstreamError("the server's answer is not JSON-RPC", upstream_status=500),
    ],
    ids=["unknown", "invalid", "parameters", "names-sessions", "silent", "fails"],
)
async def test_a_server_that_cannot_describe_itself_is_one_of_sessions(bridges, says):
    server = OldServer()
    server.says = says
    bridge = bridges(server)
    described = await result(bridge.ask(modern("server/discover")))
    assert described["supportedVersions"] == ["2026-07-28"]
    assert bridge.speaks_modern is False
    await result(bridge.ask(modern("tools/call", call())))
    assert len(server.probes) == 1


async def test_a_call_that_a_server_does_not_know_outside_of_sessions_is_made_in_one(bridges):
    server = OldServer(answers({"old": True}))
    server.says = Response(1, error={"code": -32600, "message": "initialize first"})
    done = await result(bridges(server).ask(modern("tools/call", call())))
    assert done["old"]
    assert [one.message.method for one in server.probes] == ["tools/call", "server/discover"]


async def test_a_call_that_failed_otherwise_is_not_made_again(bridges):
    server = OldServer()
    server.says = Response(1, error={"code": -32602, "message": "half done"})
    assert (await result(bridges(server).ask(modern("tools/call", call()))))[
        "message"
    ] == "half done"
    assert server.calls == []


async def test_a_server_that_was_upgraded_is_found_out_by_the_call_that_meets_it(bridges):
    server = OldServer()
    bridge = bridges(server)
    await result(bridge.ask(modern("tools/call", call())))
    server.modern = NewServer()
    server.sessions[0].ended = True
    await result(bridge.ask(modern("tools/call", call())))
    assert [one.message.method for one in server.modern.asked] == ["tools/call"]
    assert len(server.calls) == 1


async def test_a_session_that_is_told_of_the_other_era_has_its_call_made_there(bridges):
    async def script(session, request):
        if server.modern is not None:
            yield Response(request.id, error={"code": -32022, "message": "no sessions"})
        else:
            yield Response(request.id, result={})

    server = OldServer(script)
    bridge = bridges(server)
    await result(bridge.ask(modern("tools/call", call())))
    server.modern = NewServer()
    assert await result(bridge.ask(modern("tools/call", call()))) == {"resultType": "complete"}
    assert len(server.modern.asked) == 1


async def test_a_server_that_was_downgraded_is_found_out_too(bridges):
    server = OldServer()
    server.modern = NewServer()
    bridge = bridges(server)
    await result(bridge.ask(modern("tools/call", call())))
    server.modern, server.script = None, answers({"old": True})
    assert (await result(bridge.ask(modern("tools/call", call()))))["old"]


async def test_a_server_of_neither_era_is_refused_by_its_version(bridges):
    server = NewServer(lambda outgoing: [RejectedError(400, "no", rpc_code=-32022)])
    with pytest.raises(RejectedError) as caught:
        await result(bridges(server).ask(modern("tools/call", call())))
    assert caught.value.rpc_code == -32022


async def test_a_failure_is_no_sign_of_another_era(bridges):
    server = NewServer(lambda outgoing: [UpstreamError("the server cannot be reached")])
    bridge = bridges(server)
    with pytest.raises(UpstreamError):
        await result(bridge.ask(modern("tools/call", call())))
    assert server.opened == 0
    assert bridge.speaks_modern is None


async def test_what_is_asked_to_find_out_carries_nothing_of_the_callers(bridges):
    server = NewServer(
        lambda outgoing: [Response(outgoing.message.id, error={"code": -32601, "message": "?"})]
    )
    outgoing = modern("prompts/list", {"secret": "s"}, meta={"progressToken": 1})
    await result(bridges(server).ask(outgoing))
    probe = server.asked[-1]
    assert probe.message.method == "server/discover"
    assert probe.headers == ()
    assert probe.presented is outgoing.presented
    assert set(probe.message.params) == {"_meta"}
    assert probe.message.params["_meta"] == {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }


async def test_a_legacy_caller_has_a_session_with_the_server_itself_if_that_opens_one(bridges):
    server = OldServer()
    session = bridges(server).open_session()
    opened = await result(session.ask(legacy(OPENING)))
    assert opened["serverInfo"]["name"] == "old"
    await result(session.ask(legacy(Request(1, "tools/call", call()))))
    assert server.sessions[0].asked[-1].params == call()
    await session.close()
    assert server.sessions[0].closed


async def test_a_legacy_caller_has_a_session_here_if_the_server_opens_none(bridges):
    server = NewServer()
    bridge = bridges(server)
    for _ in range(2):
        opened = await result(bridge.open_session().ask(legacy(OPENING)))
        assert opened["serverInfo"]["name"] == "new"
    assert server.opened == 1


async def test_what_is_wrong_with_an_opening_is_said_by_the_server(bridges):
    server = OldServer()
    server.initialized = {}

    async def refusing(session, request):
        yield Response(request.id, error={"code": -32602, "message": "what?"})

    session = bridges(server).open_session()
    server.sessions[0].ask = _played(refusing, server.sessions[0])
    assert (await result(session.ask(legacy(OPENING))))["message"] == "what?"


def _played(script, session):
    @asynccontextmanager
    async def ask(outgoing):
        yield Reply(200, streamed=False, messages=script(session, outgoing.message))

    return ask


async def test_nothing_is_asked_of_a_session_that_was_not_initialised(bridges):
    session = bridges(NewServer()).open_session()
    with pytest.raises(UpstreamError) as caught:
        await session.tell(legacy(Response(1, result={})))
    assert caught.value.session_ended


async def test_the_gateway_has_what_is_kept_ended_when_standing_changes_and_now_and_then():
    server = ScriptedServer(answering({}))
    app = gateway(ListGuard(), server, sweep=0)
    app.look_again()
    assert server.looked_again == 1
    app.start()
    await until(lambda: server.swept)
    await app.drain()
