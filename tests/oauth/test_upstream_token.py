"""A token of a trusted issuer, exchanged for one of ours."""

from dataclasses import replace

import pytest
from exchanges import JWT, claims_of, employ, exchange
from flows import ADMIN, CRM, ORIGIN
from signers import Signer
from sqlalchemy import func, select

from remit.audit.events import TokenIssued
from remit.identity import disable_user
from remit.identity.provider_store import ExternalIdentity, add_identity
from remit.ids import digest
from remit.model import IdentityProvider, PersonTrust, Trust, TrustedIssuer
from remit.oauth import grant_store, revoke_grant
from remit.testing.dpop import ProofKey

ISSUER = "https://corp.example"
SIGNER = Signer()


def trust(server, **changes):
    """Let `clerk` exchange what the corporation issues for its people."""
    fields = {"provider": "corp", "clients": ("clerk",), "audiences": (ORIGIN,)} | changes
    issuer = TrustedIssuer(
        name="corp", issuer=ISSUER, jwks=SIGNER.jwks, exchange=PersonTrust(**fields)
    )
    provider = IdentityProvider(name="corp", title="Corp", issuer=ISSUER, client_id="remit")
    server.change_catalog(
        trust=Trust(issuers={ISSUER: issuer}),
        sign_in=replace(server.catalog.sign_in, providers={"corp": provider}),
    )


@pytest.fixture
async def person(server):
    """Ada, who logs in through the corporation as `sub-1`."""
    employ(server)
    trust(server)
    user = await server.add_user()
    identity = ExternalIdentity(
        issuer=ISSUER,
        subject="sub-1",
        provider="corp",
        user_id=user.id,
        roles=(),
        attributes={},
        created_at=server.clock.now(),
        last_login_at=None,
    )
    server.database.run_now(lambda tx: add_identity(tx, identity))
    server.audit.events.clear()
    return user


def upstream(server, *, typ="at+jwt", **changes):
    now = server.clock.now()
    claims = {
        "iss": ISSUER,
        "sub": "sub-1",
        "aud": ORIGIN,
        "iat": now,
        "exp": now + 300,
        "jti": "1",
    }
    claims |= changes
    return SIGNER.sign({k: v for k, v in claims.items() if v is not None}, typ=typ)


async def ask(server, token, **changes):
    return await exchange(server, token, **({"subject_token_type": JWT, "resource": CRM} | changes))


async def refused(server, token, error="invalid_request", **changes):
    response = await ask(server, token, **changes)
    assert (response.status_code, response.json()["error"]) == (400, error), response.text
    count = select(func.count()).select_from(grant_store.grants)
    assert server.database.read_now(lambda tx: tx.connection.scalar(count)) == 0


async def test_the_person_is_who_logs_in_here_by_that_subject(server, person):
    response = await ask(server, upstream(server), scope="crm:accounts.read")
    new = claims_of(server, response)
    assert (new.sub, new.agent_id, new.actors) == (person.id, "clerk", ())
    assert new.scopes == ("crm:accounts.read",)
    assert new.roles == ("support",)
    assert new.acr is None
    assert new.exp == server.clock.now() + 300
    assert "refresh_token" not in response.json()
    (event,) = server.audit.of(TokenIssued)
    assert (event.issuer, event.subject_digest) == (ISSUER, digest("sub-1"))
    assert event.parent_grant_id is None


async def test_what_may_be_had_is_what_issuance_allows_that_person_and_agent(server, person):
    scope = "crm:accounts.read crm:accounts.write crm:accounts.export"
    new = claims_of(server, await ask(server, upstream(server), scope=scope))
    assert new.scopes == ("crm:accounts.read",)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example"},
        {"iss": ORIGIN},
        {"iss": None},
        {"sub": "sub-2"},
        {"sub": None},
        {"aud": "https://else.example"},
        {"aud": [ORIGIN, "https://else.example"]},
        {"aud": None},
        {"exp": None},
        {"exp": 1},
        {"exp": 2**40},
        {"nbf": 2**40},
        {"cnf": {"jkt": "x"}},
        {"act": {"sub": "another-agent"}},
        {"may_act": {"sub": "another-agent"}},
        {"authorization_details": [{"type": "payment"}]},
        {"authorization_details": []},
        {"tenant": "t2"},
        {"typ": "id_token+jwt"},
        {"typ": "oauth-id-jag+jwt"},
    ],
    ids=str,
)
async def test_a_token_that_does_not_say_so_is_refused(server, person, changes):
    await refused(server, upstream(server, **changes))


