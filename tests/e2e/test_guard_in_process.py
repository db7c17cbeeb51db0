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

from remit.demo.agent import Keyring
from tests.e2e.guarded import SERVER, Guarded, dance, guarded
from tests.e2e.peer import NODE, NODE_FOLDER
from tests.e2e.wire import ask, message

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),  # several processes start, one after the other
]

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
    with pytest.raises(Exception, match=r"(?i)unknown tool"):
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


async def test_a_pipe_without_a_token_and_a_line_that_is_none_are_refused(guard):
    async with environment(guard, "", "nobody") as told:
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(SERVER), "sdk", env=told,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        for line in (json.dumps(message("tools/list")).encode(), b'{"jsonrpc": "2.0"', b"[]"):
            process.stdin.write(line + b"\n")
        answers = [
            json.loads(await asyncio.wait_for(process.stdout.readline(), 60)) for _ in range(3)
        ]
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), 60) == 0
    codes = {one["id"]: one["error"]["code"] for one in answers if one["id"] is not None}
    assert codes == {1: 1001}
    assert {-32700, -32600} <= {one["error"]["code"] for one in answers}


async def test_whoever_comes_without_a_token_is_told_where_to_get_one_for_this_very_url(
    guard, kind
):
    refused = await ask(guard.url, "tools/list")
    assert refused.status_code == 401
    metadata = f"http://127.0.0.1:{guard.port}/.well-known/oauth-protected-resource/mcp"
    assert f'resource_metadata="{metadata}"' in refused.headers["www-authenticate"]
    async with httpx2.AsyncClient() as http:
        document = (await http.get(metadata)).json()
        elsewhere = await http.get(f"http://127.0.0.1:{guard.port}/anything")
    assert document["resource"] == guard.url
    assert document["authorization_servers"] == [guard.stage.url]
    assert elsewhere.status_code == 404


async def test_a_hidden_tool_and_a_missing_one_look_alike(guard, kind, token):
    hidden, missing = [
        (await ask(guard.url, "tools/call", {"name": name, "arguments": ACME}, token=token)).json()
        for name in ("delete_account", "no_such_tool")
    ]
    for one in (hidden, missing):
        one["error"]["data"].pop("decision")
    assert hidden == missing
