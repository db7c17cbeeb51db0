"""Over the real guard: names are compared exactly as decoded, and a hidden thing looks like a missing one."""

import json
import re
from dataclasses import replace
from types import MappingProxyType

import pytest

from remit.audit.events import CallCompleted, Decided
from remit.gateway import GatewayApp, GatewayDeps, GatewaySettings, HandleKeys
from remit.gateway.jsonrpc import Notification, Response
from remit.gateway.routing_headers import encode_header_value
from remit.model import Prompt, Sensitivity
from remit.testing import FixedClock
from remit.testing.catalog import CRM, with_server
from tests.gateway.doubles import META, ScriptedServer, modern, post, without
from tests.guard.conftest import URL, World

CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
TASKS = "io.modelcontextprotocol/tasks"
META_OF_TASKS = {**META, CAPABILITIES: {"extensions": {TASKS: {}}}}
KEY = "io.modelcontextprotocol/subscriptionId"
UNLIKE = [
    "GET_ACCOUNT", "Get_account", "get_account ", " get_account", "get_account.", "get_account\t",
    "get_account\u200b", "get_account\u00ad", "\ufeffget_account", "get\u005faccount\u0000",
    "\uff47\uff45\uff54_account", "get_\uff41ccount", "get_\u0430ccount", "get_account\u0301", "get%5faccount",
    "get_account%20", "get_account/", "get_account\r\n", "get_accoun",
]  # fmt: skip
RESOURCES_UNLIKE = [
    "CRM://schema", "crm://Schema", "crm://schema/", "crm://schema.", "crm://schema ", "crm:schema",
    "crm://%73chema", "crm://schema%20", "crm://schema?x=1", "crm://schema#x", "crm://schema\u200b",
    "crm://./schema", "crm://x/../schema", "crm:///schema", "crm://schem\u0430",
]  # fmt: skip


@pytest.fixture
def world():
    world = World(FixedClock())
    crm = world.directory.catalog.servers[CRM]
    secret = Prompt(name="secret", scopes=(), sensitivity=Sensitivity.HIGH)
    changed = replace(
        crm,
        prompts=MappingProxyType({**crm.prompts, "secret": secret}),
        allowed_methods=("search/query",),
    )
    world.directory.catalog = with_server(world.directory.catalog, changed)
    return world


@pytest.fixture
def server():
    return ScriptedServer(lambda o: [Response(o.message.id, result={"content": []})])


@pytest.fixture
def app(world, server):
    return started(world, server)


def started(world, server, keys=None):
    return GatewayApp(
        GatewayDeps(
            guard=world.guard,
            directory=world.directory,
            upstreams=server,
            settings=GatewaySettings(public_url=URL),
            clock=world.clock,
            issuer=URL,
            keys=keys or HandleKeys(),
        )
    )


async def ask(app, raw, method, params, *, name=None):
    headers, body = modern(method, {"_meta": META_OF_TASKS, **params}, name=header(name))
    own = (*without(headers, "host", "authorization"), ("host", "remit.example"))
    return await post(app, (*own, ("authorization", f"Bearer {raw}")), body)


def header(name):
    return None if name is None else encode_header_value(name)


def low(world, **changes):
    """A token with which nothing above low can be reached, now or ever."""
    return world.raw(sensitivity=Sensitivity.LOW, **changes)


def face(answer):
    """All that a caller can see of an answer, but for the id of the decision."""
    body = re.sub(rb'"decision":"[^"]*"', b"", answer.body)
    return answer.status, sorted(answer.headers), body


def prompt(name):
    return {"ref": {"type": "ref/prompt", "name": name}, "argument": {"name": "a", "value": ""}}


def template(uri):
    return {"ref": {"type": "ref/resource", "uri": uri}, "argument": {"name": "a", "value": ""}}


PAIRS = {
    "tool": ("tools/call", {"name": "export_accounts"}, {"name": "export_accountz"}),
    "prompt": ("prompts/get", {"name": "secret"}, {"name": "secreu"}),
    "resource": (
        "resources/read",
        {"uri": "crm://accounts/acc_1"},
        {"uri": "crm://account/acc_12"},
    ),
    "completion of a prompt": ("completion/complete", prompt("secret"), prompt("secreu")),
    "completion of a resource": (
        "completion/complete",
        template("crm://accounts/{id}"),
        template("crm://accounts/{is}"),
    ),
}


@pytest.mark.parametrize(("method", "hidden", "missing"), PAIRS.values(), ids=PAIRS)
async def test_a_hidden_thing_and_a_missing_thing_look_the_same(
    app, world, server, method, hidden, missing
):
    raw = low(world)
    faces = [
        face(await ask(app, raw, method, params, name=params.get("name") or params.get("uri")))
        for params in (hidden, missing)
    ]
    assert faces[0] == faces[1]
    assert b'"error"' in faces[0][2]
    assert server.asked == []


async def test_what_is_hidden_and_what_is_missing_is_left_out_of_a_subscription_alike(
    app, world, server
):
    def script(outgoing):
        params = {
            "notifications": outgoing.message.params["notifications"],
            "_meta": {KEY: outgoing.message.id},
        }
        acknowledged = Notification("notifications/subscriptions/acknowledged", params)
        return [acknowledged, Response(outgoing.message.id, result={})]

    server.script = script
    faces = [
        face(
            await ask(
                app, low(world), "subscriptions/listen",
                {"notifications": {"resourceSubscriptions": [uri]}},
            )
        )
        for uri in ("crm://accounts/acc_1", "crm://account/acc_1")
    ]  # fmt: skip
    assert faces[0] == faces[1]
    assert all(one.message.params["notifications"] == {} for one in server.asked)


