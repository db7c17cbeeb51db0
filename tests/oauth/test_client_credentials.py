"""Tokens for a workload that acts for itself."""

import asyncio
from dataclasses import replace

import pytest
from flows import CRM, PAYMENTS
from sqlalchemy import select

from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import GuardrailViolated, TokenIssued, TokenRefused
from remit.model import AgentClass
from remit.oauth import grant_store, revoke_grant

SECRET = "billing-secret-of-tests"
ADMIN = Context(actor=Actor(ActorType.ADMIN, "root"))


async def ask(server, **changes):
    fields = {
        "grant_type": "client_credentials",
        "client_id": "billing-job",
        "client_secret": SECRET,
        "resource": PAYMENTS,
        **changes,
    }
    return await server.token(**{name: one for name, one in fields.items() if one is not None})


def grants(server):
    return server.database.read_now(
        lambda tx: tx.connection.execute(select(grant_store.grants)).all()
    )


def refused(server, response, error, status=400):
    assert response.status_code == status, response.text
    assert response.json()["error"] == error
    others = [one for one in server.audit.events if not isinstance(one, GuardrailViolated)]
    (event,) = others  # an alert may stand beside it
    assert isinstance(event, TokenRefused)
    assert event.error == error
    assert grants(server) == []
    return event


async def test_a_job_gets_a_token_of_its_own_and_no_refresh_token(server):
    response = await ask(server)
    assert response.status_code == 200, response.text
    body = response.json()
    assert body["scope"] == "payments:invoices.read"
    assert "refresh_token" not in body
    token = server.deps.verifier.verify(body["access_token"], audience=PAYMENTS)
    assert token.sub == token.agent_id == "billing-job"
    assert token.organization_id == "acme"
    assert token.roles == ()
    assert token.auth_time is None
    (event,) = server.audit.events
    assert isinstance(event, TokenIssued)
    assert event.grant_type == "client_credentials"
    assert event.context.grant_id == token.grant_id
    assert event.context.tenant == "acme"
    assert event.context.environment == "prod"
    assert event.context.user_id is None


async def test_without_a_resource_the_only_server_it_reaches_is_meant(server):
    token = (await ask(server, resource=None)).json()["access_token"]
    server.deps.verifier.verify(token, audience=PAYMENTS)


async def test_the_same_request_again_descends_from_the_same_grant(server):
    await ask(server)
    server.clock.advance(60)
    await ask(server)
    (grant,) = grants(server)
    assert grant.kind == "workload"
    assert grant.user_id is None
    assert grant.last_used_at == server.clock.now()
    assert len({event.jti_digest for event in server.events(TokenIssued)}) == 2


async def test_first_requests_at_once_all_get_a_token(server):
    answers = await asyncio.gather(*(ask(server) for _ in range(4)))
    assert [response.status_code for response in answers] == [200] * 4
    assert len({event.jti_digest for event in server.events(TokenIssued)}) == 4


async def test_a_grant_about_to_end_is_not_taken_for_a_new_token(server):
    await ask(server)
    server.clock.advance(30 * 86_400 - 300)
    assert (await ask(server)).json()["expires_in"] == 600
    assert len(grants(server)) == 2


async def test_after_revocation_there_is_another_grant(server):
    await ask(server)
    (grant,) = grants(server)
    await server.database.run(
        lambda tx: revoke_grant(tx, grant.id, reason="x", at=server.clock.now(), context=ADMIN)
    )
    assert (await ask(server)).status_code == 200
    assert len(grants(server)) == 2


async def test_other_scopes_are_another_grant(server):
    server.change_agent("billing-job", scopes=("payments:invoices.read", "payments:refunds.create"))
    await ask(server, scope="payments:invoices.read")
    await ask(server, scope="payments:invoices.read payments:refunds.create")
    assert len(grants(server)) == 2


async def test_more_than_it_may_hold_is_narrowed_and_said(server):
    body = (await ask(server, scope="payments:invoices.read payments:refunds.create")).json()
    assert body["scope"] == "payments:invoices.read"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "payments:refunds.create"}, "invalid_scope"),
        ({"scope": "payments:ledger.admin"}, "invalid_scope"),
        ({"scope": "nobody:knows.this"}, "invalid_scope"),
        ({"scope": 'a"b'}, "invalid_scope"),
        ({"resource": CRM}, "invalid_scope"),
        ({"resource": PAYMENTS + "/"}, "invalid_target"),
        ({"resource": [PAYMENTS, CRM]}, "invalid_target"),
        ({"resource": "https://other.example/mcp/payments"}, "invalid_target"),
    ],
    ids=str,
)
async def test_a_refusal_is_one_event_and_no_grant(server, changes, error):
    refused(server, await ask(server, **changes), error)


@pytest.mark.parametrize("secret", [None, "wrong"])
async def test_without_its_secret_it_is_nobody(server, secret):
    refused(server, await ask(server, client_secret=secret), "invalid_client", 401)


@pytest.mark.parametrize("client", ["portal", "one-shot"])
async def test_a_client_of_people_may_not(server, client):
    response = await ask(server, client_id=client, client_secret=None)
    refused(server, response, "unauthorized_client")


async def test_a_client_that_registered_itself_may_not_whatever_it_asked_for(server):
    response = await server.browser().client.post(
        "/register",
        json={
            "redirect_uris": ["https://x.example/cb"],
            "grant_types": ["authorization_code", "client_credentials"],
            "token_endpoint_auth_method": "client_secret_post",
        },
    )
    server.audit.events.clear()
    assert response.status_code == 201, response.text
    own = response.json()
    answered = await ask(server, client_id=own["client_id"], client_secret=own["client_secret"])
    refused(server, answered, "unauthorized_client")


async def test_an_agent_that_is_no_workload_may_not(server):

    server.change_agent("billing-job", agent_class=AgentClass.AUTONOMOUS)
    refused(server, await ask(server), "unauthorized_client")


@pytest.mark.parametrize("tenants", [(), ("acme", "globex")])
async def test_a_workload_belongs_to_exactly_one_organisation(server, tenants):
    server.change_agent("billing-job", tenants=tenants)
    refused(server, await ask(server), "unauthorized_client")


async def test_a_suspended_workload_gets_nothing(server):
    standing = server.directory.standing
    server.directory.publish(replace(standing, suspended_agents=frozenset({"billing-job"})))
    event = refused(server, await ask(server), "unauthorized_client")
    assert event.context.agent_id == "billing-job"


async def test_a_policy_may_say_no(server):
    server.change_policies(
        '@id("no-jobs") @refusal("No jobs today.") '
        'forbid (principal is Remit::Workload, action == Remit::Action::"issue", resource);'
    )
    response = await ask(server)
    event = refused(server, response, "unauthorized_client")
    assert response.json()["error_description"] == "No jobs today."
    assert "no-jobs" in event.rules
    assert event.policy_version == server.decisions.version


async def test_a_log_that_cannot_take_it_means_no_token_and_no_grant(server):
    server.audit.failing = True
    assert (await ask(server)).status_code == 503
    assert grants(server) == []


async def test_where_nothing_changes_a_log_that_cannot_take_it_still_means_no_token(server):
    await ask(server)
    server.audit.failing = True
    assert (await ask(server)).status_code == 503
    server.audit.failing = False
    assert len(server.events(TokenIssued)) == 1
    assert (await ask(server)).status_code == 200
