"""Two organisations that have the same things each, and an administrator of the first with every scope but one.

Everything of the second carries a mark that stands nowhere else.
"""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import select

from remit.app import App
from remit.audit import read_events
from remit.canonical import canonical_bytes
from remit.db.metadata import metadata
from remit.identity.provider_store import ExternalIdentity, add_identity
from remit.identity.session import Session
from remit.identity.store import add_session
from remit.ids import new_id
from remit.model import ALL_TENANTS, MANAGEMENT_SCOPES, Sensitivity
from remit.oauth.connection_store import Connection, keep_connection
from remit.oauth.grant import Grant, GrantKind
from remit.oauth.grant_store import add_grant
from remit.oauth.request_store import Consent, remember_consent
from remit.policy.evaluation import ResourceKind
from remit.registry.definition_store import Cause, DefinitionState, Pinned, put
from remit.repository import write_example
from remit.tokens import AccessToken, audience_of, mint

__all__ = ["MARK", "OURS", "THEIRS", "Ids", "World", "write_world"]

OURS, THEIRS = "acme", "globex"
MARK = "zqxmark"
URL = "http://127.0.0.1:8600"
PASSWORD = "correct horse battery staple"
SECRET = "a-secret-that-is-long-enough-for-a-job"
_STEM = {OURS: "zqxours", THEIRS: MARK}

_AGENT = """\
name: {stem} agent
owner: {stem}@{tenant}.example
class: assistant
purpose: {stem} purpose
scopes: [{stem}:things.read]
environments: [prod]
tenants: [{tenant}]
max_sensitivity: high
clients:
  static:
    - {{ client_id: {stem}-client, name: {stem} client, redirect_uris: ["http://127.0.0.1/{stem}"] }}
"""
_JOB = """\
name: {stem} job
owner: {stem}@{tenant}.example
class: workload
purpose: {stem} nightly
scopes: [{stem}:things.read]
environments: [prod]
tenants: [{tenant}]
max_sensitivity: high
clients:
  static:
    - {{ client_id: {stem}-job-client, name: {stem} job, grant_types: [client_credentials], secret: env:REMIT_JOB_SECRET }}
"""
_SERVER = """\
title: {stem} server
owner: {stem}@{tenant}.example
tenant: {tenant}
environment: prod
description: {stem} description
upstream: {{ http: {{ url: "http://127.0.0.1:9/mcp" }} }}
pinning: "off"
baseline_scopes: [{stem}:things.read]
introspection_secret: env:REMIT_{upper}_SECRET
tools:
  {stem}_tool:
    description: {stem} words
    operation: read
    scopes: [{stem}:things.read]
    sensitivity: low
    arguments:
      {stem}_argument: {{ type: string, pointer: /{stem}_argument, audit: keep }}
"""
_SCOPE = """
{stem}:things.read:
  title: See {stem}
  description: See what {stem} has.
  sensitivity: low
"""


def write_world(repo: Path) -> None:
    """The example repository with a server, an agent, a workload and a scope of each organisation beside it."""
    write_example(repo)
    for tenant, stem in _STEM.items():
        words = {"stem": stem, "tenant": tenant, "upper": stem.upper()}
        (repo / f"agents/{stem}-agent.yaml").write_text(_AGENT.format(**words))
        (repo / f"agents/{stem}-job.yaml").write_text(_JOB.format(**words))
        (repo / f"servers/{stem}.yaml").write_text(_SERVER.format(**words))
        scopes = repo / "scopes.yaml"
        scopes.write_text(scopes.read_text() + _SCOPE.format(**words))
    roles = repo / "roles.yaml"
    text = roles.read_text()
    marked = "".join(
        f"  {stem}-role:\n    description: {stem}\n    scopes: [{stem}:things.read]\n"
        for stem in _STEM.values()
    )
    roles.write_text(text.replace("roles:\n", f"roles:\n{marked}", 1))
    console = (
        "name: Console\nowner: admin@acme.example\nclass: assistant\npurpose: Administers.\n"
        f"scopes: {json.dumps(_ours())}\nenvironments: [management]\ntenants: [acme]\nmax_sensitivity: critical\n"
        "clients: { static: [{ client_id: console, name: Console, redirect_uris: [http://127.0.0.1/c] }] }\n"
    )
    (repo / "agents/console.yaml").write_text(console)
    roles.write_text(
        roles.read_text().replace(
            "roles:\n",
            f"roles:\n  console-role:\n    description: Administers.\n    scopes: {json.dumps(_ours())}\n",
            1,
        )
    )
    root = repo / "remit.yaml"
    root.write_text(
        root.read_text()
        .replace("max_scopes_per_agent: 8", "max_scopes_per_agent: 100")
        .replace("max_scopes_per_token: 6", "max_scopes_per_token: 100")
    )


