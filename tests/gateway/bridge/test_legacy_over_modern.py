"""Legacy callers in front of a server without sessions: what the session keeps, asks and hears."""

import asyncio

import pytest

from remit.gateway.bridge import Bridge, BridgeLimits
from remit.gateway.jsonrpc import Notification, Request, Response
from remit.gateway.rejection import RejectedError, UpstreamError
from tests.gateway.bridge.fakes import NewServer, call, legacy, result, said
from tests.gateway.doubles import until

META = "io.modelcontextprotocol/"
COLOUR = {"method": "elicitation/create", "params": {"message": "which?", "requestedSchema": {}}}
SUM = {"method": "sampling/createMessage", "params": {"messages": [], "maxTokens": 1}}
PAGE = {
    "method": "elicitation/create",
    "params": {"mode": "url", "url": "https://a.example", "message": "go"},
}
ACCEPTED = {"action": "accept", "content": {"colour": "blue"}}


@pytest.fixture
def server():
    return NewServer()


@pytest.fixture
async def bridge(server):
    bridge = Bridge(server, limits=BridgeLimits(rounds=3))
    yield bridge
    await bridge.close()


@pytest.fixture
async def session(bridge):
    session = bridge.open_session()
    await result(session.ask(initialize()))
    yield session
    await session.close()


def initialize(*, asked="2025-11-25", capabilities=None):
    declared = {"elicitation": {}, "tasks": {}} if capabilities is None else capabilities
    params = {
        "protocolVersion": asked,
        "capabilities": declared,
        "clientInfo": {"name": "old", "version": "1"},
    }
    return legacy(Request(0, "initialize", params))


def request(method, params=None, request_id=1):
    return legacy(Request(request_id, method, params))


def asking(inputs, *, state="kept", then=None):
    """A script that wants `inputs`, and answers with what it got."""

    def script(outgoing):
        params = outgoing.message.params
        if "inputResponses" not in params:
            wanted = {
                "resultType": "input_required",
                "inputRequests": inputs,
                "requestState": state,
            }
            return [Response(outgoing.message.id, result=wanted)]
        got = {
            "said": params["inputResponses"],
            "state": params.get("requestState"),
            "resultType": "complete",
        }
        return [Response(outgoing.message.id, result=got)]

    return script


async def answered(session, outgoing, *answers):
    """The last word on one request, whose questions are answered one after the other."""
    waiting, questions = list(answers), []
    async with session.ask(outgoing) as reply:
        async for message in reply.messages:
            if isinstance(message, Request):
                questions.append(message)
                answer = waiting.pop(0)
                response = (
                    Response(message.id, answer)
                    if "code" not in answer
                    else Response(message.id, error=answer)
                )
                await session.tell(legacy(response))
            elif isinstance(message, Response):
                return message, questions
    raise AssertionError("no answer")


@pytest.mark.parametrize(
    ("asked", "negotiated"),
    [("2025-06-18", "2025-06-18"), ("2031-01-01", "2025-11-25"), (None, "2025-11-25")],
)
async def test_a_session_is_opened_from_what_the_server_says_of_itself(
    bridge, server, asked, negotiated
):
    opened = await result(bridge.open_session().ask(initialize(asked=asked)))
    assert opened == {
        "protocolVersion": negotiated,
        "capabilities": {"tools": {"listChanged": True}, "resources": {"subscribe": True}},
        "serverInfo": {"name": "new", "version": "2"},
        "instructions": "ask away",
    }


async def test_each_request_says_what_the_client_said_of_itself(session, server):
    await result(session.ask(request("tools/call", call(_meta={"progressToken": 5}))))
    sent = server.asked[-1]
    assert sent.version == "2026-07-28"
    assert sent.message.params["_meta"] == {
        "progressToken": 5,
        f"{META}protocolVersion": "2026-07-28",
        f"{META}clientCapabilities": {"elicitation": {}},
        f"{META}clientInfo": {"name": "old", "version": "1"},
    }


async def test_what_a_legacy_client_does_not_know_is_taken_out(session, server):
    full = {"tools": [], "resultType": "complete", "ttlMs": 5, "cacheScope": "public",
            "_meta": {f"{META}serverInfo": {}, "a/b": 1}}  # fmt: skip
    server.script = lambda outgoing: [Response(outgoing.message.id, result=full)]
    assert await result(session.ask(request("tools/list"))) == {"tools": [], "_meta": {"a/b": 1}}


