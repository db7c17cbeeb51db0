"""The door: what is refused before anybody is asked, and what leaves nothing behind."""

import asyncio
import json

import pytest

from remit.gateway import Roster
from remit.gateway.jsonrpc import Response
from remit.model import HttpUpstream
from tests.gateway.doubles import (
    BASE_HEADERS,
    ListGuard,
    ScriptedServer,
    Wire,
    answering,
    call_tool,
    gateway,
    modern,
    post,
    server_of,
    until,
    without,
)
from tests.gateway.sockets import serving

RESULT = {"content": [{"type": "text", "text": "4"}], "resultType": "complete"}


@pytest.fixture
def guard():
    return ListGuard()


@pytest.fixture
def server():
    return ScriptedServer(answering(RESULT))


@pytest.fixture
def app(guard, server):
    return gateway(guard, server)


async def test_a_permitted_call_is_answered_and_its_outcome_recorded(app, guard, server):
    answer = await call_tool(app, arguments={"q": "x"})
    assert answer.status == 200
    assert answer.json == {"jsonrpc": "2.0", "id": 1, "result": RESULT}
    assert guard.outcomes == ["ok"]
    assert guard.decided[0].arguments == {"q": "x"}


MALFORMED = {
    "not json": (b"{", -32700),
    "a batch": (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600),
    "an empty batch": (b"[]", -32600),
    "a number": (b"1", -32600),
    "duplicate keys": (b'{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}', -32700),
    "duplicate keys below": (
        b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":1,"a":2}}',
        -32700,
    ),
    "not a number": (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":NaN}}', -32700),
    "an infinite number": (
        b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":1e999}}',
        -32700,
    ),
    "a byte-order mark": (b'\xef\xbb\xbf{"jsonrpc":"2.0","id":1,"method":"ping"}', -32700),
    "UTF-16": ('{"jsonrpc":"2.0","id":1,"method":"ping"}'.encode("utf-16"), -32700),
    "broken UTF-8": (b'{"jsonrpc":"2.0","id":1,"method":"\xff"}', -32700),
    "a lone surrogate": (b'{"jsonrpc":"2.0","id":1,"method":"\\ud800"}', -32700),
    "deep nesting": (
        b'{"jsonrpc":"2.0","id":1,"method":"ping","params":' + b'{"a":' * 99 + b"1" + b"}" * 100,
        -32700,
    ),
    "trailing text": (b'{"jsonrpc":"2.0","id":1,"method":"ping"}{}', -32700),
    "no version": (b'{"id":1,"method":"ping"}', -32600),
    "another version": (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600),
    "a fractional id": (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600),
    "a null id": (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600),
    "a boolean id": (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600),
    "an object for an id": (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600),
    "positional parameters": (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', -32600),
    "a method that is no string": (b'{"jsonrpc":"2.0","id":1,"method":7}', -32600),
    "request and response at once": (
        b'{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}',
        -32600,
    ),
    "nothing": (b"", -32700),
}


@pytest.mark.parametrize("era", ["modern", "legacy"])
@pytest.mark.parametrize(("body", "code"), MALFORMED.values(), ids=MALFORMED)
async def test_a_malformed_body_is_refused_before_the_guard_or_a_server_sees_it(
    app, guard, server, era, body, code
):
    version = [("mcp-protocol-version", "2026-07-28")] if era == "modern" else []
    answer = await post(app, (*BASE_HEADERS, *version), body)
    assert answer.status == 400
    assert answer.json["error"]["code"] == code
    assert (guard.authenticated, guard.decided, server.asked) == ([], [], [])


WRONG_HEADERS = {
    "no content type": (without(BASE_HEADERS, "content-type"), 415),
    "another content type": (
        (*without(BASE_HEADERS, "content-type"), ("content-type", "text/plain")),
        415,
    ),
    "two content types": ((*BASE_HEADERS, ("content-type", "application/json")), 415),
    "another encoding": (
        (
            *without(BASE_HEADERS, "content-type"),
            ("content-type", "application/json; charset=utf-16"),
        ),
        415,
    ),
    "a content coding": ((*BASE_HEADERS, ("content-encoding", "gzip")), 415),
    "no accept": (without(BASE_HEADERS, "accept"), 406),
    "accepts no events": ((*without(BASE_HEADERS, "accept"), ("accept", "application/json")), 406),
    "accepts no JSON": ((*without(BASE_HEADERS, "accept"), ("accept", "text/event-stream")), 406),
    "no host": (without(BASE_HEADERS, "host"), 400),
    "two hosts": ((*BASE_HEADERS, ("host", "127.0.0.1:8080")), 400),
    "a foreign host": ((*without(BASE_HEADERS, "host"), ("host", "evil.example")), 421),
    "a foreign port": ((*without(BASE_HEADERS, "host"), ("host", "127.0.0.1:9")), 421),
    "a foreign origin": ((*BASE_HEADERS, ("origin", "https://evil.example")), 403),
    "a null origin": ((*BASE_HEADERS, ("origin", "null")), 403),
    "an origin that only starts like ours": (
        (*BASE_HEADERS, ("origin", "http://127.0.0.1:8080.evil")),
        403,
    ),
}


@pytest.mark.parametrize(("headers", "status"), WRONG_HEADERS.values(), ids=WRONG_HEADERS)
async def test_a_request_that_is_not_for_us_is_refused(app, guard, headers, status):
    answer = await post(app, headers, {"jsonrpc": "2.0", "id": 1, "method": "ping"})
    assert answer.status == status
    assert answer.json["error"]["code"] == -32600
    assert guard.authenticated == []


async def test_our_own_origin_may_read_the_answer(app):
    headers, body = modern("tools/call", {"name": "find"}, name="find")
    answer = await post(app, (*headers, ("origin", "http://127.0.0.1:8080")), body)
    assert answer.header("access-control-allow-origin") == "http://127.0.0.1:8080"


async def test_a_body_beyond_the_limit_is_refused_before_it_has_been_read_whole(guard, server):
    app = gateway(guard, server, max_request_bytes=100)
    wire = Wire(app, headers=BASE_HEADERS, chunks=[b"x" * 60, b"x" * 60, b"never read"])
    answer = await wire.run()
    assert answer.status == 413
    assert answer.header("connection") == "close"
    assert wire._chunks == [b"never read"]


async def test_a_declared_length_beyond_the_limit_is_refused_unread(guard, server):
    app = gateway(guard, server, max_request_bytes=100)
    wire = Wire(app, headers=(*BASE_HEADERS, ("content-length", "101")), chunks=[b"{}"])
    assert (await wire.run()).status == 413
    assert wire._chunks == [b"{}"]


ANONYMOUS = without(BASE_HEADERS, "authorization")


@pytest.mark.parametrize(
    ("headers", "method"),
    [
        (ANONYMOUS, "POST"),
        ((*ANONYMOUS, ("content-length", "12")), "POST"),
        ((*ANONYMOUS, ("mcp-method", "tools/call")), "tools/call"),
        ((*ANONYMOUS, ("mcp-method", "x" * 9999)), "POST"),
        ((*BASE_HEADERS, ("authorization", "Bearer eve"), ("content-length", "12")), "POST"),
        ((*ANONYMOUS, ("authorization", "Bearer nobody"), ("content-length", "65537")), "POST"),
        ((*ANONYMOUS, ("authorization", "Bearer nobody"), ("content-length", "1e3")), "POST"),
        ((*ANONYMOUS, ("authorization", "Bearer nobody")), "POST"),
    ],
)
async def test_of_those_without_a_token_nothing_is_read(app, guard, headers, method):
    wire = Wire(app, headers=headers, chunks=[b'{"never": ', b"read"])
    answer = await wire.run()
    assert (answer.status, answer.json["id"]) == (401, None)
    assert answer.json["jsonrpc"] == "2.0"
    assert "error" in answer.json
    assert answer.header("www-authenticate").startswith("Bearer ")
    assert len(wire._chunks) == 2
    assert [call.method for call in guard.authenticated] == [method]


async def test_a_small_body_is_read_so_that_a_refusal_names_what_was_called(app, guard):
    refused = []
    guard.decide = lambda call: refused.append(call) or ListGuard.decide(guard, call)
    headers, body = modern("tools/call", {"name": "find"}, name="find")
    strange = (*without(headers, "authorization"), ("authorization", "Bearer nobody"))
    answer = await post(app, strange, body)
    assert (answer.status, answer.json["id"]) == (401, 1)
    assert [call.name for call in refused] == ["find"]


async def test_a_large_body_of_somebody_known_is_read(app, guard):
    answer = await call_tool(app, arguments={"q": "x" * 70_000})
    assert answer.status == 200
    assert len(guard.authenticated) == 1
    assert len(guard.decided) == 1


@pytest.mark.parametrize("headers", [ANONYMOUS, BASE_HEADERS])
async def test_a_body_that_is_not_there_takes_no_place_among_the_calls(guard, server, headers):
    app = gateway(guard, server, max_calls=1)
    slow = Wire(app, headers=(*headers, ("content-length", "100")), chunks=[b"{", b"never"])
    slow._chunks.pop()
    waiting = asyncio.create_task(slow.run())
    await asyncio.sleep(0)
    assert (await call_tool(app)).status == 200
    slow.gone.set()
    await waiting


async def test_a_body_that_does_not_come_in_time_is_refused(guard, server):
    app = gateway(guard, server, body_deadline=0)
    wire = Wire(app, headers=(*BASE_HEADERS, ("content-length", "100")))
    wire._chunks = []
    answer = await wire.run()
    assert (answer.status, answer.json["error"]["code"]) == (408, -32600)
    assert (answer.json["id"], answer.header("connection")) == (None, "close")
    assert (guard.authenticated, server.asked) == ([], [])


@pytest.mark.parametrize("path", ["/mcp/none", "/mcp/", "/mcp/crm/", "/mcp/crm/x", "/mcp/CRM"])
async def test_an_unknown_server_is_not_found_with_or_without_a_token(app, guard, path):
    for headers in (BASE_HEADERS, without(BASE_HEADERS, "authorization")):
        answer = await post(app, headers, {"jsonrpc": "2.0", "id": 1, "method": "ping"}, path=path)
        assert answer.status == 404
    assert guard.authenticated == []


async def test_a_request_that_breaks_off_is_not_acted_on(app, guard, server):
    wire = Wire(app, headers=BASE_HEADERS, chunks=[b"{", b""])
    wire._chunks = []
    wire.gone.set()
    answer = await wire.run()
    assert answer.status == 0
    assert (guard.decided, server.asked) == ([], [])


async def test_more_calls_than_there_may_be_are_turned_away(guard):
    release = asyncio.Event()
    server = ScriptedServer(lambda o: [release, Response(o.message.id, result=RESULT)])
    app = gateway(guard, server, max_calls=1)
    first = asyncio.create_task(call_tool(app))
    await until(lambda: server.asked)
    second = await call_tool(app)
    assert second.status == 503
    assert second.header("retry-after") == "1"
    release.set()
    assert (await first).status == 200


async def test_draining_finishes_what_is_in_flight_and_takes_nothing_new(guard):
    release = asyncio.Event()
    server = ScriptedServer(lambda o: [release, Response(o.message.id, result=RESULT)])
    app = gateway(guard, server, drain=30)
    app.start()
    first = asyncio.create_task(call_tool(app))
    await until(lambda: server.asked)
    draining = asyncio.create_task(app.drain())
    await asyncio.sleep(0)
    assert (await call_tool(app)).status == 503
    assert not draining.done()
    release.set()
    assert (await first).events[-1]["result"] == RESULT
    await draining
    assert server.closed == 1
    assert guard.outcomes == ["ok"]


async def test_draining_does_not_wait_for_ever(guard):
    server = ScriptedServer(lambda o: [asyncio.Event(), Response(o.message.id, result=RESULT)])
    app = gateway(guard, server, drain=0)
    stuck = asyncio.create_task(call_tool(app))
    await until(lambda: server.asked)
    await app.drain()
    assert server.closed == 1
    stuck.cancel()
    await asyncio.wait([stuck])
    assert guard.outcomes == ["cancelled"]


async def test_a_call_still_in_flight_at_the_end_is_answered_and_accounted_for(guard):
    async def hang(scope, receive, send):
        while (await receive())["type"] != "http.disconnect":
            reached.set()

    reached = asyncio.Event()
    async with serving(hang) as url:
        behind = server_of(upstream=HttpUpstream(url=f"{url}/mcp"))
        app = gateway(guard, Roster(str), behind, drain=0)
        stuck = asyncio.create_task(call_tool(app))
        await reached.wait()
        await app.drain()
        assert stuck.done()
    assert stuck.result().json["error"]["data"] == {"reason": "upstream_failed"}
    assert guard.outcomes == ["upstream_failed"]


async def test_what_nobody_foresaw_is_an_error_and_never_a_permission(server):
    class Broken(ListGuard):
        async def decide(self, call):
            raise RuntimeError("secret detail")

    answer = await call_tool(gateway(Broken(), server))
    assert answer.status == 500
    assert answer.json["error"]["code"] == -32603
    assert b"secret detail" not in answer.body
    assert server.asked == []


async def test_a_preflight_of_an_allowed_page_is_answered(app):
    headers = (("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:8080"))
    answer = await Wire(app, "OPTIONS", headers=headers).run()
    assert answer.status == 204
    assert "mcp-protocol-version" in answer.header("access-control-allow-headers")


async def test_a_preflight_of_a_foreign_page_is_refused(app):
    headers = (("host", "127.0.0.1:8080"), ("origin", "https://evil.example"))
    assert (await Wire(app, "OPTIONS", headers=headers).run()).status == 403


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE"])
async def test_other_verbs_are_not_allowed(app, method):
    answer = await Wire(app, method, headers=BASE_HEADERS).run()
    assert answer.status == 405
    assert answer.header("allow") == "POST, GET, DELETE"


async def test_unknown_members_are_read_past_and_never_sent_on(app, server):
    headers, body = modern("tools/call", {"name": "find"}, name="find")
    answer = await post(app, headers, {**body, "extra": {"method": "admin"}})
    assert answer.status == 200
    assert set(server.asked[0].message.to_json()) == {"jsonrpc", "id", "method", "params"}


def test_it_serves_its_own_paths_and_no_others(app):
    assert app.serves("/mcp/crm")
    assert app.serves("/.well-known/oauth-protected-resource/mcp/crm")
    assert not app.serves("/authorize")
    assert not app.serves("/mcp")


async def test_every_answer_of_its_own_is_json_that_nobody_caches(app):
    answer = await post(app, BASE_HEADERS, b"{")
    assert answer.header("content-type") == "application/json"
    assert answer.header("cache-control") == "no-store"
    assert json.loads(answer.body)["jsonrpc"] == "2.0"
