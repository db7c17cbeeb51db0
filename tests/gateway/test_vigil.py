"""What is under way ends with what it rests on, at once, and takes nothing else with it."""

import asyncio
import json

import httpx2
import pytest

from remit.gateway.jsonrpc import Notification, Response
from remit.gateway.vigil import Vigil
from remit.model import HttpUpstream
from tests.gateway.conftest import fronted
from tests.gateway.doubles import (
    BASE_HEADERS,
    META,
    ListGuard,
    ScriptedServer,
    Wire,
    gateway,
    modern,
    token_of,
    until,
)
from tests.gateway.servers.sdk_server import build
from tests.gateway.sockets import serving
from tests.gateway.test_legacy import CALL, INITIALIZE, OPENED

PROGRESS = Notification("notifications/progress", {"progress": 1})


@pytest.fixture
def guard():
    return ListGuard()


@pytest.fixture
def never():
    return asyncio.Event()


def slow(never, *before):
    """A server that says `before`, and then works for ever."""

    def script(outgoing):
        if outgoing.message.method == "initialize":
            return [Response(outgoing.message.id, result=OPENED)]
        return [*before, never, Response(outgoing.message.id, result={"content": []})]

    return ScriptedServer(script)


def as_person(headers, name):
    return (
        *(line for line in headers if line[0] != "authorization"),
        ("authorization", f"Bearer {name}"),
    )


def begun(app, name, body=None, headers=None):
    """A request of `name`'s under way."""
    if headers is None:
        headers, body = modern("tools/call", {"name": "find", "arguments": {}}, name="find")
    raw = json.dumps(body).encode()
    lines = (*as_person(headers, name), ("content-length", str(len(raw))))
    wire = Wire(app, headers=lines, chunks=[raw])
    return wire, asyncio.create_task(wire.run())


async def test_a_call_of_somebody_who_may_act_no_more_is_cut_short_and_accounted_for(guard, never):
    server = slow(never)
    app = gateway(guard, server)
    _, dana = begun(app, "dana")
    _, eve = begun(app, "eve")
    await until(lambda: len(server.asked) == 2)
    guard.people.discard("dana")
    app.look_again()
    answer = await asyncio.wait_for(dana, 60)
    assert answer.ended
    assert guard.outcomes == ["cancelled"]
    assert server.left_early == 1
    assert not eve.done()
    never.set()
    assert (await asyncio.wait_for(eve, 60)).status == 200
    assert guard.outcomes == ["cancelled", "ok"]


async def test_before_anything_was_answered_the_answer_is_a_challenge(guard, never):
    server = ScriptedServer(lambda outgoing: [never])  # one step: nothing is streamed
    app = gateway(guard, server)
    _, dana = begun(app, "dana")
    await until(lambda: server.asked)
    guard.people.discard("dana")
    app.look_again()
    answer = await asyncio.wait_for(dana, 60)
    assert answer.status == 401
    assert 'error="invalid_token"' in answer.header("www-authenticate")
    assert answer.json["id"] == 1
    assert answer.json["error"]["data"]["reason"] == "invalid_token"


async def test_a_stream_that_has_begun_ends_with_an_error(guard, never):
    server = slow(never, PROGRESS)
    app = gateway(guard, server)
    wire, dana = begun(app, "dana")
    await until(lambda: b"progress" in wire.answer.body)
    guard.people.discard("dana")
    app.look_again()
    answer = await asyncio.wait_for(dana, 60)
    assert answer.status == 200
    assert answer.events[-1]["error"]["data"]["reason"] == "invalid_token"


