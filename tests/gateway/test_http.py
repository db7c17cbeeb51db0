"""HTTP on both sides: what an upstream may not do to a caller, and what a caller's body may not do to us."""

import asyncio
import json

import pytest

from remit.gateway import Roster
from remit.gateway.http import Headers
from remit.gateway.jsonrpc import Notification, Request, Response
from remit.gateway.rejection import RejectedError, UpstreamError
from remit.gateway.upstream import Outgoing, StreamableHttp
from remit.gateway.upstream.equipment import bearer
from remit.gateway.upstream.port import Limits
from remit.model import HttpUpstream
from tests.gateway.doubles import META, VERSION, ListGuard, call_tool, gateway, server_of
from tests.gateway.sockets import serving

JSON = ("content-type", "application/json")
EVENTS = ("content-type", "text/event-stream")
OK = b'{"jsonrpc":"2.0","id":1,"result":{"content":[]}}'
LEGACY_CALL = Outgoing(Request(1, "tools/call", {"name": "find"}), "2025-11-25")
CALL = Outgoing(
    Request(1, "tools/call", {"name": "find", "_meta": META}),
    VERSION,
    (("traceparent", "00-a-b-01"),),
)


class Behind:
    """A server that answers with whatever it is told to, and remembers what it was asked."""

    def __init__(self):
        self.answers = []
        self.requests = []
        self.disconnected = asyncio.Event()

    def will(self, *chunks, status=200, headers=(JSON,), hold=False):
        self.answers.append((status, headers, chunks, hold))

    async def __call__(self, scope, receive, send):
        body = b""
        while True:
            event = await receive()
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.requests.append((scope["method"], headers, json.loads(body) if body else None))
        status, headers, chunks, hold = self.answers.pop(0)
        lines = [(name.encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": lines})
        for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        while hold and (await receive())["type"] != "http.disconnect":
            pass
        if hold:
            self.disconnected.set()
            return
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
async def behind():
    server = Behind()
    async with serving(server) as url:
        server.url = f"{url}/mcp"
        yield server


@pytest.fixture
async def upstream(behind):
    adapter = StreamableHttp(
        behind.url, presented=bearer("own"), limits=Limits(message_bytes=1000, seconds=5)
    )
    yield adapter
    await adapter.close()


async def ask(upstream, outgoing=CALL):
    async with upstream.ask(outgoing) as reply:
        return [message async for message in reply.messages]


def event(value):
    return b"event: message\ndata: " + json.dumps(value).encode() + b"\n\n"


async def test_what_goes_up_is_canonical_with_headers_of_its_own(behind, upstream):
    behind.will(OK)
    assert await ask(upstream) == [Response(1, result={"content": []})]
    [(method, headers, body)] = behind.requests
    assert method == "POST"
    assert body == CALL.message.to_json()
    assert headers["authorization"] == "Bearer own"
    assert headers["accept"] == "application/json, text/event-stream"
    assert (headers["mcp-protocol-version"], headers["mcp-method"], headers["mcp-name"]) == (
        VERSION,
        "tools/call",
        "find",
    )
    assert headers["traceparent"] == "00-a-b-01"
    assert not {"cookie", "origin", "mcp-session-id", "accept-encoding"} & set(headers)


WRONG = {
    "another type": ((b"<html>",), {"headers": (("content-type", "text/html"),)}),
    "no type": ((OK,), {"headers": ()}),
    "not JSON": ((b"{",), {}),
    "duplicate keys": ((b'{"jsonrpc":"2.0","id":1,"result":{"a":1,"a":2}}',), {}),
    "not a number": ((b'{"jsonrpc":"2.0","id":1,"result":{"a":NaN}}',), {}),
    "a batch": ((b"[" + OK + b"]",), {}),
    "a request": ((b'{"jsonrpc":"2.0","id":1,"method":"ping"}',), {}),
    "result and error": (
        (b'{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"m"}}',),
        {},
    ),
    "a result that is no object": ((b'{"jsonrpc":"2.0","id":1,"result":[]}',), {}),
    "an error without a code": ((b'{"jsonrpc":"2.0","id":1,"error":{"message":"m"}}',), {}),
    "too much": ((b'{"jsonrpc":"2.0","id":1,"result":{"a":"' + b"x" * 2000 + b'"}}',), {}),
    "a redirect": ((), {"status": 302, "headers": (("location", "http://127.0.0.1:1/"),)}),
    "a refusal of our credential": ((OK,), {"status": 401}),
    "forbidden": ((OK,), {"status": 403}),
    "its own failure": ((b"oops",), {"status": 500, "headers": (("content-type", "text/plain"),)}),
    "a result with an error status": ((OK,), {"status": 500}),
    "a content coding": ((b"x",), {"headers": (JSON, ("content-encoding", "gzip"))}),
    "an event too large": ((b"data: " + b"x" * 2000,), {"headers": (EVENTS,), "hold": True}),
    "an event that is no message": ((b"data: {}\n\n",), {"headers": (EVENTS,)}),
}


@pytest.mark.parametrize(("chunks", "more"), WRONG.values(), ids=WRONG)
async def test_an_answer_that_is_not_what_the_protocol_asks_is_not_passed_on(
    behind, upstream, chunks, more
):
    behind.will(*chunks, **more)
    with pytest.raises(UpstreamError):
        await ask(upstream)


async def test_nothing_of_an_upstreams_headers_reaches_the_caller(behind):
    guard = ListGuard()
    app = gateway(guard, Roster(str), server_of(upstream=HttpUpstream(url=behind.url)))
    secrets = (
        ("set-cookie", "s=1"),
        ("www-authenticate", "Bearer x"),
        ("authorization", "Bearer own"),
        ("server", "s"),
    )
    behind.will(OK, headers=(JSON, *secrets))
    answer = await call_tool(app)
    assert answer.status == 200
    assert {name for name, _ in answer.headers} == {
        b"content-type", b"content-length", b"cache-control", b"x-content-type-options",
    }  # fmt: skip
    behind.will(OK, status=401, headers=(JSON, *secrets))
    refused = await call_tool(app)
    assert refused.status == 502
    assert refused.header("www-authenticate") is None
    assert guard.completed[-1][1].upstream_status == 401
    await app.drain()


async def test_the_callers_token_stays_here_even_without_a_credential_of_our_own(behind):
    app = gateway(ListGuard(), Roster(str), server_of(upstream=HttpUpstream(url=behind.url)))
    behind.will(OK)
    await call_tool(app)
    assert "authorization" not in behind.requests[0][1]
    await app.drain()


async def test_a_credential_that_cannot_be_read_refuses_the_call(behind):
    def refusing(reference):
        raise ValueError(reference)

    guard = ListGuard()
    upstream = HttpUpstream(url=behind.url, bearer_secret="env:MISSING")
    app = gateway(guard, Roster(refusing), server_of(upstream=upstream))
    answer = await call_tool(app)
    assert answer.status == 502
    assert b"MISSING" not in answer.body
    assert behind.requests == []
    assert guard.outcomes == ["upstream_failed"]


async def test_the_configured_credential_is_read_and_sent(behind):
    upstream = HttpUpstream(url=behind.url, bearer_secret="env:KEY")
    app = gateway(ListGuard(), Roster({"env:KEY": "k1"}.__getitem__), server_of(upstream=upstream))
    behind.will(OK)
    assert (await call_tool(app)).status == 200
    assert behind.requests[0][1]["authorization"] == "Bearer k1"
    await app.drain()


SECRET = "s3cret-of-the-gateway"
ECHOES = {
    "in a result": {"result": {"content": [{"type": "text", "text": f"you sent {SECRET}!"}]}},
    "in a name": {"result": {"content": [], "x": [{SECRET: 1}]}},
    "in an error": {"error": {"code": -32000, "message": f"bad: Bearer {SECRET}"}},
    "in the error's data": {"error": {"code": -32602, "message": "bad", "data": [SECRET]}},
}


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("escaped", [False, True])
@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
async def test_a_server_that_echoes_our_credential_is_not_heard(behind, echo, escaped, status):
    text = json.dumps({"jsonrpc": "2.0", "id": 1, **echo})
    if escaped:
        text = text.replace(SECRET, "".join(f"\\u{ord(letter):04x}" for letter in SECRET))
    behind.will(text.encode(), status=status)
    upstream = HttpUpstream(url=behind.url, bearer_secret="env:T")
    guard = ListGuard()
    answer = await call_tool(
        gateway(guard, Roster({"env:T": SECRET}.get), server_of(upstream=upstream))
    )
    assert answer.status in {400, 502}
    assert SECRET not in json.dumps(answer.json)


async def test_an_echo_on_a_stream_ends_it(behind):
    notice = {"method": "notifications/message", "params": {"data": {"authorization": SECRET}}}
    behind.will(event(notice), event({"id": 1, "result": {}}), headers=(EVENTS,))
    upstream = HttpUpstream(url=behind.url, bearer_secret="env:T")
    answer = await call_tool(
        gateway(ListGuard(), Roster({"env:T": SECRET}.get), server_of(upstream=upstream))
    )
    assert answer.events[-1]["error"]["data"] == {"reason": "upstream_failed"}
    assert SECRET.encode() not in answer.body


async def test_what_is_wrong_with_a_servers_json_is_not_quoted(behind, upstream):
    behind.will(b'{"jsonrpc":"2.0","id":1,"result":{"%s":1,"%s":2}}' % ((SECRET.encode(),) * 2))
    with pytest.raises(UpstreamError) as caught:
        await ask(upstream)
    assert SECRET not in caught.value.detail


async def test_events_arrive_one_by_one_and_the_first_before_the_end(behind, upstream):
    progress = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progress": 1}}
    behind.will(b": hello\n\n", event(progress), headers=(EVENTS,), hold=True)
    async with upstream.ask(CALL) as reply:
        assert reply.streamed
        assert await anext(reply.messages) == Notification(
            "notifications/progress", {"progress": 1}
        )
    await asyncio.wait_for(behind.disconnected.wait(), 5)


@pytest.mark.parametrize("leave", ["cancelled", "timed out"])
async def test_a_server_that_has_not_begun_to_answer_hears_that_nobody_waits(leave):
    asked, left = asyncio.Event(), asyncio.Event()

    async def thinking(scope, receive, send):
        while (await receive())["type"] != "http.disconnect":
            asked.set()
        left.set()

    async with serving(thinking) as url:
        seconds = 0.3 if leave == "timed out" else 30
        upstream = StreamableHttp(f"{url}/mcp", limits=Limits(seconds=seconds))
        waiting = asyncio.create_task(ask(upstream))
        await asyncio.wait_for(asked.wait(), 5)
        if leave == "cancelled":
            waiting.cancel()
        await asyncio.wait([waiting])
        await asyncio.wait_for(left.wait(), 5)
        await upstream.close()


async def test_a_server_that_falls_silent_has_failed(behind):
    upstream = StreamableHttp(behind.url, limits=Limits(seconds=0.2))
    behind.will(event({"jsonrpc": "2.0", "method": "x"}), headers=(EVENTS,), hold=True)
    with pytest.raises(UpstreamError) as caught:
        await ask(upstream)
    assert caught.value.timed_out
    await upstream.close()


async def test_a_server_that_is_not_there_has_failed():
    upstream = StreamableHttp("http://127.0.0.1:1/mcp", limits=Limits(seconds=5))
    with pytest.raises(UpstreamError, match="cannot be reached"):
        await ask(upstream)
    await upstream.close()


def rpc_error(code):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": "m"}}).encode()


@pytest.mark.parametrize("code", [-32602, -32601, -32020, -32021, -32022])
async def test_an_error_of_a_modern_server_is_its_answer(behind, upstream, code):
    behind.will(rpc_error(code), status=404 if code == -32601 else 400)
    [response] = await ask(upstream)
    assert response.error["code"] == code


LEGACY_SIGNS = {
    "a missing session": (rpc_error(-32600), 400, JSON),
    "its own code": (rpc_error(-32000), 400, JSON),
    "not found": (b"not found", 404, ("content-type", "text/plain")),
    "not allowed": (b"", 405, ("content-type", "text/plain")),
}


@pytest.mark.parametrize(("body", "status", "kind"), LEGACY_SIGNS.values(), ids=LEGACY_SIGNS)
async def test_a_server_that_knows_only_sessions_is_told_apart(
    behind, upstream, body, status, kind
):
    behind.will(body, status=status, headers=(kind,))
    with pytest.raises(RejectedError) as caught:
        await ask(upstream)
    assert caught.value.rpc_code == -32022
    assert caught.value.data["supported"] == [
        "2024-11-05",
        "2025-03-26",
        "2025-06-18",
        "2025-11-25",
    ]


# -- sessions


INITIALIZE = Outgoing(Request(0, "initialize", {"protocolVersion": "2025-11-25"}), "2025-11-25")
OPENED = b'{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25"}}'


@pytest.fixture
async def session(behind, upstream):
    session = upstream.open_session()
    behind.will(OPENED, headers=(JSON, ("mcp-session-id", "theirs")))
    await ask(session, INITIALIZE)
    behind.requests.clear()
    return session


async def test_the_session_id_of_the_server_is_sent_back_to_it(behind, session):
    behind.will(OK)
    await ask(session, LEGACY_CALL)
    _, headers, _ = behind.requests[0]
    assert (headers["mcp-session-id"], headers["mcp-protocol-version"]) == ("theirs", "2025-11-25")
    assert "mcp-method" not in headers


async def test_a_session_that_the_server_has_forgotten_has_ended(behind, session):
    behind.will(b"", status=404)
    with pytest.raises(UpstreamError) as caught:
        await ask(session, LEGACY_CALL)
    assert caught.value.session_ended


async def test_a_modern_only_server_says_so_to_a_legacy_client(behind, upstream):
    behind.will(b"what?", status=400, headers=(("content-type", "text/plain"),))
    with pytest.raises(RejectedError) as caught:
        await ask(upstream.open_session(), INITIALIZE)
    assert caught.value.data == {"supported": [VERSION], "requested": "2025-11-25"}


async def test_a_stream_closed_to_be_polled_is_fetched_to_its_end(behind, session):
    behind.will(b"id: e1\nretry: 1\ndata:\n\n", headers=(EVENTS,))
    behind.will(event({"jsonrpc": "2.0", "id": 1, "result": {}}), headers=(EVENTS,))
    assert await ask(session, LEGACY_CALL) == [Response(1, result={})]
    method, headers, _ = behind.requests[1]
    assert (method, headers["last-event-id"]) == ("GET", "e1")


async def test_a_stream_that_ends_without_an_answer_has_failed(behind, session):
    behind.will(event({"jsonrpc": "2.0", "method": "x"}), headers=(EVENTS,))
    with pytest.raises(UpstreamError, match="without an answer"):
        await ask(session, LEGACY_CALL)


async def test_a_server_without_a_stream_of_its_own_says_so(behind, session):
    behind.will(b"", status=405)
    with pytest.raises(RejectedError) as caught:
        async with session.listen("2025-11-25"):
            pass
    assert caught.value.status == 405


async def test_responses_on_the_servers_own_stream_are_nobodys(behind, session):
    behind.will(
        event({"jsonrpc": "2.0", "id": 1, "result": {}}),
        event({"jsonrpc": "2.0", "method": "x"}),
        headers=(EVENTS,),
    )
    async with session.listen("2025-11-25") as messages:
        assert [message async for message in messages] == [Notification("x")]


@pytest.mark.parametrize("status", [400, 500])
async def test_a_message_that_the_server_does_not_take_is_a_failure(behind, session, status):
    behind.will(b"", status=status)
    with pytest.raises(UpstreamError):
        await session.tell(Outgoing(Notification("notifications/x"), "2025-11-25"))


async def test_closing_ends_the_session_behind(behind, session):
    behind.will(b"", status=405)
    await session.close()
    assert behind.requests[0][0] == "DELETE"
    assert behind.requests[0][1]["mcp-session-id"] == "theirs"


def test_headers_keep_their_repeats_and_order():
    headers = Headers([(b"A", b" 1 "), (b"b", b"x"), (b"a", b"2")])
    assert headers.all(b"a") == ("1", "2")
    assert headers.one(b"b") == "x"
    assert headers.one(b"c") is None
