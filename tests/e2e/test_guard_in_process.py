"""Servers that guard themselves: the same catalog, policies and events as at the gateway.

Every client meets every kind of server: {Python, modern first; TypeScript, legacy; FastMCP} and {HTTP modern,
HTTP legacy, stdio}, besides the servers of the official SDK and of FastMCP as their authors write them.
"""

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager

import fastmcp
import httpx2
import pytest
import pytest_asyncio
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from remit.demo.agent import Keyring, connect
from remit.demo.person import Person
from tests.e2e.conftest import REDIRECT_URI
from tests.e2e.guarded import SERVER, Guarded, guarded
from tests.e2e.peer import NODE, NODE_FOLDER

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

ACME = {"organization_id": "acme", "account_id": "acc-1001"}
READABLE = {"list_accounts", "get_account"}
HTTP = ["modern", "legacy", "sdk", "fastmcp"]
CLIENTS = ["python", "typescript", "fastmcp"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def guard(tmp_path_factory):
    async with guarded(tmp_path_factory.mktemp("guarded")) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=HTTP)
async def kind(guard: Guarded, token: str, request):
    # After `token`, which has a server of its own at the same address for a moment.
    async with guard.server(request.param):
        yield request.param


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def token(guard: Guarded) -> str:
    """Dana's, for the CRM, got by the whole dance at a server that guards itself."""
    keyring = Keyring()
    async with guard.server("sdk"):
        await dance(guard, keyring)
    return keyring.tokens.access_token


async def dance(guard: Guarded, keyring: Keyring) -> list[str]:
    stage = guard.stage
    dana = Person(username=stage.username, password=stage.password, keeps=lambda _: True)

    async def browse(url: str) -> str:
        return await dana.walk(url, REDIRECT_URI)

    async with connect(
        guard.url, redirect_uri=REDIRECT_URI, browse=browse, keyring=keyring
    ) as agent:
        await agent.client.list_tools()
        return [one.path for one in agent.exchanges]


@asynccontextmanager
async def environment(guard: Guarded, token: str, name: str):
    """What a process is told that guards itself at the end of a pipe."""
    folder = guard.stage.folder / f"guard-stdio-{name}"
    kept = {one: os.environ[one] for one in ("PATH", "HOME") if one in os.environ}
    yield {**kept, **guard.environment(folder), "REMIT_TOKEN": token}


async def seen_by(client: str, guard: Guarded, token: str, *, stdio: bool) -> tuple[set[str], str]:
    """What `client` is shown, and what it reads, having been refused what it may not do."""
    async with environment(guard, token, client) as told:
        command = [sys.executable, str(SERVER), "sdk"]
        if client == "typescript":
            where = ["stdio", *command] if stdio else ["http", guard.url, token]
            return await seen_by_typescript(where, told)
        if client == "fastmcp":
            transport = (
                StdioTransport(command[0], command[1:], env=told)
                if stdio
                else StreamableHttpTransport(guard.url, auth=token)
            )
            async with fastmcp.Client(transport) as connected:
                return await seen_by_python(connected)
        if stdio:
            server = StdioServerParameters(command=command[0], args=command[1:], env=told)
            async with Client(server) as connected:
                return await seen_by_python(connected)
        headers = {"authorization": f"Bearer {token}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=30) as http,
            Client(streamable_http_client(guard.url, http_client=http)) as connected,
        ):
            return await seen_by_python(connected)


async def seen_by_python(client) -> tuple[set[str], str]:
    listed = await client.list_tools()
    tools = {tool.name for tool in getattr(listed, "tools", listed)}
    read = await client.call_tool("get_account", ACME)
    with pytest.raises(Exception, match="(?i)unknown tool"):
        await client.call_tool("delete_account", ACME)
    return tools, str(read.content)


async def seen_by_typescript(where: list[str], told: dict[str, str]) -> tuple[set[str], str]:
    process = await asyncio.create_subprocess_exec(
        str(NODE), str(NODE_FOLDER / "account_client.mjs"), str(NODE_FOLDER / "node_modules"), *where,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=told,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 90)
    assert process.returncode == 0, err.decode()[-2000:]
    seen = json.loads(out)
    assert seen["refused"]
    return set(seen["tools"]), seen["read"]


@pytest.mark.parametrize("client", CLIENTS)
async def test_every_client_uses_every_server_that_guards_itself(guard, kind, token, client):
    tools, read = await seen_by(client, guard, token, stdio=False)
    assert tools >= READABLE
    assert "delete_account" not in tools
    assert "Juniper Bakery" in read


@pytest.mark.parametrize("client", CLIENTS)
async def test_every_client_uses_a_guarded_server_at_the_end_of_a_pipe(guard, token, client):
    tools, read = await seen_by(client, guard, token, stdio=True)
    assert tools >= READABLE
    assert "delete_account" not in tools
    assert "Juniper Bakery" in read


async def test_who_starts_a_process_without_a_token_is_refused_everything(guard):
    async with environment(guard, "", "nobody") as told:
        server = StdioServerParameters(command=sys.executable, args=[str(SERVER), "sdk"], env=told)
        with pytest.raises(Exception, match="token"):
            async with Client(server, mode="2026-07-28") as client:
                await client.list_tools()
