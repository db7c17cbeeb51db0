"""A third party (npm `oidc-provider`), an MCP server that takes its tokens and no others, and a Remit in front of it."""

import json
import sqlite3
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from pydantic import AnyHttpUrl

from remit.demo.agent import Keyring, connect
from remit.demo.person import read_forms
from remit.demo.stage import Stage, _process, _remit, _until_ready, _write_repository, free_port
from tests.e2e.conftest import REDIRECT_URI
from tests.e2e.peer import Peer, node_peer
from tests.e2e.test_upstream_login import Visitor
from tests.gateway.sockets import listening_socket, serving

SECRETS = {
    "CRM_GATEWAY_TOKEN": "crm-gateway-token-of-tests",
    "REMIT_BILLING_JOB_SECRET": "billing-job-secret-of-tests",
    "VENDOR_SECRET": "vendor-secret-of-tests",
}
_BEHIND = ("the server behind", "server-behind-secret-of-tests")
PASSWORD = "a password of their own"
ASKED_OF_ALL = "    bearer_secret: env:CRM_GATEWAY_TOKEN\n"
ASKED_OF_EACH = "    credential: { connection: true }\n"


@dataclass(slots=True)
class Behind:
    """What comes to the MCP server: each token, and whose it is by the third party's own word."""

    issuer: str
    brought: list[tuple[str, str | None]] = field(default_factory=list)
    turned_away: set[str] = field(default_factory=set)

    async def verify_token(self, token: str) -> AccessToken | None:
        async with httpx2.AsyncClient(timeout=30) as http:
            answer = await http.post(
                f"{self.issuer}/token/introspection",
                data={"token": token},
                auth=(_BEHIND[0].replace(" ", "+"), _BEHIND[1]),
            )
        said = answer.json()
        person = said.get("sub") if said.get("active") else None
        self.brought.append((token, person))
        if person is None or token in self.turned_away:
            return None
        return AccessToken(token=token, client_id=said["client_id"], scopes=[], subject=person)

    def server(self, url: str) -> MCPServer:
        auth = AuthSettings(
            issuer_url=AnyHttpUrl(self.issuer),
            resource_server_url=AnyHttpUrl(url),
            validate_token_resource=False,
        )
        server = MCPServer("crm", token_verifier=self, auth=auth)

        @server.tool()
        def list_accounts(organization_id: str) -> str:
            """Whose account this is used with."""
            return f"for {get_access_token().subject}"

        return server


@dataclass(slots=True)
class Walker(Visitor):
    """A visitor who has a password at Remit, too."""

    username: str = ""

    async def _answer(self, page):
        for form in read_forms(page.text):
            if "password" in form.names and "/interaction/" not in form.action:
                known = {"username": self.username, "password": PASSWORD}
                filled = [(name, known.get(name, value)) for name, value in form.fields]
                return await self._send(page, form.action, filled)
        return await Visitor._answer(self, page)


@dataclass(slots=True)
class World:
    """Everything, each at a port of its own."""

    stage: Stage
    vendor: str
    peer: Peer
    behind: Behind
    walkers: list[Walker] = field(default_factory=list)

    async def person(self, username: str) -> Walker:
        """Somebody with an account here, and one under another name at the third party."""
        await self.stage.remit(
            "users", "add", username, "--tenant", "acme", "--role", "support",
            "--display-name", username.title(), "--password-stdin", stdin=f"{PASSWORD}\n",
        )  # fmt: skip
        walker = Walker("nowhere", f"{username}-there", username=username)
        self.walkers.append(walker)
        return walker

    @asynccontextmanager
    async def agent(self, walker: Walker, keyring: Keyring):
        """The client of the official SDK, with whatever `walker` lets it have."""

        async def browse(url: str) -> str:
            return await walker.walk(url, lambda target: target.startswith(REDIRECT_URI))

        async with connect(
            self.stage.server("crm"), redirect_uri=REDIRECT_URI, browse=browse, keyring=keyring
        ) as session:
            yield session

    async def issued(self, person: str | None = None, kind: str | None = None) -> list[str]:
        """The tokens that the third party issued so far, the last one last."""
        known = (await self.peer.ask(issued=True))["issued"]
        return [
            one["token"]
            for one in known
            if person in {None, one["person"]} and kind in {None, one["kind"]}
        ]

    async def renewals(self) -> int:
        return (await self.peer.ask(issued=True))["renewals"]

    def switch_to_connections(self) -> None:
        """Let the server be used with each person's own account from the next reload on."""
        crm = self.stage.repository / "servers" / "crm.yaml"
        text = crm.read_text()
        assert ASKED_OF_ALL in text
        crm.write_text(
            text.replace(ASKED_OF_ALL, ASKED_OF_EACH)
            + f"""
connection:
  title: Vendor
  issuer: {self.vendor}
  client_id: remit at vendor
  secret: env:VENDOR_SECRET
  scopes: [contacts.read, offline_access]
  private_network: true
"""
        )

    def make_older(self, seconds: int) -> None:
        """Let every connection have been renewed that much longer ago."""
        with closing(sqlite3.connect(self.stage.data / "remit.sqlite3", timeout=30)) as database:
            database.execute("UPDATE connections SET updated_at = updated_at - ?", (seconds,))
            database.commit()

    def written(self) -> dict[Path, bytes]:
        """Every file there is, of the data folder, the repository and the logs."""
        return {one: one.read_bytes() for one in self.stage.folder.rglob("*") if one.is_file()}


@asynccontextmanager
async def world_in(folder: Path):
    """Remit, the server behind and the third party. No connection is asked of anybody yet."""
    listener = listening_socket()
    port = listener.getsockname()[1]
    remit_port, vendor_port = free_port(), free_port()
    url, vendor = f"http://127.0.0.1:{remit_port}", f"http://127.0.0.1:{vendor_port}"
    _write_repository(folder / "policy", port)
    behind = Behind(vendor)
    server = behind.server(f"http://127.0.0.1:{port}/mcp")
    serve = _remit(
        "serve", "--repo", str(folder / "policy"), "--data", str(folder / "data"),
        "--port", str(remit_port),
    )  # fmt: skip
    log = folder / "remit.log"
    async with (
        node_peer("third_party.mjs", json.dumps(_third_party(vendor, url))) as peer,
        serving(server.streamable_http_app(), listener, lifespan="on"),
    ):
        assert await peer.read() == {"ready": True}
        async with _process(serve, log, SECRETS) as remit:
            await _until_ready(f"{url}/readyz", remit, log)
            stage = Stage(folder=folder, url=url, username="", password="", ready_seconds=0.0)
            world = World(stage, vendor, peer, behind)
            yield world
            for walker in world.walkers:
                await walker.http.aclose()


def _third_party(vendor: str, url: str) -> dict:
    return {
        "issuer": vendor,
        "port": urlsplit(vendor).port,
        "clients": [
            {
                "client_id": "remit at vendor",
                "client_secret": SECRETS["VENDOR_SECRET"],
                "redirect_uris": [f"{url}/connections/crm/callback"],
                "grant_types": ["authorization_code", "refresh_token"],
                "token_endpoint_auth_method": "client_secret_basic",
            },
            {
                "client_id": _BEHIND[0],
                "client_secret": _BEHIND[1],
                "redirect_uris": [],
                "response_types": [],
                "grant_types": [],
                "token_endpoint_auth_method": "client_secret_basic",
            },
        ],
    }
