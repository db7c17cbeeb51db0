"""A refresh token turned into the next one."""

import asyncio
from dataclasses import replace

import pytest
from flows import CRM, ORIGIN
from sqlalchemy import select
from structlog.testing import capture_logs

from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import GrantRevoked, RefreshTokenReused, TokenRefreshed, TokenRefused
from remit.identity import disable_user
from remit.model import Sensitivity
from remit.oauth import grant_store, revoke_grant
from remit.tokens import jti_digest

ADMIN = Context(actor=Actor(ActorType.ADMIN, "root"))
DAY = 86_400


@pytest.fixture
async def tokens(server):
    granted = await server.granted()
    server.audit.events.clear()
    return granted


def grant_of(server):
    return server.database.read_now(
        lambda tx: tx.connection.execute(select(grant_store.grants)).one()
    )


def error_of(response):
    assert response.status_code == 400, response.text
    return response.json()["error"]


def scope_of(response):
    assert response.status_code == 200, response.text
    return response.json()["scope"]


async def test_every_use_gives_another_refresh_token(server, tokens):
    first = (await server.refresh(tokens["refresh_token"])).json()
    assert first["refresh_token"] != tokens["refresh_token"]
    second = (await server.refresh(first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]


async def test_a_refresh_is_one_event_that_matches_the_token(server, tokens):
    body = (await server.refresh(tokens["refresh_token"], resource=CRM)).json()
    token = server.deps.verifier.verify(body["access_token"], audience=CRM)
    (event,) = server.audit.events
    assert isinstance(event, TokenRefreshed)
    assert event.jti_digest == jti_digest(token.jti)
    assert event.granted == token.scopes
    assert event.context.grant_id == token.grant_id == grant_of(server).id
    assert event.policy_version == server.decisions.version
    assert event.claims["organization_id"] == "acme"


async def test_a_refresh_notes_the_use_of_its_grant(server, tokens):
    server.clock.advance(500)
    await server.refresh(tokens["refresh_token"])
    assert grant_of(server).last_used_at == server.clock.now()


async def test_a_reused_token_revokes_its_grant_and_the_newest_token_too(server, tokens):
    newest = (await server.refresh(tokens["refresh_token"])).json()["refresh_token"]
    server.audit.events.clear()
    assert error_of(await server.refresh(tokens["refresh_token"])) == "invalid_grant"
    reused, ended = server.audit.events
    assert isinstance(reused, RefreshTokenReused)
    assert reused.credential == "refresh_token"
    assert isinstance(ended, GrantRevoked)
    assert ended.reason == "refresh_token_reused"
    assert server.directory.standing.revoked_grants == {grant_of(server).id}
    assert error_of(await server.refresh(newest)) == "invalid_grant"


async def test_of_two_refreshes_at_once_one_wins_and_the_grant_ends(server, tokens):
    """No grace: the second sender might be the thief."""
    both = await asyncio.gather(*(server.refresh(tokens["refresh_token"]) for _ in range(2)))
    assert sorted(response.status_code for response in both) == [200, 400]
    winner = next(response for response in both if response.status_code == 200)
    assert grant_of(server).revoked_at is not None
    assert error_of(await server.refresh(winner.json()["refresh_token"])) == "invalid_grant"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"refresh_token": None}, "invalid_request"),
        ({"refresh_token": "unknown"}, "invalid_grant"),
        ({"client_id": "one-shot"}, "unauthorized_client"),
        ({"resource": f"{ORIGIN}/mcp/payments"}, "invalid_target"),
        ({"resource": CRM + "/"}, "invalid_target"),
        ({"scope": "crm:accounts.export"}, "invalid_scope"),
        ({"scope": "crm:accounts.read crm:accounts.export"}, "invalid_scope"),
        ({"scope": "payments:invoices.read"}, "invalid_scope"),
        ({"scope": 'a"b'}, "invalid_scope"),
        ({"scope": "mcp:all"}, "invalid_scope"),
    ],
    ids=str,
)
async def test_a_refusal_is_one_event_and_leaves_the_token_as_it_was(
    server, tokens, changes, error
):
    fields = {"refresh_token": tokens["refresh_token"], **changes}
    assert error_of(await server.refresh(**fields)) == error
    (event,) = server.audit.events
    assert isinstance(event, TokenRefused)
    assert event.error == error
    assert (await server.refresh(tokens["refresh_token"])).status_code == 200


