"""Tasks of the modern era: found again by whoever made them, decided again at every use, and nobody else's."""

import json

import pytest

from remit.gateway import HandleKeys
from remit.gateway.jsonrpc import Notification, Response, error_response
from remit.testing import FixedClock
from tests.gateway.doubles import (
    META,
    ListGuard,
    ScriptedServer,
    gateway,
    modern,
    post,
    server_of,
    without,
)

CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
TASKS = "io.modelcontextprotocol/tasks"
RELATED = "io.modelcontextprotocol/related-task"
KNOWS = {**META, CAPABILITIES: {"extensions": {TASKS: {}}, "elicitation": {}}}
DETAILS = {"createdAt": "2026-01-01T00:00:00Z", "lastUpdatedAt": "2026-01-01T00:00:00Z"}
CREATED = {"resultType": "task", "taskId": "t-1", "status": "working", "ttlMs": None, **DETAILS}
METHODS = ("tasks/get", "tasks/update", "tasks/cancel")


def state(status="working", **more):
    return {"resultType": "complete", "taskId": "t-1", "status": status, **DETAILS, **more}


class TaskServer(ScriptedServer):
    """Makes a task of every call; `states` are what it says of it, `words` how it answers the rest."""

    def __init__(self, *states, created=CREATED):
        super().__init__(self.answer)
        self.states = list(states)
        self.created = created

    def answer(self, outgoing):
        request = outgoing.message
        if request.method == "tools/call":
            return [Response(request.id, result=self.created)]
        if request.method == "tasks/get":
            return [Response(request.id, result=self.states.pop(0))]
        return [Response(request.id, result={"resultType": "complete"})]


@pytest.fixture
def guard():
    return ListGuard(forbidden=("hidden",))


def asked(method, params, *, name=None, who="dana", meta=KNOWS):
    headers, body = modern(method, {**params, "_meta": meta}, name=name)
    return (*without(headers, "authorization"), ("authorization", f"Bearer {who}")), body


async def begun(app, tool="find", arguments=None):
    params = {"name": tool, "arguments": arguments or {}}
    answer = await post(app, *asked("tools/call", params, name=tool))
    assert answer.status == 200, answer.body
    return answer.json["result"]["taskId"]


async def use(app, method, handle, **more):
    params = {"taskId": handle, **more.pop("params", {})}
    return await post(app, *asked(method, params, name=handle, **more))


async def test_a_task_is_followed_to_its_end_under_a_name_of_ours(guard):
    done = state("completed", result={"content": [], "isError": False})
    server = TaskServer(state(), done)
    app = gateway(guard, server)
    handle = await begun(app)
    assert "t-1" not in handle
    first = await use(app, "tasks/get", handle)
    assert first.json["result"] == {**state(), "taskId": handle}
    last = await use(app, "tasks/get", handle)
    assert last.json["result"] == {**done, "taskId": handle}
    assert (await use(app, "tasks/cancel", handle)).json["result"] == {"resultType": "complete"}
    assert [one.message.params["taskId"] for one in server.asked[1:]] == ["t-1"] * 3


async def test_each_use_is_decided_as_the_tool_and_its_outcome_recorded(guard):
    failed = state("completed", result={"content": [], "isError": True})
    app = gateway(guard, TaskServer(state(), failed, state("failed", error={"code": 1})))
    handle = await begun(app)
    for _ in range(3):
        await use(app, "tasks/get", handle)
    assert [(call.method, call.name) for call in guard.decided] == [
        ("tools/call", "find"), *[("tasks/get", "find")] * 3,
    ]  # fmt: skip
    assert [call.task_of for call in guard.decided] == [None, *["dec_1"] * 3]
    assert guard.outcomes == ["task", "task", "tool_error", "error"]


async def test_a_right_that_is_gone_ends_the_access_to_the_result(guard):
    server = TaskServer(state())
    app = gateway(guard, server)
    handle = await begun(app)
    guard.forbidden.add("find")
    answer = await use(app, "tasks/get", handle)
    assert "error" in answer.json
    assert len(server.asked) == 1, "the server hears nothing of it"


@pytest.mark.parametrize("method", METHODS)
async def test_a_task_of_somebody_else_and_one_that_never_was_are_the_same(guard, method):
    server = TaskServer()
    app = gateway(guard, server)
    handle = await begun(app)
    params = {"inputResponses": {}} if method == "tasks/update" else {}
    answers = [
        await use(app, method, handle, who="eve", params=params),
        await use(app, method, "t-1", params=params),
        await use(app, method, handle[:-2] + "AA", params=params),
        await use(app, method, handle.swapcase(), params=params),
        await use(app, method, handle + "=", params=params),
        await use(app, method, "r1." + "A" * 40, params=params),
    ]
    assert {answer.body for answer in answers} == {answers[0].body}
    assert {answer.status for answer in answers} == {answers[0].status}
    assert {tuple(answer.headers) for answer in answers} == {tuple(answers[0].headers)}
    error = answers[0].json["error"]
    assert (error["code"], error["message"]) == (-32602, "unknown task")
    assert len(server.asked) == 1


async def test_a_handle_is_good_at_its_own_server_only(guard):
    from_keys = HandleKeys()
    one, other = TaskServer(), TaskServer()
    handle = await begun(gateway(guard, one, keys=from_keys))
    elsewhere = gateway(guard, other, server_of("pay"), keys=from_keys)
    answer = await post(
        elsewhere, *asked("tasks/get", {"taskId": handle}, name=handle), path="/mcp/pay"
    )
    assert answer.json["error"]["message"] == "unknown task"
    assert other.asked == []


