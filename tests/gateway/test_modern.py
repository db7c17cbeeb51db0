"""The modern door: headers say what the body says; every method is judged its own way."""

import asyncio
import json

import pytest
from mcp.shared.inbound import classify_inbound_request

from remit.gateway.jsonrpc import Notification, Request, Response
from remit.gateway.rejection import UpstreamError
from remit.guard.definitions import Definitions
from remit.policy.evaluation import ResourceKind
from tests.gateway.doubles import (
    BASE_HEADERS,
    META,
    VERSION,
    ListGuard,
    ScriptedServer,
    Wire,
    answering,
    call_tool,
    gateway,
    modern,
    post,
    without,
)

RESULT = {"content": [], "resultType": "complete"}
CALL = modern("tools/call", {"name": "find", "arguments": {}}, name="find")
PROGRESS = Notification("notifications/progress", {"progressToken": 1, "progress": 1})


@pytest.fixture
def guard():
    return ListGuard(forbidden=("hidden",))


@pytest.fixture
def server():
    return ScriptedServer(answering(RESULT))


@pytest.fixture
def app(guard, server):
    return gateway(guard, server)


def headers_with(name, value, headers=CALL[0]):
    return (*without(headers, name), *([] if value is None else [(name, value)]))


LADDER = {
    "version header missing": (headers_with("mcp-protocol-version", None), CALL[1], -32020),
    "version header of another era": (
        headers_with("mcp-protocol-version", "2025-11-25"),
        CALL[1],
        -32020,
    ),
    "method header missing": (headers_with("mcp-method", None), CALL[1], -32020),
    "method header differs": (headers_with("mcp-method", "tools/list"), CALL[1], -32020),
    "method header in another case": (headers_with("mcp-method", "Tools/Call"), CALL[1], -32020),
    "name header missing": (headers_with("mcp-name", None), CALL[1], -32020),
    "name header differs": (headers_with("mcp-name", "other"), CALL[1], -32020),
    "name header empty": (headers_with("mcp-name", ""), CALL[1], -32020),
    "name header in another case": (headers_with("mcp-name", "FIND"), CALL[1], -32020),
    "name header of broken base64": (
        headers_with("mcp-name", "=?base64?ZmluZA?="),
        CALL[1],
        -32020,
    ),
    "name header of loose base64": (
        headers_with("mcp-name", "=?base64?ZmluZB==?="),
        CALL[1],
        -32020,
    ),
    "name header of other base64": (
        headers_with("mcp-name", "=?base64?b3RoZXI=?="),
        CALL[1],
        -32020,
    ),
    "name header not ASCII": (headers_with("mcp-name", "fin\xe9"), CALL[1], -32020),
    "method header twice": ((*CALL[0], ("mcp-method", "tools/call")), CALL[1], -32020),
    "name header twice": ((*CALL[0], ("Mcp-Name", "find")), CALL[1], -32020),
    "version header twice": ((*CALL[0], ("mcp-protocol-version", VERSION)), CALL[1], -32020),
    "parameter header twice": (
        (*CALL[0], ("mcp-param-a", "1"), ("mcp-param-a", "2")),
        CALL[1],
        -32020,
    ),
    "no parameters": (CALL[0], {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}, -32602),
    "no _meta": (CALL[0], {**CALL[1], "params": {"name": "find"}}, -32602),
    "_meta is no object": (CALL[0], {**CALL[1], "params": {"name": "find", "_meta": []}}, -32602),
    "no capabilities": (
        CALL[0],
        {
            **CALL[1],
            "params": {
                "name": "find",
                "_meta": {"io.modelcontextprotocol/protocolVersion": VERSION},
            },
        },
        -32602,
    ),
    "no version in _meta": (
        CALL[0],
        {
            **CALL[1],
            "params": {"name": "find", "_meta": {"io.modelcontextprotocol/clientCapabilities": {}}},
        },
        -32602,
    ),
    "a version nobody speaks": (
        headers_with("mcp-protocol-version", "2031-01-01"),
        {
            **CALL[1],
            "params": {
                "name": "find",
                "_meta": {**META, "io.modelcontextprotocol/protocolVersion": "2031-01-01"},
            },
        },
        -32022,
    ),
    "name is no string": (CALL[0], {**CALL[1], "params": {"name": 7, "_meta": META}}, -32602),
}