async def test_another_clients_token_is_refused_and_stays_with_its_owner(server, tokens):
    other = await server.register("https://other.example/cb")
    assert (
        error_of(await server.refresh(tokens["refresh_token"], client_id=other)) == "invalid_grant"
    )
    (event,) = server.events(TokenRefused)
    assert event.context.client_id == other
    assert event.context.grant_id == grant_of(server).id
    assert (await server.refresh(tokens["refresh_token"])).status_code == 200


async def test_a_narrower_scope_narrows_this_token_and_not_the_grant(server, tokens):
    narrow = await server.refresh(tokens["refresh_token"], scope="crm:accounts.read offline_access")
    assert scope_of(narrow) == "crm:accounts.read"
    whole = await server.refresh(narrow.json()["refresh_token"])
    assert scope_of(whole) == "crm:accounts.read crm:accounts.write"


async def test_a_scope_that_a_granted_one_covers_is_narrower(server, tokens):
    response = await server.refresh(tokens["refresh_token"], scope="crm:handbook.read")
    assert scope_of(response) == "crm:handbook.read"


async def test_a_token_that_is_not_used_for_a_week_is_gone(server, tokens):
    server.clock.advance(7 * DAY)
    assert error_of(await server.refresh(tokens["refresh_token"])) == "invalid_grant"


async def test_use_keeps_a_grant_alive_until_its_absolute_end(server, tokens):
    current = tokens["refresh_token"]
    for _ in range(4):
        server.clock.advance(7 * DAY - 1)
        current = (await server.refresh(current)).json()["refresh_token"]
    server.clock.advance(2 * DAY + 4)
    assert error_of(await server.refresh(current)) == "invalid_grant"


async def test_no_access_token_outlives_its_grant(server, tokens):
    current = tokens["refresh_token"]
    for _ in range(4):
        server.clock.advance(7 * DAY - 1)
        current = (await server.refresh(current)).json()["refresh_token"]
    server.clock.advance(2 * DAY + 4 - 100)
    assert (await server.refresh(current)).json()["expires_in"] == 100


async def test_a_grant_that_was_revoked_gives_no_token(server, tokens):
    grant_id = grant_of(server).id
    await server.database.run(
        lambda tx: revoke_grant(tx, grant_id, reason="no", at=server.clock.now(), context=ADMIN)
    )
    assert error_of(await server.refresh(tokens["refresh_token"])) == "invalid_grant"


async def test_a_disabled_person_gets_no_token_and_once_enabled_again_does(server, tokens):
    await server.database.run(
        lambda tx: disable_user(tx, "ada", reason="left", now=server.clock.now(), context=ADMIN)
    )
    assert error_of(await server.refresh(tokens["refresh_token"])) == "invalid_grant"
    (event,) = server.events(TokenRefused)
    assert event.context.user_id is not None


async def test_a_suspended_agent_gets_no_token(server, tokens):
    standing = server.directory.standing
    server.directory.publish(replace(standing, suspended_agents=frozenset({"portal"})))
    assert error_of(await server.refresh(tokens["refresh_token"])) == "invalid_grant"
    assert server.events(TokenRefused)[0].detail == "agent `portal` is suspended"


async def test_a_role_that_was_narrowed_narrows_the_next_token(server, tokens):
    roles = server.catalog.roles
    support = replace(roles["support"], scopes=("crm:accounts.read",))
    server.change_catalog(roles={**roles, "support": support})
    assert scope_of(await server.refresh(tokens["refresh_token"])) == "crm:accounts.read"


