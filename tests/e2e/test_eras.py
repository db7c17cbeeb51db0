"""Every client in front of every server, through a running Remit: two eras, two transports, any pairing.

Clients of either era in three implementations, servers of one era or both by HTTP and by stdio. What a
client sees is the same in every cell: which era the server speaks is Remit's business.
"""

import asyncio
import json
import secrets
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import fastmcp
import httpx2
import pytest
import pytest_asyncio
import yaml
from fastmcp.client.transports import StreamableHttpTransport
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CreateMessageResult, ElicitResult, ListRootsResult, Root, TextContent

from remit.demo.stage import _process, _remit, _until_listening, _until_ready, free_port
from tests.e2e.peer import NODE, NODE_FOLDER
from tests.gateway.doubles import until
from tests.gateway.servers import one_era

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.node,
    pytest.mark.asyncio(loop_scope="session"),
    # Sampling and roots are deprecated in the modern era; servers still ask for them.
    pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:fastmcp"),
]

SERVER = str(Path(one_era.__file__).resolve())
SCOPE = "eras:things.use"
SERVERS = ("http-modern", "http-legacy", "http-dual", "stdio-modern", "stdio-legacy", "stdio-dual")
TOOLS = (
    "add", "ask_for_ever", "crash", "era", "folders", "pick", "pick_two", "steps", "think", "wait_for_ever",
)  # fmt: skip
SEEN = {
    "server": "one-era",
    "instructions": "ask away",
    "tools": sorted(TOOLS),
    "add": "5",
    "pick": "colour?",
    "pick_two": "wall? and floor?",
    "think": "four",
    "folders": "1",
    "steps": "done",
    "progress": ["half way", "there"],
    "resource": "buy milk",
    "prompt": "say hello to Ann",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A running Remit: its URL, a token for each server, and where the servers leave word."""

    url: str
    tokens: dict[str, str]
    notes: Path

    def at(self, server: str) -> tuple[str, str]:
        return f"{self.url}/mcp/{server}", self.tokens[server]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("eras")
    ports = {era: free_port() for era in ("modern", "legacy", "dual")}
    remit = free_port()
    url, secret = f"http://localhost:{remit}", secrets.token_urlsafe(24)
    notes = {name: folder / name for name in SERVERS}
    for one in notes.values():
        one.mkdir()
    write_repository(folder / "policy", ports, notes)
    serve = _remit(
        "serve", "--repo", str(folder / "policy"), "--data", str(folder / "data"),
        "--port", str(remit), "--public-url", url,
    )  # fmt: skip
    async with (
        _servers(folder, ports, notes),
        _process(serve, folder / "remit.log", {"ERAS_SECRET": secret}) as process,
    ):
        await _until_ready(f"{url}/readyz", process, folder / "remit.log")
        yield Place(url, {name: await token(url, secret, name) for name in SERVERS}, folder)


@asynccontextmanager
async def _servers(folder, ports, notes):
    def started(era):
        command = [sys.executable, SERVER, era, "--port", str(ports[era])]
        return _process(command, folder / f"{era}.log", {"NOTES": str(notes[f"http-{era}"])})

    async with started("modern"), started("legacy"), started("dual"):
        for era, port in ports.items():
            await _until_listening(port, folder / f"{era}.log")
        yield


def write_repository(folder: Path, ports: dict[str, int], notes: dict[str, Path]) -> None:
    """A policy repository in which one workload may use everything on every server but one tool."""
    need = {"scopes": [SCOPE], "sensitivity": "low"}
    things = {
        "tools": {name: {"operation": "read", **need} for name in TOOLS},
        "prompts": {"greet": need},
        "resources": {"notes://today": need},
    }
    files = {
        "remit.yaml": {
            "version": 1, "environments": ["test"],
            "tenants": {"acme": {"name": "Acme", "time_zone": "UTC"}},
        },
        "scopes.yaml": {SCOPE: {"title": "Use", "description": "Use every server."}},
        "agents/eras.yaml": {
            "name": "Eras", "owner": "tests", "class": "workload", "scopes": [SCOPE],
            "environments": ["test"], "tenants": ["acme"],
            "clients": {"static": [{
                "client_id": "eras", "name": "Eras", "grant_types": ["client_credentials"],
                "secret": "env:ERAS_SECRET",
            }]},
        },
    }  # fmt: skip
    for name in SERVERS:
        transport, era = name.split("-")
        command = ["python", SERVER, era]
        reached = (
            {"http": {"url": f"http://127.0.0.1:{ports[era]}/mcp"}}
            if transport == "http"
            else {"stdio": {"command": command, "environment": {"NOTES": str(notes[name])}}}
        )
        files[f"servers/{name}.yaml"] = {
            "title": name, "owner": "tests", "shared": True, "environment": "test",
            "upstream": reached, **things,
        }  # fmt: skip
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.dump(content, Dumper=_Plain))
    (folder / "policies").mkdir()
    (folder / "policies" / "all.cedar").write_text(
        '@id("all") permit (principal, action, resource);\n'
    )


class _Plain(yaml.SafeDumper):
    """Without anchors, which Remit refuses."""

    def ignore_aliases(self, data: object) -> bool:
        return True


async def token(url: str, secret: str, server: str) -> str:
    form = {
        "grant_type": "client_credentials", "resource": f"{url}/mcp/{server}", "scope": SCOPE,
    }  # fmt: skip
    async with httpx2.AsyncClient(timeout=60) as http:
        answer = await http.post(f"{url}/token", data=form, auth=("eras", secret))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


async def answer_person(context, params):
    return ElicitResult(action="accept", content={"colour": params.message.split()[-1]})


async def answer_model(context, params):
    content = TextContent(type="text", text="four")
    return CreateMessageResult(role="assistant", model="m", content=content)


async def answer_roots(context):
    return ListRootsResult(roots=[Root(uri="file:///a")])


@asynccontextmanager
async def python_client(url, token, mode, **more):
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as http:
        transport = streamable_http_client(url, http_client=http)
        answers = {
            "elicitation_callback": answer_person, "sampling_callback": answer_model,
            "list_roots_callback": answer_roots,
        }  # fmt: skip
        async with Client(transport, mode=mode, **(answers | more)) as client:
            yield client


async def seen_by_python(url, token, mode):
    async with python_client(url, token, mode) as client:

        async def text(name, arguments=None, **more):
            return (await client.call_tool(name, arguments or {}, **more)).content[0].text

        progress = []

        async def heard(_done, _of, message):
            progress.append(message)

        seen = {
            "version": client.protocol_version, "server": client.server_info.name,
            "instructions": client.instructions,
            "tools": sorted(tool.name for tool in (await client.list_tools()).tools),
            "add": await text("add", {"a": 2, "b": 3}),
            "pick": await text("pick"), "pick_two": await text("pick_two"),
            "think": await text("think"), "folders": await text("folders"),
            "steps": await text("steps", progress_callback=heard), "progress": progress,
            "resource": (await client.read_resource("notes://today")).contents[0].text,
            "prompt": (await client.get_prompt("greet", {"name": "Ann"})).messages[0].content.text,
        }  # fmt: skip
        with pytest.raises(MCPError) as refused:
            await client.call_tool("hidden", {})
        return {**seen, "refused": refused.value.code}


async def seen_by_fastmcp(url, token, mode):
    progress = []

    async def heard(_done, _of, message):
        progress.append(message)

    async def person(message, response_type, params, context):
        return {"colour": message.split()[-1]}

    async def model(messages, params, context):
        return "four"

    client = fastmcp.Client(
        StreamableHttpTransport(url, headers={"Authorization": f"Bearer {token}"}),
        mode=mode, elicitation_handler=person, sampling_handler=model, roots=["file:///a"],
    )  # fmt: skip
    async with client:

        async def text(name, arguments=None, **more):
            return (await client.call_tool(name, arguments or {}, **more)).content[0].text

        seen = {
            "version": client.protocol_version, "server": client.server_info.name,
            "instructions": client.instructions,
            "tools": sorted(tool.name for tool in await client.list_tools()),
            "add": await text("add", {"a": 2, "b": 3}),
            "pick": await text("pick"), "pick_two": await text("pick_two"),
            "think": await text("think"), "folders": await text("folders"),
            "steps": await text("steps", progress_handler=heard), "progress": progress,
            "resource": (await client.read_resource("notes://today"))[0].text,
            "prompt": (await client.get_prompt("greet", {"name": "Ann"})).messages[0].content.text,
        }  # fmt: skip
        with pytest.raises(MCPError) as refused:
            await client.call_tool("hidden", {})
        return {**seen, "refused": refused.value.error.code}


async def seen_by_typescript(url, token, mode):
    process = await asyncio.create_subprocess_exec(
        str(NODE), str(NODE_FOLDER / "era_client.mjs"), mode, url, token,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=NODE_FOLDER,
    )  # fmt: skip
    try:
        out, err = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()[-2000:]
    return json.loads(out)


CLIENTS = {
    "python": seen_by_python,
    "fastmcp": seen_by_fastmcp,
    "typescript": seen_by_typescript,
}


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("client", CLIENTS)
async def test_what_a_client_sees_does_not_depend_on_what_the_server_speaks(
    place, client, mode, server
):
    seen = await CLIENTS[client](*place.at(server), mode)
    assert seen.pop("version") == ("2026-07-28" if mode == "auto" else "2025-11-25")
    assert isinstance(seen.pop("refused"), int)
    assert seen == SEEN


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_call_is_made_in_the_words_of_the_server(place, mode, server):
    async with python_client(*place.at(server), mode) as client:
        said = (await client.call_tool("era", {})).content[0].text
    era = server.partition("-")[2]
    modern = era == "modern" or (era == "dual" and mode == "auto")
    assert said.partition(" ")[0] == ("2026-07-28" if modern else "2025-11-25")
    assert said.partition(" ")[2] == "['elicitation', 'roots', 'sampling']"


@pytest.mark.parametrize("server", ["http-modern", "http-legacy", "stdio-modern", "stdio-legacy"])
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_cancelled_call_is_cancelled_at_the_server(place, mode, server):
    cancelled, begun = place.notes / server / "cancelled", asyncio.Event()
    cancelled.unlink(missing_ok=True)

    async def heard(_done, _of, _message):
        begun.set()

    async with python_client(*place.at(server), mode) as client:
        calling = asyncio.create_task(
            client.call_tool("wait_for_ever", {}, progress_callback=heard)
        )
        await asyncio.wait_for(begun.wait(), 60)
        calling.cancel()
        await until(cancelled.exists)
        await asyncio.gather(calling, return_exceptions=True)


@pytest.mark.parametrize("server", ["http-modern", "http-legacy", "stdio-legacy"])
async def test_what_a_server_logs_reaches_the_client_that_asked(place, server):
    heard = []

    async def listen(params):
        heard.append(params.data)

    async with python_client(
        *place.at(server), "auto", logging_callback=listen, log_level="info"
    ) as client:
        await client.call_tool("steps", {})
        await until(lambda: heard)
    assert heard == ["half way, it says"]


@pytest.mark.parametrize("server", ["http-legacy", "stdio-legacy", "http-modern", "stdio-modern"])
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_client_without_a_person_is_not_asked(place, mode, server):
    async with python_client(*place.at(server), mode, elicitation_callback=None) as client:
        try:
            result = await client.call_tool("pick", {})
        except MCPError:
            return
        assert result.is_error


@pytest.mark.parametrize("server", ["http-legacy", "stdio-legacy"])
async def test_a_server_that_asks_for_ever_does_not_hold_the_client(place, server):
    url, token = place.at(server)
    async with python_client(url, token, "auto", input_required_max_rounds=100) as client:
        with pytest.raises(MCPError):
            await client.call_tool("ask_for_ever", {})
        assert (await client.call_tool("add", {"a": 2, "b": 3})).content[0].text == "5"
