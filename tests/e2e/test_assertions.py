"""The official Python clients that sign, or are sent by an enterprise, through the whole of Remit.

A tiny web server plays identity provider and pipeline: it publishes keys, and signs what a test wants.
"""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx2
import jwt
import pytest
import pytest_asyncio
from joserfc.jwk import ECKey
from mcp import Client
from mcp.client.auth.extensions.client_credentials import (
    ClientCredentialsOAuthProvider,
    PrivateKeyJWTOAuthProvider,
    SignedJWTParameters,
)
from mcp.client.auth.extensions.identity_assertion import IdentityAssertionOAuthProvider
from mcp.client.streamable_http import streamable_http_client

from remit.demo.agent import Keyring
from tests.e2e.wire import ask

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SECRET = "secret of the intranet"
SUBJECT = "00u-grace"


@dataclass
class Platform:
    """A web server on loopback that is an OpenID provider, as far as Remit asks."""

    port: int = 0
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "platform-1"}))
    job_key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "job-1"}))
    nonce: str = ""
    asked: list[str] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def sign(self, claims: dict[str, Any], **header: str) -> str:
        head = {"kid": "platform-1", **header}
        return jwt.encode(claims, self.key.as_pem(private=True), algorithm="ES256", headers=head)

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        return {
            "iss": self.issuer, "sub": SUBJECT, "iat": now, "exp": now + 120,
            "jti": str(uuid4()), **changes,
        }  # fmt: skip

    def answer(self, path: str) -> dict[str, Any]:
        self.asked.append(path)
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
                "code_challenge_methods_supported": ["S256"],
            }
        if path == "/keys":
            return {"keys": [self.key.as_dict(private=False)]}
        person = {
            "aud": "remit",
            "nonce": self.nonce,
            "preferred_username": "grace",
            "groups": ["support"],
        }
        return {
            "access_token": "x", "token_type": "Bearer", "id_token": self.sign(self.claims(**person)),
        }  # fmt: skip


@asynccontextmanager
async def serving(answer: Callable[[str], dict[str, Any]]):
    """A web server that answers each path with JSON, on a free port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        body = json.dumps(answer(head.split(" ")[1])).encode()
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n"
            b"content-length: %d\r\n\r\n%b" % (len(body), body)
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def platform(stage, tmp_path_factory):
    """The platform, and a Remit that trusts it; afterwards the stage is as it was."""
    made = Platform()
    secret = tmp_path_factory.mktemp("secrets") / "intranet"
    secret.write_text(SECRET)
    repository = stage.repository
    files = (
        "agents/billing-job.yaml",
        "agents/support-assistant.yaml",
        "people.yaml",
        "trust.yaml",
    )
    before = {name: (repository / name).read_text() for name in files}
    async with serving(made.answer) as port:
        made.port = port
        for name, text in _declared(before, made, secret=str(secret)).items():
            (repository / name).write_text(text)
        await stage.remit("reload")
        yield made
        for name, text in before.items():
            (repository / name).write_text(text)
        await stage.remit("reload")


def _declared(before: dict[str, str], platform: Platform, *, secret: str) -> dict[str, str]:
    jwks = json.dumps({"keys": [platform.job_key.as_dict(private=False)]})
    billing = before["agents/billing-job.yaml"] + (
        "\n    - client_id: billing-signer\n      name: Billing signer\n"
        f"      grant_types: [client_credentials]\n      jwks: {jwks}\n"
        "    - client_id: billing-keeper\n      name: Billing keeper\n"
        f"      grant_types: [client_credentials]\n      secret: file:{secret}\n"
    )
    support = before["agents/support-assistant.yaml"].replace(
        "clients:\n",
        "clients:\n  static:\n    - client_id: intranet\n      name: Intranet\n"
        f"      grant_types: [jwt_bearer]\n      secret: file:{secret}\n",
    )
    people = before["people.yaml"] + (
        "\nproviders:\n  acme:\n    title: Acme\n"
        f"    issuer: {platform.issuer}\n    client_id: remit\n    private_network: true\n"
        "    tenant: acme\n    rules: [{claims: {groups: support}, roles: [support]}]\n"
    )
    trust = (
        f"issuers:\n  platform:\n    issuer: {platform.issuer}\n    private_network: true\n"
        "    id_jag: { provider: acme, clients: [intranet], servers: [crm] }\n"
        "    workloads:\n      - name: nightly\n        claims: { repository: acme/billing }\n"
        "        agent: billing-job\n        servers: [payments]\n"
    )
    changed = (billing, support, people, trust)
    return dict(zip(before, changed, strict=True))


@asynccontextmanager
async def connected(url: str, auth: httpx2.Auth):
    """The SDK's client at `url`, which gets its tokens through `auth`."""
    http = httpx2.AsyncClient(auth=auth, timeout=30)
    async with http, Client(streamable_http_client(url, http_client=http)) as client:
        yield client


