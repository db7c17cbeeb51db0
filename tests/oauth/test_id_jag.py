"""People whom their enterprise's identity provider sends: ID-JAG, from the assertion to the token."""

import asyncio
import json
from dataclasses import replace

import pytest
from clients import ACME, PUBLIC_URL, READ, SECRETS, WRITE
from elevating import CallsThatWait, elevate, found
from signers import Signer, changed, new_jti, with_client
from sqlalchemy import select

from remit.audit.context import Context
from remit.audit.events import TokenIssued, TokenRefused
from remit.identity import UserDetails, create_user, disable_user
from remit.identity.provider_store import ExternalIdentity, add_identity
from remit.ids import digest
from remit.model import (
    IdentityProvider,
    PersonTrust,
    SignIn,
    StaticClient,
    Trust,
    TrustedIssuer,
    WorkloadRule,
)
from remit.oauth import grant_store
from remit.oauth.assertion_store import seen_assertions
from remit.testing.dpop import ProofKey

CRM = f"{PUBLIC_URL}/mcp/crm"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
IDP = "https://idp.acme.example"
TYPE = "oauth-id-jag+jwt"
CLIENT_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SECRET = "enterprise secret"
INVALID_GRANT = (400, "invalid_grant")


@pytest.fixture(scope="module")
def idp():
    return Signer("RS256", kid="idp-1")


@pytest.fixture
def trusting(world, idp):
    """The server with the client `wiki`, whom Acme's provider may send Ada to."""
    wiki = StaticClient(
        client_id="wiki", name="Wiki", grant_types=(GRANT,), secret="env:WIKI_SECRET"
    )
    world.directory.replace_catalog(with_client(world.directory.catalog, "support-assistant", wiki))
    object.__setattr__(world.deps, "resolve_secret", {**SECRETS, "env:WIKI_SECRET": SECRET}.get)
    provider = IdentityProvider(name="acme", title="Acme", issuer=IDP, client_id="remit")
    issuer = TrustedIssuer(
        name="acme", issuer=IDP, jwks=idp.jwks, id_jag=PersonTrust(provider="acme")
    )
    world.declare(sign_in=SignIn(providers={"acme": provider}))
    believe(world, issuer)
    world.issuer, world.ada = issuer, link(world, "ada", "00u-ada")
    return world


def believe(world, issuer):
    world.declare(trust=Trust(issuers={issuer.issuer: issuer}))


def link(world, username, subject, *, issuer=IDP, provider="acme", roles=("support",)):
    """An account, and that it logged in through a provider under `subject`."""
    now = world.clock.now()
    details = UserDetails(username=username, tenant=ACME, roles=roles)

    def store(tx):
        user = create_user(
            tx, details, password_hash="x", catalog=world.directory.catalog, now=now,
            context=Context(),
        )  # fmt: skip
        identity = ExternalIdentity(
            issuer=issuer, subject=subject, provider=provider, user_id=user.id, roles=roles,
            attributes={}, created_at=now, last_login_at=now,
        )  # fmt: skip
        assert add_identity(tx, identity)
        return user

    return world.database.run_now(store)


def id_jag(world, **changes):
    now = world.clock.now()
    good = {
        "jti": new_jti(),
        "iss": IDP,
        "sub": "00u-ada",
        "aud": PUBLIC_URL,
        "client_id": "wiki",
        "resource": CRM,
        "scope": f"{READ} {WRITE}",
        "iat": now,
        "exp": now + 300,
    }
    return changed(good, changes)


async def ask(world, assertion, **changes):
    form = {
        "grant_type": GRANT,
        "assertion": assertion,
        "client_id": "wiki",
        "client_secret": SECRET,
    }
    return await world.http.post("/token", data=changed(form, changes))


async def asked(world, assertion, **changes):
    response = await ask(world, assertion, **changes)
    return (response.status_code, response.json().get("error"))


def jag(world, idp, **changes):
    return idp.sign(id_jag(world, **changes), typ=TYPE)