@pytest.mark.parametrize("name", UNLIKE, ids=range(len(UNLIKE)))
async def test_a_tool_is_called_by_its_exact_name(app, world, server, name):
    arguments = {"account": "acc_1"}
    raw = world.raw()
    assert "result" in (
        await ask(
            app, raw, "tools/call", {"name": "get_account", "arguments": arguments},
            name="get_account",
        )
    ).json  # fmt: skip
    answer = await ask(app, raw, "tools/call", {"name": name, "arguments": arguments}, name=name)
    assert answer.json["error"]["code"] in {-32602, -32020}
    assert len(server.asked) == 1


@pytest.mark.parametrize("uri", RESOURCES_UNLIKE, ids=range(len(RESOURCES_UNLIKE)))
async def test_a_resource_is_read_by_its_exact_address(app, world, server, uri):
    raw = world.raw()
    for method in ("resources/read", "completion/complete"):
        params = {"uri": uri} if method == "resources/read" else template(uri)
        answer = await ask(app, raw, method, params, name=params.get("uri"))
        assert "error" in answer.json
    assert server.asked == []


@pytest.mark.parametrize("name", UNLIKE, ids=range(len(UNLIKE)))
async def test_a_list_does_not_show_what_is_only_like_a_name(app, world, server, name):
    listed = {"tools": [{"name": name}, {"name": "get_account"}], "nextCursor": "c"}
    server.script = lambda o: [Response(o.message.id, result=listed)]
    result = (await ask(app, world.raw(), "tools/list", {})).json["result"]
    assert [tool["name"] for tool in result["tools"]] == ["get_account"]


@pytest.mark.parametrize(
    ("method", "member", "item"),
    [
        ("tools/list", "tools", {"name": "export_accounts"}),
        ("prompts/list", "prompts", {"name": "secret"}),
        ("resources/list", "resources", {"uri": "crm://accounts/acc_1"}),
        ("resources/templates/list", "resourceTemplates", {"uriTemplate": "crm://accounts/{id}"}),
    ],
)
async def test_a_page_of_which_nothing_is_left_keeps_its_cursor_and_is_private(
    app, world, server, method, member, item
):
    page = {member: [item], "nextCursor": "next", "ttlMs": 5, "cacheScope": "public"}
    server.script = lambda o: [Response(o.message.id, result=page)]
    result = (await ask(app, low(world), method, {})).json["result"]
    assert result == {
        member: [], "nextCursor": "next", "ttlMs": 5, "cacheScope": "private",
        "resultType": "complete",
    }  # fmt: skip


async def test_a_task_is_decided_again_by_the_policies_of_the_day(world, server):
    created = {"resultType": "task", "taskId": "t-1", "status": "working"}
    state = {"resultType": "complete", "taskId": "t-1", "status": "completed", "result": {}}
    server.script = lambda o: [
        Response(o.message.id, result=created if o.message.method == "tools/call" else state)
    ]
    keys, raw = HandleKeys(), world.raw()
    app = started(world, server, keys)
    call = {"name": "get_account", "arguments": {"account": "acc_1", "note": "private"}}
    made = await ask(app, raw, "tools/call", call, name="get_account")
    handle = made.json["result"]["taskId"]
    # Another process of the installation, after a restart.
    app = started(world, server, keys)
    used = await ask(app, raw, "tasks/get", {"taskId": handle}, name=handle)
    assert used.json["result"]["status"] == "completed"
    began, becoming, again, done = world.audit.events[-4:]
    assert isinstance(began, Decided)
    assert isinstance(again, Decided)
    assert again.task_of == began.decision_id == becoming.decision_id
    assert (again.method, again.name, again.outcome) == ("tasks/get", "get_account", "allow")
    assert (becoming.outcome, done.outcome) == ("task", "ok")
    world.use_policies('@id("none") forbid(principal, action, resource);')
    refused = await ask(app, raw, "tasks/get", {"taskId": handle}, name=handle)
    unknown = await ask(app, raw, "tasks/get", {"taskId": "no-handle"}, name="no-handle")
    assert face(refused) == face(unknown)
    assert refused.json["error"]["message"] == "unknown task"
    truth = [event.reason for event in world.audit.events[-2:]]
    assert truth == ["forbidden", "not_found"]
    assert len(server.asked) == 2


async def test_an_allowed_method_is_on_record_with_its_outcome(app, world):
    answer = await ask(app, world.raw(), "search/query", {"q": "private"})
    assert "result" in answer.json
    decided, completed = world.audit.events[-2:]
    assert isinstance(decided, Decided)
    assert isinstance(completed, CallCompleted)
    assert (decided.method, decided.outcome, decided.reason, decided.engine) == (
        "search/query", "allow", "allowed_method", "declaration",
    )  # fmt: skip
    assert (completed.decision_id, completed.outcome) == (decided.decision_id, "ok")
    assert "private" not in json.dumps([str(event) for event in world.audit.events])


async def test_an_allowed_method_is_refused_to_who_may_not_use_the_server(app, world, server):
    world.stand(suspended_agents=frozenset({"assistant"}))
    assert (await ask(app, world.raw(), "search/query", {})).status == 401
    assert server.asked == []
