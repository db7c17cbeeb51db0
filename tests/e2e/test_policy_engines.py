"""Engines in other processes permit the calls of real clients through a real Remit: Cerbos, and any that speaks AuthZEN."""

import json
import shutil
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from mcp.shared.exceptions import MCPError

from remit.demo.agent import Keyring, connect
from remit.demo.person import Person
from remit.demo.stage import Stage, set_up
from tests.e2e.conftest import REDIRECT_URI
from tests.engines import real

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
"""
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
    keyrings: dict[str, Keyring]

    async def use(self, engine: str | None) -> None:
        """Let `engine` permit from now on; without one, the policies of the repository."""
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

    @asynccontextmanager
    async def agent(self, server: str):
        """An agent that acts for Dana."""
        dana = Person(
            username=self.stage.username, password=self.stage.password, keeps=lambda _: True
        )

        async def browse(url: str) -> str:
            return await dana.walk(url, REDIRECT_URI)

        keyring = self.keyrings.setdefault(server, Keyring())
        url = self.stage.server(server)
        async with connect(url, redirect_uri=REDIRECT_URI, browse=browse, keyring=keyring) as agent:
            yield agent

    async def refused(self, server: str, tool: str, arguments: dict) -> MCPError:
        async with self.agent(server) as agent:
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
        set_up(folder) as stage,
    ):
        root = stage.repository / "remit.yaml"
        root.write_text(root.read_text() + ENGINES.format(cerbos=cerbos.url, authzen=authzen.url))
        shutil.rmtree(stage.repository / "tests", ignore_errors=True)
        await stage.remit("secrets", "set", "pdp", stdin=SECRET)
        yield World(stage=stage, cerbos=cerbos, authzen=authzen, keyrings={})


@pytest.mark.parametrize("engine", [None, "cerbos", "authzen"], ids=["cedar", "cerbos", "authzen"])
async def test_the_same_calls_are_allowed_refused_and_hidden_whoever_decides(world, engine):
    await world.use(engine)
    async with world.agent("crm") as agent:
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
    async with world.agent("payments") as agent:
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


async def test_what_the_repository_forbids_no_engine_permits(world):
    await world.use("cerbos")
    error = await world.refused("crm", "get_account", FROZEN)
    assert error.error.message == "This account is frozen."
    told, shown = await world.explained(error)
    assert told["reason"] == "forbidden"
    assert [one["id"] for one in told["policies"]] == ["frozen-accounts"]
    assert "frozen-accounts" in shown


@pytest.mark.parametrize("engine", ["cerbos", "authzen"])
async def test_who_decided_and_what_it_said_is_recorded_and_told(world, engine):
    await world.use(engine)
    error = await world.refused("payments", "refund", {**REFUND, "amount": "900.00"})
    assert error.error.message == "An agent may refund at most 500.00 USD."
    told, shown = await world.explained(error)
    assert told["engine"] == engine
    assert told["reason"] == "forbidden"
    rule = {"cerbos": "resource.payments.vdefault", "authzen": "refund-limit"}[engine]
    assert [one["id"] for one in told["policies"]] == [f"{engine}:{rule}"]
    assert f"{engine}:{rule}" in shown
    assert "broken on arrival" not in shown


async def test_a_dead_engine_refuses_calls_and_lists_and_decides_again_when_it_is_back(world):
    await world.use("cerbos")
    async with world.agent("crm") as agent:
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
