"""Tokens that rest on what somebody has for a while: they hold it, end with it, and no longer."""

import asyncio

import pytest
from flows import CRM, PAYMENTS
from sqlalchemy import update

from remit.approvals.access import AccessHeldError, Holder, HolderKind, Wish
from remit.approvals.access_store import access as rows
from remit.audit.approval_events import AccessEnded, AccessGranted
from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import TokenRevoked
from remit.guard.limits import scope_limits
from remit.model import AccessOffer, Approvals
from remit.tokens import jti_digest

BY = Context(actor=Actor(ActorType.ADMIN, "tests"))
EXPORT = "crm:accounts.export"
READ, WRITE = "crm:accounts.read", "crm:accounts.write"
ASKED = f"{READ} {EXPORT}"


def offering(**changes):
    said = {"name": "export", "scopes": (EXPORT,), "people_roles": ("support",), "longest": 3_600}
    return AccessOffer(**said | changes)


@pytest.fixture
async def ada(server):
    user = await server.add_user()
    offer(server, offering())
    return Holder(kind=HolderKind.USER, id=user.id, tenant="acme", username="ada")


def offer(server, *offers):
    server.change_catalog(approvals=Approvals(access={one.name: one for one in offers}))


async def asked(server, holder, *, seconds=600, name="export", **more):
    wish = Wish(offer=name, seconds=seconds, justification={"reason": "month end"}, **more)
    return await server.access.request(holder, wish, context=BY)


async def consented(server, scope=ASKED):
    """The tokens of Ada, who allows all that she can."""
    response = await server.redeem(await server.code(scope=scope))
    assert response.status_code == 200, response.text
    return response.json()


async def refreshed(server, tokens):
    response = await server.refresh(tokens["refresh_token"])
    assert response.status_code == 200, response.text
    return response.json()


def token_of(server, body, audience=CRM):
    return server.deps.verifier.verify(body["access_token"], audience=audience)


def counts(server, token, scope):
    """Whether the guard lets the token be good for `scope` now."""
    catalog = server.catalog
    return scope_limits(token, catalog.agents[token.agent_id], catalog).holds(scope)


async def test_without_access_the_scope_is_not_hers_to_grant(server, ada):
    assert (await consented(server))["scope"] == READ


async def test_what_she_has_for_a_while_is_in_the_next_token_and_ends_with_it(server, ada):
    await asked(server, ada, seconds=300)
    body = await consented(server)
    token = token_of(server, body)
    assert set(token.scopes) == {READ, EXPORT}
    assert token.temporary == (EXPORT,)
    assert token.exp == server.clock.now() + 300
    assert body["expires_in"] == 300
    assert counts(server, token, EXPORT)


async def test_a_token_without_the_scope_lives_as_long_as_ever(server, ada):
    await asked(server, ada, seconds=300)
    token = token_of(server, await consented(server, READ))
    assert token.exp == server.clock.now() + 600
    assert token.temporary == ()


async def test_ending_it_early_revokes_the_tokens_that_rest_on_it_and_no_others(server, ada):
    held = await asked(server, ada)
    plain = token_of(server, await consented(server, READ))
    body = await consented(server)
    token = token_of(server, body)
    server.audit.events.clear()
    await server.access.end(held.id, holder=ada, reason="done", context=BY)
    assert set(server.directory.standing.revoked_tokens) == {token.jti}
    assert plain.jti not in server.directory.standing.revoked_tokens
    assert server.directory.standing.revoked_grants == frozenset()
    (revoked,) = server.events(TokenRevoked)
    assert revoked.jti_digest == jti_digest(token.jti)
    (ended,) = server.events(AccessEnded)
    assert (ended.how, ended.tokens, ended.reason) == ("returned", 1, "done")


async def test_the_next_refresh_has_it_no_longer_and_the_grant_stays(server, ada):
    held = await asked(server, ada)
    body = await refreshed(server, await consented(server))
    assert set(body["scope"].split()) == {READ, EXPORT}
    await server.access.end(held.id, holder=ada, context=BY)
    after = await refreshed(server, body)
    assert after["scope"] == READ
    assert token_of(server, after).exp == server.clock.now() + 600


async def test_after_its_time_a_refresh_has_it_no_longer(server, ada):
    await asked(server, ada, seconds=300)
    body = await consented(server)
    server.clock.advance(300)
    assert (await refreshed(server, body))["scope"] == READ


async def test_it_comes_back_only_when_it_is_asked_for_again(server, ada):
    await asked(server, ada, seconds=300)
    body = await consented(server)
    server.clock.advance(300)
    body = await refreshed(server, body)
    await asked(server, ada, seconds=300)
    assert set((await refreshed(server, body))["scope"].split()) == {READ, EXPORT}


async def test_while_she_has_it_it_is_not_prolonged(server, ada):
    held = await asked(server, ada, seconds=300)
    server.clock.advance(200)
    with pytest.raises(AccessHeldError):
        await asked(server, ada, seconds=300)
    assert token_of(server, await consented(server)).exp == held.expires_at