@pytest.mark.parametrize(("headers", "body", "code"), LADDER.values(), ids=LADDER)
async def test_a_request_whose_headers_and_body_disagree_is_refused(
    app, guard, server, headers, body, code
):
    answer = await post(app, headers, body)
    assert answer.status == 400
    assert answer.json["id"] == 1
    assert answer.json["error"]["code"] == code
    assert (guard.decided, server.asked) == ([], [])


@pytest.mark.parametrize(
    "name",
    [
        "version header missing",
        "method header differs",
        "name header differs",
        "no _meta",
        "a version nobody speaks",
    ],
)
def test_the_official_ladder_refuses_the_same_with_the_same_code(name):
    headers, body, code = LADDER[name]
    assert classify_inbound_request(body, headers=dict(headers)).code == code


async def test_an_unspoken_version_is_told_which_are_spoken(app):
    headers, body, _ = LADDER["a version nobody speaks"]
    data = (await post(app, headers, body)).json["error"]["data"]
    assert data["requested"] == "2031-01-01"
    assert VERSION in data["supported"]


async def test_a_name_that_fits_no_header_travels_encoded_and_is_sent_on_encoded(app, server):
    name = "notes://caf\u00e9"
    headers, body = modern("resources/read", {"uri": name}, name="=?base64?bm90ZXM6Ly9jYWbDqQ==?=")
    assert (await post(app, headers, body)).status == 200
    assert server.asked[0].message.params["uri"] == name


async def test_without_a_token_the_answer_is_a_challenge_and_the_server_hears_nothing(app, server):
    answer = await post(app, without(CALL[0], "authorization"), CALL[1])
    assert answer.status == 401
    assert (
        'resource_metadata="http://127.0.0.1:8080/.well-known/oauth-protected-resource/mcp/crm"'
        in answer.header("www-authenticate")
    )
    assert answer.json["id"] is None, "what nobody vouches for is not read"
    assert "code" in answer.json["error"]
    assert server.asked == []


async def test_a_forbidden_call_never_reaches_the_server(app, guard, server):
    answer = await call_tool(app, "hidden")
    assert answer.status in {200, 403}
    assert "code" in answer.json["error"]
    assert (server.asked, guard.completed) == ([], [])


@pytest.mark.parametrize(
    ("method", "params", "kind", "name"),
    [
        ("tools/call", {"name": "find", "arguments": {"a": 1}}, "tool", "find"),
        ("resources/read", {"uri": "notes://1"}, "resource", "notes://1"),
        ("prompts/get", {"name": "greet"}, "prompt", "greet"),
        (
            "completion/complete",
            {"ref": {"type": "ref/prompt", "name": "greet"}},
            "prompt",
            "greet",
        ),
        (
            "completion/complete",
            {"ref": {"type": "ref/resource", "uri": "n://{d}"}},
            "resource",
            "n://{d}",
        ),
    ],
)
async def test_whatever_uses_something_of_the_server_is_decided(
    app, guard, method, params, kind, name
):
    header = name if method != "completion/complete" else None
    answer = await post(app, *modern(method, params, name=header))
    assert answer.status == 200
    assert [(str(call.kind), call.name) for call in guard.decided] == [(kind, name)]
    assert guard.outcomes == ["ok"]


@pytest.mark.parametrize(
    "reference", [None, {}, {"type": "ref/other"}, {"type": "ref/prompt"}, "x"]
)
async def test_a_completion_of_nothing_known_is_refused(app, server, reference):
    answer = await post(app, *modern("completion/complete", {"ref": reference}))
    assert (answer.status, answer.json["error"]["code"]) == (400, -32602)
    assert server.asked == []


