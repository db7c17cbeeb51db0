"""What a token is worth, told to whom it was issued to."""

import json
from dataclasses import replace

import pytest

from remit.audit.context import Context
from remit.clock import EpochSeconds
from remit.ids import AgentId
from remit.oauth import (
    ElevationDetail,
    credential_store,
    make_elevation_grant,
    spend_elevation_grant,
)
from remit.oauth.grant_revocation import revoke_grant
from remit.tokens import Delegate, KeySet, SigningKey

BILLING = {"client_id": "billing:job", "client_secret": "billing's secret: 100% + more"}
REPORTS = {"client_id": "reports", "client_secret": "reports"}
INACTIVE = {"active": False}


async def ask(world, token, credentials=BILLING, **form):
    return await world.http.post("/introspect", data={"token": token} | credentials | form)


async def test_a_live_access_token_is_described(world):
    grant = world.grant()
    token = world.access_token(grant, jti="at_1")
    response = await ask(world, token)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {
        "active": True,
        "token_type": "Bearer",
        "client_id": "billing:job",
        "scope": "crm:accounts.read",
        "sub": "billing-job",
        "aud": "https://remit.example/mcp/crm",
        "iss": "https://remit.example",
        "jti": "at_1",
        "iat": world.clock.now(),
        "exp": world.clock.now() + 600,
        "sid": grant.id,
        "agent_id": "billing-job",
        "organization_id": "acme",
        "environment": "prod",
        "sensitivity": "low",
    }


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "saml", ""])
async def test_a_hint_is_only_a_hint(world, hint):
    grant = world.grant()
    for token in (world.access_token(grant), world.refresh_token(grant)):
        assert (await ask(world, token, token_type_hint=hint)).json()["active"]


async def test_a_live_refresh_token_is_described(world):
    token = world.refresh_token(world.grant())
    assert (await ask(world, token)).json() == {
        "active": True,
        "client_id": "billing:job",
        "scope": "crm:accounts.read crm:accounts.write",
        "aud": "https://remit.example/mcp/crm",
        "iss": "https://remit.example",
        "iat": world.clock.now(),
        "exp": world.clock.now() + 3600,
    }


async def test_the_token_of_another_client_looks_like_no_token_at_all(world):
    grant = world.grant()
    for token in (world.access_token(grant), world.refresh_token(grant)):
        assert (await ask(world, token, REPORTS)).json() == INACTIVE


@pytest.mark.parametrize(
    "token", ["x", "a.b.c", "rmt_rt_unknown", "x" * 9000, "é", "..", "a.e30.c", "a.eyJhdWQiOjF9.c"]
)
async def test_what_is_no_token_of_ours_is_inactive(world, token):
    assert (await ask(world, token)).json() == INACTIVE


async def test_a_token_of_another_key_issuer_or_time_is_inactive(world):
    grant = world.grant()
    expired = world.access_token(grant, exp=EpochSeconds(world.clock.now() + 1))
    foreign = world.access_token(grant, iss="https://other.example")
    world.clock.advance(1)
    own = world.deps.keys.signing_at(world.clock.now())
    world.deps.keys.publish([SigningKey.generate(world.clock.now()), own])
    forged = world.access_token(grant)
    world.deps.keys.publish([own])
    for token in (expired, foreign, forged):
        assert (await ask(world, token)).json() == INACTIVE


async def test_a_token_whose_server_is_gone_is_inactive(world):
    token = world.access_token(world.grant())
    world.declare(servers={})
    assert (await ask(world, token)).json() == INACTIVE


async def test_the_tokens_of_a_revoked_grant_are_inactive_at_once(world):
    grant = world.grant()
    tokens = (world.access_token(grant), world.refresh_token(grant))
    await world.database.run(
        lambda tx: revoke_grant(tx, grant.id, reason="x", at=world.clock.now(), context=Context())
    )
    for token in tokens:
        assert (await ask(world, token)).json() == INACTIVE


async def test_the_tokens_of_an_expired_or_unknown_grant_are_inactive(world):
    grant = world.grant(expires_at=EpochSeconds(world.clock.now() + 10))
    tokens = (world.access_token(grant), world.refresh_token(grant))
    world.clock.advance(10)
    for token in tokens:
        assert (await ask(world, token)).json() == INACTIVE
    lost = world.access_token(grant, grant_id="grt_lost")
    assert (await ask(world, lost)).json() == INACTIVE


async def test_a_revoked_access_token_is_inactive_and_its_siblings_are_not(world):
    grant = world.grant()
    token, sibling = world.access_token(grant, jti="at_1"), world.access_token(grant)
    expires = EpochSeconds(world.clock.now() + 600)
    await world.database.run(
        lambda tx: credential_store.revoke_token(tx, "at_1", expires_at=expires)
    )
    assert (await ask(world, token)).json() == INACTIVE
    assert (await ask(world, sibling)).json()["active"]


