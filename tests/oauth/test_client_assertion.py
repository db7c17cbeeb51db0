"""A client that signs to show that it is itself: driven through `/revoke`, where 200 means it did."""

import asyncio
import json

import pytest
from clients import PUBLIC_URL
from signers import Signer, changed, new_jti, with_client
from sqlalchemy import select

from remit.audit.events import TokenIssued
from remit.model import StaticClient
from remit.oauth.assertion_store import seen_assertions

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
REFUSED = (401, "invalid_client")
GRANTS = ("client_credentials",)


@pytest.fixture(scope="module")
def signer():
    return Signer()


@pytest.fixture
def job(world, signer):
    """The client `signing-job`, which registered the key of `signer`."""
    client = StaticClient(
        client_id="signing-job", name="Signing job", grant_types=GRANTS, jwks=signer.jwks
    )
    world.directory.replace_catalog(with_client(world.directory.catalog, "billing-job", client))
    return world


def claims(world, **changes):
    now = world.clock.now()
    good = {
        "iss": "signing-job",
        "sub": "signing-job",
        "aud": PUBLIC_URL,
        "iat": now,
        "exp": now + 300,
        "jti": new_jti(),
    }
    return changed(good, changes)


async def show(world, assertion, path="/revoke", headers=None, **changes):
    form = {"token": "x", "client_assertion": assertion, "client_assertion_type": TYPE}
    return await world.http.post(path, data=changed(form, changes), headers=headers)


def outcome(response):
    return (response.status_code, response.json().get("error") if response.content else None)


async def asked(world, assertion, **changes):
    return outcome(await show(world, assertion, **changes))


def remembered(world):
    return world.database.read_now(lambda tx: tx.connection.execute(select(seen_assertions)).all())


async def test_a_client_that_signs_gets_a_token_for_itself(job, signer):
    fields = {"grant_type": "client_credentials", "resource": f"{PUBLIC_URL}/mcp/crm"}
    response = await show(job, signer.sign(claims(job)), path="/token", token=None, **fields)
    assert response.status_code == 200, response.text
    token = job.deps.verifier.verify(
        response.json()["access_token"], audience=f"{PUBLIC_URL}/mcp/crm"
    )
    assert (token.sub, token.client_id) == ("billing-job", "signing-job")
    assert job.only(TokenIssued).context.client_id == "signing-job"


@pytest.mark.parametrize("path", ["/revoke", "/introspect"])
async def test_a_client_that_signs_is_known_at_every_endpoint(job, signer, path):
    assert (await asked(job, signer.sign(claims(job)), path=path))[0] == 200


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "EdDSA", "Ed25519"])
async def test_every_advertised_algorithm_works(world, algorithm):
    signer = Signer(algorithm)
    client = StaticClient(client_id="signing-job", name="x", grant_types=GRANTS, jwks=signer.jwks)
    world.directory.replace_catalog(with_client(world.directory.catalog, "billing-job", client))
    assert await asked(world, signer.sign(claims(world))) == (200, None)


@pytest.mark.parametrize("kind", ["JWT", "jwt", "client-authentication+jwt", None])
async def test_the_types_made_for_this_are_taken(job, signer, kind):
    assert await asked(job, signer.sign(claims(job), typ=kind)) == (200, None)


@pytest.mark.parametrize(
    "kind",
    ["at+jwt", "oauth-id-jag+jwt", "dpop+jwt", "JWS", "logout+jwt", "secevent+jwt", "", 1, ["JWT"]],
)
async def test_a_type_made_for_something_else_is_refused(job, signer, kind):
    expected = (200, None) if kind == "" else REFUSED  # as good as absent
    assert await asked(job, signer.sign(claims(job), typ=kind)) == expected


async def test_our_issuer_alone_is_the_audience_as_a_text_or_a_list_of_one(job, signer):
    assert await asked(job, signer.sign(claims(job, aud=PUBLIC_URL))) == (200, None)
    assert await asked(job, signer.sign(claims(job, aud=[PUBLIC_URL]))) == (200, None)


