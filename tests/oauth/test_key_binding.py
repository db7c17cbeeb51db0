"""Which key a token is bound to: proved, required, kept (RFC 9449 §5, §10)."""

from dataclasses import replace

import pytest
from flows import CALLBACK, CRM, PAYMENTS, VERIFIER
from sqlalchemy import select

from remit.audit.events import TokenIssued, TokenRefreshed, TokenRefused
from remit.oauth import grant_store
from remit.testing.dpop import ProofKey

KEY, OTHER = ProofKey(), ProofKey()
URI = "https://remit.example/token"


async def post(server, key, **fields):
    headers = {} if key is None else {"DPoP": key.proof("POST", URI, at=server.clock.now())}
    return await server.browser().client.post("/token", data=fields, headers=headers)


async def redeem(server, code, key=KEY, **changes):
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": "portal",
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    return await post(server, key, **(fields | changes))


async def refresh(server, tokens, key=KEY, **changes):
    fields = {
        "grant_type": "refresh_token",
        "refresh_token": tokens["refresh_token"],
        "client_id": "portal",
    }
    return await post(server, key, **(fields | changes))


def bound_to(server, response):
    assert response.status_code == 200, response.text
    return server.deps.verifier.verify(response.json()["access_token"], audience=CRM).jkt


def error_of(response):
    assert response.status_code == 400, response.text
    return response.json()["error"]


def key_of_grant(server):
    statement = select(grant_store.grants.c.jkt)
    return server.database.read_now(lambda tx: tx.connection.scalar(statement))


@pytest.fixture
async def code(server):
    await server.add_user()
    return await server.code()


async def test_a_token_is_bound_to_the_key_that_redeems_the_code(server, code):
    response = await redeem(server, code)
    assert bound_to(server, response) == KEY.jkt
    assert response.json()["token_type"] == "DPoP"
    assert server.audit.of(TokenIssued)[-1].jkt == KEY.jkt


async def test_a_code_that_was_asked_for_with_a_key_is_redeemed_with_it_alone(server, code):
    bound = await server.code(dpop_jkt=KEY.jkt)
    assert error_of(await redeem(server, bound, OTHER)) == "invalid_grant"
    assert error_of(await redeem(server, bound, None)) == "invalid_grant"
    assert bound_to(server, await redeem(server, bound, KEY)) == KEY.jkt


async def test_a_public_clients_refresh_tokens_stay_with_their_key(server, code):
    tokens = (await redeem(server, code)).json()
    assert key_of_grant(server) == KEY.jkt
    server.audit.events.clear()
    for wrong in (None, OTHER):
        assert error_of(await refresh(server, tokens, wrong)) == "invalid_grant"
    assert {type(one) for one in server.audit.events} == {TokenRefused}
    # A refusal left the token to its owner.
    response = await refresh(server, tokens)
    assert bound_to(server, response) == KEY.jkt
    assert server.audit.of(TokenRefreshed)[-1].jkt == KEY.jkt
    assert error_of(await refresh(server, response.json(), OTHER)) == "invalid_grant"


async def test_a_family_without_a_key_may_still_get_bound_tokens(server, code):
    tokens = (await redeem(server, code, None)).json()
    assert tokens["token_type"] == "Bearer"
    response = await refresh(server, tokens, KEY)
    assert bound_to(server, response) == KEY.jkt
    assert bound_to(server, await refresh(server, response.json(), None)) is None


async def test_a_confidential_client_may_change_its_key(server, code):
    mine = {
        "client_id": "back-office",
        "client_secret": "back-office-secret-of-tests",
        "redirect_uri": "https://back.example/cb",
    }
    held = await server.code(client_id="back-office", redirect_uri="https://back.example/cb")
    tokens = (await redeem(server, held, **mine)).json()
    del mine["redirect_uri"]
    assert bound_to(server, await refresh(server, tokens, OTHER, **mine)) == OTHER.jkt
    assert key_of_grant(server) is None


def require(server, what):
    catalog = server.catalog
    if what == "agent":
        server.change_agent("portal", dpop_required=True)
    elif what == "server":
        changed = replace(catalog.servers["crm"], dpop_required=True)
        server.change_catalog(servers={**catalog.servers, "crm": changed})
    else:
        (portal, *others) = catalog.agents["portal"].clients.static
        static = (replace(portal, dpop_bound_access_tokens=True), *others)
        clients = replace(catalog.agents["portal"].clients, static=static)
        server.change_agent("portal", clients=clients)


@pytest.mark.parametrize("what", ["agent", "server", "client"])
async def test_where_a_key_is_required_there_is_no_token_without_one(server, code, what):
    require(server, what)
    assert error_of(await redeem(server, code, None)) == "invalid_dpop_proof"
    tokens = await redeem(server, code)
    assert bound_to(server, tokens) == KEY.jkt
    assert error_of(await refresh(server, tokens.json(), None)) == "invalid_grant"


async def test_a_requirement_that_came_later_bites_at_the_next_token(server, code):
    tokens = (await redeem(server, code, None)).json()
    require(server, "agent")
    assert error_of(await refresh(server, tokens, None)) == "invalid_dpop_proof"
    assert bound_to(server, await refresh(server, tokens, KEY)) == KEY.jkt


async def test_a_workload_needs_a_key_where_one_is_required(server):
    server.change_agent("billing-job", dpop_required=True)
    fields = {
        "grant_type": "client_credentials",
        "client_id": "billing-job",
        "client_secret": "billing-secret-of-tests",
        "resource": PAYMENTS,
    }
    assert error_of(await post(server, None, **fields)) == "invalid_dpop_proof"
    response = await post(server, KEY, **fields)
    assert response.json()["token_type"] == "DPoP"
