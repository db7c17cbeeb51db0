"""Engines in other processes permit the calls of real clients through a real Remit: Cerbos, and any that speaks AuthZEN."""

import asyncio
import json
import shutil
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from mcp.shared.exceptions import MCPError

from remit.demo.agent import Keyring, connect
from remit.demo.person import Person
from remit.demo.stage import Stage, set_up
from remit.gateway.protocol import LEGACY_VERSIONS
from tests.e2e import wire
from tests.e2e.conftest import REDIRECT_URI
from tests.e2e.peer import NODE, NODE_FOLDER
from tests.engines import real
from tests.engines.doubles import Pdp, pdp, response

pytestmark = [pytest.mark.e2e, pytest.mark.node, pytest.mark.asyncio(loop_scope="module")]

POLICIES = Path(real.__file__).parent / "policies"
SECRET = "the-secret-of-the-decision-point"
VETO = """
@id("issue-tokens")
permit (principal, action == Remit::Action::"issue", resource);

@id("frozen-accounts")
@refusal("This account is frozen.")
forbid (principal, action == Remit::Action::"crm/get_account", resource)
when { context.arguments.account_id == "acc-1002" };
"""
ENGINES = """
engines:
  cerbos:
    kind: cerbos
    url: {cerbos}
    timeout: 5s
  authzen:
    kind: authzen
    url: {authzen}
    timeout: 5s
    secret: stored:pdp
  odd:
    kind: cerbos
    url: {odd}
    timeout: 300ms
"""
MODES = ("auto", "legacy")
"""What the official client speaks: the modern era, and `initialize` with 2025-11-25."""
OWN = {"organization_id": "acme", "account_id": "acc-1001"}
FROZEN = {"organization_id": "acme", "account_id": "acc-1002"}
FOREIGN = {"organization_id": "globex", "account_id": "acc-2001"}
REFUND = {"invoice_id": "inv-3001", "reason": "broken on arrival"}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Remit with two engines at hand, and what agents keep between tests."""

    stage: Stage
    cerbos: real.Running
    authzen: real.Running
    odd: Pdp
    keyrings: dict[str, Keyring]
    in_force: dict[str, str | None]

    async def use(self, engine: str | None) -> None:
        """Let `engine` permit from now on; without one, the policies of the repository."""
        if self.in_force.get("engine", "") == engine:
            return
        repository = self.stage.repository
        for name in ("crm", "payments"):
            path = repository / "servers" / f"{name}.yaml"
            lines = [one for one in path.read_text().splitlines() if not one.startswith("engine:")]
            path.write_text("\n".join([*lines, *([f"engine: {engine}"] if engine else [])]) + "\n")
        for path in (repository / "policies").iterdir():
            path.unlink()
        text = VETO if engine else (POLICIES / "engine.cedar").read_text()
        (repository / "policies" / "access.cedar").write_text(text)
        await self.stage.remit("reload")
        self.in_force["engine"] = engine

    @asynccontextmanager
    async def agent(self, server: str, mode: str = "auto"):
        """An agent that acts for Dana."""
        dana = Person(
            username=self.stage.username, password=self.stage.password, keeps=lambda _: True
        )

        async def browse(url: str) -> str:
            return await dana.walk(url, REDIRECT_URI)

        keyring = self.keyrings.setdefault(server, Keyring())
        url = self.stage.server(server)
        async with connect(
            url, redirect_uri=REDIRECT_URI, browse=browse, keyring=keyring, mode=mode
        ) as agent:
            yield agent

    async def token(self, server: str) -> str:
        """An access token that an agent got for Dana."""
        if server not in self.keyrings:
            async with self.agent(server):
                pass
        return self.keyrings[server].tokens.access_token

    async def refused(self, server: str, tool: str, arguments: dict, mode: str) -> MCPError:
        async with self.agent(server, mode) as agent:
            with pytest.raises(MCPError) as caught:
                await agent.call(tool, arguments)
        return caught.value

    async def explained(self, error: MCPError) -> tuple[dict, str]:
        """What is told of a refusal: to a machine, and to a person."""
        decision = error.error.data["decision"]
        told = await self.stage.remit("explain", decision, "--json")
        return json.loads(told), await self.stage.remit("explain", decision)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("engines")
    async with (
        real.cerbos(folder) as cerbos,
        real.authzen(folder, SECRET) as authzen,
        pdp() as odd,
        set_up(folder) as stage,
    ):
        root = stage.repository / "remit.yaml"
        root.write_text(
            root.read_text() + ENGINES.format(cerbos=cerbos.url, authzen=authzen.url, odd=odd.url)
        )
        shutil.rmtree(stage.repository / "tests", ignore_errors=True)
        await stage.remit("secrets", "set", "pdp", stdin=SECRET)
        yield World(stage=stage, cerbos=cerbos, authzen=authzen, odd=odd, keyrings={}, in_force={})


@pytest.mark.parametrize(
    ("engine", "mode"),
    [(None, "auto"), ("cerbos", "auto"), ("cerbos", "legacy"), ("authzen", "legacy")],
    ids=["cedar-auto", "cerbos-auto", "cerbos-legacy", "authzen-legacy"],
)
async def test_the_same_calls_are_allowed_refused_and_hidden_whoever_decides(world, engine, mode):
    await world.use(engine)
    async with world.agent("crm", mode) as agent:
        assert (agent.client.protocol_version >= "2026") is (mode == "auto")
        listed = {tool.name for tool in (await agent.client.list_tools()).tools}
        assert "get_account" in listed
        assert "list_accounts" not in listed
        assert "Juniper Bakery" in (await agent.call("get_account", OWN)).content[0].text
        hidden, missing = [
            await _error(agent, name, {"organization_id": "acme"})
            for name in ("list_accounts", "no_such_tool")
        ]
        assert (hidden.error.code, hidden.error.message) == (
            missing.error.code,
            missing.error.message,
        )
        foreign = await _error(agent, "get_account", FOREIGN)
        assert "Nordlicht" not in str(foreign)
    async with world.agent("payments", mode) as agent:
        listed = {tool.name for tool in (await agent.client.list_tools()).tools}
        assert {"refund", "get_invoice"} <= listed
        for amount in ("12.50", "500.00"):
            # Whatever the tool makes of it: it was called, which a refusal is not.
            await agent.call("refund", {**REFUND, "amount": amount})
        for amount in ("500.01", "1000.00"):
            await _error(agent, "refund", {**REFUND, "amount": amount})


async def _error(agent, tool, arguments) -> MCPError:
    with pytest.raises(MCPError) as caught:
        await agent.call(tool, arguments)
    return caught.value


@pytest.mark.parametrize("mode", MODES)
async def test_what_the_repository_forbids_no_engine_permits(world, mode):
    await world.use("authzen")
    error = await world.refused("crm", "get_account", FROZEN, mode)
    assert error.error.message == "This account is frozen."
    told, shown = await world.explained(error)
    assert told["reason"] == "forbidden"
    assert [one["id"] for one in told["policies"]] == ["frozen-accounts"]
    assert "frozen-accounts" in shown


@pytest.mark.parametrize(("engine", "mode"), [("authzen", "auto"), ("cerbos", "legacy")])
async def test_who_decided_and_what_it_said_is_recorded_and_told(world, engine, mode):
    await world.use(engine)
    error = await world.refused("payments", "refund", {**REFUND, "amount": "900.00"}, mode)
    assert error.error.message == "An agent may refund at most 500.00 USD."
    told, shown = await world.explained(error)
    assert told["engine"] == engine
    assert told["reason"] == "forbidden"
    rule = {"cerbos": "resource.payments.vdefault", "authzen": "refund-limit"}[engine]
    assert [one["id"] for one in told["policies"]] == [f"{engine}:{rule}"]
    assert f"{engine}:{rule}" in shown
    assert "broken on arrival" not in shown


@pytest.mark.parametrize("mode", MODES)
async def test_a_dead_engine_refuses_calls_and_lists_and_decides_again_when_it_is_back(world, mode):
    await world.use("cerbos")
    async with world.agent("crm", mode) as agent:
        assert "Juniper" in str(await agent.call("get_account", OWN))
        await world.cerbos.kill()
        try:
            dead = await _error(agent, "get_account", OWN)
            assert dead.error.data["reason"] == "engine_error"
            with pytest.raises(MCPError):
                await agent.client.list_tools()
        finally:
            await world.cerbos.start()
        assert "Juniper" in str(await agent.call("get_account", OWN))
        assert (await agent.client.list_tools()).tools
    told, shown = await world.explained(dead)
    assert told["engine"] == "cerbos"
    assert "cannot be reached" in told["errors"][0]
    assert "cerbos" in shown
    assert "cannot be reached" in shown


async def _late(writer, right):
    del writer, right


async def _failing(writer, right):
    writer.write(response(right, status="500 Internal Server Error"))


async def _of_another(writer, right):
    writer.write(response({**right, "requestId": "another"}))


@pytest.mark.parametrize("mode", MODES)
async def test_an_engine_that_is_late_or_errs_refuses_the_call_alone_and_the_session_goes_on(
    world, mode
):
    await world.use("odd")
    odd = world.odd
    try:
        async with world.agent("crm", mode) as agent:
            for behaves in (_late, _failing, _of_another):
                odd.behaves = None
                assert "Juniper" in str(await agent.call("get_account", OWN))
                odd.behaves = behaves
                refused = await _error(agent, "get_account", OWN)
                assert refused.error.data["reason"] == "engine_error", behaves
                assert "Juniper" not in str(refused)
                with pytest.raises(MCPError):
                    await agent.client.list_tools()
            odd.behaves = None
            assert (await agent.client.list_tools()).tools
    finally:
        odd.behaves = None
    told, _ = await world.explained(refused)
    assert told["errors"] == [
        "EngineUnavailableError: the answer of the engine is to another request"
    ]


@pytest.mark.parametrize(("engine", "mode"), [("cerbos", "legacy"), ("authzen", "auto")])
async def test_the_typescript_client_is_told_the_same_in_both_eras(world, engine, mode):
    await world.use(engine)
    calls = [["get_account", OWN], ["get_account", FOREIGN], ["get_account", FROZEN],
             ["list_accounts", {"organization_id": "acme"}]]  # fmt: skip
    seen = await _typescript(world, mode, calls)
    assert (seen["version"] >= "2026") is (mode == "auto")
    assert "get_account" in seen["tools"]["result"]
    assert "list_accounts" not in seen["tools"]["result"]
    own, *refused = seen["calls"]
    foreign, frozen, hidden = map(_told_to_typescript, refused)
    assert "Juniper Bakery" in own["result"]
    assert foreign["data"]["reason"] == "forbidden"
    assert "This account is frozen." in frozen["message"]
    assert hidden["code"] == -32602


def _told_to_typescript(error) -> dict:
    """The JSON-RPC error; with a status of 4xx the client gives back the text of the answer."""
    text = (error.get("data") or {}).get("text")
    return error if text is None else json.loads(text)["error"]


async def _typescript(world, mode, calls) -> dict:
    url, token = world.stage.server("crm"), await world.token("crm")
    process = await asyncio.create_subprocess_exec(
        NODE, "calls.mjs", mode, url, token, json.dumps(calls),
        cwd=NODE_FOLDER, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, errors = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, errors.decode()
    return json.loads(out)


@pytest.mark.parametrize("version", LEGACY_VERSIONS)
async def test_every_earlier_version_is_decided_by_the_engine(world, version):
    await world.use("authzen")
    url, token = world.stage.server("crm"), await world.token("crm")
    headers = {"authorization": f"Bearer {token}", "accept": wire.ACCEPT}
    async with httpx2.AsyncClient(timeout=60, headers=headers) as http:
        began = await http.post(url, json=_message(1, "initialize", {
            "protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "old", "version": "1"},
        }))  # fmt: skip
        assert began.status_code == 200, began.text
        assert _answer(began)["result"]["protocolVersion"] == version
        session = {"mcp-protocol-version": version}
        if "mcp-session-id" in began.headers:
            session["mcp-session-id"] = began.headers["mcp-session-id"]
        ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        await http.post(url, json=ready, headers=session)

        async def called(arguments):
            params = {"name": "get_account", "arguments": arguments}
            return _answer(await http.post(url, json=_message(2, "tools/call", params), headers=session))  # fmt: skip

        assert "Juniper" in str((await called(OWN))["result"])
        assert (await called(FOREIGN))["error"]["data"]["reason"] == "forbidden"
        await world.authzen.kill()
        try:
            assert (await called(OWN))["error"]["data"]["reason"] == "engine_error"
        finally:
            await world.authzen.start()


def _message(number, method, params) -> dict:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def _answer(response) -> dict:
    """The one answer, be it plain or the last event of a stream."""
    if response.headers["content-type"].startswith("application/json"):
        return response.json()
    lines = [one for one in response.text.splitlines() if one.startswith("data:")]
    return next(
        found for line in reversed(lines) if "id" in (found := json.loads(line[5:] or "{}"))
    )
