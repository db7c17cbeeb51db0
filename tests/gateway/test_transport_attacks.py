"""What is sent on purpose to be read in two ways: over real sockets, to the server as it is run.

Whatever comes is refused with a 4xx or cut off, nothing of it is decided and nothing goes up; or it is
read in one way, and what is decided is what goes up.
"""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network

import pytest
from starlette.responses import PlainTextResponse

from remit.app.door import Door
from remit.app.metrics import Metrics
from remit.app.server import listen_tcp, public_server
from remit.gateway import Roster
from remit.model import HttpUpstream
from remit.settings import Settings
from tests.gateway.doubles import META, VERSION, ListGuard, changed, gateway, server_of, until

OK = b'{"jsonrpc":"2.0","id":1,"result":{"content":[],"resultType":"complete"}}'


@dataclass
class Behind:
    """Answers every call, and keeps what came up as it came."""

    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: bytes = b""
    body: bytes = OK

    async def serve(self, reader, writer):
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                length = int(head.lower().partition("content-length: ")[2].partition("\r")[0])
                self.heads.append(head)
                self.bodies.append(await reader.readexactly(length))
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n%b"
                    b"content-length: %d\r\n\r\n%b" % (self.headers, len(self.body), self.body)
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def names(self) -> set[str]:
        """The names of the header fields that came up with the last request."""
        return {line.partition(":")[0] for line in self.heads[-1].split("\r\n")[1:] if line}


