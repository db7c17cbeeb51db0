"""A strict OAuth client that knows nothing of MCP or of us, through every grant there is."""

import pytest
from joserfc.jwk import ECKey

from tests.app.conftest import SECRET, Remit
from tests.e2e.conftest import REDIRECT_URI
from tests.e2e.peer import node_peer
from tests.e2e.workloads import ACCESS_TOKEN, ASKING, EXCHANGE, JWT_BEARER, READ, serving

pytestmark = [pytest.mark.e2e, pytest.mark.node]


async def test_a_strict_client_walks_code_refresh_and_revocation(stage, dana):
    arguments = (stage.url, stage.server("crm"), REDIRECT_URI, "crm:accounts.read")
    async with node_peer("oauth4webapi.mjs", *arguments) as peer:
        answer = await peer.authorize(dana, REDIRECT_URI)
        assert "error" not in answer
        assert answer["tokens"]["token_type"].casefold() == "bearer"
        assert answer["tokens"]["scope"] == "crm:accounts.read"
        assert answer["refreshed"]["refresh_token"] != answer["tokens"]["refresh_token"]


# -- without a person --------------------------------------------------------------------


@pytest.fixture(scope="module")
def workloads(tmp_path_factory):
    remit = Remit(tmp_path_factory.mktemp("workloads"), tmp_path_factory.getbasetemp() / "pycache")
    remit.ok("init", str(remit.repo))
    with serving(remit) as running:
        yield running


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
