"""The legacy door: sessions that prove nothing, and streams that end with their token."""

import asyncio
import json

import pytest

from remit.gateway.jsonrpc import Notification, Request, Response
from remit.gateway.rejection import NoPlaceError, UpstreamError
from remit.testing import FixedClock
from tests.gateway.doubles import (
    BASE_HEADERS,
    ListGuard,
    ScriptedServer,
    Wire,
    gateway,
    post,
    token_of,
    until,
    without,
)

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {"elicitation": {}},
        "clientInfo": {"name": "c", "version": "1"},
    },
}
OPENED = {
    "protocolVersion": "2025-11-25",
    "capabilities": {"tools": {}, "tasks": {}},
    "serverInfo": {},
}
CALL = {
    "jsonrpc": "2.0",
    "id": 5,
    "method": "tools/call",
    "params": {"name": "find", "arguments": {}},
}
QUESTION = Request("q1", "elicitation/create", {"message": "?"})


def script(outgoing):
    if outgoing.message.method == "initialize":
        return [Response(outgoing.message.id, result=OPENED)]
    return [Response(outgoing.message.id, result={"content": []})]


@pytest.fixture
def guard():
    return ListGuard(forbidden=("hidden",))


@pytest.fixture
def server():
    return ScriptedServer(script)


@pytest.fixture
def app(guard, server):
    return gateway(guard, server)


async def opened(app, headers=BASE_HEADERS):
    answer = await post(app, headers, INITIALIZE)
    assert answer.status == 200, answer.body
    return (
        *headers,
        ("mcp-session-id", answer.header("mcp-session-id")),
        ("mcp-protocol-version", "2025-11-25"),
    )


def as_person(headers, name):
    return (*without(headers, "authorization"), ("authorization", f"Bearer {name}"))


async def test_initialize_opens_a_session_under_an_id_of_ours(app):
    answer = await post(app, BASE_HEADERS, INITIALIZE)
    session = answer.header("mcp-session-id")
    assert session.startswith("mcp_")
    assert len(session) > 40
    assert session.isascii()
    assert answer.json["result"]["capabilities"] == {"tools": {}, "tasks": {}}
    assert app.open_sessions == 1


async def test_a_call_within_a_session_is_decided_and_carried(app, guard, server):
    headers = await opened(app)
    answer = await post(app, headers, CALL)
    assert answer.json == {"jsonrpc": "2.0", "id": 5, "result": {"content": []}}
    assert answer.header("mcp-session-id") == dict(headers)["mcp-session-id"]
    assert guard.outcomes == ["ok"]
    assert server.asked[-1].version == "2025-11-25"
    assert all(name != "mcp-session-id" for name, _ in server.asked[-1].headers)


async def test_a_session_is_no_proof_of_who_calls(app, server):
    headers = await opened(app)
    for verb, body in (("POST", CALL), ("GET", None), ("DELETE", None)):
        chunks = [json.dumps(body).encode()] if body else [b""]
        answer = await Wire(
            app, verb, headers=without(headers, "authorization"), chunks=chunks
        ).run()
        assert answer.status == 401
    assert len(server.asked) == 1
    assert app.open_sessions == 1


async def test_a_session_of_somebody_else_looks_like_none(app, guard, server):
    headers = await opened(app)
    strange = await post(app, as_person(headers, "eve"), CALL)
    unknown = await post(
        app, (*without(headers, "mcp-session-id"), ("mcp-session-id", "mcp_x")), CALL
    )
    assert strange.status == unknown.status == 404
    assert strange.body == unknown.body
    assert guard.decided == []
    assert (await Wire(app, "DELETE", headers=as_person(headers, "eve")).run()).status == 404
    assert app.open_sessions == 1


async def test_a_request_without_a_session_is_refused(app, guard):
    answer = await post(app, BASE_HEADERS, CALL)
    assert (answer.status, answer.json["id"]) == (400, 5)
    assert guard.decided == []


