"""Whose assertions are believed: where their keys are fetched, and that nobody else is asked anything."""

import json

import pytest
from clients import PUBLIC_URL
from signers import Signer, changed, new_jti

from remit.model import PersonTrust, Trust, TrustedIssuer, WorkloadRule

CRM = f"{PUBLIC_URL}/mcp/crm"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ISSUER = "https://client.example/tenant-1"
DISCOVERY = "/tenant-1/.well-known/openid-configuration"
KEYS = "https://client.example/keys"
INVALID_GRANT = (400, "invalid_grant")
UNAVAILABLE = (503, "temporarily_unavailable")
RULE = WorkloadRule(name="job", claims={"sub": ("job-1",)}, agent="billing-job", servers=("crm",))


@pytest.fixture(scope="module")
def signer():
    return Signer()


def declare(world, **changes):
    fields = {"name": "platform", "issuer": ISSUER, "workloads": (RULE,), **changes}
    issuer = TrustedIssuer(**fields)
    world.declare(trust=Trust(issuers={issuer.issuer: issuer}))


def publish(world, signer, **changes):
    """Let the issuer publish its keys where its discovery document says."""
    document = changed({"issuer": ISSUER, "jwks_uri": KEYS}, changes)
    world.documents.serve(DISCOVERY, json.dumps(document).encode())
    world.documents.serve("/keys", json.dumps(signer.jwks).encode())


def claims(world, **changes):
    now = world.clock.now()
    good = {"iss": ISSUER, "sub": "job-1", "aud": PUBLIC_URL, "iat": now, "exp": now + 300}
    return changed({**good, "jti": new_jti()}, changes)


async def asked(world, assertion):
    form = {"grant_type": GRANT, "assertion": assertion, "resource": CRM}
    response = await world.http.post("/token", data=form)
    return (response.status_code, response.json().get("error"))


def paths(world):
    return [head.split(" ")[1] for head in world.documents.requests]


async def test_an_issuer_is_asked_where_its_keys_are_and_then_for_the_keys(world, signer):
    declare(world)
    publish(world, signer)
    for _ in range(3):
        assert await asked(world, signer.sign(claims(world))) == (200, None)
    assert paths(world) == [DISCOVERY, "/keys"]


async def test_a_declared_address_of_keys_needs_no_discovery(world, signer):
    declare(world, jwks_uri=KEYS)
    publish(world, signer)
    assert await asked(world, signer.sign(claims(world))) == (200, None)
    assert paths(world) == ["/keys"]


@pytest.mark.parametrize(
    "iss",
    [
        "https://client.example",
        "https://client.example/tenant-1/",
        "https://client.example/tenant-2",
        "https://CLIENT.example/tenant-1",
        "https://evil.example",
        "https://169.254.169.254",
        "http://client.example/tenant-1",
        "",
        None,
        [ISSUER],
        {"x": ISSUER},
    ],
    ids=str,
)
async def test_an_issuer_that_is_not_declared_is_never_asked(world, signer, iss):
    declare(world)
    publish(world, signer)
    assert await asked(world, signer.sign(claims(world, iss=iss))) == INVALID_GRANT
    assert (world.documents.requests, world.documents.dialled) == ([], [])


async def test_an_issuer_is_not_asked_about_what_it_was_not_declared_for(world, signer):
    """AS-70: two kinds of trust, declared apart."""
    publish(world, signer)
    for declared in (
        {"exchange": PersonTrust(provider="p")},
        {"id_jag": PersonTrust(provider="p")},
    ):
        declare(world, workloads=(), **declared)
        assert await asked(world, signer.sign(claims(world))) == INVALID_GRANT
    assert world.documents.requests == []


@pytest.mark.parametrize(
    "issuer", ["https://evil.example", ISSUER + "/", "https://client.example", None, 1]
)
async def test_a_discovery_document_of_another_issuer_is_refused(world, signer, issuer):
    declare(world)
    publish(world, signer, issuer=issuer)
    assert await asked(world, signer.sign(claims(world))) == INVALID_GRANT
    assert paths(world) == [DISCOVERY]


