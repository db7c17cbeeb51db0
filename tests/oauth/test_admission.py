"""Rules of the repository for clients that introduce themselves, through the endpoint."""

from dataclasses import replace

import pytest

from remit.audit.events import ClientQueued, ClientRegistered, ClientRegistrationRefused
from remit.model import Admission, AdmissionRule, DocumentHost, Environment, Registration
from remit.oauth import client_store
from remit.oauth.admission import terms_of_document
from remit.oauth.client import ClientStatus

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LOOPBACK = AdmissionRule(
    name="desktop",
    redirect_uris=("http://127.0.0.1:*/cb", "http://localhost:*/*"),
    scopes=("crm:accounts.read",),
    owner="desktop@acme.example",
    environment=Environment("prod"),
    lifetime=3_600,
)
PARTNERS = AdmissionRule(
    name="partners",
    redirect_uris=("https://*.partner.example/oauth/*",),
    grant_types=("authorization_code", "refresh_token", EXCHANGE, JWT_BEARER),
    auth_methods=("private_key_jwt",),
    admission=Admission.APPROVE,
    owner="partners@acme.example",
)
BANNED = AdmissionRule(
    name="banned", redirect_uris=("https://bad.example/*",), admission=Admission.REFUSE
)
JWKS = {"keys": [{"kty": "EC", "crv": "P-256", "x": "x", "y": "y"}]}


async def register(world, *uris, **more):
    document = {"redirect_uris": list(uris), "token_endpoint_auth_method": "none"} | more
    return await world.http.post("/register", json=document)


def stored(world, response):
    client_id = response.json()["client_id"]
    return world.database.read_now(lambda tx: client_store.select_client(tx, client_id))


@pytest.fixture
def ruled(world):
    """The world, in which three rules hold and everybody else is refused."""
    world.admit(rules=(LOOPBACK, BANNED, PARTNERS), otherwise=Admission.REFUSE)
    return world


async def test_a_client_comes_in_on_the_terms_of_the_first_rule_that_matches(ruled):
    response = await register(ruled, "http://127.0.0.1:4000/cb", "http://localhost/x/y")
    assert response.status_code == 201
    row = stored(ruled, response)
    assert (row.rule, row.owner, row.status) == (
        "desktop", "desktop@acme.example", ClientStatus.ADMITTED,
    )  # fmt: skip
    assert row.bounds.scopes == ("crm:accounts.read",)
    assert row.bounds.environment == "prod"
    assert row.expires_at == ruled.clock.now() + 3_600
    event = ruled.only(ClientRegistered)
    assert (event.rule, event.owner, event.environment, event.expires) == (
        "desktop", "desktop@acme.example", "prod", row.expires_at,
    )  # fmt: skip


async def test_the_order_of_rules_decides(world):
    strict = replace(LOOPBACK, name="first", admission=Admission.REFUSE)
    world.admit(rules=(strict, LOOPBACK))
    response = await register(world, "http://localhost/cb")
    assert response.json()["error"] == "invalid_client_metadata"
    assert "'first'" in response.json()["error_description"].replace("`", "'")


@pytest.mark.parametrize(
    ("uris", "more", "error", "named"),
    [
        (["https://bad.example/cb"], {}, "invalid_client_metadata", "banned"),
        (["https://other.example/cb"], {}, "invalid_redirect_uri", "https://other.example/cb"),
        (
            ["http://localhost/cb", "https://other.example/cb"],
            {},
            "invalid_redirect_uri",
            "https://other.example/cb",
        ),
        # neither another address nor another grant type takes a client past the rule against it
        (["http://localhost/cb", "https://bad.example/cb"], {}, "invalid_client_metadata", "banned"),
        (
            ["https://bad.example/cb"],
            {"grant_types": ["authorization_code", EXCHANGE]},
            "invalid_client_metadata",
            "banned",
        ),
        (
            ["https://x.partner.example/oauth/cb"],
            {},
            "invalid_client_metadata",
            "`partners` does not take `token_endpoint_auth_method` `none`",
        ),
        (
            ["https://x.partner.example.attacker.net/oauth/cb"],
            {},
            "invalid_redirect_uri",
            "attacker.net",
        ),
    ],
)  # fmt: skip
async def test_a_refusal_names_the_rule_or_what_none_admits(ruled, uris, more, error, named):
    response = await register(ruled, *uris, **more)
    assert (response.status_code, response.json()["error"]) == (400, error)
    assert named in response.json()["error_description"]
    assert ruled.only(ClientRegistrationRefused).error == error
    assert ruled.database.read_now(client_store.select_clients) == ()


@pytest.mark.parametrize(
    ("uris", "more"),
    [
        (["https://bad.example/cb"], {}),
        (["https://bad.example/cb", "https://ok.example/cb"], {}),
        (["http://localhost/cb", "https://bad.example/cb"], {}),
        (["https://bad.example/cb"], {"grant_types": ["authorization_code", JWT_BEARER]}),
        (["https://bad.example/cb"], {"token_endpoint_auth_method": "client_secret_post"}),
    ],
)
async def test_whoever_has_one_address_of_a_rule_against_it_does_not_escape_it(world, uris, more):
    world.admit(rules=(BANNED, LOOPBACK))
    response = await register(world, *uris, **more)
    assert response.json()["error_description"] == "the rule `banned` refuses this client"
    assert world.database.read_now(client_store.select_clients) == ()
    world.admit(rules=(replace(BANNED, admission=Admission.APPROVE), LOOPBACK))
    row = stored(world, await register(world, *uris, **more))
    assert (row.status, row.rule) == (ClientStatus.PENDING, "banned")
    assert JWT_BEARER not in row.metadata.grant_types


