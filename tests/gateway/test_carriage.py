"""Official clients carried to official servers and back, in both eras, over both transports."""

import asyncio
import json
import shutil
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CreateMessageResult, ElicitResult, TextContent

from tests.gateway.doubles import META, VERSION, until

HERE = Path(__file__).parent
NODE = Path(sys.executable).parent / "node"
MODULES = HERE.parent / "node"
TYPESCRIPT = MODULES / "node_modules/@modelcontextprotocol/client"

# Sampling is deprecated in the modern era; the legacy era lives on it.
pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")


@asynccontextmanager
async def client(url, *, token="dana", mode="auto", **callbacks):
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=30) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode=mode, **callbacks) as connected:
            yield connected


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_python_client_lists_calls_reads_and_prompts(real, guard, mode):
    async with client(real, mode=mode) as mcp:
        assert mcp.protocol_version == (VERSION if mode == "auto" else "2025-11-25")
        tools = [tool.name for tool in (await mcp.list_tools()).tools]
        assert "add" in tools
        assert "hidden" not in tools
        assert (await mcp.call_tool("add", {"a": 2, "b": 3})).content[0].text == "5"
        assert (await mcp.read_resource("notes://today")).contents[0].text == "buy milk"
        prompt = await mcp.get_prompt("greet", {"name": "Ann"})
        assert prompt.messages[0].content.text == "say hello to Ann"
        assert [
            t.uri_template for t in (await mcp.list_resource_templates()).resource_templates
        ] == ["notes://{day}"]
    assert guard.outcomes == ["ok", "ok", "ok"]
    assert [call.name for call in guard.decided] == ["add", "notes://today", "greet"]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_refused_call_reaches_the_client_as_an_error_of_the_protocol(real, guard, mode):
    async with client(real, mode=mode) as mcp:
        with pytest.raises(MCPError):
            await mcp.call_tool("hidden", {})
    assert guard.completed == []


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_progress_arrives_while_the_call_still_runs(real, tmp_path, mode):
    seen = []

    async def on_progress(progress, total, message):
        seen.append(message)
        # Without this the tool never ends: what was seen was seen live.
        (tmp_path / "go").write_text("")

    async with client(real, mode=mode) as mcp:
        result = await mcp.call_tool("steps", {}, progress_callback=on_progress)
    assert result.content[0].text == "done"
    assert seen == ["half way", "there"]


async def test_a_legacy_server_asks_person_and_model_through_the_gateway(real):
    async def elicit(context, params):
        return ElicitResult(action="accept", content={"colour": "blue"})

    async def sample(context, params):
        return CreateMessageResult(
            role="assistant", model="m", content=TextContent(type="text", text="four")
        )

    async with client(
        real, mode="legacy", elicitation_callback=elicit, sampling_callback=sample
    ) as mcp:
        assert (await mcp.call_tool("pick", {})).content[0].text == "blue"
        assert (await mcp.call_tool("think", {})).content[0].text == "four"


async def test_a_client_that_goes_away_cancels_the_call_behind(real, guard, tmp_path):
    headers = {
        "Authorization": "Bearer dana",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": VERSION,
        "Mcp-Method": "tools/call",
        "Mcp-Name": "wait_for_ever",
    }
    params = {"name": "wait_for_ever", "arguments": {}, "_meta": {**META, "progressToken": "p"}}
    body = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}
    async with (
        httpx2.AsyncClient(timeout=30) as http,
        http.stream("POST", real, json=body, headers=headers) as response,
    ):
        async for line in response.aiter_lines():
            if line.startswith("data:"):
                assert json.loads(line[5:])["params"]["progressToken"] == "p"
                break
    await until(lambda: (tmp_path / "cancelled").exists() and guard.completed)
    assert guard.outcomes == ["cancelled"]


async def test_two_callers_with_the_same_id_get_their_own_answers(real):
    async with client(real) as one, client(real, token="eve") as two:
        sums = await asyncio.gather(
            *(mcp.call_tool("add", {"a": n, "b": 0}) for n in range(10) for mcp in (one, two))
        )
    assert [int(result.content[0].text) for result in sums] == [
        n for n in range(10) for _ in (1, 2)
    ]


@pytest.mark.node
async def test_the_typescript_client_opens_a_legacy_session_and_uses_all_of_it(
    real, guard, tmp_path
):
    assert TYPESCRIPT.exists(), "run `npm ci` in tests/node first, or `make test`, which does"
    process = await asyncio.create_subprocess_exec(
        shutil.which(str(NODE)), str(HERE / "legacy_client.mjs"), str(MODULES), real, "dana",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "GO": str(tmp_path / "go")},
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode()
    seen = json.loads(out)
    assert seen["version"] == "2025-11-25"
    assert seen["session"].startswith("mcp_")
    assert "hidden" not in seen["tools"]
    assert (seen["add"], seen["steps"], seen["pick"], seen["think"]) == (
        "5",
        "done",
        "blue",
        "four",
    )
    assert seen["progress"] == ["half way", "there"]
    assert (seen["resource"], seen["prompt"]) == ("buy milk", "say hello to Ann")
    assert "refused" in seen