async def test_a_token_that_another_key_signed_is_refused(server, person):
    now = server.clock.now()
    claims = {"iss": ISSUER, "sub": "sub-1", "aud": ORIGIN, "iat": now, "exp": now + 300}
    await refused(server, Signer().sign(claims, typ="at+jwt"))
    await refused(server, SIGNER.unsigned(claims))


async def test_only_the_clients_that_were_named_may(server, person):
    await refused(server, upstream(server), "unauthorized_client", client_id="auditor")
    trust(server, clients=())
    assert (await ask(server, upstream(server), client_id="auditor")).status_code == 200


async def test_a_public_client_never_may(server, person):
    trust(server, clients=("stranger",))
    await refused(
        server,
        upstream(server),
        "unauthorized_client",
        client_id="stranger",
        client_secret=None,
    )


async def test_only_the_servers_that_were_named_may_be_had(server, person):
    trust(server, servers=("payments",))
    await refused(server, upstream(server), "invalid_target")
    await refused(server, upstream(server), "invalid_target", resource=None)


async def test_a_person_who_is_disabled_may_not(server, person):
    server.database.run_now(
        lambda tx: disable_user(tx, person.id, reason="x", now=server.clock.now(), context=ADMIN)
    )
    await refused(server, upstream(server))


async def test_an_issuer_trusted_with_something_else_is_not_trusted_with_this(server, person):
    issuer = replace(server.catalog.trust.issuers[ISSUER], exchange=None)
    server.change_catalog(
        trust=Trust(issuers={ISSUER: replace(issuer, id_jag=PersonTrust(provider="corp"))})
    )
    await refused(server, upstream(server))


async def test_without_a_declared_audience_nothing_is_accepted(server, person):
    trust(server, audiences=())
    await refused(server, upstream(server))


def grants(server):
    rows = select(grant_store.grants).order_by(grant_store.grants.c.created_at)
    return server.database.read_now(lambda tx: tx.connection.execute(rows).all())


async def test_exchanging_again_makes_no_more_grants_and_the_one_lasts_as_long(server, person):
    for _ in range(3):
        response = await ask(server, upstream(server), scope="crm:accounts.read")
        assert claims_of(server, response).exp == server.clock.now() + 300
        server.clock.advance(200)
    (only,) = grants(server)
    assert only.expires_at == server.clock.now() + 100
    server.clock.advance(100)  # it has ended, and is not brought back
    assert (await ask(server, upstream(server), scope="crm:accounts.read")).status_code == 200
    assert len(grants(server)) == 2


async def test_a_grant_is_not_shared_by_other_clients_or_scopes_or_after_its_end(server, person):
    trust(server, clients=())
    token = upstream(server)
    first = claims_of(server, await ask(server, token, scope="crm:accounts.read"))
    await ask(server, token, scope="crm:accounts.read", client_id="auditor")
    await ask(server, token)
    assert len(grants(server)) >= 2
    server.database.run_now(
        lambda tx: revoke_grant(
            tx, first.grant_id, reason="x", at=server.clock.now(), context=ADMIN
        )
    )
    again = claims_of(server, await ask(server, token, scope="crm:accounts.read"))
    assert again.grant_id != first.grant_id


async def test_the_organisation_that_a_directory_names_in_every_token_is_passed_over(
    server, person
):
    assert (await ask(server, upstream(server, tid="t2"))).status_code == 200


async def test_the_new_token_may_be_bound_to_a_key(server, person):
    key = ProofKey()
    proof = key.proof("POST", f"{ORIGIN}/token", at=server.clock.now())
    new = claims_of(server, await ask(server, upstream(server), proof=proof))
    assert new.jkt == key.jkt