def grants(world):
    return world.database.read_now(
        lambda tx: tx.connection.execute(select(grant_store.grants)).all()
    )


def remembered(world):
    return world.database.read_now(lambda tx: tx.connection.execute(select(seen_assertions)).all())


async def test_a_person_of_the_enterprise_gets_a_token_without_a_consent_page(trusting, idp):
    response = await ask(trusting, jag(trusting, idp))
    assert response.status_code == 200, response.text
    body = response.json()
    assert "refresh_token" not in body
    assert body["scope"].split() == [READ, WRITE]
    token = trusting.deps.verifier.verify(body["access_token"], audience=CRM)
    assert (token.sub, token.client_id, token.agent_id) == (
        trusting.ada.id, "wiki", "support-assistant",
    )  # fmt: skip
    assert (token.organization_id, token.roles, token.acr) == (ACME, ("support",), None)
    event = trusting.only(TokenIssued)
    assert (event.issuer, event.subject_digest) == (IDP, digest("00u-ada"))
    assert event.context.user_id == trusting.ada.id
    (grant,) = grants(trusting)
    assert (grant.kind, grant.user_id) == ("user", trusting.ada.id)
    assert json.loads(grant.origin) == [IDP, "00u-ada"]
    assert grant.expires_at == token.exp


async def test_what_waits_and_what_was_allowed_moves_to_the_grant_of_the_next_token(trusting, idp):
    calls = CallsThatWait()
    object.__setattr__(trusting.deps, "step_ups", calls)
    assert await asked(trusting, jag(trusting, idp)) == (200, None)
    (first,) = grants(trusting)
    elevation = await elevate(trusting, first.id)
    assert await asked(trusting, jag(trusting, idp)) == (200, None)
    assert calls.rebound[0].id == first.id
    assert found(trusting, elevation).parent_id == calls.rebound[1].id != first.id


async def test_a_client_that_signs_may_present_one(trusting, idp):
    key = Signer()
    client = StaticClient(client_id="wiki", name="Wiki", grant_types=(GRANT,), jwks=key.jwks)
    catalog = with_client(trusting.directory.catalog, "support-assistant", client)
    trusting.directory.replace_catalog(catalog)
    now = trusting.clock.now()
    claims = {"iss": "wiki", "sub": "wiki", "aud": PUBLIC_URL, "exp": now + 60, "jti": new_jti()}
    proof = {"client_assertion": key.sign(claims), "client_assertion_type": CLIENT_ASSERTION}
    outcome = await asked(trusting, jag(trusting, idp), client_secret=None, **proof)
    assert outcome == (200, None)


# -- the client --------------------------------------------------------


@pytest.mark.parametrize(
    "shown",
    [
        {"client_secret": None},
        {"client_secret": "wrong"},
        {"client_id": None, "client_secret": None},
        {"client_id": "nobody"},
    ],
    ids=str,
)
async def test_a_client_that_does_not_prove_itself_is_refused(trusting, idp, shown):
    """AS-64."""
    outcome = await asked(trusting, jag(trusting, idp), **shown)
    assert outcome == (401, "invalid_client")
    assert remembered(trusting) == []


async def test_a_public_client_is_refused_though_the_assertion_names_it(trusting, idp):
    desk = StaticClient(client_id="public", name="x", grant_types=(GRANT,))
    catalog = with_client(trusting.directory.catalog, "support-assistant", desk)
    trusting.directory.replace_catalog(catalog)
    assertion = jag(trusting, idp, client_id="public")
    shown = {"client_id": "public", "client_secret": None}
    assert await asked(trusting, assertion, **shown) == (401, "invalid_client")


async def test_a_client_that_did_not_register_for_the_grant_is_refused(trusting, idp):
    assertion = jag(trusting, idp, client_id="reports")
    shown = {"client_id": "reports", "client_secret": SECRETS["env:REPORTS_SECRET"]}
    assert await asked(trusting, assertion, **shown) == (400, "unauthorized_client")


