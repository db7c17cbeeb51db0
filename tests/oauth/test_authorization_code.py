"""A code turned into tokens, once."""

import asyncio

import pytest
from flows import CALLBACK, CRM, ORIGIN, answer, challenge
from sqlalchemy import func, select

from remit.audit.events import (
    GrantRevoked,
    RefreshTokenReused,
    TokenIssued,
    TokenRefused,
)
from remit.oauth import credential_store, grant_store
from remit.tokens import InvalidTokenError


@pytest.fixture
async def code(server):
    await server.add_user()
    code = await server.code()
    server.audit.events.clear()
    return code


def grant_of(server):
    return server.database.read_now(
        lambda tx: tx.connection.execute(select(grant_store.grants)).one()
    )


def refresh_tokens(server):
    table = credential_store.refresh_tokens
    return server.database.read_now(
        lambda tx: tx.connection.scalar(select(func.count()).select_from(table))
    )


def error_of(response):
    assert response.status_code == 400, response.text
    return response.json()["error"]


async def test_redirect_uri_and_resource_may_be_left_out(server, code):
    response = await server.redeem(code, redirect_uri=None, resource=None)
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code": None}, "invalid_request"),
        ({"code": "unknown"}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": "short"}, "invalid_request"),
        ({"code_verifier": "x" * 43}, "invalid_grant"),
        ({"code_verifier": challenge()}, "invalid_grant"),
        ({"redirect_uri": "https://app.example/callback/"}, "invalid_grant"),
        ({"redirect_uri": "https://evil.example/cb"}, "invalid_grant"),
        ({"client_id": "one-shot", "redirect_uri": None}, "invalid_grant"),
        ({"resource": f"{ORIGIN}/mcp/payments"}, "invalid_target"),
        ({"resource": [CRM, f"{ORIGIN}/mcp/payments"]}, "invalid_target"),
        ({"resource": "crm"}, "invalid_target"),
    ],
    ids=str,
)
async def test_a_refusal_is_one_event_and_leaves_the_code_to_its_owner(
    server, code, changes, error
):
    assert error_of(await server.redeem(**{"code": code, **changes})) == error
    (event,) = server.audit.events
    assert isinstance(event, TokenRefused)
    assert event.error == error
    assert event.grant_type == "authorization_code"
    assert refresh_tokens(server) == 0
    assert (await server.redeem(code)).status_code == 200


async def test_a_refusal_about_a_known_code_names_its_grant(server, code):
    await server.redeem(code, code_verifier="x" * 43)
    assert server.events(TokenRefused)[0].context.grant_id == grant_of(server).id


async def test_a_code_lives_sixty_seconds(server, code):
    server.clock.advance(60)
    assert error_of(await server.redeem(code)) == "invalid_grant"


async def test_a_code_is_good_in_its_last_second(server, code):
    server.clock.advance(59)
    assert (await server.redeem(code)).status_code == 200


async def test_a_replayed_code_revokes_its_grant_and_all_that_descends_from_it(server, code):
    tokens = (await server.redeem(code)).json()
    server.audit.events.clear()
    assert error_of(await server.redeem(code)) == "invalid_grant"
    reused, ended = server.audit.events
    assert isinstance(reused, RefreshTokenReused)
    assert reused.credential == "authorization_code"
    assert isinstance(ended, GrantRevoked)
    assert ended.reason == "authorization_code_reused"
    assert ended.context.grant_id == reused.context.grant_id == grant_of(server).id
    assert grant_of(server).revoked_at == server.clock.now()
    assert server.published == 1
    assert server.directory.standing.revoked_grants == {grant_of(server).id}
    assert error_of(await server.refresh(tokens["refresh_token"])) == "invalid_grant"


async def test_a_replay_by_another_client_revokes_as_well(server, code):
    await server.redeem(code)
    response = await server.redeem(code, client_id="one-shot", code_verifier="x" * 43)
    assert error_of(response) == "invalid_grant"
    assert grant_of(server).revoked_at is not None


