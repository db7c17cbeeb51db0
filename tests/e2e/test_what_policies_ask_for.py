"""What policies ask for besides, where calls come from, and what is only observed: real clients of both eras, a real Remit."""

import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
import yaml
from mcp import MCPError

from remit.audit import read_events
from remit.demo.stage import _process, _remit, _until_listening, _until_ready, free_port
from tests.e2e.test_eras import SCOPE, _Plain, python_client, token
from tests.gateway.servers import one_era

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning"),
]

SERVER = str(Path(one_era.__file__).resolve())
ERAS = pytest.mark.parametrize("mode", ["2026-07-28", "legacy"], ids=["modern", "legacy"])
WHY = "dev.remit/justification"
NETWORKS = {"home": ["127.0.0.0/8", "::1/128"], "elsewhere": ["192.0.2.0/24"]}
SERVERS = ("plain", "reasoned", "kept", "limited", "watched", "fresh", "approved")
POLICIES = """
@id("all") permit (principal, action, resource);

@id("from-home") @refusal("Only from home.")
forbid (principal, action == Remit::Action::"plain/add", resource)
unless { context.networks.contains("home") };

@id("from-elsewhere") @refusal("Only from elsewhere.")
forbid (principal, action == Remit::Action::"plain/era", resource)
unless { context.networks.contains("elsewhere") };

@id("on-trial") @mode("observe")
forbid (principal, action == Remit::Action::"plain/add", resource);

@id("say-why") @require_justification("reason") @refusal("This is done for a reason.")
forbid (principal, action in [Remit::Action::"server/reasoned", Remit::Action::"server/kept"], resource);

@id("twice") @limit("2/1h")
permit (principal, action in Remit::Action::"server/limited", resource);

@id("never") forbid (principal, action in Remit::Action::"server/watched", resource);

@id("freshly") @step_up("5m")
permit (principal, action in Remit::Action::"server/fresh", resource);

@id("asked") @require_approval("boss")
forbid (principal, action in Remit::Action::"server/approved", resource);
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A running Remit: its URL, a token for each server, its log."""

    url: str
    tokens: dict[str, str]
    audit: Path

    def client(self, server, mode):
        return python_client(f"{self.url}/mcp/{server}", self.tokens[server], mode)

    async def added(self, server, mode, meta=None):
        async with self.client(server, mode) as client:
            result = await client.call_tool("add", {"a": 2, "b": 3}, meta=meta)
        return result.content[0].text

    async def refused(self, server, mode, tool="add", meta=None):
        async with self.client(server, mode) as client:
            with pytest.raises(MCPError) as caught:
                await client.call_tool(tool, {"a": 2, "b": 3}, meta=meta)
        return caught.value.error

    def decisions(self, server):
        """Those of calls: a client lists what there is besides, when it likes."""
        bodies = [one["body"] for one in read_events(self.audit) if one["kind"] == "decision"]
        return [one for one in bodies if one["server"] == server and one["method"] == "tools/call"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("asked")
    port, remit = free_port(), free_port()
    url, secret = f"http://localhost:{remit}", secrets.token_urlsafe(24)
    write_repository(folder / "policy", port)
    serve = _remit(
        "serve", "--repo", str(folder / "policy"), "--data", str(folder / "data"),
        "--port", str(remit), "--public-url", url,
    )  # fmt: skip
    upstream = [sys.executable, SERVER, "dual", "--port", str(port)]
    async with (
        _process(upstream, folder / "server.log", {"NOTES": str(folder)}),
        _process(serve, folder / "remit.log", {"ERAS_SECRET": secret}) as process,
    ):
        await _until_listening(port, folder / "server.log")
        await _until_ready(f"{url}/readyz", process, folder / "remit.log")
        tokens = {name: await token(url, secret, name) for name in SERVERS}
        yield Place(url, tokens, folder / "data" / "audit")


def write_repository(folder: Path, port: int) -> None:
    need = {"scopes": [SCOPE], "sensitivity": "low"}
    number = {"type": "integer"}
    tools = {
        "add": {"operation": "read", "arguments": {"a": number, "b": number}, **need},
        "era": {"operation": "read", **need},
    }
    files = {
        "remit.yaml": {
            "version": 1, "environments": ["test"], "networks": NETWORKS,
            "tenants": {"acme": {"name": "Acme", "time_zone": "UTC"}},
        },
        "scopes.yaml": {SCOPE: {"title": "Use", "description": "Use every server."}},
        "roles.yaml": {"roles": {"boss": {"scopes": [SCOPE]}}},
        "agents/eras.yaml": {
            "name": "Eras", "owner": "tests", "class": "workload", "scopes": [SCOPE],
            "environments": ["test"], "tenants": ["acme"],
            "clients": {"static": [{
                "client_id": "eras", "name": "Eras", "grant_types": ["client_credentials"],
                "secret": "env:ERAS_SECRET",
            }]},
        },
    }  # fmt: skip
    more = {"watched": {"mode": "observe"}, "kept": {"justification": "keep"}}
    for name in SERVERS:
        files[f"servers/{name}.yaml"] = {
            "title": name, "owner": "tests", "shared": True, "environment": "test", "tools": tools,
            "upstream": {"http": {"url": f"http://127.0.0.1:{port}/mcp"}}, **more.get(name, {}),
        }  # fmt: skip
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.dump(content, Dumper=_Plain))
    (folder / "policies").mkdir()
    (folder / "policies" / "all.cedar").write_text(POLICIES)