async def test_a_spent_or_expired_refresh_token_is_inactive(world):
    grant = world.grant()
    spent = world.refresh_token(grant, used_at=world.clock.now())
    expired = world.refresh_token(grant, expires_at=world.clock.now())
    for token in (spent, expired):
        assert (await ask(world, token)).json() == INACTIVE


@pytest.mark.parametrize(
    "standing",
    [
        {"suspended_agents": frozenset({AgentId("billing-job")})},
        {"disabled_clients": frozenset({"billing:job"})},
        {"disabled_users": frozenset({"usr_1"})},
    ],
)
async def test_a_token_is_inactive_while_someone_behind_it_may_not_act(world, standing):
    token = world.access_token(world.grant())
    world.stand(**standing)
    active = "disabled_users" in standing  # this one is a workload's: nobody stands behind it
    assert (await ask(world, token)).json()["active"] is active


async def test_only_a_confidential_client_of_the_repository_may_ask(world):
    document = {"redirect_uris": ["http://localhost/cb"]}
    registered = await world.http.post(
        "/register",
        content=json.dumps(document),
        headers={"Content-Type": "application/json"},
    )
    own = {name: registered.json()[name] for name in ("client_id", "client_secret")}
    token = world.access_token(world.grant(own["client_id"]))
    for credentials in (own, {"client_id": "desk"}):
        response = await ask(world, token, credentials)
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


async def test_nobody_asks_without_credentials(world):
    token = world.access_token(world.grant())
    assert (await ask(world, token, {})).status_code == 400
    assert (await ask(world, token, BILLING | {"client_secret": "x"})).status_code == 401
    bearer = await world.http.post(
        "/introspect", data={"token": token}, headers={"Authorization": f"Bearer {token}"}
    )
    assert bearer.status_code == 401


async def test_a_request_without_a_token_or_with_two_is_refused(world):
    assert (await world.http.post("/introspect", data=BILLING)).status_code == 400
    twice = await world.http.post("/introspect", data=BILLING | {"token": ["a", "b"]})
    assert (twice.status_code, twice.json()["error"]) == (400, "invalid_request")
    assert (await world.http.get("/introspect?token=x")).status_code == 405


async def test_scripts_in_browsers_may_not_ask(world):
    response = await ask(world, "x")
    assert "access-control-allow-origin" not in response.headers


async def test_without_keys_nothing_is_active(world):
    token = world.access_token(world.grant())
    world.deps.keys.publish(KeySet()._active.values())
    assert (await ask(world, token)).json() == INACTIVE


# -- a resource server ----------------------------------------------------------

CRM = {"client_id": "crm", "client_secret": "reports"}


@pytest.fixture
def crm(world):
    """The server `crm`, which may ask, and `ledger` beside it, which may not."""
    server = world.directory.catalog.servers["crm"]
    asking = replace(server, introspection_secret="env:REPORTS_SECRET")
    world.declare(servers={"crm": asking, "ledger": replace(server, name="ledger")})
    return asking


async def test_a_server_is_told_everything_of_a_token_for_itself(world, crm):
    details = {"type": "mcp_tool_call", "tools": ["read"]}
    token = world.access_token(
        world.grant(),
        jkt="thumb",
        actors=(Delegate("billing-job", "billing:job"), Delegate("reports-job", "reports")),
        authorization_details=(details,),
        acr="urn:remit:acr:mfa",
        amr=("otp", "pwd"),
        auth_time=7,
        roles=("support",),
    )
    told = (await ask(world, token, CRM)).json()
    assert told["active"] is True
    assert told["token_type"] == "DPoP"
    assert told["cnf"] == {"jkt": "thumb"}
    assert told["act"]["sub"] == "billing-job"
    assert told["act"]["act"] == {"sub": "reports-job", "client_id": "reports"}
    assert told["authorization_details"] == [details]
    assert (told["acr"], told["amr"], told["auth_time"]) == ("urn:remit:acr:mfa", ["otp", "pwd"], 7)
    assert (told["sub"], told["client_id"]) == ("billing-job", "billing:job")
    assert (told["aud"], told["iss"]) == (f"{world.deps.public_url}/mcp/crm", world.deps.public_url)
    assert told["scope"] == "crm:accounts.read"
    assert told["roles"] == ["support"]


async def test_a_server_may_send_its_secret_in_the_header(world, crm):
    token = world.access_token(world.grant())
    response = await world.http.post("/introspect", data={"token": token}, auth=("crm", "reports"))
    assert response.json()["active"] is True


async def test_a_server_is_told_nothing_of_a_token_for_another(world, crm):
    ledger = world.access_token(world.grant(), aud=f"{world.deps.public_url}/mcp/ledger")
    assert (await ask(world, ledger, CRM)).json() == INACTIVE


async def test_a_server_is_told_nothing_of_refresh_tokens(world, crm):
    assert (await ask(world, world.refresh_token(world.grant()), CRM)).json() == INACTIVE