@pytest.mark.parametrize(
    "method",
    [
        "tasks/list",
        "tasks/result",
        "Subscriptions/Listen",
        "resources/subscribe",
        "logging/setLevel",
        "initialize",
        "ping",
        "x",
    ],
)
async def test_what_is_not_carried_is_not_found(app, guard, server, method):
    answer = await post(app, *modern(method))
    assert (answer.status, answer.json["error"]["code"]) == (404, -32601)
    assert len(guard.authenticated) == 1
    assert server.asked == []


async def test_without_a_token_nobody_learns_which_methods_are_carried(app):
    headers, body = modern("tasks/get")
    assert (await post(app, without(headers, "authorization"), body)).status == 401


LISTS = {
    "tools/list": ("tools", "name"),
    "prompts/list": ("prompts", "name"),
    "resources/list": ("resources", "uri"),
    "resources/templates/list": ("resourceTemplates", "uriTemplate"),
}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("method", LISTS)
async def test_a_list_holds_only_what_the_caller_may_see_and_is_private(guard, method, streamed):
    member, key = LISTS[method]
    result = {
        member: [{key: "find"}, {key: "hidden"}, {"no": "name"}],
        "nextCursor": "n2",
        "cacheScope": "public",
        "ttlMs": 5,
    }
    before = [PROGRESS] if streamed else []
    server = ScriptedServer(lambda o: [*before, Response(o.message.id, result=result)])
    answer = await post(gateway(guard, server), *modern(method))
    response = answer.events[-1] if streamed else answer.json
    expected = {
        member: [{key: "find"}], "nextCursor": "n2", "cacheScope": "private", "ttlMs": 5, "resultType": "complete",
    }  # fmt: skip
    assert response["result"] == expected
    assert b"hidden" not in answer.body


async def test_a_list_without_a_list_in_it_is_a_failure(guard):
    server = ScriptedServer(answering({"tools": "hidden"}))
    answer = await post(gateway(guard, server), *modern("tools/list"))
    assert answer.status == 502
    assert b"hidden" not in answer.body


async def test_a_description_promises_nothing_that_is_not_carried(guard):
    described = {
        "supportedVersions": [VERSION, "2031-01-01"],
        "capabilities": {
            "tools": {"listChanged": True},
            "resources": {"subscribe": True, "listChanged": True},
            "tasks": {},
            "extensions": {"io.modelcontextprotocol/tasks": {}, "x/y": {}},
        },
    }
    answer = await post(
        gateway(guard, ScriptedServer(answering(described))), *modern("server/discover")
    )
    assert answer.json["result"] == {
        "supportedVersions": [VERSION],
        "capabilities": {
            "tools": {"listChanged": True},
            "resources": {"subscribe": True, "listChanged": True},
            "extensions": {"io.modelcontextprotocol/tasks": {}},
        },
        "cacheScope": "private",
        "resultType": "complete",
    }


async def test_the_server_is_told_only_of_extensions_that_are_carried(app, server):
    meta = {
        **META,
        "io.modelcontextprotocol/clientCapabilities": {
            "extensions": {"io.modelcontextprotocol/tasks": {}, "x/y": {}}
        },
    }
    await post(app, *modern("tools/call", {"name": "find", "_meta": meta}, name="find"))
    sent = server.asked[0].message.params["_meta"]["io.modelcontextprotocol/clientCapabilities"]
    assert sent == {"extensions": {"io.modelcontextprotocol/tasks": {}}}


async def test_nothing_of_the_callers_credentials_travels_on(app, server):
    extra = (
        ("cookie", "a=b"), ("x-api-key", "k"), ("forwarded", "for=1.2.3.4"), ("x-forwarded-for", "1.2.3.4"),
        ("mcp-session-id", "mine"), ("last-event-id", "7"), ("mcp-param-region", "eu"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), ("tracestate", "a=1"),
    )  # fmt: skip
    answer = await post(app, (*CALL[0], *extra), CALL[1])
    assert dict(server.asked[0].headers) == {
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate": "a=1",
        "mcp-param-region": "eu",
    }
    assert answer.header("mcp-session-id") is None


