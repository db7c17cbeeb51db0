"""The official conformance suite's server checks, through Remit: as a client of either era sees it.

Remit is a process of its own with a policy repository that admits every fixture, and a workload's
token from the real token endpoint. The suite cannot send an `Authorization` header, so a proxy that
touches nothing else adds it. What the suite runs and does not score is held to what is written here.
"""

import asyncio
import re
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
import yaml

from remit.demo.stage import _process, _remit, _until_listening, _until_ready, free_port
from tests.e2e import everything_server
from tests.e2e.peer import NODE, NODE_FOLDER

# The proxy lives on the loop of the fixture, so the tests run there too.
pytestmark = [pytest.mark.e2e, pytest.mark.node, pytest.mark.asyncio(loop_scope="session")]

SUITE = NODE_FOLDER / "node_modules/@modelcontextprotocol/conformance/dist/index.js"
FIXTURES = str(Path(everything_server.__file__).resolve())
SCOPE = "suite:fixtures.use"
SCORED = {"2025-11-25": 30, "2026-07-28": 37}
# The tasks extension is decided, not carried: it comes with every other primitive in issue 4.
NOT_CARRIED = frozenset({
    "tasks-lifecycle", "tasks-capability-negotiation", "tasks-wire-fields",
    "tasks-request-state-removal", "tasks-mrtr-input", "tasks-request-headers",
    "tasks-dispatch-and-envelope", "tasks-required-task-error", "tasks-mrtr-composition",
})  # fmt: skip
# Unscored, and what matters most for a gateway: how many checks each makes.
HEADERS = {"http-header-validation": 14, "http-custom-header-server-validation": 10}


@dataclass(slots=True)
class Bearer:
    """A proxy that adds the token of the server asked for, and changes nothing else of a request."""

    upstream_port: int
    tokens: dict[str, str] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            target, out = await asyncio.open_connection("127.0.0.1", self.upstream_port)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        # One request a connection: so the answer ends where the connection does, streams included.
        out.write(self._with_token(head))
        ways = {asyncio.create_task(_pump(reader, out)), asyncio.create_task(_pump(target, writer))}
        try:
            # Who hangs up first, the suite in the middle of a stream or Remit, ends both ways.
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            out.close()
            writer.close()

    def _with_token(self, head: bytes) -> bytes:
        request_line, _, rest = head.partition(b"\r\n")
        path = request_line.split(b" ")[1].decode("latin-1")
        rest = re.sub(rb"(?im)^connection:[^\r]*\r\n", b"", rest)
        added = b"Connection: close\r\n"
        if token := self.tokens.get(path):
            added += b"Authorization: Bearer " + token.encode() + b"\r\n"
        return request_line + b"\r\n" + added + rest


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Pass on what comes until either side is done."""
    try:
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
    except ConnectionError:
        return


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the suite said: which scenarios passed, each with its checks, and which it does not score."""

    passed: dict[str, bool]
    checks: dict[str, int]
    unscored: frozenset[str]
    output: str


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gateway(tmp_path_factory) -> AsyncIterator[str]:
    """The URL of a Remit with the fixtures behind it by HTTP and by stdio, as its bearer sees it."""
    folder = tmp_path_factory.mktemp("conformance")
    fixtures, remit, outside = free_port(), free_port(), free_port()
    write_repository(folder / "policy", await fixture_names(), fixtures)
    secret, url = secrets.token_urlsafe(24), f"http://localhost:{outside}"
    serve = _remit(
        "serve", "--repo", str(folder / "policy"), "--data", str(folder / "data"),
        "--port", str(remit), "--public-url", url,
    )  # fmt: skip
    everything = [sys.executable, FIXTURES, "--port", str(fixtures)]
    async with (
        _process(everything, folder / "fixtures.log", {}),
        _process(serve, folder / "remit.log", {"SUITE_SECRET": secret}) as process,
        _bearer(outside, remit) as bearer,
    ):
        await _until_ready(f"{url}/readyz", process, folder / "remit.log")
        await _until_listening(fixtures, folder / "fixtures.log")
        for server in ("by-http", "by-stdio"):
            bearer.tokens[f"/mcp/{server}"] = await token(url, secret, f"{url}/mcp/{server}")
        yield url


