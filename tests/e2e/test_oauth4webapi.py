"""A strict OAuth client that knows nothing of MCP or of us, through every grant there is."""

import json
import shutil
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.app.conftest import SECRET, Remit, Server
from tests.e2e.conftest import REDIRECT_URI
from tests.e2e.peer import Peer, node_peer

pytestmark = [pytest.mark.e2e, pytest.mark.node]

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
READ = "payments:invoices.read"
ASKING = "a-secret-with-which-payments-asks"
PLATFORM = "https://platform.example"


async def test_a_strict_client_walks_code_refresh_and_revocation(stage, dana):
    arguments = (stage.url, stage.server("crm"), REDIRECT_URI, "crm:accounts.read")
    async with node_peer("oauth4webapi.mjs", *arguments) as peer:
        answer = await peer.authorize(dana, REDIRECT_URI)
        assert "error" not in answer
        assert answer["tokens"]["token_type"].casefold() == "bearer"
        assert answer["tokens"]["scope"] == "crm:accounts.read"
        assert answer["refreshed"]["refresh_token"] != answer["tokens"]["refresh_token"]


# -- without a person --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Workloads:
    """A Remit in which workloads prove themselves in every way, and one may act for another."""

    server: Server
    key: ECKey
    """Of the client that signs, and of the platform that vouches for jobs."""

    @property
    def payments(self) -> str:
        return f"{self.server.url}/mcp/payments"

    @property
    def signed(self) -> dict[str, Any]:
        return {"client": "invoice-agent", "by": {"jwk": self.key.as_dict(private=True)}}

    def job(self, **changes: Any) -> str:
        now = int(time.time())
        claims = {
            "iss": PLATFORM, "sub": "repo:acme.example/billing", "aud": self.server.url,
            "repository": "acme.example/billing", "iat": now, "exp": now + 60,
            "jti": str(uuid4()), **changes,
        }  # fmt: skip
        return jwt.encode({"alg": "ES256", "kid": "k1"}, claims, self.key)

    async def token(self, peer: Peer, **parameters: str) -> dict[str, Any]:
        asked = {"resource": self.payments, **parameters}
        by = {"client": "billing-job", "by": {"secret": SECRET}}
        return await peer.ask(do="grant", type="client_credentials", parameters=asked, **by)


@pytest.fixture(scope="module")
def workloads(tmp_path_factory):
    remit = Remit(tmp_path_factory.mktemp("workloads"), tmp_path_factory.getbasetemp() / "pycache")
    remit.ok("init", str(remit.repo))
    key = ECKey.generate_key("P-256", {"kid": "k1"})
    jwks = json.dumps({"keys": [key.as_dict(private=False)]})
    job = remit.repo / "agents" / "billing-job.yaml"
    job.write_text(job.read_text() + "\ndelegates: [invoice-agent]\n")
    (remit.repo / "agents" / "invoice-agent.yaml").write_text(
        "name: Invoice agent\nowner: finance-systems@acme.example\nclass: workload\n"
        f"purpose: Answers for other agents.\nscopes: [{READ}]\nenvironments: [prod]\n"
        "tenants: [acme]\nmax_sensitivity: low\nclients:\n  static:\n"
        "    - client_id: invoice-agent\n      name: Invoice agent\n"
        f"      grant_types: [client_credentials, token_exchange]\n      jwks: {jwks}\n"
    )
    payments = remit.repo / "servers" / "payments.yaml"
    payments.write_text(payments.read_text() + "\nintrospection_secret: env:ASKING\n")
    (remit.repo / "trust.yaml").write_text(
        f"issuers:\n  platform:\n    issuer: {PLATFORM}\n    jwks: {jwks}\n"
        "    workloads:\n      - name: nightly\n        claims: { repository: acme.example/billing }\n"
        "        agent: billing-job\n        servers: [payments]\n"
    )
    with remit.serving(environ={"ASKING": ASKING}) as server:
        yield Workloads(server, key)
    shutil.rmtree(remit.data, ignore_errors=True)


@pytest.fixture
async def peer(workloads):
    async with node_peer("grants.mjs", workloads.server.url) as running:
        yield running


