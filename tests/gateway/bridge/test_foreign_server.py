"""Modern clients in front of a server on another implementation, which knows nothing but sessions."""

import asyncio
import contextlib

import pytest
from mcp.types import ElicitResult

from remit.model import HttpUpstream, StdioUpstream
from tests.e2e.peer import NODE, NODE_FOLDER
from tests.gateway.conftest import fronted
from tests.gateway.doubles import ListGuard
from tests.gateway.sockets import listening_socket
from tests.gateway.test_carriage import client

SCRIPT = str(NODE_FOLDER / "legacy_server.mjs")
pytestmark = [
    pytest.mark.node,
    pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning"),
]


@contextlib.asynccontextmanager
async def started():
    with listening_socket() as free:
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        str(NODE), SCRIPT, str(port), stdout=asyncio.subprocess.PIPE, cwd=NODE_FOLDER
    )
    try:
        assert process.stdout is not None
        await asyncio.wait_for(process.stdout.readline(), 60)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        await process.wait()
        # A pipe left for the garbage collector to close is a ResourceWarning.
        process._transport.close()


@pytest.fixture(params=["http", "stdio"])
async def url(request):
    if request.param == "stdio":
        upstream = StdioUpstream(command=(str(NODE), SCRIPT), working_directory=str(NODE_FOLDER))
        async with fronted(ListGuard(), upstream) as (url, _):
            yield url
        return
    async with started() as behind, fronted(ListGuard(), HttpUpstream(url=behind)) as (url, _):
        yield url


async def accept(context, params):
    return ElicitResult(action="accept", content={"colour": "blue"})


async def test_it_is_described_and_called_and_asks_on_its_own_stream(url):
    async with client(url, elicitation_callback=accept) as mcp:
        assert mcp.protocol_version == "2026-07-28"
        assert mcp.server_info.name == "old"
        assert {tool.name for tool in (await mcp.list_tools()).tools} == {"hello", "pick"}
        assert (await mcp.call_tool("hello", {})).content[0].text == "hello"
        assert (await mcp.call_tool("pick", {})).content[0].text == "blue"


async def test_a_client_without_a_person_is_not_asked(url):
    async with client(url) as mcp:
        result = await mcp.call_tool("pick", {})
    assert result.is_error
