"""Streams of changes: of what was decided and may be known of now, for as long as the listener may listen."""

import asyncio
import json

import pytest
from mcp.client.subscriptions import ListenNotSupportedError
from mcp.shared.subscriptions import PromptsListChanged, ResourceUpdated, ToolsListChanged

from remit.gateway.jsonrpc import Notification, Response, error_response
from remit.gateway.rejection import UpstreamError
from remit.model import HttpUpstream
from remit.testing import FixedClock
from tests.gateway.conftest import fronted, stdio
from tests.gateway.doubles import (
    META,
    ListGuard,
    ScriptedServer,
    Wire,
    gateway,
    modern,
    post,
    until,
    without,
)
from tests.gateway.servers.changing import build
from tests.gateway.sockets import serving
from tests.gateway.test_carriage import client

KEY = "io.modelcontextprotocol/subscriptionId"
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
KNOWS_TASKS = {
    **META,
    CAPABILITIES: {"extensions": {"io.modelcontextprotocol/tasks": {}}},
}
EVERYTHING = {
    "toolsListChanged": True,
    "promptsListChanged": True,
    "resourcesListChanged": True,
    "resourceSubscriptions": ["notes://today", "notes://hidden"],
}


@pytest.fixture
def guard():
    return ListGuard(forbidden=("notes://hidden",))


@pytest.fixture(params=["http", "stdio"])
async def changing(request, guard):
    """URL of a gateway in front of a server that changes, over either transport."""
    if request.param == "stdio":
        async with fronted(guard, stdio("changing.py")) as (url, _):
            yield url
        return
    async with (
        serving(build().streamable_http_app(), lifespan="on") as behind,
        fronted(guard, HttpUpstream(url=f"{behind}/mcp", timeout=30)) as (url, _),
    ):
        yield url


async def test_the_python_client_hears_of_what_it_may_know_and_of_nothing_else(changing):
    named = ("notes://today", "notes://hidden")
    async with (
        client(changing, mode="auto") as mcp,
        mcp.listen(tools_list_changed=True, resource_subscriptions=named) as heard,
    ):
        assert heard.honored.resource_subscriptions == ["notes://today"]
        assert heard.honored.tools_list_changed is True
        for uri in ("notes://hidden", "notes://other", "notes://today"):
            await mcp.call_tool("touch", {"uri": uri})
        assert await anext(heard) == ResourceUpdated(uri="notes://today")
        await mcp.call_tool("change", {})
        assert await anext(heard) == ToolsListChanged()


async def test_two_listeners_never_hear_what_the_other_asked_for(changing):
    async with (
        client(changing, mode="auto") as dana,
        client(changing, mode="auto", token="eve") as eve,
        dana.listen(resource_subscriptions=["notes://today"]) as of_dana,
        eve.listen(prompts_list_changed=True) as of_eve,
    ):
        await eve.call_tool("touch", {"uri": "notes://today"})
        await dana.call_tool("change", {})
        assert await anext(of_dana) == ResourceUpdated(uri="notes://today")
        assert await anext(of_eve) == PromptsListChanged()


async def test_capabilities_promise_what_is_carried(changing):
    async with client(changing, mode="auto") as mcp:
        capabilities = mcp.server_capabilities
        assert capabilities.tools.list_changed
        assert capabilities.resources.subscribe


async def test_a_stream_ends_at_once_when_its_listener_may_listen_no_more(guard):
    server = ScriptedServer(listening())
    app = gateway(guard, server)
    wire, running = await opened(app)
    guard.people.discard("dana")
    app.look_again()
    await asyncio.wait_for(running, 60)
    assert wire.answer.ended
    assert server.left_early == 1


async def test_a_stream_ends_when_its_token_is_good_no_more(guard):
    server = ScriptedServer(listening())
    app = gateway(guard, server, recheck=0.01)
    _, running = await opened(app)
    guard.backs = lambda token: True
    guard.people.discard("dana")
    await asyncio.wait_for(running, 60)
    assert server.left_early == 1


async def test_a_stream_ends_with_a_word_when_the_process_stops(guard):
    app = gateway(guard, ScriptedServer(listening()))
    app.start()
    wire, running = await opened(app, request_id="s")
    await app.drain()
    await asyncio.wait_for(running, 60)
    assert wire.answer.events[-1] == {
        "jsonrpc": "2.0", "id": "s", "result": {"resultType": "complete", "_meta": {KEY: "s"}},
    }  # fmt: skip


async def test_a_client_that_goes_away_leaves_no_stream_behind(guard):
    server = ScriptedServer(listening())
    wire, running = await opened(gateway(guard, server))
    wire.gone.set()
    await asyncio.wait_for(running, 60)
    assert server.left_early == 1