async def test_a_third_use_revokes_nothing_twice(server, code):
    await server.redeem(code)
    await server.redeem(code)
    await server.redeem(code)
    assert len(server.events(GrantRevoked)) == 1
    assert len(server.events(RefreshTokenReused)) == 2


async def test_of_two_redemptions_at_once_one_wins_and_the_grant_ends(server, code):
    both = await asyncio.gather(server.redeem(code), server.redeem(code))
    assert sorted(response.status_code for response in both) == [200, 400]
    assert len(server.events(TokenIssued)) == 1
    assert len(server.events(GrantRevoked)) == 1
    assert grant_of(server).revoked_at is not None


async def test_a_code_of_one_request_does_not_fit_the_verifier_of_another(server, code):
    """RFC 9700 §4.5: an injected code."""
    other = "a-verifier-of-a-session-of-somebody-else-entirely"
    attacker = await server.code(code_challenge=challenge(other))
    assert error_of(await server.redeem(attacker)) == "invalid_grant"
    assert (await server.redeem(attacker, code_verifier=other)).status_code == 200


async def test_consent_withdrawn_before_redemption_leaves_no_token(server, code):
    row = grant_of(server)
    await server.database.run(
        lambda tx: grant_store.mark_revoked(tx, row.id, at=server.clock.now(), reason="no")
    )
    assert error_of(await server.redeem(code)) == "invalid_grant"
    assert refresh_tokens(server) == 0


async def test_scopes_lost_between_consent_and_redemption_are_not_in_the_token(server, code):
    server.change_agent("portal", scopes=("crm:accounts.read",))
    assert (await server.redeem(code)).json()["scope"] == "crm:accounts.read"


async def test_a_policy_that_came_in_between_leaves_no_token(server, code):
    server.change_policies(
        '@id("closed") forbid (principal, action == Remit::Action::"issue", resource);'
    )
    assert error_of(await server.redeem(code)) == "invalid_grant"
    (event,) = server.events(TokenRefused)
    assert "closed" in event.rules
    assert event.policy_version == server.decisions.version
    assert event.context.user_id is not None


async def test_a_scope_in_the_request_does_not_widen_what_was_granted(server, code):
    response = await server.redeem(code, scope="crm:accounts.export crm:accounts.read")
    assert response.json()["scope"] == "crm:accounts.read crm:accounts.write"


async def test_a_client_without_the_refresh_grant_gets_no_refresh_token(server, code):
    page = await (browser := server.browser()).to_consent(
        client_id="one-shot", redirect_uri="https://one.example/cb"
    )
    one_shot = answer(await browser.decide(page))["code"]
    body = (
        await server.redeem(one_shot, client_id="one-shot", redirect_uri="https://one.example/cb")
    ).json()
    assert "refresh_token" not in body
    assert refresh_tokens(server) == 0


async def test_a_confidential_client_redeems_with_its_secret(server, code):
    page = await (browser := server.browser()).to_consent(
        client_id="back-office", redirect_uri="https://back.example/other"
    )
    own = answer(await browser.decide(page))["code"]
    fields = {"client_id": "back-office", "redirect_uri": "https://back.example/other"}
    assert (await server.redeem(own, **fields)).status_code == 401
    response = await server.redeem(own, client_secret="back-office-secret-of-tests", **fields)
    assert response.status_code == 200


async def test_the_token_is_good_for_one_server_alone(server, code):
    token = (await server.redeem(code)).json()["access_token"]
    server.deps.verifier.verify(token, audience=CRM)
    with pytest.raises(InvalidTokenError):
        server.deps.verifier.verify(token, audience=f"{ORIGIN}/mcp/payments")


async def test_only_digests_are_stored(server, code):
    tokens = (await server.redeem(code)).json()
    stored = server.database.read_now(
        lambda tx: repr(
            [
                tx.connection.execute(select(table)).all()
                for table in (
                    credential_store.authorization_codes,
                    credential_store.refresh_tokens,
                    grant_store.grants,
                )
            ]
        )
    )
    assert code not in stored
    assert tokens["refresh_token"] not in stored
    assert CALLBACK in stored