@pytest.mark.parametrize(
    "aud",
    [
        f"{PUBLIC_URL}/token",
        [f"{PUBLIC_URL}/token"],
        [PUBLIC_URL, f"{PUBLIC_URL}/token"],
        [PUBLIC_URL, PUBLIC_URL],
        [PUBLIC_URL, "https://other.example"],
        f"{PUBLIC_URL}/",
        PUBLIC_URL.upper(),
        "https://other.example",
        "signing-job",
        [],
        "",
        {"x": PUBLIC_URL},
        1,
        None,
    ],
)
async def test_any_other_audience_is_refused(job, signer, aud):
    """AS-74: the token endpoint is none, and of two audiences one could play us the assertion."""
    assert await asked(job, signer.sign(claims(job, aud=aud))) == REFUSED


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "other"},
        {"sub": "other"},
        {"iss": "desk", "sub": "desk"},
        {"iss": "billing:job", "sub": "billing:job"},
        {"iss": "nobody", "sub": "nobody"},
        {"iss": None},
        {"sub": None},
        {"iss": ["signing-job"], "sub": ["signing-job"]},
        {"iss": "", "sub": ""},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "x" * 2_000},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": 1e12},
        {"nbf": "now"},
        {"iat": 1.5},
    ],
    ids=str,
)
async def test_claims_that_are_missing_or_wrong_are_refused(job, signer, wrong):
    assert await asked(job, signer.sign(claims(job, **wrong))) == REFUSED
    assert remembered(job) == []


@pytest.mark.parametrize(
    ("times", "good"),
    [
        ({"exp": 1}, True),
        ({"exp": 0}, False),
        ({"exp": -1}, False),
        ({"exp": 360}, True),
        ({"exp": 361}, False),
        ({"exp": 86_400}, False),
        ({"exp": 300, "iat": -60}, True),
        ({"exp": 300, "iat": -61}, False),
        ({"exp": 300, "iat": 60}, True),
        ({"exp": 300, "iat": 61}, False),
        ({"exp": 300, "nbf": 60}, True),
        ({"exp": 300, "nbf": 61}, False),
    ],
    ids=str,
)
async def test_an_assertion_lives_five_minutes_and_clocks_differ_by_one(job, signer, times, good):
    now = job.clock.now()
    times = {name: now + offset for name, offset in times.items()}
    expected = (200, None) if good else REFUSED
    assert await asked(job, signer.sign(claims(job, **times))) == expected


async def test_an_assertion_is_good_once(job, signer):
    assertion = signer.sign(claims(job, jti="once"))
    assert await asked(job, assertion) == (200, None)
    assert await asked(job, assertion) == REFUSED
    job.clock.advance(1)
    assert await asked(job, signer.sign(claims(job, jti="once"))) == REFUSED
    assert len(remembered(job)) == 1


async def test_of_many_at_once_one_is_taken(job, signer):
    assertion = signer.sign(claims(job))
    outcomes = await asyncio.gather(*(asked(job, assertion) for _ in range(8)))
    assert sorted(outcomes) == [(200, None)] + [REFUSED] * 7


async def test_a_refused_assertion_uses_up_nobodys_jti(job, signer):
    good = claims(job, jti="the-one")
    assert await asked(job, Signer().sign(good)) == REFUSED
    assert await asked(job, signer.sign({**good, "aud": "https://other.example"})) == REFUSED
    assert await asked(job, signer.sign(good)) == (200, None)


async def test_two_clients_may_use_the_same_jti(job, signer):
    other = StaticClient(client_id="other-job", name="x", grant_types=GRANTS, jwks=signer.jwks)
    job.directory.replace_catalog(with_client(job.directory.catalog, "reports-job", other))
    for name in ("signing-job", "other-job"):
        assertion = signer.sign(claims(job, iss=name, sub=name, jti="shared"))
        assert await asked(job, assertion) == (200, None)


async def test_no_signature_but_the_clients_own_is_taken(job, signer):
    good = claims(job)
    right = signer.sign(good)
    head, payload, signature = right.split(".")
    forged = [
        Signer().sign(good),
        signer.confused(good),
        signer.unsigned(good),
        signer.unsigned(good, name="None"),
        f"{head}.{payload}.",
        f"{head}.{payload}.{signature[:-4]}",
        f"{head}.{payload}.{signature[4:]}{signature[:4]}",
        f"{right}.{signature}",
        right + "=",
        " " + right,
        signer.sign({**good, "sub": "desk"}).rpartition(".")[0] + "." + signature,
    ]
    for assertion in forged:
        assert await asked(job, assertion) == REFUSED, assertion
    assert await asked(job, right) == (200, None)


