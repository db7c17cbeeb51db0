"""Remit's own MCP server, with tokens of the exchange, and through the gateway."""

from dataclasses import replace

import httpx2
import pytest

from remit.api.access_tools import OWN_URL, AccessTools
from remit.approvals.access_desk import AccessDeps, AccessDesk
from remit.approvals.access_store import AccessFilter
from remit.guard.ports import Standing
from remit.identity.store import add_user
from remit.identity.user import User
from remit.ids import AgentId
from remit.model import AccessOffer, Approvals
from remit.registry import RegistryDirectory
from remit.testing.catalog import small_catalog
from remit.tokens import AccessToken, Delegate, KeySet, SigningKey, TokenVerifier, mint

URL = "https://remit.example"
REMIT = Delegate(AgentId("remit"), URL)
AGENT = Delegate(AgentId("assistant"), "cli_1")


class Tools:
    """The server alone, spoken to as the gateway speaks to it."""

    def __init__(self, database, clock):
        self.clock = clock
        self.keys = KeySet([SigningKey.generate(clock.now())])
        catalog = small_catalog()
        offer = AccessOffer(
            name="books",
            role="finance",
            people_roles=("support",),
            agents=(AgentId("assistant"),),
        )
        self.directory = RegistryDirectory(catalog, Standing(as_of=clock.now()))
        self.offer(offer)
        self.desk = AccessDesk(AccessDeps(database=database, directory=self.directory, clock=clock))
        verifier = TokenVerifier(self.keys, URL, clock)
        transport = httpx2.ASGITransport(AccessTools(self.desk, verifier, clock))
        self.http = httpx2.AsyncClient(transport=transport, base_url="https://access.remit.invalid")

    def offer(self, *offers):
        approvals = Approvals(access={one.name: one for one in offers})
        self.directory.replace_catalog(replace(self.directory.catalog, approvals=approvals))

    def token(self, **changes):
        now = self.clock.now()
        said = {
            "iss": URL,
            "sub": "usr_ada",
            "aud": OWN_URL,
            "client_id": "cli_1",
            "jti": "at_1",
            "iat": now,
            "exp": now + 60,
            "scopes": ("access:requests.create",),
            "grant_id": "grt_1",
            "agent_id": "assistant",
            "organization_id": "acme",
            "environment": "prod",
            "sensitivity": next(iter(self.directory.catalog.agents.values())).max_sensitivity,
            "actors": (REMIT, AGENT),
        }
        return mint(self.keys, AccessToken(**said | changes))

    async def post(self, message, token=None):
        raw = self.token() if token is None else token
        headers = {"Authorization": f"Bearer {raw}"}
        return await self.http.post("/mcp", json=message, headers=headers)

    async def call(self, name, arguments=None, **changes):
        message = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": name, "arguments": arguments or {}},
        }
        answer = await self.post(message, self.token(**changes))
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]


@pytest.fixture
async def tools(database, clock):
    built = Tools(database, clock)
    user = User(
        id="usr_ada",
        tenant="acme",
        username="ada",
        display_name="Ada",
        roles=("support",),
        attributes={},
        created_at=clock.now(),
    )
    await database.run(lambda tx: add_user(tx, user, password_hash="-"))
    yield built
    await built.http.aclose()


def asking(**changes):
    return {"offer": "books", "seconds": 600, "justification": {"reason": "month end"}, **changes}


async def test_it_says_what_it_speaks_and_what_it_offers(tools):
    said = (await tools.post({"jsonrpc": "2.0", "id": 1, "method": "server/discover"})).json()
    assert said["result"]["supportedVersions"] == ["2026-07-28"]
    listed = (await tools.post({"jsonrpc": "2.0", "id": 2, "method": "tools/list"})).json()
    names = [one["name"] for one in listed["result"]["tools"]]
    assert names == ["access.offers", "access.mine", "access.request", "access.return"]
    assert all(
        one["inputSchema"]["additionalProperties"] is False for one in listed["result"]["tools"]
    )


async def test_an_agent_asks_for_its_person_and_for_itself_alone(tools):
    made = await tools.call("access.request", asking())
    assert made.get("isError") is None, made
    shown = made["structuredContent"]
    assert (shown["holder"], shown["agent"], shown["state"]) == ("usr_ada", "assistant", "active")
    assert "new access token" in shown["next"]
    mine = (await tools.call("access.mine"))["structuredContent"]["access"]
    assert [one["id"] for one in mine] == [shown["id"]]
    back = await tools.call("access.return", {"access": shown["id"]})
    assert back["structuredContent"]["how"] == "returned"


async def test_another_agent_of_the_person_sees_and_ends_none_of_it(tools):
    made = (await tools.call("access.request", asking()))["structuredContent"]
    other = {"agent_id": "other", "actors": (REMIT, Delegate(AgentId("other"), "cli_2"))}
    assert (await tools.call("access.mine", **other))["structuredContent"]["access"] == []
    refused = await tools.call("access.return", {"access": made["id"]}, **other)
    assert refused["structuredContent"]["code"] == "not_found"
    refused = await tools.call("access.request", asking(), **other)
    assert refused["isError"] is True
    assert (await tools.call("access.offers", **other))["structuredContent"]["offers"] == []


async def test_a_chain_of_agents_asks_for_nothing(tools):
    chain = (REMIT, AGENT, Delegate(AgentId("first"), "cli_0"))
    refused = await tools.call("access.request", asking(), actors=chain)
    assert refused["structuredContent"]["code"] == "not_found"
    assert await tools.desk.listed(AccessFilter()) == ()


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        asking(seconds="600"),
        asking(seconds=10_000_000),
        asking(offer="nothing"),
        asking(justification={}),
        asking(holder="usr_bob"),
        asking(agent="other"),
    ],
    ids=str,
)
async def test_what_cannot_be_had_is_an_error_of_the_tool_and_nothing_is(tools, arguments):
    refused = await tools.call("access.request", arguments)
    assert refused["isError"] is True
    assert refused["content"][0]["text"]
    assert await tools.desk.listed(AccessFilter()) == ()


async def test_only_a_token_of_ours_for_here_is_taken(tools):
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    stranger = KeySet([SigningKey.generate(tools.clock.now())])
    tools.keys, own = stranger, tools.keys
    forged = tools.token()
    tools.keys = own
    for raw in ("", "nonsense", forged, tools.token(aud=f"{URL}/mcp/crm")):
        assert (await tools.post(message, raw)).status_code == 401
    tools.clock.advance(61)
    assert (await tools.http.post("/mcp", json=message)).status_code == 401


async def test_what_is_no_request_is_refused(tools):
    assert (await tools.http.get("/mcp")).status_code == 405
    headers = {"Authorization": f"Bearer {tools.token()}", "content-type": "application/json"}
    assert (await tools.http.post("/mcp", content="[]", headers=headers)).status_code == 400
    assert (await tools.post({"jsonrpc": "2.0", "method": "notifications/x"})).status_code == 202
    for method, code in (
        ("initialize", -32601),
        ("resources/list", -32601),
        ("tools/call", -32601),
    ):
        said = (await tools.post({"jsonrpc": "2.0", "id": 3, "method": method})).json()
        assert said["error"]["code"] == code
    unknown = {
        "jsonrpc": "2.0",
        "id": 4,
        "method": "tools/call",
        "params": {"name": "emergency.take"},
    }
    assert (await tools.post(unknown)).json()["error"]["code"] == -32602
