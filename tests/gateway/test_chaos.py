"""Servers and clients that fail in every way, over real sockets: each call is answered or given up, once.

Afterwards nothing is left: no task, no descriptor, no connection, no place among the calls.
"""

import asyncio
import gc
import json
import resource
import weakref
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from remit.gateway import Roster
from remit.gateway.carriage import Carriage
from remit.gateway.http import Exchange
from remit.model import HttpUpstream
from remit.web.connection import Connection
from tests.gateway.doubles import ListGuard, changed, gateway, server_of, until
from tests.gateway.test_transport_attacks import CALL, OK, request, served

STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
JSON = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
NOTE = b'data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}\n\n'
GOOD = JSON + b"content-length: %d\r\n\r\n%b" % (len(OK), OK)
LIMIT = 300_000


class Behind:
    """Answers each request with `script(reader, writer)`; `open` are the connections that it holds."""

    def __init__(self):
        self.script = says(GOOD)
        self.open = set()
        self.asked = 0

    async def serve(self, reader, writer):
        self.open.add(writer)
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                await reader.readexactly(int(head.partition("content-length: ")[2].split("\r")[0]))
                self.asked += 1
                await self.script(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open.discard(writer)
            writer.close()


def says(*pieces, then=None):
    """A script that sends `pieces`, and then does `then`."""

    async def script(reader, writer):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        if then is not None:
            await then(reader, writer)

    return script


def floods(first, again):
    """A script that never stops sending."""

    async def script(reader, writer):
        writer.write(first)
        while not writer.is_closing():
            writer.write(again)
            await writer.drain()

    return script


async def closes(_reader, writer):
    writer.close()


async def resets(_reader, writer):
    writer.transport.abort()


async def hangs(reader, _writer):
    await reader.read()


@asynccontextmanager
async def stage(*, seconds=20, **settings):
    behind, guard = Behind(), ListGuard()
    server = await asyncio.start_server(behind.serve, "127.0.0.1", 0, backlog=2048)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp"
    apps = []

    def app_of(public_url):
        crm = server_of(upstream=HttpUpstream(url=url, timeout=seconds))
        crm = changed(crm, max_response_bytes=LIMIT)
        apps.append(gateway(guard, Roster(str), crm, public_url=public_url, **settings))
        return apps[0]

    async with served(guard, app_of, max_connections=10_000) as port:
        one = Stage(port, apps[0], guard, behind)
        try:
            yield one
        finally:
            # Also when a test fails half-way: the loop waits for ever for a connection that nobody reads.
            for writer in tuple(one.writers):
                writer.transport.abort()
            server.close()


class Stage:
    def __init__(self, port, app, guard, behind):
        self.port, self.app, self.guard, self.behind = port, app, guard, behind
        self.writers = weakref.WeakSet()

    async def open(self):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.add(writer)
        writer.write(request(self))
        return reader, writer

    async def call(self):
        """One call; its status and its body, whole, whether streamed or not."""
        reader, writer = await self.open()
        async with asyncio.timeout(60):
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                if b"transfer-encoding: chunked" in head:
                    return int(head[9:12]), await reader.readuntil(b"0\r\n\r\n")
                length = int(head.partition(b"content-length: ")[2].partition(b"\r")[0])
                return int(head[9:12]), await reader.readexactly(length)
            finally:
                writer.close()

    async def call_of_another(self):
        """A call that is answered at once, whatever the script of those before."""
        script, self.behind.script = self.behind.script, says(GOOD)
        try:
            return await self.call()
        finally:
            self.behind.script = script

    async def at_rest(self):
        await until(lambda: not self.app.in_flight and not self.app._calls)


def held():
    """What this process holds: tasks, descriptors, and the objects of calls."""
    gc.collect()
    kinds = (Carriage, Exchange, Connection)
    alive = sum(isinstance(one, kinds) for one in gc.get_objects())
    return len(asyncio.all_tasks()), len(list(Path("/proc/self/fd").iterdir())), alive


async def back_to(before):
    """Return once no more is held than `before`; say what is, if that does not come to pass."""
    try:
        await until(lambda: all(now <= then for now, then in zip(held(), before, strict=True)), 20)
    except TimeoutError:
        tasks = sorted(repr(task.get_coro()) for task in asyncio.all_tasks())
        pytest.fail(f"{held()} instead of {before}: {tasks}")


CHUNKED = JSON + b"transfer-encoding: chunked\r\n\r\n"
FAILING = {
    "closes at once": says(then=closes),
    "resets at once": says(then=resets),
    "closes in its head": says(b"HTTP/1.1 200 OK\r\ncontent-", then=closes),
    "closes before its body": says(JSON + b"content-length: 100\r\n\r\n", then=closes),
    "closes in its body": says(JSON + b"content-length: 100\r\n\r\n{", then=closes),
    "resets in its body": says(JSON + b"content-length: 100\r\n\r\n{", then=resets),
    "closes in a chunk": says(CHUNKED + b"64\r\n{", then=closes),
    "sends a chunk of no size": says(CHUNKED + b"zz\r\n{}\r\n", then=hangs),
    "is not HTTP": says(b"\x15\x03\x01\x00\x02\x02\x46", then=hangs),
    "is HTTP/2": says(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00", then=hangs),
    "answers a page": says(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>"
    ),
    "answers nothing": says(JSON + b"content-length: 0\r\n\r\n"),
    "has no content": says(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "answers no JSON": says(JSON + b'content-length: 4\r\n\r\n{"a"'),
    "answers another request": says(
        JSON + b"content-length: %d\r\n\r\n%b" % (len(OK), OK.replace(b'"id":1', b'"id":2'))
    ),
    "answers with the id as text": says(
        JSON + b"content-length: %d\r\n\r\n%b" % (len(OK) + 2, OK.replace(b'"id":1', b'"id":"1"'))
    ),
    "answers a batch": says(JSON + b"content-length: %d\r\n\r\n[%b]" % (len(OK) + 2, OK)),
    "says one length and then another": says(
        JSON + b"content-length: 5\r\ncontent-length: 6\r\n\r\n{}", then=hangs
    ),
    "says a length and chunks": says(
        JSON + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", then=hangs
    ),
    "switches protocols": says(
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n", then=hangs
    ),
    "is early without end": floods(b"", b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" * 50),
    "has headers without end": floods(b"HTTP/1.1 200 OK\r\n", b"x-a: " + b"a" * 1000 + b"\r\n"),
    "has one header without end": floods(b"HTTP/1.1 200 OK\r\nx-a: ", b"a" * 4096),
    "has a body without end": floods(JSON + b"\r\n", b" " * 65_536),
    "has chunks without end": floods(CHUNKED, b"1000\r\n" + b" " * 4096 + b"\r\n"),
}


@pytest.mark.parametrize("script", FAILING.values(), ids=FAILING)
async def test_a_server_that_fails_is_said_to_have_failed_and_the_next_call_is_good(script):
    async with stage() as one:
        await one.call()
        one.behind.script = script
        before = held()
        for _ in range(3):
            status, body = await one.call()
            assert status == 502
            assert json.loads(body)["id"] == 1
        assert one.guard.outcomes == ["ok", *["upstream_failed"] * 3]
        one.behind.script = says(GOOD)
        status, body = await one.call()
        assert (status, json.loads(body)["result"]) == (200, json.loads(OK)["result"])
        await one.at_rest()
        await back_to(before)


BREAKING_OFF = {
    "closes": says(STREAM + NOTE, then=closes),
    "resets": says(STREAM + NOTE, then=resets),
    "closes in an event": says(STREAM + NOTE + b'data: {"jsonrpc', then=closes),
    "answers another request": says(
        STREAM + NOTE + b"data: " + OK.replace(b'"id":1', b'"id":7') + b"\n\n", then=hangs
    ),
    "says what is no message": says(STREAM + NOTE + b"data: {}\n\n", then=hangs),
    "says what is no JSON": says(STREAM + NOTE + b"data: <html>\n\n", then=hangs),
    "has an event without end": floods(STREAM + NOTE + b"data: ", b"x" * 65_536),
    "has lines without end": floods(STREAM + NOTE, b"data: x\n" * 1000),
}


@pytest.mark.parametrize("script", BREAKING_OFF.values(), ids=BREAKING_OFF)
async def test_a_stream_that_breaks_off_ends_with_an_error_of_ours(script):
    async with stage() as one:
        await one.call()
        before = held()
        one.behind.script = script
        status, body = await one.call()
        assert status == 200
        assert b'"notifications/message"' in body
        last = body.rpartition(b"data: ")[2].partition(b"\n")[0]
        assert json.loads(last)["error"]["code"] == -32603
        assert one.guard.outcomes == ["ok", "upstream_failed"]
        await one.at_rest()
        await back_to(before)


SILENT = {
    "says nothing": says(then=hangs),
    "stops in its head": says(b"HTTP/1.1 200 OK\r\n", then=hangs),
    "stops before its body": says(JSON + b"content-length: 100\r\n\r\n", then=hangs),
    "stops in its body": says(JSON + b"content-length: 100\r\n\r\n{", then=hangs),
    "stops in a stream": says(STREAM + NOTE, then=hangs),
    "is early and no more": says(b"HTTP/1.1 100 Continue\r\n\r\n", then=hangs),
}


@pytest.mark.parametrize("script", SILENT.values(), ids=SILENT)
async def test_a_server_that_falls_silent_is_not_waited_for(script):
    async with stage(seconds=1) as one:
        await one.call()
        before = held()
        one.behind.script = script
        status, body = await one.call()
        assert status in {200, 504}
        assert b'"error"' in body
        assert one.guard.outcomes == ["ok", "upstream_failed"]
        await one.at_rest()
        await back_to(before)


async def test_a_server_that_drips_is_cut_off_when_the_call_has_lasted_long_enough():
    async def drips(_reader, writer):
        writer.write(JSON + b"content-length: 100000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await asyncio.sleep(0.01)

    async with stage(call_lifetime=0.3) as one:
        one.behind.script = drips
        status, _ = await one.call()
        assert status == 504
        await one.at_rest()
        await until(lambda: not one.behind.open)


async def leaves_before_its_body(one):
    _, writer = await asyncio.open_connection("127.0.0.1", one.port)
    writer.write(request(one)[: -len(CALL)])
    await until(lambda: one.app.in_flight)
    return writer


async def leaves_in_its_body(one):
    _, writer = await asyncio.open_connection("127.0.0.1", one.port)
    writer.write(request(one)[:-5])
    await until(lambda: one.app.in_flight)
    return writer


async def leaves_before_an_answer(one):
    one.behind.script = says(then=hangs)
    asked = one.behind.asked
    _, writer = await one.open()
    await until(lambda: one.behind.asked > asked)
    return writer


async def leaves_in_a_stream(one):
    one.behind.script = says(STREAM + NOTE, then=hangs)
    reader, writer = await one.open()
    await reader.readuntil(b"notifications/message")
    return writer


async def leaves_in_a_flood(one):
    one.behind.script = floods(STREAM, NOTE * 100)
    reader, writer = await one.open()
    await reader.readuntil(b"notifications/message")
    return writer


async def leaves_at_once(one):
    _, writer = await one.open()
    return writer


PHASES = [
    leaves_before_its_body, leaves_in_its_body, leaves_before_an_answer, leaves_in_a_stream,
    leaves_in_a_flood, leaves_at_once,
]  # fmt: skip


@pytest.mark.parametrize("how", ["close", "abort"])
@pytest.mark.parametrize("leave", PHASES)
async def test_of_a_client_that_leaves_nothing_is_left(leave, how):
    async with stage() as one:
        # So many connections as are kept afterwards, where one client comes before the last has left.
        await asyncio.gather(*(one.call() for _ in range(5)))
        before = held()
        for _ in range(5):
            writer = await leave(one)
            (writer.close if how == "close" else writer.transport.abort)()
            await one.at_rest()
        await back_to(before)
        assert len(one.guard.completed) == len(one.guard.decided)
        one.behind.script = says(GOOD)
        assert (await one.call())[0] == 200


async def test_while_a_client_does_not_read_its_server_cannot_go_on():
    sent = 0

    async def pours(_reader, writer):
        nonlocal sent
        writer.write(STREAM)
        while not writer.is_closing():
            writer.write(NOTE * 100)
            await writer.drain()
            sent += len(NOTE) * 100

    async with stage() as one:
        one.behind.script = pours
        reader, writer = await one.open()
        await reader.readuntil(b"notifications/message")
        last = -1
        async with asyncio.timeout(60):
            while sent != last:  # until nothing has moved for a while
                last = sent
                await asyncio.sleep(0.5)
        paused = sent
        assert (await one.call_of_another())[0] == 200
        async with asyncio.timeout(60):
            while sent == paused:  # until it can go on
                assert await reader.read(1 << 20)
        writer.close()
        await one.at_rest()


async def test_a_flood_to_one_client_does_not_keep_the_others_waiting():
    async with stage() as one:
        one.behind.script = floods(STREAM, NOTE * 2000)
        reader, writer = await one.open()

        async def drain():
            while await reader.read(1 << 20):
                pass

        draining = asyncio.create_task(drain())
        await until(lambda: one.behind.asked)
        for _ in range(5):
            assert (await one.call_of_another())[0] == 200
        draining.cancel()
        writer.close()
        await one.at_rest()


async def test_a_thousand_streams_are_held_and_nothing_is_left_of_them():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 8192:
        pytest.skip("this machine gives a process too few descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 8192), hard))
    async with stage() as one:
        await one.call()
        before = held()
        one.behind.script = says(STREAM + NOTE, then=hangs)
        clients = []
        for _ in range(20):
            opened = await asyncio.gather(*(one.open() for _ in range(50)))
            await asyncio.gather(
                *(reader.readuntil(b"notifications/message") for reader, _ in opened)
            )
            clients += opened
        assert one.app.in_flight == 1000
        for _, writer in clients:
            writer.close()
        clients.clear()
        await one.at_rest()
        await until(lambda: len(one.behind.open) <= 1)
        await back_to(before)
        assert one.guard.outcomes == ["ok", *["cancelled"] * 1000]
        one.behind.script = says(GOOD)
        assert (await one.call())[0] == 200


async def test_what_is_left_over_after_an_answer_is_never_the_next_answer():
    async with stage() as one:
        other = OK.replace(b'"content":[]', b'"content":[],"of":"another"')
        second = JSON + b"content-length: %d\r\n\r\n%b" % (len(other), other)
        one.behind.script = says(GOOD + second)
        for _ in range(5):
            _, body = await one.call()
            assert b"another" not in body
