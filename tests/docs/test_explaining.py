"""The output that the guide shows is what the command prints."""

import re
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from remit.app import build
from remit.cli.explain import _lines
from remit.model import Pinning, Sensitivity
from remit.repository import write_example
from remit.settings import Settings
from remit.testing.clock import FixedClock
from remit.tokens import AccessToken, audience_of, mint

PAGE = Path(__file__).resolve().parents[2] / "docs/guides/explaining.md"
CALLS = {
    "forbidden": ("refund", {"amount": "900.00", "invoice_id": "inv-77", "reason": "broken"}, {}),
    "challenged": (
        "refund",
        {"amount": "5.00", "invoice_id": "inv-77", "reason": "broken"},
        {"scopes": ("payments:invoices.read",)},
    ),
    "hidden": ("close_ledger", {"month": "2026-01"}, {}),
}


def _steady(text: str) -> str:
    """Without what is another each time: ids and versions."""
    text = re.sub(r"dec_[0-9a-z]{26}", "dec_06h006k76s71brxzmqgtq6g0fx", text)
    text = re.sub(r"policies [0-9a-f]{12}", "policies 57b4cf8cc932", text)
    text = re.sub(r"catalog [0-9a-f]{12}", "catalog 6a4df2fc1adb", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "2026-01-05T15:00:00.000Z", text)
    return "\n".join(line.rstrip() for line in text.splitlines())


def _shown(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n```text\n(.*?)\n?```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("name", list(CALLS))
async def test_the_guide_shows_what_is_printed(name, tmp_path):
    write_example(tmp_path / "policy")
    settings = Settings(repo=tmp_path / "policy", data=tmp_path / "data")
    async with build(settings, environ={}, clock=FixedClock()) as app:
        found = await _explained(app, *CALLS[name])
    assert _steady("\n".join(line.plain for line in _lines(found))) == _shown(name)


async def _explained(app, tool, arguments, claims) -> dict:
    catalog, url, now = app.directory.catalog, app.settings.issuer, app.clock.now()
    servers = {key: replace(one, pinning=Pinning.OFF) for key, one in catalog.servers.items()}
    app.directory.replace_catalog(replace(catalog, servers=servers))
    token = AccessToken(
        iss=url, sub="usr_06h0023v7m8w2k4rr6vb9xhq1c", aud=audience_of(url, "payments"),
        client_id="cli_06h0024e1x5d7tq3mz2c8n0kfa", jti="jti_1", iat=now, exp=now + 600,
        scopes=("payments:invoices.read", "payments:refunds.create"),
        grant_id="gnt_06h00250z8v4j1w6yq9s3m7pdb", agent_id="support-assistant",
        organization_id="acme", environment="prod", sensitivity=Sensitivity.HIGH,
        roles=("support",), acr="urn:remit:acr:pwd", amr=("pwd",), auth_time=now - 60,
    )  # fmt: skip
    raw = mint(app.self_test._parts.keys, replace(token, **claims))
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "0"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": tool, "arguments": arguments, "_meta": meta}
    headers = {
        "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/call", "Mcp-Name": tool, "Authorization": f"Bearer {raw}",
    }  # fmt: skip
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    async with _client(app.asgi, url) as public, _client(app.management, "http://remit") as asks:
        refused = await public.post("/mcp/payments", json=message, headers=headers)
        decision = refused.json()["error"]["data"]["decision"]
        answer = await asks.get(f"/api/v1/audit/decisions/{decision}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _client(application, url) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(application), base_url=url)