async def test_a_handle_outlives_a_restart_and_not_its_expiry(guard):
    clock, keys = FixedClock(), HandleKeys()
    handle = await begun(gateway(guard, TaskServer(), clock=clock, keys=keys))
    again = gateway(guard, TaskServer(state(), state()), clock=clock, keys=keys)
    assert (await use(again, "tasks/get", handle)).json["result"]["status"] == "working"
    clock.advance(30 * 24 * 3600)
    assert (await use(again, "tasks/get", handle)).json["error"]["message"] == "unknown task"
    strange = gateway(guard, TaskServer(state()), clock=clock)
    assert (await use(strange, "tasks/get", handle)).json["error"]["message"] == "unknown task"


@pytest.mark.parametrize("method", METHODS)
async def test_who_does_not_say_that_it_knows_tasks_is_told_what_it_lacks(guard, method):
    app = gateway(guard, TaskServer(state()))
    handle = await begun(app)
    answer = await use(app, method, handle, meta=META)
    assert (answer.status, answer.json["error"]["code"]) == (400, -32021)
    assert answer.json["error"]["data"] == {"requiredCapabilities": {"extensions": {TASKS: {}}}}


async def test_a_task_for_a_client_that_knows_none_is_the_servers_fault(guard):
    app = gateway(guard, TaskServer())
    answer = await post(app, *asked("tools/call", {"name": "find"}, name="find", meta=META))
    assert (answer.status, answer.json["error"]["code"]) == (502, -32603)
    assert guard.outcomes == ["upstream_failed"]


@pytest.mark.parametrize(
    "created",
    [{"taskId": None}, {"taskId": ""}, {"taskId": 7}, {"taskId": "x" * 1025}],
    ids=["none", "empty", "number", "long"],
)
async def test_a_task_without_a_usable_name_is_the_servers_fault(guard, created):
    app = gateway(guard, TaskServer(created={**CREATED, **created}))
    answer = await post(app, *asked("tools/call", {"name": "find"}, name="find"))
    assert answer.status == 502


@pytest.mark.parametrize("says", [{"taskId": "t-2"}, {"taskId": None}], ids=["other", "none"])
async def test_news_of_another_task_are_not_passed_on(guard, says):
    app = gateway(guard, TaskServer({**state(), **says}))
    answer = await use(app, "tasks/get", await begun(app))
    assert answer.status == 502
    assert b"t-2" not in answer.body


async def test_what_a_task_asks_is_what_the_client_can_answer(guard):
    form = {"method": "elicitation/create", "params": {"mode": "form", "message": "?"}}
    sampling = {"method": "sampling/createMessage", "params": {}}
    app = gateway(
        guard,
        TaskServer(
            state("input_required", inputRequests={"a": form}),
            state("input_required", inputRequests={"a": sampling}),
        ),
    )
    handle = await begun(app)
    answer = await use(app, "tasks/get", handle)
    assert answer.json["result"]["inputRequests"] == {"a": form}
    assert (await use(app, "tasks/get", handle)).status == 502


async def test_the_servers_own_name_for_a_task_stays_behind(guard):
    related = {"_meta": {RELATED: {"taskId": "t-1"}, "x": 1}}
    done = state("completed", result={"content": [], **related}, **related)
    app = gateway(guard, TaskServer(done))
    answer = await use(app, "tasks/get", await begun(app))
    assert b"t-1" not in answer.body
    assert answer.json["result"]["_meta"] == {"x": 1}


async def test_news_of_tasks_pass_on_no_stream_but_that_of_a_subscription(guard):
    news = Notification("notifications/tasks", {"taskId": "t-1", "status": "working"})
    updated = Notification("notifications/resources/updated", {"uri": "notes://hidden"})
    server = ScriptedServer(
        lambda o: [news, updated, Response(o.message.id, result={"resultType": "complete"})]
    )
    answer = await post(gateway(guard, server), *asked("tools/call", {"name": "find"}, name="find"))
    assert len(answer.events) == 1


async def test_a_header_that_names_another_task_is_refused(guard):
    app = gateway(guard, TaskServer(state()))
    handle = await begun(app)
    answer = await post(app, *asked("tasks/get", {"taskId": handle}, name="another"))
    assert answer.json["error"]["code"] == -32020
    assert (await post(app, *asked("tasks/get", {"taskId": handle}))).status == 200


async def test_the_wish_to_become_a_task_is_not_of_this_era(guard):
    server = TaskServer()
    await begun(gateway(guard, server), arguments={"task": 1})
    wish = {"name": "find", "task": {"ttl": 1}}
    await post(gateway(guard, server), *asked("tools/call", wish, name="find"))
    assert server.asked[0].message.params["arguments"] == {"task": 1}
    assert "task" not in server.asked[1].message.params


async def test_an_error_of_the_servers_about_a_task_is_passed_on(guard):
    app = gateway(guard, server := TaskServer())
    handle = await begun(app)
    server.script = lambda o: [error_response(o.message.id, -32602, "Task has expired")]
    answer = await use(app, "tasks/get", handle)
    assert answer.json["error"] == {"code": -32602, "message": "Task has expired"}
    assert json.dumps(guard.outcomes) == '["task", "error"]'