async def test_a_session_and_its_stream_end_and_those_of_others_do_not(guard, never):
    server = slow(never)
    app = gateway(guard, server)
    streams = {}
    for name in ("dana", "eve"):
        _, opening = begun(app, name, INITIALIZE, BASE_HEADERS)
        session = (await opening).header("mcp-session-id")
        headers = (*as_person(BASE_HEADERS, name), ("mcp-session-id", session))
        wire = Wire(app, "GET", headers=headers)
        streams[name] = asyncio.create_task(wire.run())
        await wire.wrote.wait()
        if name == "dana":
            _, call = begun(app, name, CALL, headers)
    await until(lambda: len(server.asked) == 3)
    guard.people.discard("dana")
    app.look_again()
    assert (await asyncio.wait_for(streams["dana"], 60)).ended
    assert (await asyncio.wait_for(call, 60)).ended
    assert not streams["eve"].done()
    streams["eve"].cancel()


async def test_a_session_that_nobody_uses_ends_with_its_grant_and_so_does_what_serves_it(
    guard, never
):
    server = slow(never)
    app = gateway(guard, server)
    for name in ("dana", "eve"):
        _, opening = begun(app, name, INITIALIZE, BASE_HEADERS)
        assert (await opening).header("mcp-session-id")
    app.look_again()
    assert app.open_sessions == 2
    guard.people.discard("dana")
    app.look_again()
    assert app.open_sessions == 1
    await until(lambda: server.closed == 1)
    guard.people.discard("eve")
    app.look_again()
    await app.drain()  # waits for what is being closed
    assert server.closed >= 2


async def test_a_call_whose_grant_ends_between_decision_and_departure_does_not_leave(guard):
    def revoked_meanwhile(outgoing):
        raise AssertionError("it reached the server")

    decide = guard.decide

    async def then_revoked(call):
        permit = await decide(call)
        guard.people.discard("dana")
        return permit

    guard.decide = then_revoked
    app = gateway(guard, ScriptedServer(revoked_meanwhile))
    _, dana = begun(app, "dana")
    assert (await asyncio.wait_for(dana, 60)).status == 401
    assert guard.outcomes == ["cancelled"]


async def test_a_client_that_goes_away_at_the_same_moment_is_accounted_for_once(guard, never):
    server = slow(never)
    app = gateway(guard, server)
    wire, dana = begun(app, "dana")
    await until(lambda: server.asked)
    guard.people.discard("dana")
    wire.gone.set()
    app.look_again()
    await asyncio.wait_for(dana, 60)
    assert guard.outcomes == ["cancelled"]


def test_each_is_told_once_and_forgotten_when_it_is_over(guard):
    vigil, told = Vigil(guard), []
    with vigil.over(token_of("dana"), lambda: told.append("dana")) as watched:
        vigil.look_again()
        assert (told, watched.ended) == ([], False)
        guard.people.discard("dana")
        vigil.look_again()
        vigil.look_again()
        assert (told, watched.ended) == (["dana"], True)
    assert len(vigil) == 0


def test_who_is_gone_already_is_told_at_once(guard):
    told = []
    with Vigil(guard).over(token_of("nobody"), lambda: told.append(1)):
        assert told == [1]


async def test_the_server_behind_hears_that_the_call_is_over(guard, tmp_path):
    """A real server over HTTP: the revocation is its cancellation."""
    async with (
        serving(build(tmp_path).streamable_http_app(), lifespan="on") as behind,
        fronted(guard, HttpUpstream(url=f"{behind}/mcp", timeout=30)) as (url, app),
        httpx2.AsyncClient(timeout=30) as http,
    ):
        params = {"name": "wait_for_ever", "arguments": {}, "_meta": META | {"progressToken": 1}}
        headers, body = modern("tools/call", params, name="wait_for_ever")
        lines = [line for line in as_person(headers, "dana") if line[0] != "host"]
        async with http.stream("POST", url, json=body, headers=dict(lines)) as answer:
            pieces = answer.aiter_text()
            while "progress" not in await anext(pieces):
                pass
            guard.people.discard("dana")
            app.look_again()
            rest = "".join([piece async for piece in pieces])
        assert "the token is no longer good" in rest
        assert guard.outcomes == ["cancelled"]
        await until((tmp_path / "cancelled").exists)