async def test_an_agent_whose_file_was_narrowed_narrows_the_next_token(server, tokens):
    server.change_agent("portal", scopes=("crm:accounts.read",), max_sensitivity=Sensitivity.LOW)
    response = await server.refresh(tokens["refresh_token"])
    assert scope_of(response) == "crm:accounts.read"
    token = server.deps.verifier.verify(response.json()["access_token"], audience=CRM)
    assert token.sensitivity is Sensitivity.LOW


async def test_a_guardrail_that_came_later_narrows_the_next_token(server, tokens):
    guardrails = replace(server.catalog.guardrails, forbidden_scopes=("crm:accounts.write",))
    server.change_catalog(guardrails=guardrails)
    assert scope_of(await server.refresh(tokens["refresh_token"])) == "crm:accounts.read"


async def test_a_client_that_lost_the_refresh_grant_may_not_refresh(server, tokens):
    agent = server.catalog.agents["portal"]
    (portal, *others) = agent.clients.static
    static = (replace(portal, grant_types=("authorization_code",)), *others)
    server.change_agent("portal", clients=replace(agent.clients, static=static))
    assert error_of(await server.refresh(tokens["refresh_token"])) == "unauthorized_client"


async def test_what_was_narrowed_once_is_whole_again_with_the_next_refresh_token(server, tokens):
    """AS-32: the new refresh token has the scopes of the old one, whatever this token was for."""
    roles = server.catalog.roles
    support = replace(roles["support"], scopes=("crm:accounts.read",))
    server.change_catalog(roles={**roles, "support": support})
    narrow = (await server.refresh(tokens["refresh_token"])).json()
    assert narrow["scope"] == "crm:accounts.read"
    server.change_catalog(roles=roles)
    whole = await server.refresh(narrow["refresh_token"])
    assert scope_of(whole) == tokens["scope"]


async def test_reuse_is_an_alert_to_the_operator_without_the_token(server, tokens):
    await server.refresh(tokens["refresh_token"])
    with capture_logs() as lines:
        await server.refresh(tokens["refresh_token"])
    (alert,) = [line for line in lines if line["event"] == "credential reused"]
    assert (alert["log_level"], alert["client_id"]) == ("warning", "portal")
    assert tokens["refresh_token"] not in str(lines)


async def test_a_person_who_lost_every_role_gets_no_token(server, tokens):
    roles = server.catalog.roles.items()
    server.change_catalog(roles={name: replace(one, scopes=()) for name, one in roles})
    response = await server.refresh(tokens["refresh_token"])
    assert error_of(response) == "invalid_grant"
    assert "your roles" in response.json()["error_description"]


async def test_a_policy_that_changed_ends_refresh_with_its_words(server, tokens):
    server.change_policies(
        '@id("closed")\n@refusal("Not on Mondays.")\n'
        'forbid (principal, action == Remit::Action::"issue", resource);'
    )
    response = await server.refresh(tokens["refresh_token"])
    assert error_of(response) == "invalid_grant"
    assert response.json()["error_description"] == "Not on Mondays."
    (event,) = server.events(TokenRefused)
    assert "closed" in event.rules


async def test_a_client_that_became_another_agent_has_to_ask_again(server, tokens):
    portal = server.catalog.agents["portal"]
    agents = {name: one for name, one in server.catalog.agents.items() if name != "portal"}
    agents["renamed"] = replace(portal, id="renamed")
    server.change_catalog(agents=agents)
    assert error_of(await server.refresh(tokens["refresh_token"])) == "invalid_grant"


async def test_a_server_that_moved_to_another_environment_has_to_be_granted_again(server, tokens):
    crm = replace(server.catalog.servers["crm"], environment="dev")
    server.change_catalog(servers={**server.catalog.servers, "crm": crm})
    assert error_of(await server.refresh(tokens["refresh_token"])) == "invalid_grant"


async def test_a_log_that_cannot_take_the_refresh_leaves_the_token_as_it_was(server, tokens):
    server.audit.failing = True
    assert (await server.refresh(tokens["refresh_token"])).status_code == 503
    server.audit.failing = False
    assert (await server.refresh(tokens["refresh_token"])).status_code == 200
