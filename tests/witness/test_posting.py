import asyncio
from contextlib import asynccontextmanager

import pytest

from remit.witness.asking import WitnessSilentError
from remit.witness.posting import sender


@asynccontextmanager
async def answering(answer: bytes):
    """A port that reads a request and answers so."""
    heard = []

    async def answer_once(reader, writer):
        heard.append(await reader.readuntil(b"\r\n\r\n") + await reader.read(4))
        writer.write(answer)
        try:
            await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(answer_once, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/add", heard


def http(status: str, body: bytes, *headers: bytes) -> bytes:
    lines = [f"HTTP/1.1 {status}".encode(), b"content-length: %d" % len(body), *headers, b"", body]
    return b"\r\n".join(lines)


async def test_a_body_is_sent_and_its_answer_read():
    async with answering(http("409 Conflict", b"5\n")) as (url, heard):
        assert await sender(url, content_type="text/plain")(b"old ") == (409, b"5\n")
    assert heard[0].startswith(b"POST /add ")
    assert b"text/plain" in heard[0]


async def test_it_is_sent_nowhere_else():
    moved = http("301 Moved", b"", b"location: http://127.0.0.1:9/")
    async with answering(moved) as (url, _):
        assert (await sender(url, content_type="text/plain")(b"old "))[0] == 301


@pytest.mark.parametrize(
    "answer",
    [b"", b"nonsense\r\n\r\n", http("200 OK", b"x" * 70_000)],
    ids=["nothing", "nonsense", "endless"],
)
async def test_what_is_no_answer_is_silence(answer):
    async with answering(answer) as (url, _):
        with pytest.raises(WitnessSilentError):
            await sender(url, content_type="text/plain")(b"old ")


async def test_where_nobody_listens_is_silence():
    with pytest.raises(WitnessSilentError, match="does not answer"):
        await sender("http://127.0.0.1:1/", content_type="text/plain")(b"old ")