async def test_ping_is_answered_here(session, server):
    before = len(server.asked)
    assert await result(session.ask(request("ping"))) == {}
    assert len(server.asked) == before


async def test_the_level_to_log_from_is_kept_and_sent_along(session, server):
    assert await result(session.ask(request("logging/setLevel", {"level": "error"}))) == {}
    await result(session.ask(request("tools/call", call())))
    assert server.asked[-1].message.params["_meta"][f"{META}logLevel"] == "error"


async def test_a_level_that_nobody_knows_is_refused(session, server):
    assert (await result(session.ask(request("logging/setLevel", {"level": "loud"}))))[
        "code"
    ] == -32602
    await result(session.ask(request("tools/call", call())))
    assert f"{META}logLevel" not in server.asked[-1].message.params["_meta"]


async def test_a_demand_for_input_becomes_a_question_and_its_answer_the_next_round(session, server):
    server.script = asking({"colour": COLOUR})
    response, questions = await answered(session, request("tools/call", call()), ACCEPTED)
    assert response == Response(1, result={"said": {"colour": ACCEPTED}, "state": "kept"})
    assert [(one.method, one.params) for one in questions] == [(COLOUR["method"], COLOUR["params"])]


async def test_an_answer_to_another_question_is_not_taken(session, server):
    server.script = asking({"colour": COLOUR})
    async with session.ask(request("tools/call", call())) as reply:
        question = await anext(reply.messages)
        await session.tell(legacy(Response("ask_guessed", {"action": "accept"})))
        await session.tell(legacy(Response(question.id, ACCEPTED)))
        await session.tell(legacy(Response(question.id, {"action": "decline"})))
        assert (await anext(reply.messages)).result["said"] == {"colour": ACCEPTED}


async def test_a_page_to_open_gets_the_id_that_this_era_wants(bridge, server):
    session = bridge.open_session()
    await result(session.ask(initialize(capabilities={"elicitation": {"url": {}}})))
    server.script = asking({"page": PAGE})
    _, (question,) = await answered(session, request("tools/call", call()), {"action": "accept"})
    assert question.params["elicitationId"].startswith("elc_")


async def test_input_that_the_client_did_not_declare_is_not_asked_for(session, server):
    server.script = asking({"sum": SUM})
    with pytest.raises(UpstreamError, match="has not declared"):
        await result(session.ask(request("tools/call", call())))


async def test_a_person_who_was_not_reached_has_not_decided(session, server):
    server.script = asking({"colour": COLOUR})
    response, _ = await answered(
        session, request("tools/call", call()), {"code": -1, "message": "gone"}
    )
    assert response.result["said"] == {"colour": {"action": "cancel"}}


async def test_an_error_of_the_clients_model_is_the_calls(bridge, server):
    session = bridge.open_session()
    await result(session.ask(initialize(capabilities={"sampling": {}})))
    server.script = asking({"sum": SUM})
    response, _ = await answered(
        session, request("tools/call", call()), {"code": -1, "message": "no model"}
    )
    assert response.error == {"code": -1, "message": "no model"}


async def test_a_server_that_asks_without_end_is_stopped(session, server):
    wanted = {"resultType": "input_required", "requestState": "again"}
    server.script = lambda outgoing: [Response(outgoing.message.id, result=wanted)]
    with pytest.raises(UpstreamError, match="without end"):
        await result(session.ask(request("tools/call", call())))
    assert len(server.asked) < 10


async def test_a_client_that_does_not_answer_ends_the_call(bridge, server):
    impatient = Bridge(server, limits=BridgeLimits(answer=0))
    session = impatient.open_session()
    await result(session.ask(initialize()))
    server.script = asking({"colour": COLOUR})
    with pytest.raises(UpstreamError, match="did not answer"):
        await said(session.ask(request("tools/call", call())))


async def test_progress_comes_down_as_it_is(session, server):
    progress = Notification("notifications/progress", {"progressToken": 5, "progress": 1})
    server.script = lambda outgoing: [progress, Response(outgoing.message.id, result={})]
    assert await said(session.ask(request("tools/call", call()))) == [
        progress,
        Response(1, result={}),
    ]


async def test_a_cancelled_call_is_left_behind_the_gateway_too(session, server):
    gate = asyncio.Event()
    server.script = lambda outgoing: [
        Notification("notifications/progress", {"progressToken": 5, "progress": 1}), gate,
    ]  # fmt: skip
    async with session.ask(request("tools/call", call(), request_id=9)) as reply:
        await anext(reply.messages)
        left = server.left
        await session.tell(legacy(Notification("notifications/cancelled", {"requestId": 8})))
        assert server.left == left
        await session.tell(legacy(Notification("notifications/cancelled", {"requestId": 9})))
        assert (await anext(reply.messages)).error["message"] == "the client cancelled the call"
        assert server.left == left + 1


