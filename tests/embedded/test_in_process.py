"""An application in this process is asked as if over a connection, and fails like one."""

import asyncio

import pytest

from remit.embedded.in_process import InProcess
from remit.web.connection import BrokenConnectionError


def head(status=200, *headers):
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def part(body=b"", *, more=False):
    return {"type": "http.response.body", "body": body, "more_body": more}


async def whole(answer):
    body = b""
    while (chunk := await answer.read_chunk(10)) is not None:
        body += chunk
    return body


def asked(application, body=b"{}", seconds=10.0):
    return InProcess(application, "/mcp").request("POST", [("X-A", "1")], body, seconds=seconds)


async def test_it_hears_what_was_sent_and_is_heard():
    heard = {}

    async def application(scope, receive, send):
        heard.update(scope, body=(await receive())["body"])
        await send(head(201, (b"Content-Type", b"text/plain")))
        await send(part(b"he", more=True))
        await send(part(b"llo"))

    async with asked(application) as answer:
        assert (answer.status, answer.get_header("content-type")) == (201, "text/plain")
        assert await whole(answer) == b"hello"
        assert await answer.read_chunk() is None
    assert (heard["method"], heard["path"], heard["body"]) == ("POST", "/mcp", b"{}")
    assert dict(heard["headers"])[b"x-a"] == b"1"
    assert dict(heard["headers"])[b"content-length"] == b"2"


async def test_one_that_fails_before_its_answer_is_a_connection_that_broke():
    async def application(scope, receive, send):
        raise RuntimeError("mine")

    with pytest.raises(BrokenConnectionError):
        async with asked(application):
            pass


async def test_one_that_ends_without_an_answer_is_a_connection_that_broke():
    async def application(scope, receive, send):
        """Says nothing."""

    with pytest.raises(BrokenConnectionError):
        async with asked(application):
            pass


@pytest.mark.parametrize("fails", [True, False])
async def test_one_that_stops_in_the_middle_is_not_taken_for_whole(fails):
    async def application(scope, receive, send):
        await send(head())
        await send(part(b"half", more=True))
        if fails:
            raise RuntimeError("mine")

    async with asked(application) as answer:
        assert await answer.read_chunk(10) == b"half"
        with pytest.raises(BrokenConnectionError):
            await answer.read_chunk(10)


async def test_one_that_keeps_silent_is_given_up():
    gone = asyncio.Event()

    async def application(scope, receive, send):
        await receive()
        assert (await receive())["type"] == "http.disconnect"
        gone.set()

    with pytest.raises(TimeoutError):
        async with asked(application, seconds=0.0):
            pass
    await asyncio.wait_for(gone.wait(), 10)


async def test_whoever_leaves_is_gone_for_it_and_it_cannot_go_on_for_ever():
    over = asyncio.Event()

    async def application(scope, receive, send):
        await send(head())
        try:
            while True:
                await send(part(b"x" * 1000, more=True))
        except OSError:
            over.set()

    async with asked(application) as answer:
        assert await answer.read_chunk(10)
    await asyncio.wait_for(over.wait(), 10)


async def test_while_nobody_reads_it_waits():
    sent = []

    async def application(scope, receive, send):
        await send(head())
        for number in range(1000):
            await send(part(b"x", more=True))
            sent.append(number)
        await send(part())

    async with asked(application) as answer:
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(sent) < 100
        assert len(await whole(answer)) == 1000


async def test_closing_ends_what_is_under_way():
    ended = asyncio.Event()

    async def application(scope, receive, send):
        await send(head())
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    behind = InProcess(application, "/mcp")
    async with behind.request("GET", [], b"", seconds=10) as answer:
        assert answer.status == 200
        behind.close()
        with pytest.raises(BrokenConnectionError):
            await answer.read_chunk(10)
    assert ended.is_set()
