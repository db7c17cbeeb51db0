"""What a URL turns into on the wire, and which connections are kept."""

import asyncio

import pytest

from remit.web.pool import Pool
from tests.gateway.doubles import until


async def head_of(path):
    heads = []

    async def serve(reader, writer):
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    pool = Pool(f"http://user:secret@127.0.0.1:{port}{path}")
    async with pool.request("POST", [("a", "b")], b"body", seconds=5) as answer:
        assert await answer.read_chunk() is None
    pool.close()
    server.close()
    return heads[0].replace(str(port), "PORT")


@pytest.mark.parametrize(("path", "target"), [("/mcp", "/mcp"), ("", "/"), ("/a?b=c", "/a?b=c")])
async def test_a_request_names_path_and_host_and_nothing_of_the_credentials_in_a_url(path, target):
    assert await head_of(path) == (
        f"POST {target} HTTP/1.1\r\nhost: 127.0.0.1:PORT\r\ncontent-length: 4\r\na: b\r\n\r\n"
    )


async def test_nothing_listens_there():
    with pytest.raises(OSError):
        async with Pool("http://127.0.0.1:1/").request("GET", [], b"", seconds=5):
            pass


async def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path):
    with pytest.raises(OSError):
        async with Pool("https://127.0.0.1:1/").request("GET", [], b"", seconds=5):
            pass


async def test_closing_the_pool_breaks_off_what_is_under_way():
    async def silent(reader, writer):
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    pool = Pool(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")

    async def ask():
        async with pool.request("GET", [], b"", seconds=30):
            pass

    waiting = asyncio.create_task(ask())
    await until(lambda: pool._busy)
    pool.close()
    with pytest.raises(Exception, match=r"closed|ended"):
        await asyncio.wait_for(waiting, 60)
    server.close()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_what_is_admitted_is_connected_to_by_its_address_and_asked_by_its_name(name):
    heads = []

    async def serve(reader, writer):
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    pool = Pool(f"http://{name}:{port}/", admits=lambda address: address.is_loopback)
    async with pool.request("GET", [], b"", seconds=5) as answer:
        assert answer.status == 200
    pool.close()
    server.close()
    assert f"host: {name}:{port}\r\n" in heads[0]


async def test_an_address_that_is_not_admitted_is_not_connected_to():
    asked = []

    async def serve(_reader, writer):
        asked.append(True)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    pool = Pool(f"http://127.0.0.1:{port}/", admits=lambda address: address.is_global)
    with pytest.raises(OSError, match="out of reach"):
        async with pool.request("GET", [], b"", seconds=5):
            pass
    server.close()
    assert not asked