def listening(*messages, honours=None, ends=True):
    """A script that acknowledges what it is asked, says `messages` and then waits."""

    def script(outgoing):
        asked = outgoing.message.params["notifications"] if honours is None else honours
        params = {"notifications": asked, "_meta": {KEY: outgoing.message.id}}
        acknowledged = Notification("notifications/subscriptions/acknowledged", params)
        waiting = [asyncio.Event()] if ends else []
        return [acknowledged, *messages, *waiting, Response(outgoing.message.id, result={})]

    return script


def asking(wanted=EVERYTHING, *, request_id=1, who="dana", meta=META):
    params = {"notifications": wanted, "_meta": meta}
    headers, body = modern("subscriptions/listen", params, request_id=request_id)
    return (*without(headers, "authorization"), ("authorization", f"Bearer {who}")), body


async def opened(app, wanted=EVERYTHING, **more):
    headers, body = asking(wanted, **more)
    wire = Wire(app, headers=headers, chunks=[json.dumps(body).encode()])
    running = asyncio.create_task(wire.run())
    await until(lambda: wire.answer.events or running.done())
    return wire, running


async def whole(app, wanted=EVERYTHING, **more):
    return await post(app, *asking(wanted, **more))


async def test_the_server_is_asked_for_what_was_decided(guard):
    server = ScriptedServer(listening(ends=False))
    answer = await whole(gateway(guard, server))
    kept = {**EVERYTHING, "resourceSubscriptions": ["notes://today"]}
    assert server.asked[0].message.params["notifications"] == kept
    assert answer.events[0]["params"] == {"notifications": kept, "_meta": {KEY: 1}}
    assert answer.events[-1]["result"] == {"resultType": "complete", "_meta": {KEY: 1}}
    assert [call.name for call in guard.decided] == ["notes://today", "notes://hidden"]
    assert guard.outcomes == ["ok"]


async def test_a_server_that_acknowledges_more_than_it_was_asked_is_not_believed(guard):
    more = {**EVERYTHING, "taskIds": ["t-9"]}
    server = ScriptedServer(listening(honours=more, ends=False))
    answer = await whole(gateway(guard, server), {"promptsListChanged": True})
    assert answer.events[0]["params"]["notifications"] == {"promptsListChanged": True}


STRAYS = [
    Notification("notifications/resources/updated", {"uri": "notes://hidden"}),
    Notification("notifications/resources/updated", {"uri": "notes://todays"}),
    Notification("notifications/resources/updated", {"uri": 7}),
    Notification("notifications/tools/list_changed"),
    Notification("notifications/tasks", {"taskId": "t-1", "status": "working"}),
    Notification("notifications/progress", {"progressToken": 1, "progress": 1}),
    Notification("notifications/message", {"level": "info", "data": "x"}),
    Notification("notifications/unheard_of", {}),
]


@pytest.mark.parametrize("stray", STRAYS, ids=range(len(STRAYS)))
async def test_what_was_not_asked_for_is_dropped(guard, stray):
    server = ScriptedServer(listening(stray, ends=False))
    wanted = {"resourceSubscriptions": ["notes://today", "notes://hidden"]}
    answer = await whole(gateway(guard, server), wanted)
    assert len(answer.events) == 2, answer.events


async def test_what_has_been_hidden_meanwhile_is_not_heard_of(guard):
    clock, go = FixedClock(), asyncio.Event()
    news = Notification("notifications/resources/updated", {"uri": "notes://today/part"})
    server = ScriptedServer(listening(news, go, news, news, ends=False))
    wire, running = await opened(gateway(guard, server, clock=clock))
    await until(lambda: len(wire.answer.events) == 2)
    guard.forbidden.add("notes://today/part")
    guard.forbidden.add("notes://today")
    clock.advance(60)
    go.set()
    await running
    assert len(wire.answer.events) == 3, "the acknowledgement, one piece of news, the end"


async def test_a_resource_that_is_hidden_and_one_that_is_missing_look_the_same(guard):
    guard.forbidden.add("notes://missing")
    app = gateway(guard, ScriptedServer(listening(ends=False)))
    hidden = await whole(app, {"resourceSubscriptions": ["notes://hidden"]})
    missing = await whole(app, {"resourceSubscriptions": ["notes://missing"]})
    assert hidden.body == missing.body
    assert (hidden.status, hidden.headers) == (missing.status, missing.headers)


async def test_who_has_no_token_listens_to_nothing(guard):
    server = ScriptedServer(listening())
    headers, body = asking()
    answer = await post(gateway(guard, server), without(headers, "authorization"), body)
    assert answer.status == 401
    assert (await whole(gateway(guard, server), who="mallory")).status == 401
    assert server.asked == []