@pytest.mark.parametrize(
    "standing",
    [
        {"suspended_agents": frozenset({AgentId("reports-job")})},
        {"disabled_clients": frozenset({"reports"})},
        {"revoked_tokens": {"at_1": 2**40}},
    ],
    ids=lambda standing: next(iter(standing)),
)
async def test_a_token_is_as_good_as_everybody_in_its_chain(world, crm, standing):
    actors = (Delegate("billing-job", "billing:job"), Delegate("reports-job", "reports"))
    token = world.access_token(world.grant(), jti="at_1", actors=actors)
    assert (await ask(world, token, CRM)).json()["active"]
    world.stand(**standing)
    assert (await ask(world, token, CRM)).json() == INACTIVE


@pytest.mark.parametrize(
    "credentials",
    [
        {"client_id": "crm", "client_secret": "wrong"},
        {"client_id": "crm", "client_secret": ""},
        {"client_id": "crm"},
        {"client_id": "ledger", "client_secret": "reports"},
        {"client_id": "nobody", "client_secret": "reports"},
    ],
    ids=str,
)
async def test_who_is_not_that_server_is_told_nothing(world, crm, credentials):
    response = await ask(world, world.access_token(world.grant()), credentials)
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


async def test_a_server_that_guesses_has_to_wait(world, crm):
    wrong = {"client_id": "crm", "client_secret": "wrong"}
    for _ in range(30):
        assert (await ask(world, "x", wrong)).status_code == 401
    response = await ask(world, "x", CRM)
    assert response.status_code == 429
    assert int(response.headers["retry-after"]) > 0
    world.clock.advance(60)
    assert (await ask(world, "x", CRM)).json() == INACTIVE


async def test_a_server_gets_no_tokens_and_ends_none(world, crm):
    grant = {"grant_type": "client_credentials", "resource": f"{world.deps.public_url}/mcp/crm"}
    assert (await world.http.post("/token", data=CRM | grant)).status_code == 401
    token = world.access_token(world.grant())
    assert (await world.http.post("/revoke", data=CRM | {"token": token})).status_code == 401


async def test_the_metadata_says_how_to_authenticate(world):
    metadata = (await world.http.get("/.well-known/oauth-authorization-server")).json()
    methods = set(metadata["introspection_endpoint_auth_methods_supported"])
    assert {"client_secret_basic", "client_secret_post"} <= methods
    assert "none" not in methods


def elevation(world, grant, *, until=None):
    """The id of one below `grant`."""
    now = world.clock.now()
    detail = ElevationDetail(
        approval="apr_1", server="crm", kind="tool", thing="refund", arguments_digest="hmac:1"
    )
    return world.database.run_now(
        lambda tx: make_elevation_grant(
            tx,
            parent=grant.id,
            detail=detail,
            scopes=("crm:accounts.write",),
            expires_at=EpochSeconds(until or now + 300),
            at=now,
        )
    )


async def test_what_people_allowed_of_a_call_is_told_with_every_token_of_its_grant(world):
    grant = world.grant()
    now, made = world.clock.now(), elevation(world, grant)
    for token in (world.access_token(grant), world.refresh_token(grant)):
        described = (await ask(world, token)).json()
        assert described["remit_elevations"] == [
            {
                "id": made,
                "scope": "crm:accounts.write",
                "iat": now,
                "exp": now + 300,
                "authorization_details": [
                    {
                        "type": "remit_elevation",
                        "locations": [grant.resource],
                        "server": "crm",
                        "kind": "tool",
                        "name": "refund",
                        "arguments_digest": "hmac:1",
                        "approval": "apr_1",
                        "purpose": "",
                        "uses": 1,
                        "expires_at": now + 300,
                    }
                ],
            }
        ]
    access = (await ask(world, world.access_token(grant))).json()
    assert access["scope"] == "crm:accounts.read"  # it is the call that has the other one


async def test_what_was_used_expired_or_ended_is_told_no_more(world):
    grant = world.grant()
    token = world.access_token(grant)
    used, ended = elevation(world, grant), elevation(world, grant)
    elevation(world, grant, until=world.clock.now() + 1)
    world.clock.advance(1)
    now = world.clock.now()

    def finish(tx):
        assert spend_elevation_grant(tx, used, at=now)
        assert revoke_grant(tx, ended, reason="x", at=now, context=Context())

    await world.database.run(finish)
    assert "remit_elevations" not in (await ask(world, token)).json()


async def test_what_was_allowed_below_another_grant_is_not_told(world):
    grant, other = world.grant(), world.grant()
    elevation(world, other)
    described = (await ask(world, world.access_token(grant))).json()
    assert described["active"]
    assert "remit_elevations" not in described


async def test_whose_token_it_is_not_hears_of_no_elevation(world):
    grant = world.grant()
    elevation(world, grant)
    assert (await ask(world, world.access_token(grant), REPORTS)).json() == INACTIVE
