"""The gateway over the real guard: real tokens, policies and log; only the server behind is scripted."""

from dataclasses import replace

import pytest

from remit.audit.events import CallCompleted, Decided
from remit.gateway import GatewayApp, GatewayDeps, GatewaySettings
from remit.gateway.jsonrpc import Response
from remit.model import CallLimits
from remit.testing import FixedClock
from remit.testing.catalog import PAYMENTS, with_agent
from tests.gateway.doubles import ScriptedServer, modern, post, without
from tests.guard.conftest import URL, World

HOST = (("host", "remit.example"),)


@pytest.fixture
def world():
    return World(FixedClock())


@pytest.fixture
def server(world):
    def script(outgoing):
        # The decision is on record before the server hears anything.
        assert kinds(world)[-1:] == ["decision"] or outgoing.message.method != "tools/call"
        return [Response(outgoing.message.id, result={"content": [], "resultType": "complete"})]

    return ScriptedServer(script)


@pytest.fixture
def app(world, server):
    return GatewayApp(
        GatewayDeps(
            guard=world.guard,
            directory=world.directory,
            upstreams=server,
            settings=GatewaySettings(public_url=URL),
            clock=world.clock,
            issuer=URL,
        )
    )


def kinds(world):
    return [event.kind for event in world.audit.events]


async def call(app, raw, tool="get_account", arguments=None, method="tools/call"):
    params = (
        {"name": tool, "arguments": arguments or {"account": "acc_1"}}
        if method == "tools/call"
        else {}
    )
    headers, body = modern(method, params, name=tool if params else None)
    own = (*without(headers, "host", "authorization"), *HOST, ("authorization", f"Bearer {raw}"))
    return await post(app, own, body)


async def test_decision_call_and_outcome_are_one_story_in_the_log(app, world):
    answer = await call(app, world.raw())
    assert answer.status == 200, answer.body
    decided, completed = world.audit.events[-2:]
    assert isinstance(decided, Decided)
    assert isinstance(completed, CallCompleted)
    assert decided.outcome == "allow"
    assert decided.decision_id == completed.decision_id
    assert (completed.outcome, completed.name) == ("ok", "get_account")


async def test_a_token_for_another_server_is_refused_and_the_server_hears_nothing(
    app, world, server
):
    answer = await call(app, world.raw(PAYMENTS))
    assert answer.status == 401
    assert 'error="invalid_token"' in answer.header("www-authenticate")
    assert server.asked == []
    assert world.audit.events[-1].outcome != "allow"


async def test_a_missing_scope_is_a_challenge_that_names_it(app, world, server):
    answer = await call(app, world.raw(scopes=()))
    assert answer.status == 403
    header = answer.header("www-authenticate")
    assert 'error="insufficient_scope"' in header
    assert "crm:accounts.read" in header
    assert answer.json["id"] == 1
    assert server.asked == []


async def test_a_tool_that_is_not_in_the_catalog_is_not_found(app, world, server):
    answer = await call(app, world.raw(), tool="drop_database")
    assert "error" in answer.json
    assert server.asked == []


async def test_a_list_holds_what_this_token_may_call(app, world, server):
    tools = [{"name": name} for name in ("get_account", "drop_database")]
    server.script = lambda o: [Response(o.message.id, result={"tools": tools})]
    answer = await call(app, world.raw(), method="tools/list")
    assert [tool["name"] for tool in answer.json["result"]["tools"]] == ["get_account"]


async def test_a_log_that_takes_nothing_stops_every_call(app, world, server):
    raw = world.raw()
    world.audit.failing = True
    answer = await call(app, raw)
    assert answer.status == 503
    assert server.asked == []


async def test_a_result_whose_outcome_the_log_does_not_take_is_withheld_and_the_gateway_closes(
    app, world, server
):
    def script(outgoing):
        world.audit.failing = True
        return [
            Response(outgoing.message.id, result={"content": ["secret"], "resultType": "complete"})
        ]

    server.script = script
    raw = world.raw()
    answer = await call(app, raw)
    assert answer.status == 503
    assert b"secret" not in answer.body
    assert (await call(app, raw)).status == 503
    assert len(server.asked) == 1


async def test_what_only_goes_up_is_refused_beyond_the_limit_and_never_reaches_the_server(
    app, world, server
):
    catalog = world.directory.catalog
    held = replace(catalog.agents["assistant"], limits=CallLimits(calls_per_minute=2))
    world.directory.catalog = with_agent(catalog, held)
    raw = world.raw()
    answers = [await call(app, raw, method="server/discover") for _ in range(3)]
    assert [one.status for one in answers] == [200, 200, 429]
    assert len(server.asked) == 2