@ERAS
async def test_where_a_call_comes_from_has_a_name(place, mode):
    assert await place.added("plain", mode) == "5"
    error = await place.refused("plain", mode, tool="era")
    assert error.message == "unknown tool"


@ERAS
async def test_a_policy_on_trial_decides_nothing_and_is_told_of(place, mode):
    assert await place.added("plain", mode) == "5"
    last = place.decisions("plain")[-1]
    assert (last["outcome"], last["reason"]) == ("allow", "permitted")
    assert last["observed"] == [{"effect": "forbid", "id": "on-trial"}]


@ERAS
async def test_whoever_does_not_say_why_is_told_how_and_whoever_does_goes_on(place, mode):
    error = await place.refused("reasoned", mode)
    data = error.data
    assert (error.code, data["reason"]) == (1019, "justification_needed")
    assert "This is done for a reason" in error.message
    assert WHY in data["how"]
    assert data["missing"] == {"require_justification": "reason"}
    assert await place.added("reasoned", mode, meta={WHY: "ticket INC-7"}) == "5"
    # In between, the client was asked for it in a form, and answered something else.
    refusal, _beside, allowed = place.decisions("reasoned")[-3:]
    assert refusal["obligations"] == [
        {"kind": "require_justification", "rule": "say-why", "value": "reason"}
    ]
    assert refusal["justification"] is None
    assert allowed["justification"].startswith("tok1.text.")


@ERAS
async def test_the_words_are_kept_where_the_server_says_so(place, mode):
    assert await place.added("kept", mode, meta={WHY: "ticket INC-7"}) == "5"
    assert place.decisions("kept")[-1]["justification"] == "ticket INC-7"


@ERAS
@pytest.mark.parametrize(
    "given",
    ["", "two\nlines", "x" * 501, 7, ["INC-7"]],
    ids=["empty", "lines", "long", "number", "list"],
)
async def test_what_is_no_justification_is_refused_before_anything_is_decided(place, mode, given):
    before = len(place.decisions("reasoned"))
    error = await place.refused("reasoned", mode, meta={WHY: given})
    assert error.code == -32602
    assert "justification" in error.message
    assert len(place.decisions("reasoned")) == before


async def test_a_tool_that_asks_why_is_in_the_list_of_whoever_has_not_said_it(place):
    async with place.client("reasoned", "2026-07-28") as client:
        tools = (await client.list_tools()).tools
    assert sorted(tool.name for tool in tools) == ["add", "era"]


async def test_a_rule_permits_so_often_and_says_when_again(place):
    """One token, in both eras: a limit is of whoever calls, and of no session."""
    assert await place.added("limited", "2026-07-28") == "5"
    assert await place.added("limited", "legacy") == "5"
    for mode in ("2026-07-28", "legacy"):
        error = await place.refused("limited", mode)
        assert (error.code, error.data["reason"]) == (1022, "limit_reached")
        assert 1 <= error.data["retry_after"] <= 1800
    body = {
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "add", "arguments": {"a": 1, "b": 1}},
    }  # fmt: skip
    headers = {
        "Authorization": f"Bearer {place.tokens['limited']}",
        "Accept": "application/json, text/event-stream",
    }
    async with httpx2.AsyncClient(timeout=60) as http:
        opened = await http.post(
            f"{place.url}/mcp/limited", headers=headers,
            json={"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
                "protocolVersion": "2025-11-25", "capabilities": {},
                "clientInfo": {"name": "raw", "version": "1"}}},
        )  # fmt: skip
        session = {
            name: value
            for name, value in opened.headers.items()
            if name.lower() == "mcp-session-id"
        }
        answer = await http.post(f"{place.url}/mcp/limited", headers=headers | session, json=body)
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 1800


@ERAS
async def test_what_an_observed_server_would_refuse_goes_on_and_is_recorded(place, mode):
    async with place.client("watched", mode) as client:
        assert sorted(one.name for one in (await client.list_tools()).tools) == ["add", "era"]
    assert await place.added("watched", mode) == "5"
    last = place.decisions("watched")[-1]
    assert (last["outcome"], last["reason"]) == ("allow", "observed")
    assert last["observed"] == [{"effect": "forbid", "id": "never"}]
    async with httpx2.AsyncClient(timeout=60) as http:
        metrics = (await http.get(f"{place.url}/metrics")).text
    assert 'remit_observed_refusals_total{rule="never",server="watched"}' in metrics


async def test_turning_observation_on_is_in_the_log(place):
    loaded = next(one for one in read_events(place.audit) if one["kind"] == "policy.loaded")
    assert loaded["body"]["observing"] == ["policy on-trial", "server watched"]


@ERAS
async def test_what_nobody_can_give_yet_is_a_refusal_that_says_what_it_is(place, mode):
    error = await place.refused("fresh", mode)
    assert (error.code, error.data["reason"]) == (1020, "step_up_needed")
    assert error.data["missing"] == {"step_up": "5m"}


@ERAS
async def test_what_somebody_else_has_to_approve_is_put_to_them_and_waits(place, mode):
    async with place.client("approved", mode) as client:
        result = await client.call_tool("add", {"a": 2, "b": 3})
    assert result.is_error
    refusal = result.meta["remit/refusal"]
    assert refusal["reason"] == "approval_needed"
    assert refusal["missing"] == {"require_approval": "boss"}
    assert refusal["request"]["state"] == "waiting"
    assert "`boss`" in result.content[0].text