def said(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


@pytest.mark.parametrize("lifetime", [60, 300])
async def test_the_python_client_signs_for_its_tokens(stage, platform, lifetime):
    """`private_key_jwt`, as the SDK signs it: it asks metadata for the audience."""
    signs = SignedJWTParameters(
        issuer="billing-signer", subject="billing-signer",
        signing_key=platform.job_key.as_pem(private=True).decode(),
        signing_algorithm="ES256", lifetime_seconds=lifetime,
    )  # fmt: skip
    keyring, url = Keyring(), stage.server("payments")
    auth = PrivateKeyJWTOAuthProvider(
        server_url=url, storage=keyring, client_id="billing-signer",
        assertion_provider=signs.create_assertion_provider(), issuer=stage.url,
    )  # fmt: skip
    async with connected(url, auth) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == {"get_invoice"}
        answer = await client.call_tool("get_invoice", {"invoice_id": "inv-77"})
        assert answer.content
    claims = said(keyring.tokens.access_token)
    assert (claims["sub"], claims["client_id"]) == ("billing-job", "billing-signer")


async def test_the_python_client_with_a_secret_of_its_own(stage, platform):
    keyring, url = Keyring(), stage.server("payments")
    auth = ClientCredentialsOAuthProvider(
        server_url=url, storage=keyring, client_id="billing-keeper",
        client_secret=SECRET, issuer=stage.url,
    )  # fmt: skip
    async with connected(url, auth) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["get_invoice"]


async def test_a_person_of_the_enterprise_is_sent_by_their_provider(stage, platform):
    await _log_in(stage, platform)
    asked: list[tuple[str, str]] = []

    async def id_jag(audience: str, resource: str) -> str:
        asked.append((audience, resource))
        claims = platform.claims(
            aud=audience, resource=resource, client_id="intranet", scope="crm:accounts.read"
        )
        return platform.sign(claims, typ="oauth-id-jag+jwt")

    keyring, url = Keyring(), stage.server("crm")
    auth = IdentityAssertionOAuthProvider(
        server_url=url, storage=keyring, client_id="intranet", client_secret=SECRET,
        issuer=stage.url, assertion_provider=id_jag,
    )  # fmt: skip
    async with connected(url, auth) as client:
        answer = await client.call_tool(
            "get_account", {"organization_id": "acme", "account_id": "acc-1001"}
        )
        assert "Juniper Bakery" in answer.content[0].text
    assert asked == [(stage.url, url)]
    claims = said(keyring.tokens.access_token)
    assert (claims["client_id"], claims["agent_id"]) == ("intranet", "support-assistant")
    assert (claims["scope"], claims["roles"]) == ("crm:accounts.read", ["support"])


async def test_a_job_of_a_pipeline_calls_a_tool_without_any_secret(stage, platform):
    job = platform.claims(sub="repo:acme/billing", aud=stage.url, repository="acme/billing")
    form = {"grant_type": JWT_BEARER, "resource": stage.server("payments")}
    async with httpx2.AsyncClient(timeout=30) as http:
        answer = await http.post(
            f"{stage.url}/token", data={**form, "assertion": platform.sign(job)}
        )
        again = await http.post(
            f"{stage.url}/token", data={**form, "assertion": platform.sign(job)}
        )
        stranger = platform.claims(sub="x", aud=stage.url, repository="acme/billing-fork")
        refused = await http.post(
            f"{stage.url}/token", data={**form, "assertion": platform.sign(stranger)}
        )
    assert answer.status_code == 200, answer.text
    assert [one.json()["error"] for one in (again, refused)] == ["invalid_grant"] * 2
    token = answer.json()["access_token"]
    called = await ask(
        stage.server("payments"), "tools/call", token=token,
        params={"name": "get_invoice", "arguments": {"invoice_id": "inv-77"}},
    )  # fmt: skip
    assert called.status_code == 200
    assert said(token)["client_id"] == "workload:platform:nightly"


async def _log_in(stage, platform: Platform) -> None:
    """Grace logs in through the provider, so that she is somebody here."""
    async with httpx2.AsyncClient(timeout=30) as http:
        gone = await http.get(f"{stage.url}/login/provider/acme")
        assert gone.status_code == 303, gone.text
        sent = {
            name: values[0]
            for name, values in parse_qs(urlsplit(gone.headers["location"]).query).items()
        }
        platform.nonce = sent["nonce"]
        back = await http.get(
            sent["redirect_uri"],
            params={"code": "x", "state": sent["state"], "iss": platform.issuer},
        )
        assert back.status_code in {200, 303}, back.text
