"""The server that Remit is itself, behind its own gateway, and what ends by itself."""

import asyncio
import base64
import shutil

import httpx2
import pytest

from remit.app import access_wiring, build
from remit.app.access_wiring import keep_access
from remit.approvals.access import Access, AccessKind, AccessState, HolderKind
from remit.approvals.access_store import AccessFilter
from remit.approvals.notification import Occasion
from remit.approvals.notification_store import due_notifications
from remit.model import EmergencyAccess
from remit.repository import write_example
from remit.settings import Settings

ISSUER = "http://127.0.0.1:8600"
SECRET = "a-secret-for-the-billing-job-of-the-example"
VERSION = "2026-07-28"
SERVER = """\
title: Access for a while
owner: security@acme.example
shared: true
environment: prod
upstream:
  http:
    url: https://access.remit.invalid/mcp
    credential:
      exchange:
        audience: https://access.remit.invalid/mcp
        scopes: [access:requests.create]
tools:
  access.offers: {operation: read, scopes: [access:requests.create], sensitivity: low}
  access.request: {operation: write, scopes: [access:requests.create], sensitivity: low}
"""
SCOPE = """
access:requests.create:
  title: Ask for access for a while
  description: Ask for roles and scopes that are offered for a while.
  sensitivity: low
"""
APPROVALS = """\
access:
  invoices:
    scopes: [payments:invoices.read]
    agents: [billing-job]
    longest: 2h
"""


@pytest.fixture
def settings(tmp_path):
    repo = tmp_path / "policy"
    write_example(repo)
    shutil.rmtree(repo / "tests")
    (repo / "servers" / "access.yaml").write_text(SERVER)
    (repo / "approvals.yaml").write_text(APPROVALS)
    with (repo / "scopes.yaml").open("a") as scopes:
        scopes.write(SCOPE)
    job = repo / "agents" / "billing-job.yaml"
    job.write_text(
        job.read_text().replace(
            "scopes: [payments:invoices.read]",
            "scopes: [payments:invoices.read, access:requests.create]",
        )
    )
    (repo / "policies" / "workloads.cedar").unlink()
    return Settings(repo=repo, data=tmp_path / "data")


@pytest.fixture
async def app(settings):
    async with build(settings, environ={"REMIT_BILLING_JOB_SECRET": SECRET}) as opened:
        yield opened


@pytest.fixture
async def public(app):
    transport = httpx2.ASGITransport(app.asgi)
    async with httpx2.AsyncClient(transport=transport, base_url=ISSUER) as client:
        yield client


async def token(public):
    credentials = base64.b64encode(f"billing-job:{SECRET}".encode()).decode()
    answer = await public.post(
        "/token",
        headers={"Authorization": f"Basic {credentials}"},
        data={"grant_type": "client_credentials", "resource": f"{ISSUER}/mcp/access"},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


async def ask(public, raw, method, params=None):
    meta = {
        "io.modelcontextprotocol/protocolVersion": VERSION,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1"},
    }
    headers = {
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": VERSION,
        "mcp-method": method,
        "authorization": f"Bearer {raw}",
    }
    if params:
        headers["mcp-name"] = params["name"]
    body = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": method,
        "params": {**(params or {}), "_meta": meta},
    }
    answer = await public.post("/mcp/access", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


async def test_an_agent_asks_over_the_gateway_and_has_it(app, public):
    await app.standing.now()
    raw = await token(public)
    listed = await ask(public, raw, "tools/list")
    assert [one["name"] for one in listed["tools"]] == ["access.offers", "access.request"]
    arguments = {"offer": "invoices", "seconds": 600, "justification": {"reason": "nightly run"}}
    said = await ask(public, raw, "tools/call", {"name": "access.request", "arguments": arguments})
    assert said.get("isError") is not True, said
    (held,) = await app.access.listed(AccessFilter())
    assert (held.holder, held.offer) == ("billing-job", "invoices")
    assert said["structuredContent"]["id"] == held.id


async def test_a_tool_that_the_repository_does_not_name_is_not_there(app, public):
    await app.standing.now()
    raw = await token(public)
    await ask(public, raw, "tools/list")
    with pytest.raises(KeyError, match="result"):
        await ask(public, raw, "tools/call", {"name": "access.return", "arguments": {}})


async def test_what_is_over_is_looked_at_for_ever_whatever_fails(monkeypatch):
    monkeypatch.setattr(access_wiring, "INTERVAL", 0)
    looked = asyncio.Event()

    class Failing:
        times = 0

        async def expire_due(self):
            self.times += 1
            if self.times > 1:
                looked.set()
            raise RuntimeError("the database is away")

    task = asyncio.create_task(keep_access(Failing()))
    await asyncio.wait_for(looked.wait(), 30)
    assert not task.done()
    task.cancel()


async def test_a_review_that_is_late_is_told_by_the_notifiers_that_told_of_the_taking(app):
    taken = Access(
        id="acc_1", offer="glass", kind=AccessKind.EMERGENCY, state=AccessState.ENDED, tenant="acme",
        holder_kind=HolderKind.USER, holder="usr_1", agent_id=None, role="finance", scopes=(),
        justification={}, ticket="", acr=None, seconds=600, until=None, requested_at=1, expires_at=601,
        review_by=700, overdue_at=701,
    )  # fmt: skip
    glass = EmergencyAccess(
        name="glass", people=("dana",), role="finance", reviewer="manager", notify=("mail",)
    )
    await app.database.run(lambda tx: access_wiring._tell(tx, taken, glass))
    (found,) = await app.database.read(lambda tx: due_notifications(tx, now=701))
    assert (found.notifier, found.notice.occasion) == ("mail", Occasion.OVERDUE)
    assert (found.notice.about, found.notice.at) == ("acc_1", 701)
