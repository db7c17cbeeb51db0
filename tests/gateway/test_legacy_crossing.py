"""Sessions: tasks under handles, questions that the client can answer, news of what it subscribed to and may read."""

import asyncio
import json

import pytest

from remit.gateway.jsonrpc import Notification, Request, Response
from tests.gateway.doubles import (
    BASE_HEADERS,
    ListGuard,
    ScriptedServer,
    Wire,
    gateway,
    post,
    until,
)
from tests.gateway.test_legacy import as_person

RELATED = "io.modelcontextprotocol/related-task"
CREATED = {"task": {"taskId": "t-1", "status": "working"}}
FORM = {"mode": "form", "message": "?", "requestedSchema": {}}


class Session(ScriptedServer):
    """Answers by method; what is not said is answered with nothing."""

    def __init__(self, **answers):
        super().__init__(self.answer)
        self.answers = {"initialize": {"protocolVersion": "2025-11-25", "capabilities": {}}}
        self.answers.update({name.replace("_", "/"): value for name, value in answers.items()})

    def answer(self, outgoing):
        answer = self.answers.get(outgoing.message.method, {})
        steps = answer if isinstance(answer, list) else [answer]
        return [
            Response(outgoing.message.id, result=step) if isinstance(step, dict) else step
            for step in steps
        ]


@pytest.fixture
def guard():
    return ListGuard(forbidden=("hidden", "notes://hidden"))


async def opened(app, *, who="dana", version="2025-11-25", capabilities=None):
    headers = as_person(BASE_HEADERS, who)
    params = {
        "protocolVersion": version,
        "capabilities": capabilities or {},
        "clientInfo": {"name": "c", "version": "1"},
    }
    asked = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
    answer = await post(app, headers, asked)
    assert answer.status == 200, answer.body
    return (*headers, ("mcp-session-id", answer.header("mcp-session-id")))


async def ask(app, headers, method, **params):
    return await post(app, headers, request(method, **params))


def request(method, **params):
    return {"jsonrpc": "2.0", "id": 5, "method": method, "params": params}


async def begun(app, headers, tool="find"):
    answer = await ask(app, headers, "tools/call", name=tool, arguments={}, task={"ttl": 60_000})
    assert answer.status == 200, answer.body
    return answer.json["result"]["task"]["taskId"]


async def test_a_task_is_followed_to_its_result_under_a_name_of_ours(guard):
    result = {"content": [], "_meta": {RELATED: {"taskId": "t-1"}, "x": 1}}
    state = {"taskId": "t-1", "status": "working"}
    server = Session(tools_call=CREATED, tasks_get=state, tasks_result=result, tasks_cancel=state)
    app = gateway(guard, server)
    headers = await opened(app)
    handle = await begun(app, headers)
    assert server.asked[-1].message.params["task"] == {"ttl": 60_000}
    got = await ask(app, headers, "tasks/get", taskId=handle)
    assert got.json["result"] == {"taskId": handle, "status": "working"}
    done = await ask(app, headers, "tasks/result", taskId=handle)
    assert done.json["result"]["_meta"] == {RELATED: {"taskId": handle}, "x": 1}
    await ask(app, headers, "tasks/cancel", taskId=handle)
    assert [one.message.params["taskId"] for one in server.asked[-3:]] == ["t-1"] * 3
    assert guard.outcomes == ["task", "task", "ok", "task"]
    assert [call.task_of for call in guard.decided] == [None, *["dec_1"] * 3]


@pytest.mark.parametrize("method", ["tasks/get", "tasks/result", "tasks/cancel"])
async def test_a_task_of_somebody_else_and_one_that_never_was_are_the_same(guard, method):
    server = Session(tools_call=CREATED)
    app = gateway(guard, server)
    dana, eve = await opened(app), await opened(app, who="eve")
    handle = await begun(app, dana)
    before = len(server.asked)
    foreign = await ask(app, eve, method, taskId=handle)
    answers = [foreign, await ask(app, eve, method, taskId="t-1"), await ask(app, eve, method)]
    assert {answer.body for answer in answers} == {foreign.body}
    assert foreign.json["error"]["message"] == "unknown task"
    assert len(server.asked) == before


async def test_another_session_of_the_same_principal_finds_the_task(guard):
    app = gateway(
        guard, Session(tools_call=CREATED, tasks_get={"taskId": "t-1", "status": "working"})
    )
    handle = await begun(app, await opened(app))
    answer = await ask(app, await opened(app), "tasks/get", taskId=handle)
    assert answer.json["result"]["taskId"] == handle


async def test_a_list_of_tasks_holds_the_callers_own_of_tools_they_may_use(guard):
    theirs = [{"taskId": name, "status": "working"} for name in ("t-1", "t-2", "t-3")]
    server = Session(tools_call=CREATED, tasks_list={"tasks": theirs, "nextCursor": "more"})
    app = gateway(guard, server)
    dana, eve = await opened(app), await opened(app, who="eve")
    handle = await begun(app, dana)
    server.answers["tools/call"] = {"task": {"taskId": "t-2", "status": "working"}}
    await begun(app, eve, tool="count")
    listed = (await ask(app, dana, "tasks/list")).json["result"]
    assert listed == {"tasks": [{"taskId": handle, "status": "working"}], "nextCursor": "more"}
    guard.forbidden.add("find")
    empty = (await ask(app, dana, "tasks/list")).json["result"]
    assert empty == {"tasks": [], "nextCursor": "more"}


async def test_an_older_session_makes_no_tasks(guard):
    server = Session()
    server.answers["initialize"] = {"protocolVersion": "2025-06-18", "capabilities": {}}
    app = gateway(guard, server)
    headers = await opened(app, version="2025-06-18")
    await ask(app, headers, "tools/call", name="find", task={"ttl": 1})
    assert "task" not in server.asked[-1].message.params