MALFORMED = {
    "nothing": None,
    "list": [],
    "flag": {"toolsListChanged": 1},
    "uris": {"resourceSubscriptions": "notes://today"},
    "uri": {"resourceSubscriptions": [7]},
    "empty uri": {"resourceSubscriptions": [""]},
    "too many": {"resourceSubscriptions": [f"notes://{n}" for n in range(65)]},
    "task": {"taskIds": [None]},
}


@pytest.mark.parametrize("wanted", MALFORMED.values(), ids=MALFORMED)
async def test_what_is_asked_in_no_known_form_is_refused(guard, wanted):
    answer = await whole(gateway(guard, ScriptedServer(listening())), wanted)
    assert (answer.status, answer.json["error"]["code"], answer.json["id"]) == (400, -32602, 1)


async def test_who_listens_for_tasks_says_that_it_knows_them(guard):
    answer = await whole(gateway(guard, ScriptedServer(listening())), {"taskIds": ["x"]})
    assert (answer.status, answer.json["error"]["code"]) == (400, -32021)


async def test_news_of_a_task_reach_whoever_it_belongs_to(guard):
    created = {"resultType": "task", "taskId": "t-1", "status": "working"}
    server = ScriptedServer(lambda o: [Response(o.message.id, result=created)])
    app = gateway(guard, server)
    call = {"name": "find", "_meta": KNOWS_TASKS}
    made = await post(app, *modern("tools/call", call, name="find"))
    handle = made.json["result"]["taskId"]
    done = {"taskId": "t-1", "status": "completed", "result": {"content": []}}
    other = {"taskId": "t-2", "status": "completed", "result": {"content": ["secret"]}}
    news = [Notification("notifications/tasks", one) for one in (other, done)]
    server.script = listening(*news, ends=False)
    mine = await whole(app, {"taskIds": [handle, "t-1", "t-2"]}, meta=KNOWS_TASKS)
    assert server.asked[-1].message.params["notifications"] == {"taskIds": ["t-1"]}
    assert [one.get("params") for one in mine.events[:-1]] == [
        {"notifications": {"taskIds": [handle]}, "_meta": {KEY: 1}},
        {**done, "taskId": handle, "_meta": {KEY: 1}},
    ]
    foreign = await whole(app, {"taskIds": [handle]}, who="eve", meta=KNOWS_TASKS)
    assert foreign.events[0]["params"]["notifications"] == {}
    assert b"secret" not in mine.body + foreign.body


async def test_a_principal_has_so_many_streams(guard):
    app = gateway(guard, ScriptedServer(listening()), max_sessions_per_principal=2)
    streams = [await opened(app) for _ in range(2)]
    assert (await whole(app)).status == 429
    eves, running = await opened(app, who="eve")
    assert eves.answer.status == 200
    for wire, task in [*streams, (eves, running)]:
        wire.gone.set()
        await task
    wire, running = await opened(app)
    assert wire.answer.status == 200
    wire.gone.set()
    await running


async def test_what_is_held_open_is_not_a_call_in_flight(guard):
    server = ScriptedServer(listening())
    app = gateway(guard, server, max_calls=1)
    wire, running = await opened(app)
    server.script = lambda o: [Response(o.message.id, result={"content": []})]
    assert (await post(app, *modern("tools/call", {"name": "find"}, name="find"))).status == 200
    wire.gone.set()
    await running


async def test_a_server_that_refuses_or_fails_is_answered_for(guard):
    server = ScriptedServer(lambda o: [error_response(o.message.id, -32601, "no")])
    app = gateway(guard, server)
    answer = await whole(app)
    assert (answer.status, answer.json["error"]["code"]) == (404, -32601)
    server.script = lambda o: [UpstreamError("the server cannot be reached")]
    answer = await whole(app)
    assert (answer.status, answer.json["error"]["code"], answer.json["id"]) == (502, -32603, 1)
    server.script = lambda o: [Notification("notifications/tools/list_changed"), asyncio.Event()]
    answer = await whole(app)
    assert answer.events[-1]["error"]["code"] == -32603
    assert guard.outcomes == ["error", "upstream_failed", "upstream_failed"]


async def test_a_log_that_takes_no_outcome_lets_nothing_be_heard(guard):
    guard.log_full = True
    answer = await whole(gateway(guard, ScriptedServer(listening(ends=False))))
    assert [list(event) for event in answer.events] == [["error", "id", "jsonrpc"]]


async def test_a_legacy_session_cannot_listen(changing):
    async with client(changing, mode="legacy") as mcp:
        with pytest.raises(ListenNotSupportedError):
            async with mcp.listen(tools_list_changed=True):
                pass