async def test_a_role_counts_as_hers_and_policies_and_the_guard_see_it(server, ada):
    offer(server, offering(name="manager", scopes=(), role="sales-manager"))
    held = await asked(server, ada, name="manager")
    token = token_of(server, await consented(server))
    assert token.roles == ("support", "sales-manager")
    assert set(token.scopes) == {READ, EXPORT}
    assert token.exp == held.expires_at
    assert counts(server, token, EXPORT)
    await server.access.end(held.id, holder=ada, context=BY)
    assert token.jti in server.directory.standing.revoked_tokens


async def test_every_token_with_the_role_rests_on_it(server, ada):
    offer(server, offering(name="manager", scopes=(), role="sales-manager"))
    held = await asked(server, ada, name="manager", seconds=120)
    token = token_of(server, await consented(server, READ))
    assert "sales-manager" in token.roles
    assert token.exp == held.expires_at


async def test_it_counts_only_at_the_servers_that_it_is_for(server, ada):
    invoices = "payments:invoices.read"
    offer(server, offering(servers=("payments",)))
    await asked(server, ada)
    assert (await consented(server))["scope"] == READ
    response = await server.redeem(
        await server.code(scope=invoices, resource=PAYMENTS), resource=PAYMENTS
    )
    assert token_of(server, response.json(), PAYMENTS).temporary == ()


async def test_it_counts_only_in_the_environments_that_it_is_for(server, ada):
    offer(server, offering(environments=("staging",)))
    await asked(server, ada)
    assert (await consented(server))["scope"] == READ


async def test_what_was_given_through_another_agent_counts_for_that_one_alone(server, ada):
    offer(server, offering(agents=("support-assistant",)))
    through = Holder(kind=HolderKind.USER, id=ada.id, tenant="acme", agent_id="support-assistant")
    await asked(server, through)
    assert (await consented(server))["scope"] == READ


async def test_an_offer_that_was_changed_or_taken_out_counts_no_longer(server, ada):
    await asked(server, ada)
    body = await consented(server)
    offer(server, offering(scopes=(EXPORT, WRITE)))
    body = await refreshed(server, body)
    assert body["scope"] == READ
    offer(server)
    assert (await refreshed(server, body))["scope"] == READ


async def test_who_may_ask_for_it_no_longer_has_it_no_longer(server, ada):
    await asked(server, ada)
    body = await consented(server)
    offer(server, offering(people_roles=("finance",)))
    assert (await refreshed(server, body))["scope"] == READ


async def test_it_never_widens_what_the_agent_may_hold(server, ada):
    server.change_agent("portal", scopes=(READ,))
    await asked(server, ada)
    assert (await consented(server))["scope"] == READ


async def test_it_never_widens_what_a_guardrail_forbids(server, ada):
    await asked(server, ada)
    forbidding = type(server.catalog.guardrails)(forbidden_scopes=(EXPORT,))
    server.change_catalog(guardrails=forbidding)
    assert (await consented(server))["scope"] == READ


async def test_a_policy_that_forbids_the_scope_has_the_last_word(server, ada):
    await asked(server, ada)
    server.change_policies(
        '@id("no-exports")\n@refusal("no exports")\nforbid(principal, action == Remit::Action::"issue", resource)'
        f' when {{ context.token.scopes.contains("{EXPORT}") }};'
    )
    browser = server.browser()
    page = await browser.to_consent(scope=ASKED)
    assert page.status_code == 303
    assert "access_denied" in page.headers["location"]


async def test_what_an_offer_gives_to_an_agent_is_that_agents_on_request_alone(server, ada):
    offer(server, offering(scopes=(WRITE,), agents=("portal",)))
    asking = f"{READ} {WRITE}"
    token = token_of(server, await consented(server, asking))
    assert token.scopes == (READ,)
    await asked(server, ada)
    token = token_of(server, await consented(server, asking))
    assert set(token.scopes) == {READ, WRITE}
    assert counts(server, token, WRITE)


async def test_a_token_of_before_the_offer_is_good_for_it_no_longer(server, ada):
    token = token_of(server, await consented(server, f"{READ} {WRITE}"))
    assert counts(server, token, WRITE)
    offer(server, offering(scopes=(WRITE,), agents=("portal",)))
    assert not counts(server, token, WRITE)
    assert counts(server, token, READ)


async def test_what_ends_between_the_ruling_and_the_token_is_in_no_token(server, ada):
    """A workload is ruled on before its transaction: what ended meanwhile refuses the token."""
    held = await asked(server, ada)
    code = await server.code(scope=ASKED)
    await server.database.run(
        lambda tx: tx.connection.execute(
            update(rows).where(rows.c.id == held.id).values(state="ended")
        )
    )
    body = (await server.redeem(code)).json()
    assert body["scope"] == READ


async def test_ended_and_refreshed_at_once_leave_no_token_behind(server, ada):
    held = await asked(server, ada)
    body = await consented(server)
    ended, response = await asyncio.gather(
        server.access.end(held.id, holder=ada, context=BY),
        server.refresh(body["refresh_token"]),
    )
    assert ended.how == "returned"
    token = token_of(server, response.json())
    assert EXPORT not in token.scopes or token.jti in server.directory.standing.revoked_tokens


async def test_the_log_says_what_was_given(server, ada):
    await asked(server, ada, seconds=300, ticket="OPS-1")
    (given,) = server.events(AccessGranted)
    assert given.holder == f"user:{ada.id}"
    assert given.scopes == (EXPORT,)
    assert given.expires_at == server.clock.now() + 300