async def test_what_a_task_asks_names_it_as_the_client_does_and_so_does_the_answer(guard):
    related = {"_meta": {RELATED: {"taskId": "t-1"}}}
    question = Request("q", "elicitation/create", {**FORM, **related})
    stray = Request("r", "elicitation/create", {**FORM, "_meta": {RELATED: {"taskId": "t-9"}}})
    answered = asyncio.Event()
    server = Session(tools_call=CREATED, tasks_result=[question, stray, answered, {"content": []}])
    app = gateway(guard, server)
    headers = await opened(app, capabilities={"elicitation": {}})
    handle = await begun(app, headers)
    wire = Wire(
        app, headers=headers, chunks=[json.dumps(request("tasks/result", taskId=handle)).encode()]
    )
    running = asyncio.create_task(wire.run())
    await until(lambda: len(wire.answer.events) == 2)
    asked, other = wire.answer.events
    assert asked["params"]["_meta"] == {RELATED: {"taskId": handle}}
    assert other["params"]["_meta"] == {}
    reply = {"action": "accept", "content": {}, "_meta": {RELATED: {"taskId": handle}}}
    sent = await post(app, headers, {"jsonrpc": "2.0", "id": "q", "result": reply})
    assert sent.status == 202
    assert server.told[-1].result["_meta"] == {RELATED: {"taskId": "t-1"}}
    answered.set()
    await running


async def test_news_of_a_task_reach_whoever_it_belongs_to(guard):
    def news(name):
        return Notification("notifications/tasks/status", {"taskId": name, "status": "working"})

    server = Session(tools_call=CREATED)
    app = gateway(guard, server)
    headers = await opened(app)
    handle = await begun(app, headers)
    events = await heard(app, headers, server, news("t-2"), news("t-1"))
    assert [event["params"]["taskId"] for event in events] == [handle]


async def test_news_of_a_resource_reach_who_subscribed_and_may_read_it(guard):
    def news(uri):
        return Notification("notifications/resources/updated", {"uri": uri})

    server = Session()
    app = gateway(guard, server)
    headers = await opened(app)
    assert "error" in (await ask(app, headers, "resources/subscribe", uri="notes://hidden")).json
    for uri in ("notes://today", "notes://gone", "notes://later"):
        await ask(app, headers, "resources/subscribe", uri=uri)
    await ask(app, headers, "resources/unsubscribe", uri="notes://gone")
    guard.forbidden.add("notes://later")
    uris = ["notes://hidden", "notes://other", "notes://gone", "notes://later", "notes://today"]
    events = await heard(app, headers, server, *map(news, uris), news("notes://today/part"))
    assert [event["params"]["uri"] for event in events] == ["notes://today", "notes://today/part"]


async def test_a_server_asks_only_what_the_client_said_it_can_answer(guard):
    questions = [
        Request("a", "elicitation/create", FORM),
        Request("b", "sampling/createMessage", {"messages": [], "maxTokens": 1}),
        Request("c", "roots/list"),
        Request("d", "tasks/get", {"taskId": "x"}),
        Request("e", "ping"),
    ]
    server = Session(tools_call=[*questions, {"content": []}])
    app = gateway(guard, server)
    headers = await opened(app, capabilities={"roots": {}})
    answer = await ask(app, headers, "tools/call", name="find")
    assert [event.get("method") for event in answer.events] == ["roots/list", "ping", None]
    assert [(told.id, told.error["code"]) for told in server.told] == [
        ("a", -32601), ("b", -32601), ("d", -32601),
    ]  # fmt: skip
    late = {"jsonrpc": "2.0", "id": "a", "result": {}}
    assert (await post(app, headers, late)).status == 400, "it was never asked"


async def test_a_question_on_the_servers_own_stream_is_looked_at_too(guard):
    server = Session()
    app = gateway(guard, server)
    headers = await opened(app)
    question = Request("a", "elicitation/create", FORM)
    assert await heard(app, headers, server, question) == []
    assert server.told[0].id == "a"


async def test_the_server_hears_of_carried_extensions_and_keeps_no_tasks_with_the_client(guard):
    server = Session()
    app = gateway(guard, server)
    extensions = {"io.modelcontextprotocol/tasks": {}, "x/y": {}}
    await opened(app, capabilities={"tasks": {}, "roots": {}, "extensions": extensions})
    assert server.asked[0].message.params["capabilities"] == {
        "roots": {},
        "extensions": {"io.modelcontextprotocol/tasks": {}},
    }


async def test_an_error_sends_nobody_where_they_should_not_go(guard):
    server = Session()
    app = gateway(guard, server)
    headers = await opened(app, capabilities={"elicitation": {"url": {}}})
    for url, status in (("https://example.com/x", 200), ("javascript:alert(1)", 502)):
        data = {"elicitations": [{"mode": "url", "url": url, "message": "?", "elicitationId": "e"}]}
        error = {"code": -32042, "message": "?", "data": data}
        server.script = lambda o, error=error: [Response(o.message.id, error=error)]
        answer = await ask(app, headers, "tools/call", name="find")
        assert (answer.status, b"javascript" in answer.body) == (status, False)
    server.script = lambda o: [Response(o.message.id, error={"code": -32042, "message": "?"})]
    assert (await ask(app, headers, "tools/call", name="find")).status == 502


async def heard(app, headers, server, *messages):
    """What of `messages` comes down the server's own stream."""
    wire = Wire(app, "GET", headers=headers)
    running = asyncio.create_task(wire.run())
    for message in (*messages, None):
        server.unasked.put_nowait(message)
    await running
    return wire.answer.events