@pytest.mark.parametrize(
    "jwks_uri",
    ["http://client.example/keys", "https://127.0.0.1/keys", "file:///etc/passwd", "/keys", None],
)
async def test_a_discovery_document_leads_nowhere_else(world, signer, jwks_uri):
    declare(world)
    publish(world, signer, jwks_uri=jwks_uri)
    assert await asked(world, signer.sign(claims(world))) == INVALID_GRANT
    assert paths(world) == [DISCOVERY]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "fd00::1"])
async def test_an_issuer_on_a_private_network_is_asked_only_where_that_is_declared(
    world, signer, address
):
    publish(world, signer)
    world.documents.addresses = (address,)
    declare(world)
    assertion = signer.sign(claims(world))
    assert await asked(world, assertion) == INVALID_GRANT
    assert world.documents.dialled == []
    declare(world, private_network=True)
    reached = address != "169.254.169.254"
    assert await asked(world, assertion) == ((200, None) if reached else INVALID_GRANT)


async def test_a_new_key_of_the_issuer_is_found_with_one_more_look(world, signer):
    declare(world)
    publish(world, signer)
    assert await asked(world, signer.sign(claims(world))) == (200, None)
    new = Signer(kid="key-2")
    publish(world, new)
    assert await asked(world, new.sign(claims(world))) == (200, None)
    assert await asked(world, signer.sign(claims(world))) == INVALID_GRANT
    assert paths(world) == [DISCOVERY, "/keys"] * 2


async def test_made_up_keys_make_us_look_once_a_minute(world, signer):
    declare(world, jwks_uri=KEYS)
    publish(world, signer)
    for number in range(8):
        assert await asked(world, signer.sign(claims(world), kid=f"x{number}")) == INVALID_GRANT
    assert paths(world) == ["/keys"] * 2
    world.clock.advance(60)
    await asked(world, signer.sign(claims(world), kid="y"))
    assert paths(world) == ["/keys"] * 3


async def test_an_issuer_that_cannot_be_reached_is_believed_later(world, signer):
    declare(world)
    world.documents.answers[DISCOVERY] = b""
    assertion = signer.sign(claims(world))
    assert await asked(world, assertion) == UNAVAILABLE
    publish(world, signer)
    assert await asked(world, assertion) == (200, None)


async def test_keys_outlive_their_issuers_outage_by_ten_minutes(world, signer):
    declare(world, jwks_uri=KEYS)
    publish(world, signer)
    assert await asked(world, signer.sign(claims(world))) == (200, None)
    world.documents.answers["/keys"] = b""
    world.clock.advance(1_199)
    assert await asked(world, signer.sign(claims(world))) == (200, None)
    world.clock.advance(1)
    assert await asked(world, signer.sign(claims(world))) == UNAVAILABLE


@pytest.mark.parametrize(
    "keys",
    [b"", b"[]", b'{"keys":[]}', b'{"keys":[{"kty":"oct","k":"AAAA","kid":"key-1"}]}',
     b'{"keys":[' + b"{}," * 70 + b"{}]}", b" " * 70_000],
    ids=["nothing", "a list", "none", "a secret", "too many", "huge"],
)  # fmt: skip
async def test_without_good_keys_nobody_is_believed(world, signer, keys):
    declare(world, jwks_uri=KEYS)
    world.documents.serve("/keys", keys)
    assert await asked(world, signer.sign(claims(world))) == INVALID_GRANT


async def test_only_the_algorithms_that_were_declared_are_taken(world):
    for algorithm, expected in (("ES256", INVALID_GRANT), ("PS256", (200, None))):
        signer = Signer(algorithm)
        declare(world, jwks=signer.jwks, algorithms=("PS256", "HS256", "none"))
        assert await asked(world, signer.sign(claims(world))) == expected
        assert await asked(world, signer.confused(claims(world))) == INVALID_GRANT
        assert await asked(world, signer.unsigned(claims(world))) == INVALID_GRANT


async def test_what_is_said_of_missing_keys_names_no_host(world, signer):
    declare(world)
    world.documents.addresses = ("10.0.0.7",)
    form = {"grant_type": GRANT, "assertion": signer.sign(claims(world)), "resource": CRM}
    response = await world.http.post("/token", data=form)
    assert response.json()["error_description"] == "the issuer's keys cannot be used"