async def test_a_server_that_changed_has_the_client_begin_anew(session, server):
    changed = RejectedError(400, "no", rpc_code=-32022)
    server.script = lambda outgoing: [changed]
    with pytest.raises(UpstreamError) as caught:
        await result(session.ask(request("tools/call", call())))
    assert caught.value.session_ended


async def test_nothing_is_asked_of_an_ended_session(session, server):
    await session.close()
    with pytest.raises(UpstreamError) as caught:
        await result(session.ask(request("ping")))
    assert caught.value.session_ended


@pytest.mark.parametrize(
    ("method", "code", "data", "known"),
    [
        ("resources/read", -32602, {"uri": "a:b"}, -32002),
        ("resources/read", -32602, None, -32602),
        ("tools/call", -32021, {"requiredCapabilities": {}}, -32602),
        ("tools/call", -32020, None, -32603),
        ("tools/call", -32603, None, -32603),
    ],
)
async def test_errors_come_down_in_codes_of_this_era(session, server, method, code, data, known):
    error = {"code": code, "message": "no", "data": data}
    server.script = lambda outgoing: [Response(outgoing.message.id, error=error)]
    params = {"uri": "a:b"} if method == "resources/read" else call()
    assert (await result(session.ask(request(method, params))))["code"] == known


def mirroring(outgoing):
    """A server that wants the region in a header, too."""
    message = outgoing.message
    if message.method == "tools/list":
        schema = {
            "type": "object",
            "properties": {"region": {"type": "string", "x-mcp-header": "Region"}},
        }
        return [Response(message.id, result={"tools": [{"name": "find", "inputSchema": schema}]})]
    if ("mcp-param-region", "eu") not in outgoing.headers:
        return [Response(message.id, error={"code": -32020, "message": "header missing"})]
    return [Response(message.id, result={"content": []})]


async def test_headers_that_the_server_wants_are_made_from_the_arguments(session, server):
    server.script = mirroring
    params = {"name": "find", "arguments": {"region": "eu"}}
    assert await result(session.ask(request("tools/call", params))) == {"content": []}
    methods = [one.message.method for one in server.asked[1:]]
    assert methods[-3:] == ["tools/call", "tools/list", "tools/call"]
    await result(session.ask(request("tools/call", params)))
    assert [one.message.method for one in server.asked][-1] == "tools/call"
    assert len(server.asked) - len(methods) == 2


def listening(outgoing):
    """A server that acknowledges, tells of one change, and stays."""
    message = outgoing.message
    meta = {"_meta": {f"{META}subscriptionId": message.id}}
    wished = message.params["notifications"]
    told = [
        Notification("notifications/resources/updated", {"uri": uri, **meta})
        for uri in wished.get("resourceSubscriptions", [])
    ]
    return [
        Notification("notifications/subscriptions/acknowledged", {"notifications": wished, **meta}),
        Notification("notifications/tools/list_changed", meta), *told, asyncio.Event(),
    ]  # fmt: skip


async def test_changes_are_heard_on_the_sessions_own_stream(session, server):
    server.script = listening
    async with session.listen("2025-11-25") as messages:
        assert await anext(messages) == Notification("notifications/tools/list_changed", None)
        assert await result(session.ask(request("resources/subscribe", {"uri": "a:b"}))) == {}
        assert await anext(messages) == Notification("notifications/tools/list_changed", None)
        assert await anext(messages) == Notification(
            "notifications/resources/updated", {"uri": "a:b"}
        )
    listens = [one.message for one in server.asked if one.message.method == "subscriptions/listen"]
    assert listens[-1].params["notifications"] == {
        "toolsListChanged": True,
        "resourceSubscriptions": ["a:b"],
    }
    await until(lambda: server.left == len(server.asked))


async def test_a_server_that_tells_nothing_has_no_stream_and_takes_no_subscription(bridge, server):
    server.discovered = {**server.discovered, "capabilities": {"tools": {}}}
    session = bridge.open_session()
    await result(session.ask(initialize()))
    with pytest.raises(RejectedError) as caught:
        session.listen("2025-11-25")
    assert caught.value.status == 405
    assert (await result(session.ask(request("resources/subscribe", {"uri": "a:b"}))))[
        "code"
    ] == -32600