@pytest.mark.parametrize("way", ["secret", "basic", "key"])
async def test_client_credentials_by_each_way_to_prove_oneself(workloads, peer, way):
    proved = workloads.signed if way == "key" else {"client": "billing-job", "by": {way: SECRET}}
    answer = await peer.ask(
        do="grant", type="client_credentials", parameters={"resource": workloads.payments}, **proved
    )
    assert answer["scope"] == READ, answer
    assert "refresh_token" not in answer
    claims = await peer.ask(
        do="validate", token=answer["access_token"], resource=workloads.payments
    )
    assert claims["client_id"] == proved["client"], claims


async def test_a_key_that_is_not_the_clients_gets_nothing(workloads, peer):
    by = {"jwk": ECKey.generate_key("P-256", {"kid": "k1"}).as_dict(private=True)}
    answer = await peer.ask(
        do="grant", type="client_credentials", parameters={"resource": workloads.payments},
        client="invoice-agent", by=by,
    )  # fmt: skip
    assert answer["error"] == "invalid_client"


async def test_token_exchange_by_a_delegate_and_by_nobody_else(workloads, peer):
    subject = (await workloads.token(peer))["access_token"]
    asked = {"subject_token": subject, "subject_token_type": ACCESS_TOKEN, "scope": READ}
    answer = await peer.ask(do="grant", type=EXCHANGE, parameters=asked, **workloads.signed)
    assert answer["issued_token_type"] == ACCESS_TOKEN, answer
    claims = await peer.ask(
        do="validate", token=answer["access_token"], resource=workloads.payments
    )
    assert (claims["sub"], claims["client_id"]) == ("billing-job", "invoice-agent")
    assert claims["act"]["sub"] == "invoice-agent"
    wider = {**asked, "scope": "payments:refunds.create"}
    refused = await peer.ask(do="grant", type=EXCHANGE, parameters=wider, **workloads.signed)
    assert refused["error"] == "invalid_scope"


async def test_an_assertion_of_the_platform_is_good_once_and_needs_no_client(workloads, peer):
    asked = {"assertion": workloads.job(), "resource": workloads.payments}
    answer = await peer.ask(do="grant", type=JWT_BEARER, parameters=asked)
    claims = await peer.ask(
        do="validate", token=answer["access_token"], resource=workloads.payments
    )
    assert claims["client_id"] == "workload:platform:nightly", claims
    again = await peer.ask(do="grant", type=JWT_BEARER, parameters=asked)
    fork = {**asked, "assertion": workloads.job(repository="acme.example/billing-fork")}
    stranger = await peer.ask(do="grant", type=JWT_BEARER, parameters=fork)
    assert [again["error"], stranger["error"]] == ["invalid_grant"] * 2


# Who tried Basic is told which scheme it was, and this library speaks of that.
@pytest.mark.parametrize(
    ("way", "error"), [("secret", "invalid_client"), ("basic", "WWWAuthenticateChallengeError")]
)
async def test_introspection_before_and_after_revocation(workloads, peer, way, error):
    token = (await workloads.token(peer))["access_token"]
    asks = {"do": "introspect", "token": token, "client": "payments", "by": {way: ASKING}}
    before = await peer.ask(**asks)
    assert (before["active"], before["client_id"], before["scope"]) == (True, "billing-job", READ)
    stranger = await peer.ask(**{**asks, "by": {way: "another secret"}})
    assert stranger["error"] == error
    revoked = await peer.ask(do="revoke", token=token, client="billing-job", by={"basic": SECRET})
    assert revoked == {"revoked": True}
    assert await peer.ask(**asks) == {"active": False}


async def test_what_is_not_offered_is_not_in_the_metadata(workloads):
    """A client that reads the metadata tries none of what would fail."""
    metadata = workloads.server.get("/.well-known/oauth-authorization-server").json()
    assert metadata["grant_types_supported"] == [
        "authorization_code", "refresh_token", "client_credentials", EXCHANGE, JWT_BEARER,
    ]  # fmt: skip
    later = {
        "pushed_authorization_request_endpoint", "require_pushed_authorization_requests",
        "device_authorization_endpoint", "backchannel_authentication_endpoint",
        "userinfo_endpoint",
    }  # fmt: skip
    assert not later & metadata.keys()