@pytest.mark.parametrize("client_id", ["other", "Wiki", "wiki ", ["wiki"], "", None, 1])
async def test_an_assertion_for_another_client_is_refused(trusting, idp, client_id):
    assert await asked(trusting, jag(trusting, idp, client_id=client_id)) == INVALID_GRANT


async def test_only_the_clients_that_were_declared_may_present_one(trusting, idp):
    for clients, expected in ((("wiki",), 200), (("other",), 400)):
        trust = PersonTrust(provider="acme", clients=clients)
        believe(trusting, replace(trusting.issuer, id_jag=trust))
        assert (await asked(trusting, jag(trusting, idp)))[0] == expected


# -- the assertion -----------------------------------------------------


async def test_the_audience_is_our_issuer_as_a_text_or_a_list_of_one(trusting, idp):
    for aud in (PUBLIC_URL, [PUBLIC_URL]):
        assert await asked(trusting, jag(trusting, idp, aud=aud)) == (200, None)


@pytest.mark.parametrize(
    "aud",
    [f"{PUBLIC_URL}/token", [PUBLIC_URL, CRM], [PUBLIC_URL] * 2, CRM, f"{PUBLIC_URL}/", [], None],
    ids=str,
)
async def test_any_other_audience_is_refused(trusting, idp, aud):
    """AS-63: the token endpoint, too, though a workload's assertion may name it."""
    believe(trusting, replace(trusting.issuer, audiences=(CRM, f"{PUBLIC_URL}/token")))
    assert await asked(trusting, jag(trusting, idp, aud=aud)) == INVALID_GRANT


@pytest.mark.parametrize("kind", ["JWT", None, "at+jwt", "id-jag+jwt", "oauth-id-jag", 1])
async def test_another_type_is_no_id_jag(trusting, idp, kind):
    """An ID token of that provider, say: same issuer, same keys, same person."""
    assert await asked(trusting, idp.sign(id_jag(trusting), typ=kind)) == INVALID_GRANT


async def test_the_type_is_read_as_media_types_are(trusting, idp):
    for kind in ("OAuth-ID-JAG+JWT", "application/oauth-id-jag+jwt"):
        assert await asked(trusting, idp.sign(id_jag(trusting), typ=kind)) == (200, None)


async def test_a_token_of_ours_is_no_id_jag(trusting):
    grant = trusting.grant("wiki")
    assert await asked(trusting, trusting.access_token(grant)) == INVALID_GRANT


async def test_a_client_assertion_is_no_grant(trusting, idp):
    key, now = Signer(), trusting.clock.now()
    claims = {"iss": "wiki", "sub": "wiki", "aud": PUBLIC_URL, "exp": now + 60, "jti": new_jti()}
    for kind in ("JWT", "client-authentication+jwt", TYPE):
        assert await asked(trusting, key.sign(claims, typ=kind)) == INVALID_GRANT


async def test_whom_a_provider_may_send_is_not_whom_a_pipeline_may_be(trusting, idp):
    """AS-70: the two trusts are declared apart; an issuer of one is not believed about the other."""
    rule = WorkloadRule(name="r", claims={"sub": ("*",)}, agent="billing-job", servers=("crm",))
    believe(trusting, replace(trusting.issuer, id_jag=None, workloads=(rule,)))
    assert await asked(trusting, jag(trusting, idp)) == INVALID_GRANT
    believe(trusting, trusting.issuer)
    anonymous = {"client_id": None, "client_secret": None}
    assertion = idp.sign(id_jag(trusting))
    assert await asked(trusting, assertion, **anonymous) == INVALID_GRANT


@pytest.mark.parametrize(
    "wrong",
    [
        {"sub": None},
        {"sub": ""},
        {"jti": None},
        {"jti": ""},
        {"iat": None},
        {"exp": None},
        {"iss": "https://idp.evil.example"},
        {"iss": None},
        {"tenant": "t1"},
        {"authorization_details": []},
        {"cnf": {"jkt": "x"}},
    ],
    ids=str,
)
async def test_claims_that_are_missing_wrong_or_not_understood_are_refused(trusting, idp, wrong):
    assert await asked(trusting, jag(trusting, idp, **wrong)) == INVALID_GRANT
    assert (grants(trusting), remembered(trusting)) == ([], [])