@pytest.mark.parametrize("algorithm", ["ES384", "RS384", "RS512", "PS512", "ES256K"])
async def test_an_algorithm_that_is_not_advertised_is_refused(world, algorithm):
    key = Signer("RS256" if "S5" in algorithm or "S3" in algorithm else "ES256")
    signer = Signer("ES384") if algorithm == "ES384" else key
    client = StaticClient(client_id="signing-job", name="x", grant_types=GRANTS, jwks=signer.jwks)
    world.directory.replace_catalog(with_client(world.directory.catalog, "billing-job", client))
    head = json.dumps({"alg": algorithm, "kid": "key-1"}).encode()
    signs = signer.algorithm if algorithm == "ES256K" else algorithm
    assertion = signer.sign_raw(head, claims(world), algorithm=signs)
    assert await asked(world, assertion) == REFUSED


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"b64": False},
        {"kid": "other"},
        {"kid": 1},
        {"alg": "none"},
        {"alg": ["ES256"]},
        {"alg": "es256"},
    ],
    ids=str,
)
async def test_a_header_that_demands_or_confuses_is_refused(job, signer, header):
    head = {"alg": "ES256", "kid": "key-1", "typ": "JWT", **header}
    assertion = signer.sign_raw(json.dumps(head).encode(), claims(job))
    assert await asked(job, assertion) == REFUSED


async def test_a_key_that_comes_with_the_assertion_is_not_used(job, signer):
    """RFC 8725 §3.10: whoever brings the key could bring any."""
    stranger = Signer(kid="stranger")
    for header in (
        {"jwk": stranger.jwk},
        {"jku": "https://client.example/keys"},
        {"x5u": "https://client.example/x"},
    ):
        job.documents.serve("/keys", json.dumps(stranger.jwks).encode())
        assert await asked(job, stranger.sign(claims(job), **header)) == REFUSED
        assert await asked(job, stranger.sign(claims(job), kid="key-1", **header)) == REFUSED
    assert job.documents.requests == []


async def test_a_member_that_stands_twice_is_refused(job, signer):
    good = claims(job)
    payload = json.dumps(good).encode()
    twice = payload[:-1] + b',"sub":"signing-job"}'
    assert await asked(job, signer.sign(twice)) == REFUSED
    head = b'{"alg":"ES256","alg":"ES256","kid":"key-1","typ":"JWT"}'
    assert await asked(job, signer.sign_raw(head, good)) == REFUSED
    assert await asked(job, signer.sign(payload)) == (200, None)


@pytest.mark.parametrize("assertion", ["x", "a.b.c", "..", "a.b", "{}", "é.é.é", "A" * 20_000])
async def test_what_is_no_jwt_is_refused(job, assertion):
    assert await asked(job, assertion) == REFUSED


@pytest.mark.filterwarnings("ignore:Key size")
async def test_a_short_rsa_key_proves_nothing(world):
    signer = Signer("RS256", bits=1_024)
    client = StaticClient(client_id="signing-job", name="x", grant_types=GRANTS, jwks=signer.jwks)
    world.directory.replace_catalog(with_client(world.directory.catalog, "billing-job", client))
    assert await asked(world, signer.sign(claims(world))) == REFUSED


@pytest.mark.parametrize("limit", [{"use": "enc"}, {"key_ops": ["sign"]}, {"alg": "ES384"}])
async def test_a_key_is_used_for_what_it_was_made_for(world, signer, limit):
    jwks = {"keys": [{**signer.jwk, **limit}]}
    client = StaticClient(client_id="signing-job", name="x", grant_types=GRANTS, jwks=jwks)
    world.directory.replace_catalog(with_client(world.directory.catalog, "billing-job", client))
    assert await asked(world, signer.sign(claims(world))) == REFUSED


async def test_without_a_kid_the_key_must_be_the_only_one(world, signer):
    two = {"keys": [*signer.jwks["keys"], Signer(kid="key-2").jwk]}
    for jwks, expected in ((signer.jwks, (200, None)), (two, REFUSED)):
        client = StaticClient(client_id="signing-job", name="x", grant_types=GRANTS, jwks=jwks)
        world.directory.replace_catalog(with_client(world.directory.catalog, "billing-job", client))
        assert await asked(world, signer.sign(claims(world), kid=None)) == expected


# -- one method, and the one that was registered -------------------------------


async def test_a_client_with_a_key_gets_nowhere_without_using_it(job):
    for form in ({}, {"client_secret": "x"}, {"client_secret": ""}):
        response = await job.http.post(
            "/revoke", data={"token": "x", "client_id": "signing-job", **form}
        )
        assert outcome(response) == REFUSED


async def test_a_client_with_a_secret_may_not_sign_instead(world, signer):
    """What it signs is checked under no key, though one be published at a URL that it names."""
    assertion = signer.sign(claims(world, iss="billing:job", sub="billing:job"))
    assert await asked(world, assertion) == REFUSED
    assertion = signer.sign(claims(world, iss="desk", sub="desk"))
    assert await asked(world, assertion) == REFUSED