@asynccontextmanager
async def _bearer(port: int, upstream_port: int) -> AsyncIterator[Bearer]:
    bearer = Bearer(upstream_port)
    server = await asyncio.start_server(bearer.serve, "127.0.0.1", port, limit=2**20)
    try:
        yield bearer
    finally:
        server.close()


async def token(url: str, secret: str, resource: str) -> str:
    form = {"grant_type": "client_credentials", "resource": resource, "scope": SCOPE}
    async with httpx2.AsyncClient(timeout=60) as http:
        answer = await http.post(f"{url}/token", data=form, auth=("suite", secret))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


async def fixture_names() -> dict[str, list[str]]:
    """Everything on the fixture server: what the policy repository has to name."""
    server = everything_server.build()
    templates = await server.list_resource_templates()
    return {
        "tools": [tool.name for tool in await server.list_tools()],
        "prompts": [prompt.name for prompt in await server.list_prompts()],
        "resources": [
            *(str(resource.uri) for resource in await server.list_resources()),
            *(template.uri_template for template in templates),
        ],
    }


def write_repository(folder: Path, names: dict[str, list[str]], port: int) -> None:
    """A policy repository in which one workload may use every fixture."""
    need = {"scopes": [SCOPE], "sensitivity": "low"}
    things = {
        "tools": {name: {"operation": "read", **need} for name in names["tools"]},
        "prompts": dict.fromkeys(names["prompts"], need),
        "resources": dict.fromkeys(names["resources"], need),
    }
    server = {
        "title": "Fixtures", "owner": "tests", "shared": True, "environment": "test", **things,
    }  # fmt: skip
    client = {
        "client_id": "suite", "name": "Suite", "grant_types": ["client_credentials"],
        "secret": "env:SUITE_SECRET",
    }  # fmt: skip
    files = {
        "remit.yaml": {
            "version": 1,
            "tenants": {"acme": {"name": "Acme", "time_zone": "UTC"}},
            "environments": ["test"],
        },
        "scopes.yaml": {SCOPE: {"title": "Use", "description": "Use every fixture."}},
        "servers/by-http.yaml": server
        | {"upstream": {"http": {"url": f"http://127.0.0.1:{port}/mcp"}}},
        "servers/by-stdio.yaml": server | {"upstream": {"stdio": {"command": ["python", FIXTURES]}}},
        "agents/suite.yaml": {
            "name": "Suite", "owner": "tests", "class": "workload", "scopes": [SCOPE],
            "environments": ["test"], "tenants": ["acme"], "clients": {"static": [client]},
        },
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


async def judge(url: str, requirements: str, results: Path) -> Verdict:
    suite = await asyncio.create_subprocess_exec(
        str(NODE), str(SUITE), "server", "--url", url, "--requirements", requirements,
        "-o", str(results), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        said, _ = await asyncio.wait_for(suite.communicate(), 100)
    finally:
        if suite.returncode is None:
            suite.kill()
            await suite.wait()
    output = said.decode()
    found = re.findall(r"^([✓✗]) (\S+): (\d+) passed, (\d+) failed$", output, re.MULTILINE)
    return Verdict(
        passed={name: mark == "✓" for mark, name, _, _ in found},
        checks={name: int(passed) for _, name, passed, _ in found},
        unscored=frozenset(re.findall(r"^  [✓✗] (\S+) \([a-z-]+\)$", output, re.MULTILINE)),
        output=output,
    )


# Each session of 2025-11-25 starts a child of its own: by stdio its scenarios take a minute and a half.
@pytest.mark.parametrize(
    ("requirements", "server"),
    [("2025-11-25", "by-http"), ("2026-07-28", "by-http"), ("2026-07-28", "by-stdio")],
)
async def test_every_scored_scenario_passes(gateway, tmp_path, requirements, server):
    verdict = await judge(f"{gateway}/mcp/{server}", requirements, tmp_path / "results")
    scored = verdict.passed.keys() - verdict.unscored
    failed = {name for name, passed in verdict.passed.items() if not passed}
    assert failed & scored == set(), verdict.output
    assert len(scored) == SCORED[requirements], verdict.output
    if requirements == "2026-07-28":
        assert failed == NOT_CARRIED, verdict.output
        assert {name: verdict.checks[name] for name in HEADERS} == HEADERS, verdict.output
    else:
        assert failed == set(), verdict.output