@pytest.mark.parametrize("verb", ["GET", "DELETE"])
async def test_there_is_no_session_to_listen_to_or_to_end(app, verb):
    headers = (*BASE_HEADERS, ("mcp-protocol-version", VERSION), ("mcp-session-id", "x"))
    answer = await Wire(app, verb, headers=headers).run()
    assert (answer.status, answer.header("allow")) == (405, "POST")


async def test_a_notification_is_acknowledged_and_goes_no_further(app, server):
    headers = (*BASE_HEADERS, ("mcp-protocol-version", VERSION))
    answer = await post(app, headers, {"jsonrpc": "2.0", "method": "notifications/cancelled"})
    assert (answer.status, answer.body) == (202, b"")
    assert (server.asked, server.told) == ([], [])


@pytest.mark.parametrize("method", ["tools/call", "server/discover", "admin/reset"])
async def test_a_request_without_its_id_is_no_notification(app, server, method):
    headers, _ = modern(method)
    params = {"name": "find", "_meta": META}
    answer = await post(app, headers, {"jsonrpc": "2.0", "method": method, "params": params})
    assert (answer.status, answer.json["error"]["code"]) == (400, -32600)
    assert (server.asked, server.told) == ([], [])


async def test_a_notification_without_a_token_is_challenged(app):
    headers = (*without(BASE_HEADERS, "authorization"), ("mcp-protocol-version", VERSION))
    assert (await post(app, headers, {"jsonrpc": "2.0", "method": "notifications/x"})).status == 401


async def test_a_notification_of_another_version_is_refused(app):
    headers = (*BASE_HEADERS, ("mcp-protocol-version", "2031-01-01"))
    answer = await post(app, headers, {"jsonrpc": "2.0", "method": "notifications/x"})
    assert (answer.status, answer.json["error"]["code"]) == (400, -32022)


async def test_a_response_is_refused(app):
    headers = (*BASE_HEADERS, ("mcp-protocol-version", VERSION))
    answer = await post(app, headers, {"jsonrpc": "2.0", "id": 1, "result": {}})
    assert (answer.status, answer.json["error"]["code"]) == (400, -32600)


async def test_a_stream_is_passed_on_event_by_event(guard):
    release = asyncio.Event()
    server = ScriptedServer(lambda o: [PROGRESS, release, Response(o.message.id, result=RESULT)])
    wire = Wire(gateway(guard, server), headers=CALL[0], chunks=[json.dumps(CALL[1]).encode()])
    running = asyncio.create_task(wire.run())
    await wire.wrote.wait()
    assert [event["method"] for event in wire.answer.events] == ["notifications/progress"]
    assert wire.answer.header("x-accel-buffering") == "no"
    assert wire.answer.header("content-type") == "text/event-stream"
    assert guard.completed == []
    release.set()
    await running
    assert wire.answer.events[-1] == {"jsonrpc": "2.0", "id": 1, "result": RESULT}
    assert guard.outcomes == ["ok"]


async def test_a_silent_stream_is_kept_open(guard):
    release = asyncio.Event()
    server = ScriptedServer(lambda o: [release, Response(o.message.id, result=RESULT)])
    app = gateway(guard, server, keep_alive=0)
    wire = Wire(app, headers=CALL[0], chunks=[json.dumps(CALL[1]).encode()])
    running = asyncio.create_task(wire.run())
    await wire.wrote.wait()
    assert wire.answer.chunks[0] == b":\n\n"
    release.set()
    assert (await running).ended


async def test_a_client_that_goes_away_leaves_the_server_and_the_account_is_settled(guard):
    server = ScriptedServer(lambda o: [PROGRESS, asyncio.Event()])
    wire = Wire(gateway(guard, server), headers=CALL[0], chunks=[json.dumps(CALL[1]).encode()])
    running = asyncio.create_task(wire.run())
    await wire.wrote.wait()
    wire.gone.set()
    await running
    assert server.left_early == 1
    assert guard.outcomes == ["cancelled"]


