"""The official clients of both eras, known beforehand, by their document, or by registering themselves.

Remit runs in this process, so that what it fetches can come from a host of ours; every check before
the dialling stays in force, and clients reach it by real sockets.
"""

import asyncio
import json
import secrets
import sys
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pytest
from mcp import Client
from mcp.client.auth.oauth2 import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
)

from remit.app import build, serve, wiring
from remit.app.server import listen_tcp, listen_unix
from remit.demo.agent import Keyring
from remit.demo.person import Person
from remit.repository import write_example
from remit.settings import Settings
from remit.testing.document_host import DocumentHost
from tests.e2e.conftest import REDIRECT_URI
from tests.e2e.peer import node_peer

pytestmark = [pytest.mark.e2e]

DOCUMENT = "https://client.example/oauth/client.json"
STATIC = "support-desk"
MECHANISMS = {"beforehand": STATIC, "document": DOCUMENT, "registers": ""}
INVOICE = {"invoice_id": "inv-77"}


@dataclass(frozen=True, slots=True)
class Site:
    url: str
    documents: DocumentHost
    person: Person

    @property
    def payments(self) -> str:
        return f"{self.url}/mcp/payments"


@pytest.fixture
async def site(tmp_path, monkeypatch):
    """A Remit that knows one client beforehand and one by its document."""
    repo = tmp_path / "policy"
    write_example(repo)
    agent = repo / "agents" / "support-assistant.yaml"
    agent.write_text(
        agent.read_text().replace(
            "  metadata_documents:\n", f"  metadata_documents:\n    - {DOCUMENT}\n"
        )
        + f"  static:\n    - client_id: {STATIC}\n      name: Support desk\n"
        "      redirect_uris: [http://127.0.0.1/callback]\n"
    )
    async with DocumentHost("client.example") as documents:
        about = {
            "client_id": DOCUMENT, "client_name": "Assistant",
            "redirect_uris": ["http://127.0.0.1/callback"],
            "grant_types": ["authorization_code", "refresh_token"],
        }  # fmt: skip
        documents.serve("/oauth/client.json", json.dumps(about).encode())
        monkeypatch.setattr(wiring, "DocumentFetcher", documents.fetcher)
        settings = Settings(repo=repo, data=tmp_path / "data")
        async with _serving(settings) as url:
            yield Site(url, documents, await _somebody(settings.data))


@asynccontextmanager
async def _serving(settings: Settings):
    stop = SimpleNamespace(told=asyncio.Event(), listeners=())
    with closing(listen_tcp("127.0.0.1", 0)) as listening:
        settings = settings.model_copy(update={"port": listening.getsockname()[1]})
        async with build(settings, environ={}) as app:
            with closing(listen_unix(app.folder.socket)) as managing:
                # The module beside the function of this name.
                run = sys.modules[serve.__module__]._run
                running = asyncio.create_task(run(app, (listening, managing), stop=stop))
                yield settings.issuer
                stop.told.set()
                await running


async def _somebody(data: Path) -> Person:
    password = secrets.token_urlsafe(12)
    adding = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "remit", "users", "add", "dana", "--tenant", "acme",
        "--role", "support", "--password-stdin", "--data", str(data),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await adding.communicate(f"{password}\n".encode())
    assert adding.returncode == 0, said.decode()
    return Person(username="dana", password=password, keeps=lambda _: True)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_the_python_client_is_known_each_way(site, mechanism, mode):
    keyring, answers, paths = Keyring(), [], []
    if mechanism == "beforehand":
        keyring.client = OAuthClientInformationFull(
            client_id=STATIC, redirect_uris=[REDIRECT_URI], issuer=site.url,
            token_endpoint_auth_method="none",
        )  # fmt: skip

    async def browse(url: str) -> None:
        answers.append(await site.person.walk(url, REDIRECT_URI))

    async def arrived() -> AuthorizationCodeResult:
        return AuthorizationCodeResult(**dict(httpx2.URL(answers.pop()).params))

    async def listen(response: httpx2.Response) -> None:
        paths.append(response.url.path)

    auth = OAuthClientProvider(
        server_url=site.payments,
        client_metadata=OAuthClientMetadata(client_name="A client", redirect_uris=[REDIRECT_URI]),
        storage=keyring, redirect_handler=browse, callback_handler=arrived,
        client_metadata_url=DOCUMENT if mechanism == "document" else None,
    )  # fmt: skip
    http = httpx2.AsyncClient(auth=auth, timeout=30, event_hooks={"response": [listen]})
    async with (
        http,
        Client(streamable_http_client(site.payments, http_client=http), mode=mode) as it,
    ):
        assert it.protocol_version == ("2025-11-25" if mode == "legacy" else "2026-07-28")
        assert (await it.call_tool("get_invoice", INVOICE)).content
    _assert_known(site, mechanism, keyring.client.client_id, paths)


@pytest.mark.node
@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_the_typescript_client_is_known_each_way(site, mechanism):
    arguments = [site.payments, REDIRECT_URI, MECHANISMS[mechanism]]
    async with node_peer("client.mjs", *filter(None, arguments)) as peer:
        connected = (await peer.authorize(site.person, REDIRECT_URI))["connected"]
        assert connected["version"] == "2025-11-25"
        read = await peer.ask(do="callTool", name="get_invoice", arguments=INVOICE)
        assert read["result"]["content"]
        await peer.write({"do": "close"})
    _assert_known(site, mechanism, connected["client"], connected["requests"])


def _assert_known(site: Site, mechanism: str, client_id: str, paths: list[str]) -> None:
    assert ("/register" in paths) == (mechanism == "registers")
    assert bool(site.documents.requests) == (mechanism == "document")
    if mechanism == "registers":
        assert client_id.startswith("cli_")
    else:
        assert client_id == MECHANISMS[mechanism]