async def test_initialize_without_a_token_is_challenged_and_opens_nothing(app, server):
    answer = await post(app, without(BASE_HEADERS, "authorization"), INITIALIZE)
    assert answer.status == 401
    assert answer.header("mcp-session-id") is None
    assert (app.open_sessions, server.asked) == (0, [])


@pytest.mark.parametrize("version", ["2025-06-18", "2024-01-01", "x"])
async def test_a_version_that_was_not_negotiated_is_refused(app, guard, version):
    headers = await opened(app)
    answer = await post(
        app, (*without(headers, "mcp-protocol-version"), ("mcp-protocol-version", version)), CALL
    )
    assert answer.status == 400
    assert guard.decided == []


async def test_without_a_version_header_the_negotiated_one_holds(app):
    headers = await opened(app)
    assert (await post(app, without(headers, "mcp-protocol-version"), CALL)).status == 200


async def test_a_refusal_to_initialize_opens_no_session(guard):
    error = {
        "code": -32022,
        "message": "no",
        "data": {"supported": ["2026-07-28"], "requested": "2025-11-25"},
    }
    server = ScriptedServer(lambda o: [Response(o.message.id, error=error)])
    app = gateway(guard, server)
    answer = await post(app, BASE_HEADERS, INITIALIZE)
    assert answer.json["error"] == error
    assert answer.header("mcp-session-id") is None
    assert (app.open_sessions, server.closed) == (0, 1)


async def test_a_server_that_negotiates_what_nobody_speaks_has_failed(guard):
    server = ScriptedServer(
        lambda o: [Response(o.message.id, result={**OPENED, "protocolVersion": "1999-01-01"})]
    )
    app = gateway(guard, server)
    assert (await post(app, BASE_HEADERS, INITIALIZE)).status == 502
    assert app.open_sessions == 0


async def test_delete_ends_the_session_here_and_behind(app, server):
    headers = await opened(app)
    assert (await Wire(app, "DELETE", headers=headers).run()).status == 204
    assert server.closed == 1
    assert (await post(app, headers, CALL)).status == 404


async def test_a_session_that_ended_behind_ends_here(app, server):
    headers = await opened(app)
    server.script = lambda _: [
        UpstreamError("the server has ended the session", session_ended=True)
    ]
    assert (await post(app, headers, CALL)).status == 404
    assert app.open_sessions == 0


