"""One connection to a server, on both event loops: what it takes, keeps, refuses and gives up."""

import asyncio

import pytest
import uvloop

from remit.web.connection import BrokenConnectionError, request_head
from remit.web.pool import Pool

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Script:
    """A server that answers the n-th request with the n-th script, and counts its connections."""

    def __init__(self, *answers, stay=True):
        self.answers = list(answers)
        self.stay = stay
        self.connections = 0
        self.left = asyncio.Event()
        self.sent = 0

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                for piece in self.answers.pop(0):
                    writer.write(piece)
                    self.sent += len(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
                if not self.stay:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            self.left.set()
        finally:
            writer.close()


async def asked(script, use, count=1, seconds=5.0):
    """What `use` makes of each of `count` answers of `script`."""
    serving = set()

    async def serve(reader, writer):
        serving.add(asyncio.current_task())
        await script.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    pool = Pool(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp")
    try:
        found = []
        for _ in range(count):
            async with pool.request("GET", [], b"", seconds=seconds) as answer:
                found.append(await use(answer))
        return found
    finally:
        pool.close()
        server.close()
        if serving:
            await asyncio.wait(serving, timeout=60)


async def whole(answer):
    body = b""
    while (chunk := await answer.read_chunk()) is not None:
        body += chunk
    return answer.status, body


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request):
    return request.param


GOOD = {
    "a length": [OK],
    "cut anywhere": [bytes([byte]) for byte in OK],
    "chunks": [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n",
        b"1\r\nk\r\n0\r\n\r\n",
    ],
    "something before": [b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", OK],
}


@pytest.mark.parametrize("pieces", GOOD.values(), ids=GOOD)
def test_an_answer_is_read_whole_and_the_connection_used_again(run, pieces):
    async def main():
        script = Script(pieces, pieces)
        assert await asked(script, whole, count=2) == [(200, b"ok")] * 2
        assert script.connections == 1

    run(main())


def test_without_a_length_the_end_of_the_connection_ends_the_body(run):
    async def main():
        script = Script([b"HTTP/1.1 200 OK\r\n\r\nok"], stay=False)
        assert await asked(script, whole) == [(200, b"ok")]

    run(main())


@pytest.mark.parametrize("stay", [True, False])
def test_a_server_that_closes_is_connected_to_again(run, stay):
    async def main():
        closing = OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1)
        script = Script([closing], [closing], stay=stay)
        assert await asked(script, whole, count=2) == [(200, b"ok")] * 2
        assert script.connections == 2

    run(main())


BAD = {
    "no HTTP": [b"hello\r\n\r\n"],
    "two lengths": [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok"],
    "length and chunks": [
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    ],
    "a broken chunk": [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nok"],
    "an endless head": [
        b"HTTP/1.1 200 OK\r\n",
        *[b"x: " + b"y" * 1000 + b"\r\n" for _ in range(100)],
    ],
    "too short a body": [b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok"],
    "too short a chunked body": [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n"
    ],
    "nothing": [],
}


@pytest.mark.parametrize("pieces", BAD.values(), ids=BAD)
def test_what_is_not_one_answer_breaks_the_connection(run, pieces):
    async def main():
        with pytest.raises(BrokenConnectionError):
            await asked(Script(pieces, stay=False), whole)

    run(main())


def test_what_comes_unasked_is_never_taken_for_the_next_answer(run):
    async def main():
        forged = OK.replace(b"ok", b"no")
        script = Script([OK + forged], [OK])
        assert await asked(script, whole) == [(200, b"ok")]
        script.answers.insert(0, [OK + forged])
        assert await asked(script, whole, count=2) == [(200, b"ok")] * 2

    run(main())


def test_who_leaves_before_the_end_closes_the_connection(run):
    async def main():
        script = Script([b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok"], stay=True)

        async def first(answer):
            return await answer.read_chunk()

        assert await asked(script, first) == [b"ok"]
        await asyncio.wait_for(script.left.wait(), 5)

    run(main())


def test_while_nobody_reads_the_server_cannot_go_on(run):
    async def main():
        piece = b"x" * 65_536
        script = Script([b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n", *[piece] * 1000])

        async def slowly(answer):
            for _ in range(50):
                await asyncio.sleep(0.005)
            return script.sent, answer._connection._buffered

        [(sent, buffered)] = await asked(script, slowly)
        assert sent < 1000 * len(piece)
        assert buffered < 1_000_000

    run(main())


def test_a_server_that_says_nothing_is_left_in_time(run):
    async def main():
        async def silent(reader, writer):
            await reader.read()
            writer.close()

        script = Script()
        script.serve = silent
        with pytest.raises(TimeoutError):
            await asked(script, whole, seconds=0.1)

    run(main())


@pytest.mark.parametrize(
    ("name", "value"),
    [("a", "b\r\nc: d"), ("a", "\0"), ("a\r\nb", "c"), ("a", "\xe9"), ("a", "\x7f")],
)
def test_a_header_that_would_be_read_as_two_is_not_sent(name, value):
    with pytest.raises(ValueError, match="cannot be sent"):
        request_head("GET", "/", [(name, value)])
