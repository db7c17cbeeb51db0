"""The grant of assertions: which of its two kinds one is, and who may be asked how often."""

import pytest
from clients import PUBLIC_URL, SECRETS
from signers import Signer, changed, new_jti, with_client

from remit.audit.events import TokenRefused
from remit.model import PersonTrust, StaticClient, Trust, TrustedIssuer, WorkloadRule

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ISSUER = "https://platform.example"
RULE = WorkloadRule(name="job", claims={"sub": ("job-1",)}, agent="billing-job", servers=("crm",))


@pytest.fixture(scope="module")
def signer():
    return Signer()


@pytest.fixture
def trusting(world, signer):
    issuer = TrustedIssuer(
        name="platform", issuer=ISSUER, jwks=signer.jwks, algorithms=("ES256",),
        workloads=(RULE,), id_jag=PersonTrust(provider="p"),
    )  # fmt: skip
    world.declare(trust=Trust(issuers={ISSUER: issuer}))
    return world


def claims(world, **changes):
    now = world.clock.now()
    good = {"iss": ISSUER, "sub": "job-1", "aud": PUBLIC_URL, "iat": now, "exp": now + 300}
    return changed({**good, "jti": new_jti()}, changes)


async def asked(world, assertion, **changes):
    form = {"grant_type": GRANT, "assertion": assertion, "resource": f"{PUBLIC_URL}/mcp/crm"}
    response = await world.http.post("/token", data=changed(form, changes))
    return (response.status_code, response.json().get("error"))


async def test_a_workload_names_no_client(trusting, signer):
    """AS-69."""
    assert await asked(trusting, signer.sign(claims(trusting))) == (200, None)


async def test_a_client_that_sends_a_workloads_assertion_is_refused(trusting, signer):
    client = StaticClient(
        client_id="wiki", name="x", grant_types=(GRANT,), secret="env:BILLING_SECRET"
    )
    trusting.directory.replace_catalog(
        with_client(trusting.directory.catalog, "support-assistant", client)
    )
    shown = {"client_id": "wiki", "client_secret": SECRETS["env:BILLING_SECRET"]}
    assertion = signer.sign(claims(trusting))
    assert await asked(trusting, assertion, **shown) == (400, "invalid_grant")
    assert await asked(trusting, assertion) == (200, None)


@pytest.mark.parametrize("client_id", ["workload:platform:job", "nobody", "desk"])
async def test_whoever_names_a_client_has_to_be_it(trusting, signer, client_id):
    assertion = signer.sign(claims(trusting))
    status, error = await asked(trusting, assertion, client_id=client_id)
    assert (status, error) in {(401, "invalid_client"), (400, "unauthorized_client")}


async def test_an_id_jag_without_a_client_is_refused(trusting, signer):
    """AS-64: it is the client's authentication that keeps a stolen one from being used."""
    assertion = signer.sign(claims(trusting, client_id="wiki"), typ="oauth-id-jag+jwt")
    assert await asked(trusting, assertion) == (401, "invalid_client")


@pytest.mark.parametrize(
    "kind", ["at+jwt", "dpop+jwt", "client-authentication+jwt", "logout+jwt", "JWS", 1, ["JWT"]]
)
async def test_a_type_made_for_something_else_is_refused(trusting, signer, kind):
    assertion = signer.sign(claims(trusting), typ=kind)
    assert await asked(trusting, assertion) == (400, "invalid_grant")


async def test_a_token_of_ours_is_no_assertion(trusting):
    token = trusting.access_token(trusting.grant())
    assert await asked(trusting, token) == (400, "invalid_grant")


@pytest.mark.parametrize("assertion", ["x", "a.b.c", "..", "é.é.é", "A" * 20_000])
async def test_what_is_no_jwt_is_refused(trusting, assertion):
    assert await asked(trusting, assertion) == (400, "invalid_grant")


async def test_an_assertion_is_required_and_given_once(trusting, signer):
    assert await asked(trusting, None) == (400, "invalid_request")
    assertion = signer.sign(claims(trusting))
    body = f"grant_type={GRANT}&assertion={assertion}&assertion={assertion}"
    response = await trusting.http.post(
        "/token", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


async def test_a_member_that_stands_twice_is_refused(trusting, signer):
    good = claims(trusting)
    payload = str(good).replace("'", '"').encode()
    assert await asked(trusting, signer.sign(payload[:-1] + b',"sub":"job-2"}')) == (
        400, "invalid_grant",
    )  # fmt: skip
    assert await asked(trusting, signer.sign(payload)) == (200, None)


async def test_bad_assertions_from_one_address_are_limited_per_issuer(trusting, signer):
    stranger = Signer()
    for _ in range(trusting.deps.limits.attempts_per_minute):
        assert await asked(trusting, stranger.sign(claims(trusting))) == (400, "invalid_grant")
    assert await asked(trusting, signer.sign(claims(trusting))) == (429, "slow_down")
    trusting.clock.advance(60)
    assert await asked(trusting, signer.sign(claims(trusting))) == (200, None)


async def test_good_assertions_and_refused_workloads_count_for_nothing(trusting, signer):
    for _ in range(trusting.deps.limits.attempts_per_minute + 1):
        outcome = await asked(trusting, signer.sign(claims(trusting, sub="job-2")))
        assert outcome == (400, "invalid_grant")
    assert await asked(trusting, signer.sign(claims(trusting))) == (200, None)


async def test_a_refusal_is_recorded(trusting, signer):
    await asked(trusting, signer.sign(claims(trusting, aud="x")))
    assert trusting.only(TokenRefused).grant_type == GRANT