@pytest.mark.parametrize(
    ("times", "good"),
    [
        ({"iat": 0, "exp": 600}, True),
        ({"iat": 0, "exp": 661}, False),
        ({"iat": 0, "exp": 3_600}, False),
        ({"iat": -600, "exp": 300}, False),
        ({"iat": -300, "exp": 0}, False),
        ({"iat": 61, "exp": 300}, False),
    ],
    ids=str,
)
async def test_an_assertion_is_short_lived(trusting, idp, times, good):
    now = trusting.clock.now()
    assertion = jag(trusting, idp, **{name: now + offset for name, offset in times.items()})
    assert await asked(trusting, assertion) == ((200, None) if good else INVALID_GRANT)


async def test_no_signature_but_the_providers_own_is_taken(trusting, idp):
    good = id_jag(trusting)
    for forged in (
        Signer("RS256", kid=idp.kid).sign(good, typ=TYPE),
        Signer("RS256", kid="other").sign(good, typ=TYPE, jwk=Signer("RS256").jwk),
        idp.confused(good),
        idp.unsigned(good),
        idp.sign(good, typ=TYPE, algorithm="RS384"),
        idp.sign(good, typ=TYPE).rpartition(".")[0] + ".",
    ):
        assert await asked(trusting, forged) == INVALID_GRANT
    assert await asked(trusting, idp.sign(good, typ=TYPE)) == (200, None)


async def test_an_assertion_that_is_bound_to_a_key_takes_that_key(trusting, idp):
    key, now = ProofKey(), trusting.clock.now()
    form = {"grant_type": GRANT, "client_id": "wiki", "client_secret": SECRET}
    for jkt, status in ((key.jkt, 200), (ProofKey().jkt, 400)):
        form["assertion"] = jag(trusting, idp, cnf={"jkt": jkt})
        proof = key.proof("POST", f"{PUBLIC_URL}/token", at=now)
        response = await trusting.http.post("/token", data=form, headers={"DPoP": proof})
        assert response.status_code == status, response.text


# -- once --------------------------------------------------------------


async def test_an_assertion_is_good_once(trusting, idp):
    assertion = jag(trusting, idp)
    assert await asked(trusting, assertion) == (200, None)
    assert await asked(trusting, assertion) == INVALID_GRANT
    assert len(grants(trusting)) == 1


async def test_of_many_at_once_one_is_taken(trusting, idp):
    assertion = jag(trusting, idp)
    outcomes = await asyncio.gather(*(asked(trusting, assertion) for _ in range(6)))
    assert sorted(outcomes) == [(200, None)] + [INVALID_GRANT] * 5
    assert len(grants(trusting)) == 1


async def test_a_refused_request_does_not_use_up_its_assertion(trusting, idp):
    assertion = jag(trusting, idp)
    trusting.stand(suspended_agents=frozenset({"support-assistant"}))
    assert await asked(trusting, assertion) == INVALID_GRANT
    assert await asked(trusting, assertion, scope="no:such.scope") == (400, "invalid_scope")
    assert (grants(trusting), remembered(trusting)) == ([], [])
    trusting.stand(suspended_agents=frozenset())
    assert await asked(trusting, assertion) == (200, None)


# -- the server --------------------------------------------------------


@pytest.mark.parametrize(
    "resource",
    ["https://other.example/mcp/crm", f"{PUBLIC_URL}/mcp/none", PUBLIC_URL, "crm", "", None, 1,
     [CRM, f"{PUBLIC_URL}/mcp/x"], [], {}],
    ids=str,
)  # fmt: skip
async def test_an_assertion_for_no_server_of_ours_is_refused(trusting, idp, resource):
    """AS-65."""
    assert await asked(trusting, jag(trusting, idp, resource=resource)) == INVALID_GRANT