async def test_a_request_of_the_servers_never_reaches_a_modern_client(guard):
    question = Request("q", "sampling/createMessage", {})
    server = ScriptedServer(lambda o: [question, Response(o.message.id, result=RESULT)])
    answer = await post(gateway(guard, server), *CALL)
    assert [event.get("method") for event in answer.events] == [None]


FAILURES = {
    "breaks off": ([UpstreamError("the server broke off its answer")], 502, "upstream_failed"),
    "is too slow": (
        [UpstreamError("the server did not answer in time", timed_out=True)],
        504,
        "upstream_timeout",
    ),
    "answers another request": ([Response(99, result={})], 502, "upstream_failed"),
    "answers with an id of another type": ([Response("1", result={})], 502, "upstream_failed"),
    "answers with a request": ([Request(1, "x")], 502, "upstream_failed"),
}


@pytest.mark.parametrize(("script", "status", "reason"), FAILURES.values(), ids=FAILURES)
async def test_a_server_that_fails_is_said_to_have_failed(guard, script, status, reason):
    answer = await post(gateway(guard, ScriptedServer(lambda _: script)), *CALL)
    assert answer.status == status
    assert answer.json["id"] == 1
    assert answer.json["error"]["code"] == -32603
    assert answer.json["error"]["data"] == {"reason": reason}
    assert guard.outcomes == ["upstream_failed"]


@pytest.mark.parametrize(
    "end", [[], [UpstreamError("the server broke off its answer")]], ids=["ends", "breaks off"]
)
async def test_a_stream_without_an_answer_ends_in_an_error_of_ours(guard, end):
    answer = await post(gateway(guard, ScriptedServer(lambda _: [PROGRESS, PROGRESS, *end])), *CALL)
    assert answer.ended
    assert answer.events[-1]["error"]["code"] == -32603
    assert guard.outcomes == ["upstream_failed"]


async def test_a_call_does_not_last_longer_than_it_may(guard):
    server = ScriptedServer(lambda _: [PROGRESS, asyncio.Event()])
    answer = await post(gateway(guard, server, call_lifetime=0.05), *CALL)
    assert answer.events[-1]["error"]["data"] == {"reason": "upstream_timeout"}
    assert guard.outcomes == ["upstream_failed"]


@pytest.mark.parametrize(
    ("code", "status", "sent"),
    [(-32602, 400, -32602), (-32601, 404, -32601), (-32021, 400, -32021), (-32603, 200, -32603), (7, 200, 7),
     (-32002, 400, -32602), (-32042, 200, -32603), (-32099, 200, -32603)],
)  # fmt: skip
async def test_an_error_of_the_servers_has_the_status_and_code_of_this_revision(
    guard, code, status, sent
):
    error = {"code": code, "message": "m", "data": {"d": 1}}
    server = ScriptedServer(lambda o: [Response(o.message.id, error=error)])
    answer = await post(gateway(guard, server), *CALL)
    assert answer.status == status
    assert answer.json["error"] == {"code": sent, "message": "m", "data": {"d": 1}}
    assert guard.outcomes == ["error"]
    assert guard.completed[0][1].error_code == sent


async def test_an_error_without_an_id_is_taken_for_the_answer(guard):
    server = ScriptedServer(lambda _: [Response(None, error={"code": 1, "message": "m"})])
    answer = await post(gateway(guard, server), *CALL)
    assert answer.json["id"] == 1


async def test_a_tool_error_is_recorded_as_one(guard):
    await post(gateway(guard, ScriptedServer(answering({"content": [], "isError": True}))), *CALL)
    assert guard.outcomes == ["tool_error"]


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_result_whose_outcome_cannot_be_recorded_is_withheld(guard, streamed):
    guard.log_full = True
    before = [PROGRESS] if streamed else []
    server = ScriptedServer(
        lambda o: [*before, Response(o.message.id, result={"content": ["secret"]})]
    )
    answer = await post(gateway(guard, server), *CALL)
    assert b"secret" not in answer.body
    assert answer.status == (200 if streamed else 503)
    assert "error" in (answer.events[-1] if streamed else answer.json)