def _ours() -> list[str]:
    return [one for one in MANAGEMENT_SCOPES if one != ALL_TENANTS]


@dataclass(frozen=True, kw_only=True)
class Ids:
    """What an organisation's things are called, and, of nobody's things, what might have been."""

    tenant: str
    stem: str
    user: str
    username: str
    grant: str
    session: str
    decision: str
    client: str
    subject: str

    @property
    def texts(self) -> tuple[str, ...]:
        """Every text that names something, the longest first."""
        found = {
            self.tenant, self.stem, self.user, self.username, self.grant, self.session, self.decision,
            self.client, self.subject, f"{self.stem}-agent", f"{self.stem}-role", f"{self.stem}_tool",
        }  # fmt: skip
        return tuple(sorted(found, key=len, reverse=True))


class World:
    """A Remit with both, asked over HTTP."""

    def __init__(self, app: App, http: httpx2.AsyncClient, socket: httpx2.AsyncClient) -> None:
        self.app, self.http, self.socket = app, http, socket
        self.tokens: dict[str, str] = {}

    async def plant(self, tenant: str) -> Ids:
        """Give `tenant` an account, a grant, a session, a consent, a connection, a definition and a decision."""
        stem, app = _STEM[tenant], self.app
        added = await self.socket.post(
            "/api/v1/users",
            json={
                "username": f"{stem}-user", "tenant": tenant, "roles": [f"{stem}-role"],
                "display_name": f"{stem} Person", "attributes": {"department": f"{stem}-department"},
                "password": PASSWORD,
            },
        )  # fmt: skip
        assert added.status_code == 200, added.text
        user, now = added.json()["user"]["id"] if "user" in added.json() else added.json()["id"], app.clock.now()  # fmt: skip
        grant, session = new_id("gnt"), new_id("ses")
        resource = audience_of(URL, stem)
        given = Grant(
            id=grant, kind=GrantKind.USER, user_id=user, client_id=f"{stem}-client",
            agent_id=f"{stem}-agent", tenant=tenant, environment="prod", resource=resource,
            scopes=(f"{stem}:things.read",), purpose=f"{stem} purpose", auth_time=now, acr=None, amr=("pwd",),
            created_at=now, last_used_at=now, expires_at=now + 86_400,
        )  # fmt: skip
        subject = f"{stem}-subject"

        def work(tx: Any) -> None:
            add_grant(tx, given)
            add_session(
                tx,
                Session(
                    id=session, user_id=user, auth_time=now, acr="urn:remit:acr:pwd", amr=("pwd",),
                    created_at=now, last_seen_at=now, expires_at=now + 3_600, user_agent=f"{stem} browser",
                ),
                digest=secrets.token_hex(32),
            )  # fmt: skip
            remember_consent(
                tx,
                Consent(
                    user_id=user, client_id=f"{stem}-client", fingerprint="f", resource=resource,
                    scopes=(f"{stem}:things.read",), granted_at=now,
                ),
            )  # fmt: skip
            keep_connection(
                tx,
                Connection(
                    user_id=user, server=stem, issuer=f"https://{stem}.example", scopes=(f"{stem}",),
                    sealed_tokens="sealed", created_at=now, updated_at=now, expires_at=None,
                ),
            )  # fmt: skip
            add_identity(
                tx,
                ExternalIdentity(
                    issuer=f"https://{stem}.example", subject=subject, provider=stem, user_id=user,
                    roles=(), attributes={}, created_at=now, last_login_at=None,
                ),
            )  # fmt: skip
            put(
                tx,
                Pinned(
                    server=stem, thing=ResourceKind.TOOL, name=f"{stem}_tool", state=DefinitionState.QUARANTINED,
                    cause=Cause.CHANGED, detail=f"{stem} detail", offered=json.dumps({"name": stem}),
                    offered_digest="0" * 64, first_seen=now, changed_at=now,
                ),
            )  # fmt: skip

        await app.database.run(work)
        await app.standing.now()
        self.tokens[tenant] = self.token(
            stem, sub=user, grant_id=grant, agent_id=f"{stem}-agent", organization_id=tenant,
            client_id=f"{stem}-client", scopes=(f"{stem}:things.read",), roles=(f"{stem}-role",),
        )  # fmt: skip
        answer = await self.call(
            tenant, stem, "tools/call",
            {"name": f"{stem}_tool", "arguments": {f"{stem}_argument": f"{stem}-argument-value"}},
        )  # fmt: skip
        del answer
        decided = [
            one
            for one in self.events()
            if one["kind"] == "decision" and one.get("tenant") == tenant
        ]
        return Ids(
            tenant=tenant, stem=stem, user=user, username=f"{stem}-user", grant=grant, session=session,
            decision=decided[-1]["body"]["decision_id"], client=f"{stem}-client", subject=subject,
        )  # fmt: skip

    def token(self, server: str, **changes: Any) -> str:
        """A signed token for `server`; without changes, of somebody in our organisation."""
        now = self.app.clock.now()
        claims: dict[str, Any] = {
            "iss": URL, "sub": "usr_somebody", "aud": audience_of(URL, server), "client_id": "console",
            "jti": new_id("at"), "iat": now, "exp": now + 600, "scopes": tuple(_ours()),
            "grant_id": "gnt_console", "agent_id": "console", "organization_id": OURS,
            "environment": "prod", "sensitivity": Sensitivity.CRITICAL, "roles": ("console-role",),
            "acr": "urn:remit:acr:pwd", "amr": ("pwd",), "auth_time": now - 60, **changes,
        }  # fmt: skip
        return mint(self.app.self_test._parts.keys, AccessToken(**claims))

    async def administer(
        self, method: str, path: str, *, query: dict[str, str], body: dict[str, Any] | None
    ) -> httpx2.Response:
        """Ask as the administrator of our organisation."""
        await self.app.standing.now()
        raw = self.token("remit", environment="management")
        options = {"params": query} if method == "GET" else {"json": body or {}}
        return await self.http.request(
            method, path, headers={"Authorization": f"Bearer {raw}"}, **options
        )

    async def call(
        self,
        tenant: str,
        server: str,
        method: str,
        params: dict[str, Any],
        *,
        raw: str | None = None,
    ) -> httpx2.Response:
        """One request to the gateway with the token of somebody of `tenant`."""
        await self.app.standing.now()
        meta = {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "0"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        name = params.get("name") or params.get("uri")
        headers = {
            "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2026-07-28",
            "Mcp-Method": method, "Authorization": f"Bearer {raw or self.tokens[tenant]}",
            **({"Mcp-Name": name} if name else {}),
        }  # fmt: skip
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
        return await self.http.post(f"/mcp/{server}", json=message, headers=headers)

    def events(self) -> list[dict[str, Any]]:
        """The whole log."""
        return list(read_events(self.app.folder.audit))  # type: ignore[arg-type]  # JSON objects

    async def state_of(self, ids: Ids) -> str:
        """A digest of every row in which anything of `ids` stands, and of the catalog's word on it."""

        def read(tx: Any) -> list[str]:
            found: list[str] = []
            for table in metadata.sorted_tables:
                for row in tx.connection.execute(select(table)):
                    text = f"{table.name} {tuple(row)!r}"
                    if any(one in text for one in ids.texts):
                        found.append(text)
            return sorted(found)

        rows = await self.app.database.read(read)
        standing = self.app.directory.standing
        held = [
            f"{ids.stem}-agent" in standing.suspended_agents, ids.user in standing.disabled_users,
            ids.grant in standing.revoked_grants, ids.client in standing.disabled_clients,
        ]  # fmt: skip
        return hashlib.sha256(canonical_bytes([*rows, *held])).hexdigest()


def basic(name: str, secret: str) -> dict[str, str]:
    """The header of a client that proves itself with a secret."""
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:{secret}'.encode()).decode()}"}