@dataclass
class Front:
    port: int
    guard: ListGuard
    behind: Behind

    async def send(self, data: bytes, *, answers: int = 1) -> list[tuple[int, dict, bytes]]:
        """What is answered to `data`: so many answers, or fewer where the connection is cut."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        found = []
        try:
            async with asyncio.timeout(60):
                writer.write(data)
                for _ in range(answers):
                    found.append(await _answer(reader))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
        return found

    def untouched(self) -> bool:
        return not self.guard.decided and not self.behind.heads


async def _answer(reader):
    status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in lines}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return int(status[9:12]), headers, body


@asynccontextmanager
async def served(guard, app_of, **settings):
    listening = listen_tcp("127.0.0.1", 0)
    port = listening.getsockname()[1]
    app = app_of(f"http://127.0.0.1:{port}")
    door = Door(
        gateway=app, site=PlainTextResponse("a page"), name="site",
        metrics=Metrics(version="0", is_server=lambda _: True), max_body=1 << 20,
    )  # fmt: skip
    listener = public_server(door, Settings(shutdown_grace=1, **settings))
    serving = asyncio.create_task(listener.serve(sockets=[listening]))
    await until(lambda: listener.started)
    try:
        yield port
    finally:
        listener.stop()
        await serving
        await app.drain()


@pytest.fixture
async def front(request):
    settings = getattr(request, "param", {})
    behind, guard = Behind(), ListGuard()
    server = await asyncio.start_server(behind.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp"

    def app_of(public_url):
        crm = changed(server_of(upstream=HttpUpstream(url=url)), max_request_bytes=100_000)
        return gateway(guard, Roster(str), crm, public_url=public_url, **settings)

    async with served(guard, app_of) as port:
        yield Front(port, guard, behind)
    server.close()


CALL = json.dumps(
    {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "find", "_meta": META}}
).encode()
FIELDS = {
    "content-type": "application/json",
    "accept": "application/json, text/event-stream",
    "authorization": "Bearer dana",
    "mcp-protocol-version": VERSION,
    "mcp-method": "tools/call",
    "mcp-name": "find",
}


def request(front, *more, body=CALL, target="/mcp/crm", without=(), length=True) -> bytes:
    """A well-formed call, with `more` lines in its head, as they are, and `without` others."""
    fields = {"host": f"127.0.0.1:{front.port}", **FIELDS}
    if length:
        fields["content-length"] = str(len(body))
    lines = [f"{name}: {value}".encode() for name, value in fields.items() if name not in without]
    start = f"POST {target} HTTP/1.1".encode()
    return b"\r\n".join([start, *lines, *more, b"", b""]) + body


async def test_what_the_attacks_are_made_of_is_a_good_call(front):
    [(status, _, body)] = await front.send(request(front))
    assert (status, json.loads(body)["id"]) == (200, 1)
    assert len(front.guard.decided) == len(front.behind.heads) == 1


CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(CALL), CALL)
SMUGGLED = {
    "two lengths that differ": {"more": (b"content-length: 3",)},
    "one length twice": {"more": (b"content-length: %d" % len(CALL),)},
    "a list of lengths": {
        "more": (b"content-length: %d, %d" % (len(CALL), len(CALL)),),
        "length": False,
    },
    "a length with a sign": {"more": (b"content-length: +%d" % len(CALL),), "length": False},
    "a length below nothing": {"more": (b"content-length: -1",), "length": False},
    "a length in hexadecimal": {"more": (b"content-length: 0x10",), "length": False},
    "a length beyond all numbers": {
        "more": (b"content-length: %s" % (b"9" * 30),),
        "length": False,
    },
    "a length and chunks": {"more": (b"transfer-encoding: chunked",), "body": CHUNKED},
    "chunks that are not the last coding": {
        "more": (b"transfer-encoding: chunked, gzip",),
        "body": CHUNKED,
        "length": False,
    },
    "a coding that only looks like chunks": {
        "more": (b"transfer-encoding: xchunked",),
        "body": CHUNKED,
        "length": False,
    },
    "a chunk of no size": {
        "more": (b"transfer-encoding: chunked",),
        "body": b"\r\n" + CALL,
        "length": False,
    },
    "a chunk beyond all numbers": {
        "more": (b"transfer-encoding: chunked",),
        "body": b"fffffffffffffffff\r\n" + CALL,
        "length": False,
    },
    "a folded line": {"more": (b"x-note: a\r\n b",)},
    "a folded length": {"more": (b"content-length:\r\n %d" % len(CALL),), "length": False},
    "a NUL in a value": {"more": (b"x-note: a\0b",)},
    "a carriage return in a value": {"more": (b"x-note: a\rb",)},
    "a name with a space": {"more": (b"x note: a",)},
    "a space before the colon": {"more": (b"x-note : a",)},
    "a line without a colon": {"more": (b"x-note",)},
    "an empty name": {"more": (b": a",)},
    "a name with a NUL": {"more": (b"x\0note: a",)},
    "no host": {"without": ("host",)},
    "two hosts": {"more": (b"host: evil.example",)},
    "a host with a user": {"more": (b"host: evil@127.0.0.1",), "without": ("host",)},
    "another port": {"more": (b"host: 127.0.0.1:1",), "without": ("host",)},
    "a port of ours with something before": {
        "more": (b"host: evil.example:80:8080",),
        "without": ("host",),
    },
    "an absolute target elsewhere": {
        "target": "http://evil.example/mcp/crm",
        "more": (b"host: evil.example",),
        "without": ("host",),
    },
}


@pytest.mark.parametrize("attack", SMUGGLED.values(), ids=SMUGGLED)
async def test_a_request_with_two_readings_is_refused(front, attack):
    answers = await front.send(request(front, *attack.get("more", ()), **_rest(attack)))
    assert all(400 <= status < 500 for status, _, _ in answers)
    assert front.untouched()


def _rest(attack):
    return {name: value for name, value in attack.items() if name != "more"}


STARTS = {
    "bare line feeds": lambda data: data.replace(b"\r\n", b"\n"),
    "a version nobody speaks": lambda data: data.replace(b"HTTP/1.1", b"HTTP/9.9", 1),
    "no version": lambda data: data.replace(b" HTTP/1.1", b"", 1),
    "a tab for a space": lambda data: data.replace(b" /mcp", b"\t/mcp", 1),
    "a method nobody knows": lambda data: data.replace(b"POST", b"STEAL", 1),
    "a preface of HTTP/2": lambda data: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + data,
    "a TLS hello": lambda data: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + data,
    "a tunnel": lambda data: b"CONNECT 127.0.0.1:1 HTTP/1.1\r\nhost: x\r\n\r\n",
}


@pytest.mark.parametrize("change", STARTS.values(), ids=STARTS)
async def test_what_is_not_http_is_refused(front, change):
    answers = await front.send(change(request(front)))
    assert all(400 <= status < 500 for status, _, _ in answers)
    assert front.untouched()


PATHS = [
    "/mcp/../mcp/crm", "/mcp/./crm", "/mcp//crm", "//mcp/crm", "/mcp/crm/", "/mcp/crm//", "/MCP/crm",
    "/mcp/CRM", "/mcp/crm;a=b", "/mcp/crm%2f", "/mcp/%2e%2e/mcp/crm", "/mcp/%63rm", "/mcp%2fcrm",
    "/mcp/crm%00", "/mcp/crm%20", "/mcp/crm.", "/mcp/crm\\", "/mcp/*", "/mcp/crm%3fx", "/mcp/crm%25",
]  # fmt: skip


@pytest.mark.parametrize("target", PATHS)
async def test_a_path_that_is_only_like_one_of_ours_leads_nowhere(front, target):
    answers = await front.send(request(front, target=target))
    for status, _, body in answers:
        assert status in {400, 404} or body == b"a page"
    assert front.untouched()


async def test_a_query_changes_nothing_of_what_is_called(front):
    [(status, _, _)] = await front.send(request(front, target="/mcp/crm?server=hr&name=forbidden"))
    assert status == 200
    assert front.behind.heads[0].startswith("POST /mcp HTTP/1.1")


ENCODED = {
    "UTF-16": CALL.decode().encode("utf-16"),
    "UTF-16 without a mark": CALL.decode().encode("utf-16-le"),
    "UTF-32": CALL.decode().encode("utf-32"),
    "a mark": b"\xef\xbb\xbf" + CALL,
    "an overlong slash": CALL.replace(b"/", b"\xc0\xaf"),
    "an overlong NUL": CALL.replace(b"find", b"find\xc0\x80"),
    "a surrogate in UTF-8": CALL.replace(b"find", b"find\xed\xa0\x80"),
    "a batch": b"[" + CALL + b"]",
    "a batch of two": b"[" + CALL + b"," + CALL + b"]",
    "two messages": CALL + b"\n" + CALL,
    "a method twice": CALL.replace(b'"method"', b'"method":"ping","method"', 1),
    "a name twice": CALL.replace(b'"name"', b'"name":"hidden","name"', 1),
    "a name twice, once escaped": CALL.replace(b'"name"', b'"n\\u0061me":"hidden","name"', 1),
    "a number nobody can hold": CALL.replace(b'"name"', b'"n":123456789012345678901,"name"', 1),
    "too deep": CALL.replace(b'"name"', b'"a":' + b"[" * 99 + b"]" * 99 + b',"name"', 1),
    "too many values": CALL.replace(b'"name"', b'"a":[' + b"1," * 25_000 + b'1],"name"', 1),
    "a comment": b"/**/" + CALL,
    "a comma at the end": CALL[:-1] + b",}",
}


@pytest.mark.parametrize("body", ENCODED.values(), ids=ENCODED)
async def test_a_body_that_two_parsers_could_read_differently_is_refused(front, body):
    [(status, _, answer)] = await front.send(request(front, body=body))
    assert status == 400
    assert json.loads(answer)["error"]["code"] in {-32700, -32600}
    assert front.untouched()


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "x-gzip", "gzip, identity"])
async def test_a_body_under_a_coding_is_not_taken(front, coding):
    line = f"content-encoding: {coding}".encode()
    [(status, _, _)] = await front.send(request(front, line))
    assert status == 415
    assert front.untouched()


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"br", b"zstd"])
async def test_an_answer_under_a_coding_is_not_passed_on(front, coding):
    front.behind.headers = b"content-encoding: %b\r\n" % coding
    [(status, headers, body)] = await front.send(request(front, b"accept-encoding: gzip, br"))
    assert status == 502
    assert "content-encoding" not in headers
    assert json.loads(body)["id"] == 1
    assert "accept-encoding" not in front.behind.names()
    assert front.guard.outcomes == ["upstream_failed"]


DISAGREEING = {
    "another method": (b"mcp-method: ping", "mcp-method"),
    "no method": (None, "mcp-method"),
    "a method twice": (b"mcp-method: tools/call", None),
    "another name": (b"mcp-name: other", "mcp-name"),
    "no name": (None, "mcp-name"),
    "a name twice": (b"mcp-name: other", None),
    "a name in other letters": (b"mcp-name: FIND", "mcp-name"),
    "a name with something after": (b"mcp-name: find,other", "mcp-name"),
    "a name encoded as another": (b"mcp-name: =?base64?b3RoZXI=?=", "mcp-name"),
    "a name encoded badly": (b"mcp-name: =?base64?ZmluZA?=", "mcp-name"),
    "a version twice": (b"mcp-protocol-version: 2025-11-25", None),
    "another version": (b"mcp-protocol-version: 2099-01-01", "mcp-protocol-version"),
    "an argument twice": (b"mcp-param-a: 1\r\nmcp-param-a: 2", None),
    "a session twice": (b"mcp-session-id: a\r\nmcp-session-id: b", None),
    "an event twice": (b"last-event-id: a\r\nlast-event-id: b", None),
}


@pytest.mark.parametrize(("line", "instead"), DISAGREEING.values(), ids=DISAGREEING)
async def test_headers_that_do_not_say_what_the_body_says_refuse_the_call(front, line, instead):
    more = () if line is None else (line,)
    without = () if instead is None else (instead,)
    [(status, _, _)] = await front.send(request(front, *more, without=without))
    assert status == 400
    assert front.untouched()


HOP_BY_HOP = (
    b"connection: authorization, mcp-name, keep-alive", b"keep-alive: timeout=99", b"te: trailers",
    b"trailer: x-late", b"proxy-authorization: Basic x", b"proxy-connection: keep-alive",
    b"x-forwarded-for: 10.0.0.1", b"x-forwarded-host: evil.example", b"x-forwarded-proto: https",
    b"forwarded: for=10.0.0.1;host=evil.example", b"x-real-ip: 10.0.0.1", b"cookie: session=1",
    b"x-original-url: /mcp/other", b"x-rewrite-url: /mcp/other", b"x-http-method-override: DELETE",
    b"accept-encoding: gzip", b"x-api-key: secret",
)  # fmt: skip


async def test_nothing_of_a_connection_and_nothing_forged_goes_up(front):
    [(status, _, _)] = await front.send(request(front, *HOP_BY_HOP))
    assert status == 200
    assert front.behind.names() == {
        "host", "content-length", "accept", "user-agent", "content-type", "mcp-protocol-version",
        "mcp-method", "mcp-name", "traceparent",
    }  # fmt: skip
    [call] = front.guard.decided
    assert call.context.network.ip == "127.0.0.1"
    assert (call.server, call.authorization) == ("crm", ("Bearer dana",))


@pytest.mark.parametrize(
    "front", [{"trusted_proxies": (ip_network("127.0.0.0/8"),)}], indirect=True
)
async def test_a_trusted_proxy_is_believed_about_the_address_and_nothing_else(front):
    [(status, _, _)] = await front.send(request(front, *HOP_BY_HOP))
    assert status == 200
    assert front.guard.decided[0].context.network.ip == "10.0.0.1"
    assert not {
        name for name in front.behind.names() if name.startswith("x-") or name == "forwarded"
    }


@pytest.mark.parametrize("upgrade", [b"h2c", b"websocket", b"TLS/1.0"])
async def test_nobody_changes_the_protocol(front, upgrade):
    data = request(front, b"connection: upgrade", b"upgrade: " + upgrade)
    answers = await front.send(data)
    assert all(status != 101 for status, _, _ in answers)
    assert all("upgrade" not in head.lower() for head in front.behind.heads)


ORIGINS = [
    b"http://evil.example", b"null", b"", b"http://127.0.0.1", b"http://127.0.0.1:1",
    b"https://127.0.0.1:%d", b"http://127.0.0.1:%d/", b"http://x@127.0.0.1:%d",
    b"http://127.0.0.1:%d.evil.example", b"http://127.0.0.1:%d, http://evil.example", b"file://",
]  # fmt: skip


@pytest.mark.parametrize("origin", ORIGINS)
async def test_a_page_that_is_not_ours_is_refused(front, origin):
    line = b"origin: " + origin.replace(b"%d", str(front.port).encode())
    [(status, headers, _)] = await front.send(request(front, line))
    assert status == 403
    assert "access-control-allow-origin" not in headers
    assert front.untouched()


async def test_two_origins_are_one_too_many(front):
    ours = b"origin: http://127.0.0.1:%d" % front.port
    [(status, _, _)] = await front.send(request(front, ours, b"origin: http://evil.example"))
    assert status == 403
    assert front.untouched()


async def test_each_of_several_requests_in_one_breath_is_judged_by_itself(front):
    anonymous = request(front, without=("authorization",))
    other = request(front).replace(b"Bearer dana", b"Bearer nobody")
    answers = await front.send(request(front) + anonymous + other + request(front), answers=4)
    assert [status for status, _, _ in answers] == [200, 401, 401, 200]
    assert len(front.behind.heads) == 2


async def test_what_follows_a_body_is_another_request_and_no_part_of_it(front):
    answers = await front.send(request(front) + b"GARBAGE\r\n\r\n", answers=2)
    assert [status for status, _, _ in answers] in ([], [200], [200, 400])
    assert CALL[:10] not in b"".join(front.behind.bodies)[len(CALL) :]


@pytest.mark.parametrize(
    "declared", [True, False], ids=["a declared length", "chunks of unknown number"]
)
async def test_more_than_a_server_is_to_be_sent_is_refused(front, declared):
    body = CALL.replace(b'"name"', b'"a":"' + b"x" * 100_000 + b'","name"', 1)
    if declared:
        data = request(front, body=body)
    else:
        chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        data = request(front, b"transfer-encoding: chunked", body=chunks, length=False)
    [(status, headers, answer)] = await front.send(data)
    assert (status, headers["connection"]) == (413, "close")
    assert "larger than 100000 bytes" in json.loads(answer)["error"]["message"]
    assert front.untouched()


@pytest.mark.parametrize("front", [{"body_deadline": 0.2}], indirect=True)
async def test_a_body_that_comes_by_the_byte_is_not_waited_for(front):
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    head, _, body = request(front).partition(b"\r\n\r\n")
    writer.write(head + b"\r\n\r\n")

    async def drip():
        for byte in body:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.05)

    dripping = asyncio.create_task(drip())
    status, headers, _ = await asyncio.wait_for(_answer(reader), 20)
    assert (status, headers["connection"]) == (408, "close")
    assert front.untouched()
    dripping.cancel()
    writer.close()


async def test_headers_without_end_are_not_kept(front):
    data = request(front, *(b"x-%d: %b" % (n, b"a" * 1000) for n in range(100)))
    answers = await front.send(data)
    assert all(status == 400 for status, _, _ in answers)
    assert front.untouched()


async def test_a_session_or_a_place_in_a_stream_of_somebody_else_is_none(front):
    front.behind.body = (
        b'{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{},'
        b'"serverInfo":{"name":"s","version":"1"}}}'
    )
    opening = json.dumps({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}},
    }).encode()  # fmt: skip
    modern_only = ("mcp-protocol-version", "mcp-method", "mcp-name")
    [(status, headers, _)] = await front.send(request(front, body=opening, without=modern_only))
    assert status == 200
    session = headers["mcp-session-id"].encode()
    heads = len(front.behind.heads)
    ping = b'{"jsonrpc":"2.0","id":2,"method":"tools/list"}'
    for identifier in (session, session[:-1], session + b"x", b"", b"../" + session):
        stolen = request(
            front, b"mcp-session-id: " + identifier, b"mcp-protocol-version: 2025-11-25",
            b"last-event-id: 1", body=ping, without=modern_only,
        ).replace(b"Bearer dana", b"Bearer eve")  # fmt: skip
        [(status, _, _)] = await front.send(stolen)
        assert status in {400, 404}
    assert len(front.behind.heads) == heads