async def test_a_demand_for_input_passes_and_its_state_comes_back_as_it_was(guard):
    result = {
        "resultType": "input_required",
        "inputRequests": {"q": {"method": "elicitation/create"}},
        "requestState": "x.y",
    }
    server = ScriptedServer(answering(result))
    app = gateway(guard, server)
    meta = {**META, "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}
    first = {"name": "find", "arguments": {}, "_meta": meta}
    asked = (await post(app, *modern("tools/call", first, name="find"))).json["result"]
    state = asked["requestState"]
    assert asked == {**result, "requestState": state}
    assert "x.y" not in state, "the client cannot read it"
    more = {**first, "requestState": state, "inputResponses": {"q": {"action": "accept"}}}
    await post(app, *modern("tools/call", more, name="find"))
    assert server.asked[-1].message.params["requestState"] == "x.y"
    assert len(guard.decided) == 2, "every round is decided anew"


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("tools/call", "task"),
        ("tools/call", None),
        ("tools/call", 1),
        ("tools/list", "input_required"),
    ],
)
async def test_a_result_of_an_unknown_type_is_invalid(guard, method, kind):
    server = ScriptedServer(answering({"resultType": kind, "tools": []}))
    name = "find" if method == "tools/call" else None
    answer = await post(gateway(guard, server), *modern(method, {"name": "find"}, name=name))
    assert answer.status == 502


async def test_what_a_client_says_of_itself_is_not_put_to_the_guard(app, guard):
    meta = {**META, "io.modelcontextprotocol/clientInfo": {"name": "trusted-admin", "version": "1"}}
    await post(app, *modern("tools/call", {"name": "find", "_meta": meta}, name="find"))
    assert "trusted-admin" not in repr(guard.decided)


SCHEMA = {"properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}


def with_schemas(app, *names):
    schemas = {("crm", ResourceKind.TOOL, name): SCHEMA for name in names}
    app._deps.directory.definitions = Definitions(schemas=schemas)
    return app


@pytest.mark.parametrize("token", ["dana", "forged"])
async def test_a_header_of_an_argument_tells_nobody_of_a_hidden_tool(app, guard, server, token):
    """Its name, and that of its argument, would be told to whoever has no right to know of it."""
    with_schemas(app, "hidden")
    headers, body = modern(
        "tools/call", {"name": "hidden", "arguments": {"region": "eu"}}, name="hidden"
    )
    headers = headers_with("authorization", f"Bearer {token}", headers)
    answer = await post(app, headers, body)
    assert b"region" not in answer.body.lower()
    assert answer.json["error"]["code"] != -32020
    assert server.asked == []


async def test_a_header_of_an_argument_that_differs_is_refused_and_settled(app, guard, server):
    with_schemas(app, "find")
    answer = await call_tool(app, arguments={"region": "eu"})
    assert (answer.status, answer.json["error"]["code"], answer.json["id"]) == (400, -32020, 1)
    assert guard.outcomes == ["error"]
    assert server.asked == []


@pytest.mark.parametrize(
    "result",
    [
        {"resultType": ["complete"]},
        {"resultType": {"complete": 1}},
        {
            "resultType": "input_required",
            "inputRequests": {"a": {"method": "elicitation/create", "params": {"mode": ["form"]}}},
        },
    ],
)
async def test_what_a_server_sends_in_no_known_form_is_its_failure_and_not_the_callers(
    guard, result
):
    headers, body = CALL
    capabilities = {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}
    body = {**body, "params": {**body["params"], "_meta": {**META, **capabilities}}}
    answer = await post(gateway(guard, ScriptedServer(answering(result))), headers, body)
    assert (answer.status, answer.json["id"]) == (502, 1)
    assert guard.outcomes == ["upstream_failed"]