async def test_the_bounds_of_a_rule_that_admits_are_not_escaped_by_asking_for_more(world):
    world.admit(rules=(LOOPBACK,))
    more = {"grant_types": ["authorization_code", EXCHANGE, JWT_BEARER]}
    response = await register(world, "http://localhost/cb", **more)
    row = stored(world, response)
    assert (row.rule, row.bounds.scopes) == ("desktop", ("crm:accounts.read",))
    assert response.json()["grant_types"] == ["authorization_code"]


async def test_a_rule_that_admits_speaks_of_those_alone_whose_addresses_all_fit(world):
    world.admit(rules=(LOOPBACK,))
    row = stored(world, await register(world, "http://localhost/cb", "https://other.example/cb"))
    assert row.rule is None


@pytest.mark.parametrize(
    "grants", [["authorization_code"], ["authorization_code", "refresh_token"]]
)
async def test_where_a_rule_leaves_no_grant_that_could_be_used_the_client_is_refused(world, grants):
    world.admit(rules=(replace(LOOPBACK, grant_types=(EXCHANGE, "refresh_token")),))
    response = await register(world, "http://localhost/cb", grant_types=grants)
    assert response.json()["error"] == "invalid_client_metadata"
    assert "`desktop` lists no grant type" in response.json()["error_description"]
    assert world.database.read_now(client_store.select_clients) == ()


async def test_a_rule_that_asks_for_approval_stores_a_client_that_waits(ruled):
    response = await register(
        ruled,
        "https://x.partner.example/oauth/cb",
        token_endpoint_auth_method="private_key_jwt",
        jwks=JWKS,
        grant_types=["authorization_code", EXCHANGE, JWT_BEARER, "client_credentials"],
    )
    assert response.status_code == 201
    assert "client_secret" not in response.json()
    assert response.json()["grant_types"] == ["authorization_code", EXCHANGE, JWT_BEARER]
    row = stored(ruled, response)
    assert (row.status, row.queued_at) == (ClientStatus.PENDING, ruled.clock.now())
    queued = ruled.only(ClientQueued)
    assert (queued.rule, queued.owner) == ("partners", "partners@acme.example")
    assert ruled.audit.of(ClientRegistered) == []


async def test_a_grant_beyond_the_code_flow_is_had_only_where_a_rule_lists_it(world):
    grants = ["authorization_code", "refresh_token", EXCHANGE, JWT_BEARER]
    response = await register(world, "http://localhost/cb", grant_types=grants)
    assert response.json()["grant_types"] == ["authorization_code", "refresh_token"]
    world.admit(rules=(replace(LOOPBACK, grant_types=tuple(grants)),))
    response = await register(world, "http://localhost/cb", grant_types=grants)
    assert response.json()["grant_types"] == grants


async def test_without_a_rule_that_matches_the_rest_decides(world):
    world.admit(rules=(BANNED,), otherwise=Admission.APPROVE)
    response = await register(world, "http://localhost/cb")
    assert stored(world, response).status is ClientStatus.PENDING
    assert world.only(ClientQueued).rule is None


async def test_a_secret_expires_with_its_client(ruled):
    response = await register(
        ruled, "http://localhost/cb", token_endpoint_auth_method="client_secret_basic"
    )
    assert response.json()["client_secret_expires_at"] == ruled.clock.now() + 3_600


HOSTS = (
    DocumentHost(host="*.acme.example", owner="wide", admission=Admission.APPROVE),
    DocumentHost(host="apps.acme.example", owner="narrow"),
    DocumentHost(host="*.apps.acme.example", owner="deep", max_fresh=60),
    DocumentHost(host="bad.acme.example", admission=Admission.REFUSE),
)


@pytest.mark.parametrize(
    ("host", "owner", "admission"),
    [
        ("apps.acme.example", "narrow", Admission.ADMIT),
        ("x.acme.example", "wide", Admission.APPROVE),
        ("x.y.acme.example", "wide", Admission.APPROVE),
        ("x.apps.acme.example", "deep", Admission.ADMIT),
        ("bad.acme.example", "", Admission.REFUSE),
        ("acme.example", "", Admission.REFUSE),
        ("evilacme.example", "", Admission.REFUSE),
        ("apps.acme.example.attacker.net", "", Admission.REFUSE),
    ],
)
def test_the_host_that_says_most_decides_for_its_documents(host, owner, admission):
    terms = terms_of_document(Registration(document_hosts=HOSTS), host)
    assert (terms.owner, terms.admission) == (owner, admission)


def test_where_no_host_is_declared_every_host_is_as_good_unless_documents_are_off():
    assert terms_of_document(Registration(), "a.example").admission is Admission.ADMIT
    off = Registration(metadata_documents=False, document_hosts=HOSTS)
    assert terms_of_document(off, "apps.acme.example").admission is Admission.REFUSE