async def test_notifications_are_carried_and_acknowledged(app, server):
    headers = await opened(app)
    answer = await post(app, headers, {"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert (answer.status, answer.body) == (202, b"")
    assert server.told == [Notification("notifications/initialized")]


@pytest.mark.parametrize(
    "method",
    [
        "tools/call",
        "tools/list",
        "resources/read",
        "initialize",
        "tasks/cancel",
        "sampling/createMessage",
        "admin/reset",
        "Notifications/initialized",
        "notifications",
    ],
)
async def test_a_request_without_its_id_is_no_notification_and_reaches_no_server(
    app, guard, server, method
):
    headers = await opened(app)
    params = {"name": "hidden", "uri": "n://1", "arguments": {}}
    answer = await post(app, headers, {"jsonrpc": "2.0", "method": method, "params": params})
    assert (answer.status, answer.json["error"]["code"]) == (400, -32600)
    assert answer.json["id"] is None
    assert (server.told, len(server.asked), guard.decided) == ([], 1, [])


@pytest.mark.parametrize(
    "method", ["notifications/x", "notifications/tools/call", "notifications/message"]
)
async def test_a_notification_that_no_client_sends_is_acknowledged_and_dropped(app, server, method):
    headers = await opened(app)
    answer = await post(app, headers, {"jsonrpc": "2.0", "method": method})
    assert (answer.status, answer.body) == (202, b"")
    assert server.told == []


@pytest.mark.parametrize(
    "method",
    ["notifications/cancelled", "notifications/progress", "notifications/roots/list_changed"],
)
async def test_the_notifications_of_a_client_go_on(app, server, method):
    headers = await opened(app)
    body = {"jsonrpc": "2.0", "method": method, "params": {"requestId": 1}}
    assert (await post(app, headers, body)).status == 202
    assert server.told == [Notification(method, {"requestId": 1})]


async def test_a_question_of_one_session_is_not_answered_from_another(app, server):
    asking, other = await opened(app), await opened(app)
    answered = asyncio.Event()
    server.script = lambda o: [QUESTION, answered, Response(o.message.id, result={"content": []})]
    wire = Wire(app, headers=asking, chunks=[json.dumps(CALL).encode()])
    running = asyncio.create_task(wire.run())
    await wire.wrote.wait()
    reply = {"jsonrpc": "2.0", "id": "q1", "result": {}}
    assert (await post(app, other, reply)).status == 400
    assert server.told == []
    answered.set()
    await running


@pytest.mark.parametrize("method", ["tasks/update", "server/discover", "x"])
async def test_what_is_not_carried_is_an_error_the_client_can_read(app, method):
    headers = await opened(app)
    answer = await post(app, headers, {"jsonrpc": "2.0", "id": 3, "method": method})
    assert (answer.status, answer.json["error"]["code"]) == (200, -32601)


async def test_nothing_but_a_call_of_a_tool_can_ask_to_become_a_task(app, server):
    headers = await opened(app)
    task = {"task": {"ttl": 60_000}}
    assert (await post(app, headers, {**CALL, "params": {**CALL["params"], **task}})).status == 200
    assert server.asked[-1].message.params == {**CALL["params"], **task}
    read = {"uri": "notes://today"}
    asked = {"jsonrpc": "2.0", "id": 6, "method": "resources/read", "params": {**read, **task}}
    await post(app, headers, asked)
    assert server.asked[-1].message.params == read


@pytest.mark.parametrize("method", ["resources/subscribe", "resources/unsubscribe"])
async def test_to_subscribe_is_decided_like_reading(app, guard, method):
    headers = await opened(app)
    await post(
        app, headers, {"jsonrpc": "2.0", "id": 3, "method": method, "params": {"uri": "n://1"}}
    )
    assert [(call.method, call.name) for call in guard.decided] == [(method, "n://1")]


async def test_a_question_of_the_servers_reaches_the_client_and_its_answer_the_server(app, server):
    headers = await opened(app)
    answered = asyncio.Event()
    server.script = lambda o: [QUESTION, answered, Response(o.message.id, result={"content": []})]
    wire = Wire(app, headers=headers, chunks=[json.dumps(CALL).encode()])
    running = asyncio.create_task(wire.run())
    await wire.wrote.wait()
    assert wire.answer.events == [QUESTION.to_json()]
    reply = {"jsonrpc": "2.0", "id": "q1", "result": {"action": "decline"}}
    assert (await post(app, headers, reply)).status == 202
    assert server.told == [Response("q1", result={"action": "decline"})]
    assert (await post(app, headers, reply)).status == 400, "a question is answered once"
    answered.set()
    assert (await running).events[-1]["id"] == 5


async def test_an_answer_to_no_question_is_refused(app, server):
    headers = await opened(app)
    answer = await post(app, headers, {"jsonrpc": "2.0", "id": "q9", "result": {}})
    assert answer.status == 400
    assert server.told == []


async def test_the_servers_own_stream_is_passed_down_and_only_one_is_open(app, server):
    headers = await opened(app)
    wire = Wire(app, "GET", headers=headers)
    running = asyncio.create_task(wire.run())
    await wire.wrote.wait()
    second = await Wire(app, "GET", headers=headers).run()
    assert second.status == 409
    wire.wrote.clear()
    server.unasked.put_nowait(Notification("notifications/tools/list_changed"))
    await wire.wrote.wait()
    assert wire.answer.events == [{"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}]
    wire.gone.set()
    await running
    third = Wire(app, "GET", headers=headers)
    server.unasked.put_nowait(None)
    assert (await third.run()).status == 200


async def test_a_stream_without_events_in_accept_is_refused(app):
    headers = await opened(app)
    answer = await Wire(
        app, "GET", headers=(*without(headers, "accept"), ("accept", "application/json"))
    ).run()
    assert answer.status == 406


async def test_an_open_stream_closes_when_its_token_no_longer_stands(guard, server):
    app = gateway(guard, server, recheck=0)
    headers = await opened(app)
    wire = Wire(app, "GET", headers=headers)
    running = asyncio.create_task(wire.run())
    await wire.wrote.wait()
    guard.people.discard("dana")
    answer = await asyncio.wait_for(running, 60)
    assert answer.ended


async def test_last_event_id_brings_nothing_back(app, server):
    headers = await opened(app)
    server.unasked.put_nowait(None)
    answer = await Wire(app, "GET", headers=(*headers, ("last-event-id", "1"))).run()
    assert (answer.status, answer.events) == (200, [])


async def test_nobody_opens_more_sessions_than_they_may(guard, server):
    app = gateway(guard, server, max_sessions_per_principal=2, max_sessions=3)
    first = await opened(app)
    await opened(app)
    third = await opened(app)
    assert (await post(app, first, CALL)).status == 404, "the oldest gave way"
    assert (await post(app, third, CALL)).status == 200
    assert server.closed == 1
    await opened(app, as_person(BASE_HEADERS, "eve"))
    assert (await post(app, as_person(BASE_HEADERS, "eve"), INITIALIZE)).status == 503
    assert app.open_sessions == 3


async def test_a_session_in_use_gives_way_to_nobody(guard, server):
    app = gateway(guard, server, max_sessions_per_principal=1)
    headers = await opened(app)
    wire = Wire(app, "GET", headers=headers)
    running = asyncio.create_task(wire.run())
    await wire.wrote.wait()
    assert (await post(app, BASE_HEADERS, INITIALIZE)).status == 429
    wire.gone.set()
    await running
    assert (await post(app, BASE_HEADERS, INITIALIZE)).status == 200


async def test_the_places_of_a_server_go_round_and_nobody_holds_them_all(server):
    class Grants(ListGuard):
        """Every token is of a grant of its own; a person is what stands before the dash."""

        async def authenticate(self, call, *, counted=False):
            return self._who(call)

        def _who(self, call):
            token = call.authorization[0].removeprefix("Bearer ")
            return token_of(token.split("-")[0], grant=token)

    def open_session():
        if app.open_sessions >= 4:
            raise NoPlaceError
        return server

    server.open_session = open_session
    app = gateway(Grants(), server)
    eves = [await opened(app, as_person(BASE_HEADERS, f"eve-{number}")) for number in range(4)]
    assert (await post(app, as_person(BASE_HEADERS, "eve-5"), INITIALIZE)).status == 503
    danas = [await opened(app, as_person(BASE_HEADERS, f"dana-{number}")) for number in range(2)]
    assert (await post(app, as_person(BASE_HEADERS, "dana-3"), INITIALIZE)).status == 503
    assert [(await post(app, headers, CALL)).status for headers in eves] == [404, 404, 200, 200]
    assert [(await post(app, headers, CALL)).status for headers in danas] == [200, 200]
    assert server.closed == 2


async def test_an_idle_session_ends(guard, server):
    clock = FixedClock()
    app = gateway(guard, server, clock=clock, session_idle=60, sweep=0)
    headers = await opened(app)
    app.start()
    for _ in range(5):
        await asyncio.sleep(0)
    assert app.open_sessions == 1
    clock.advance(61)
    await until(lambda: not app.open_sessions)
    assert (await post(app, headers, CALL)).status == 404
    await app.drain()


async def test_draining_closes_open_streams_and_sessions(app, server):
    headers = await opened(app)
    wire = Wire(app, "GET", headers=headers)
    running = asyncio.create_task(wire.run())
    await wire.wrote.wait()
    await app.drain()
    assert (await running).ended
    assert app.open_sessions == 0
