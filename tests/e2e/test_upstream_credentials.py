"""What a Remit in a process of its own proves to servers behind it: a kept secret, exchanged without a restart, and a token that they verify by its published keys."""

from contextlib import asynccontextmanager

import httpx2
import pytest
from fastmcp import FastMCP
from fastmcp.server.auth.providers.jwt import JWTVerifier
from fastmcp.server.dependencies import get_access_token

from remit.demo.stage import free_port
from tests.app.conftest import SECRET, Remit
from tests.gateway.doubles import VERSION, modern
from tests.gateway.noting import Behind
from tests.gateway.sockets import serving

pytestmark = pytest.mark.e2e

STDIO = "  stdio:\n"
FIRST, SECOND = "first-key-of-the-ledger-31a", "second-key-of-the-ledger-77b"


@pytest.fixture
def remit(tmp_path, tmp_path_factory):
    made = Remit(tmp_path, tmp_path_factory.getbasetemp() / "pycache")
    made.ok("init", str(made.repo))
    return made


def reach(remit, url, credential):
    """Let the payments server be reached by HTTP, with that credential."""
    file = remit.repo / "servers" / "payments.yaml"
    before, _, rest = file.read_text().partition(STDIO)
    after = rest[rest.index("# What the callers of one") :]
    http = f"  http:\n    url: {url}\n    credential: {credential}\n\n"
    file.write_text(before + http + after)


@asynccontextmanager
async def billing(server):
    """A client with the billing job's token."""
    form = {
        "grant_type": "client_credentials",
        "client_id": "billing-job",
        "client_secret": SECRET,
        "resource": f"{server.url}/mcp/payments",
    }
    async with httpx2.AsyncClient(timeout=60) as http:
        answer = await http.post(f"{server.url}/token", data=form)
        assert answer.status_code == 200, answer.text
        http.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
        yield http


async def listed(http, server):
    """What the server offers; without having been told, Remit permits no use of it."""
    headers, body = modern("tools/list")
    own = {name: value for name, value in headers if name not in {"authorization", "host"}}
    answer = await http.post(f"{server.url}/mcp/payments", json=body, headers=own)
    assert answer.status_code == 200, answer.text


async def call(http, server, tool="get_invoice"):
    headers, body = modern(
        "tools/call", {"name": tool, "arguments": {"invoice_id": "inv-1"}}, name=tool
    )
    own = {name: value for name, value in headers if name not in {"authorization", "host"}}
    return await http.post(f"{server.url}/mcp/payments", json=body, headers=own)


def ledger(remit_url, audience):
    """A server that trusts Remit's issuer, and says what it was told of its caller."""
    verifier = JWTVerifier(
        jwks_uri=f"{remit_url}/jwks",
        issuer=remit_url,
        audience=audience,
        algorithm="ES256",
        required_scopes=["payments:invoices.read"],
    )
    behind = FastMCP("payments", auth=verifier)

    @behind.tool()
    def get_invoice(invoice_id: str) -> dict:
        return dict(get_access_token().claims)

    return behind.http_app(path="/mcp", stateless_http=True)


async def test_a_server_that_trusts_remit_verifies_a_token_made_for_the_call(remit):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    audience = "https://ledger.internal.example"
    async with serving(ledger(url, audience), lifespan="on") as behind:
        reach(
            remit,
            f"{behind}/mcp",
            f"{{exchange: {{audience: '{audience}', scopes: ['payments:invoices.read']}}}}",
        )
        with remit.serving("--port", str(port)) as server:
            async with billing(server) as http:
                await listed(http, server)
                answer = await call(http, server)
                assert answer.status_code == 200, answer.text
                claims = answer.json()["result"]["structuredContent"]
                mine = http.headers["authorization"].removeprefix("Bearer ")
                # The caller's own token opens nothing there.
                direct = await http.post(f"{behind}/mcp", json={})
            tail = remit.ok("audit", "tail", "--json")
    assert (claims["aud"], claims["iss"], claims["scope"]) == (
        audience,
        url,
        "payments:invoices.read",
    )
    assert claims["sub"] == claims["agent_id"] == "billing-job"
    assert [claims["act"]["sub"], claims["act"]["act"]["sub"]] == ["remit", "billing-job"]
    assert claims["exp"] - claims["iat"] <= 60
    assert direct.status_code == 401
    assert audience in tail
    assert mine not in tail


async def test_a_kept_secret_is_used_replaced_and_removed_without_a_restart(remit):
    behind = Behind("modern")
    async with serving(behind) as at:
        reach(remit, f"{at}/mcp", "{secret: 'stored:ledger', header: X-Api-Key}")
        with remit.serving() as server:
            async with billing(server) as http:
                assert (await call(http, server)).status_code in {403, 502}
                assert behind.requests == []
                remit.ok("secrets", "set", "ledger", "--reason", "new", stdin=f"{FIRST}\n")
                await listed(http, server)
                assert (await call(http, server)).status_code == 200
                assert behind.requests[-1][1]["x-api-key"] == FIRST
                remit.ok("secrets", "set", "ledger", stdin=f"{SECOND}\n")
                assert (await call(http, server)).status_code == 200
                assert behind.requests[-1][1]["x-api-key"] == SECOND
                behind.text = f"you sent {SECOND}"
                withheld = await call(http, server)
                assert (withheld.status_code, SECOND in withheld.text) == (502, False)
                shown = remit.ok("secrets", "list", "--json")
                remit.ok("secrets", "remove", "ledger", "--yes")
                asked = len(behind.requests)
                assert (await call(http, server)).status_code == 502
                assert len(behind.requests) == asked
            server.stop()
    secrets = [FIRST.encode(), SECOND.encode()]
    assert not any(one.decode() in shown for one in secrets)
    written = [path for path in remit.folder.rglob("*") if path.is_file()]
    assert [str(path) for path in written for one in secrets if one in path.read_bytes()] == []
    assert VERSION in behind.requests[-1][1]["mcp-protocol-version"]