async def test_the_request_names_the_server_of_the_assertion_or_none(trusting, idp):
    assert await asked(trusting, jag(trusting, idp), resource=CRM) == (200, None)
    assert await asked(trusting, jag(trusting, idp, resource=[CRM])) == (200, None)
    other = f"{PUBLIC_URL}/mcp/other"
    assert await asked(trusting, jag(trusting, idp), resource=other) == (400, "invalid_target")


async def test_only_the_servers_that_were_declared_may_be_had(trusting, idp):
    for servers, expected in ((("crm",), (200, None)), (("payments",), INVALID_GRANT)):
        trust = PersonTrust(provider="acme", servers=servers)
        believe(trusting, replace(trusting.issuer, id_jag=trust))
        assert await asked(trusting, jag(trusting, idp)) == expected


# -- the scopes --------------------------------------------------------


@pytest.mark.parametrize(
    ("vouched", "requested", "granted"),
    [
        (f"{READ} {WRITE}", None, [READ, WRITE]),
        (READ, None, [READ]),
        (READ, f"{READ} {WRITE}", [READ]),
        (f"{READ} {WRITE}", WRITE, [WRITE]),
        (f"{READ} openid unknown:x", None, [READ]),
        (None, WRITE, [WRITE]),
        (None, None, [READ]),
        (READ, WRITE, None),
        ("openid", None, None),
        (WRITE, "crm:accounts.purge", None),
        ("crm:accounts.purge", None, None),
    ],
)  # fmt: skip
async def test_what_is_had_is_what_all_agree_on(trusting, idp, vouched, requested, granted):
    """AS-66: requested ∩ assertion ∩ what may be had here."""
    response = await ask(trusting, jag(trusting, idp, scope=vouched), scope=requested)
    if granted is None:
        assert (response.status_code, response.json()["error"]) == (400, "invalid_scope")
        assert grants(trusting) == []
    else:
        assert response.json()["scope"].split() == granted


@pytest.mark.parametrize("scope", ["", [READ], 1, 'a"b'])
async def test_a_scope_claim_that_cannot_be_read_is_refused(trusting, idp, scope):
    assert await asked(trusting, jag(trusting, idp, scope=scope)) == INVALID_GRANT


async def test_the_persons_roles_bound_what_the_provider_vouches_for(trusting, idp):
    link(trusting, "ben", "00u-ben", roles=())
    assertion = jag(trusting, idp, sub="00u-ben")
    assert await asked(trusting, assertion) == (400, "invalid_scope")
    event = trusting.only(TokenRefused)
    assert event.context.client_id == "wiki"


# -- the person --------------------------------------------------------


async def test_a_person_nobody_has_seen_is_refused_and_gets_no_account(trusting, idp):
    for subject in ("00u-new", "ada", trusting.ada.id, "00U-ADA", "00u-ada "):
        assert await asked(trusting, jag(trusting, idp, sub=subject)) == INVALID_GRANT


async def test_the_same_sub_at_another_issuer_is_another_person(trusting, idp):
    link(trusting, "eve", "00u-eve", issuer="https://other.example", provider="other")
    assert await asked(trusting, jag(trusting, idp, sub="00u-eve")) == INVALID_GRANT


async def test_a_provider_that_is_no_longer_declared_sends_nobody(trusting, idp):
    trusting.declare(sign_in=SignIn())
    assert await asked(trusting, jag(trusting, idp)) == INVALID_GRANT


async def test_a_disabled_person_gets_nothing(trusting, idp):
    now = trusting.clock.now()
    trusting.database.run_now(
        lambda tx: disable_user(tx, trusting.ada.id, now=now, reason="x", context=Context())
    )
    assert await asked(trusting, jag(trusting, idp)) == INVALID_GRANT


async def test_an_agent_of_another_organisation_gets_nothing(trusting, idp):
    agents = trusting.directory.catalog.agents
    stranger = replace(agents["support-assistant"], tenants=("globex",))
    trusting.declare(agents={**agents, "support-assistant": stranger})
    assert await asked(trusting, jag(trusting, idp)) == INVALID_GRANT