async def test_the_client_id_beside_an_assertion_is_the_same_one(job, signer):
    good = signer.sign(claims(job))
    assert await asked(job, good, client_id="desk") == (400, "invalid_request")
    assert await asked(job, good, client_id="signing-job") == (200, None)


async def test_two_methods_at_once_are_refused(job, signer):
    good = signer.sign(claims(job))
    assert await asked(job, good, client_secret="x") == (400, "invalid_request")
    basic = {"Authorization": "Basic c2lnbmluZy1qb2I6eA=="}
    assert await asked(job, good, headers=basic) == (400, "invalid_request")
    assert remembered(job) == []


@pytest.mark.parametrize(
    "kind",
    ["urn:ietf:params:oauth:client-assertion-type:saml2-bearer", TYPE.upper(), TYPE + " ", "jwt"],
)
async def test_there_is_one_type_of_assertion(job, signer, kind):
    good = signer.sign(claims(job))
    assert await asked(job, good, client_assertion_type=kind) == REFUSED
    assert await asked(job, good, client_assertion_type=None) == (400, "invalid_request")
    assert await asked(job, None) == (400, "invalid_request")


async def test_an_access_token_of_ours_is_no_client_assertion(job):
    grant = job.grant()
    assert await asked(job, job.access_token(grant)) == REFUSED


async def test_bad_assertions_are_limited_like_wrong_secrets(job, signer):
    for _ in range(job.deps.limits.attempts_per_minute):
        assert await asked(job, Signer().sign(claims(job))) == REFUSED
    good = signer.sign(claims(job))
    assert await asked(job, good) == (429, "slow_down")
    job.clock.advance(60)
    assert await asked(job, signer.sign(claims(job))) == (200, None)


# -- keys that a client publishes ----------------------------------------------


def publishing(world, jwks_uri):
    client = StaticClient(client_id="signing-job", name="x", grant_types=GRANTS, jwks_uri=jwks_uri)
    world.directory.replace_catalog(with_client(world.directory.catalog, "billing-job", client))


async def test_a_client_may_publish_its_keys_and_change_them(world):
    old, new = Signer(kid="old"), Signer(kid="new")
    publishing(world, world.documents.serve("/keys", json.dumps(old.jwks).encode()))
    for _ in range(3):
        assert await asked(world, old.sign(claims(world))) == (200, None)
    assert len(world.documents.requests) == 1
    world.documents.serve("/keys", json.dumps(new.jwks).encode())
    assert await asked(world, new.sign(claims(world))) == (200, None)
    assert await asked(world, old.sign(claims(world))) == REFUSED
    assert len(world.documents.requests) == 2


async def test_made_up_keys_make_us_ask_once_a_minute(world):
    signer = Signer()
    publishing(world, world.documents.serve("/keys", json.dumps(signer.jwks).encode()))
    for number in range(6):
        assert await asked(world, signer.sign(claims(world), kid=f"made-up-{number}")) == REFUSED
    assert len(world.documents.requests) == 2


@pytest.mark.parametrize(
    ("jwks_uri", "address"),
    [
        ("https://client.example/keys", "127.0.0.1"),
        ("https://client.example/keys", "169.254.169.254"),
        ("https://client.example/keys", "10.0.0.7"),
        ("https://client.example/keys", "::ffff:127.0.0.1"),
        ("http://client.example/keys", "93.184.215.14"),
        ("https://127.0.0.1/keys", "93.184.215.14"),
        ("file:///etc/passwd", "93.184.215.14"),
    ],
)
async def test_keys_are_not_fetched_from_the_inside(world, signer, jwks_uri, address):
    world.documents.serve("/keys", json.dumps(signer.jwks).encode())
    world.documents.addresses = (address,)
    publishing(world, jwks_uri)
    response = await show(world, signer.sign(claims(world)))
    assert outcome(response) == REFUSED
    assert "address" not in response.json()["error_description"]
    assert world.documents.dialled == []


@pytest.mark.parametrize(
    "answer", [b"", b"x" * 70_000, b'{"keys":[]}', b"[]", b'{"keys":[{"kty":"oct","k":"AA"}]}']
)
async def test_without_keys_nobody_is_believed(world, signer, answer):
    publishing(world, world.documents.serve("/keys", answer))
    assert await asked(world, signer.sign(claims(world))) == REFUSED
