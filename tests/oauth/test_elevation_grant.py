"""An elevation is a grant below the caller's own: made, spent once, moved, and ended with it."""

import asyncio

import pytest
from elevating import DIGEST, SCOPE, elevate, found, grants_of, own_grant
from exchanges import employ, exchange
from flows import ADMIN, CRM, answer

from remit.audit.approval_events import ElevationRevoked
from remit.audit.events import GrantRevoked
from remit.ids import GrantId
from remit.oauth import (
    GrantKind,
    ParentEndedError,
    revoke_grant,
    revoke_grants,
    spend_elevation_grant,
)
from remit.oauth.elevation_grant import ELEVATION
from remit.oauth.grant import GrantFilter
from remit.tokens.authorization_details import Constraint


@pytest.fixture
async def tokens(server):
    return await server.granted()


async def spend(server, grant_id, *, last=True):
    now = server.clock.now()
    return await server.database.run(
        lambda tx: spend_elevation_grant(tx, grant_id, at=now, last=last)
    )


async def end(server, grant_id, reason="incident"):
    now = server.clock.now()
    return await server.database.run(
        lambda tx: revoke_grant(tx, grant_id, reason=reason, at=now, context=ADMIN)
    )


async def test_an_elevation_is_for_whom_its_parent_is_for(server, tokens):
    parent = own_grant(server)
    made = found(server, await elevate(server))
    assert made.kind is GrantKind.ELEVATION
    assert made.id.startswith("elv_")
    assert made.parent_id == parent.id
    for name in ("user_id", "client_id", "agent_id", "tenant", "environment", "resource"):
        assert getattr(made, name) == getattr(parent, name)
    assert made.scopes == (SCOPE,)
    assert made.purpose == "a correction that Ada confirmed"
    assert made.expires_at == server.clock.now() + 300


async def test_its_detail_says_for_which_call_and_holds_no_argument(server, tokens):
    limits = {"amount": Constraint(maximum=750, currency="USD")}
    made = found(server, await elevate(server, constraints=limits))
    assert made.authorization_details == (
        {
            "type": ELEVATION,
            "locations": [CRM],
            "server": "crm",
            "kind": "tool",
            "name": "update_account",
            "arguments_digest": DIGEST,
            "approval": "apr_1",
            "purpose": "a correction that Ada confirmed",
            "uses": 1,
            "expires_at": server.clock.now() + 300,
            "definition": "sha256:abc",
            "constraints": {"amount": {"max": "750", "currency": "USD"}},
        },
    )


async def test_it_says_how_the_person_proved_who_they_are(server, tokens):
    made = found(server, await elevate(server, acr="urn:remit:acr:phr", auth_time=1_700_000_000))
    assert (made.acr, made.auth_time) == ("urn:remit:acr:phr", 1_700_000_000)
    approved_by_others = found(server, await elevate(server))
    assert (approved_by_others.acr, approved_by_others.auth_time) == (None, None)


async def test_it_never_outlives_its_parent(server, tokens):
    parent = own_grant(server)
    made = found(server, await elevate(server, lasts=10**9))
    assert made.expires_at == parent.expires_at
    assert made.authorization_details[0]["expires_at"] == parent.expires_at


async def test_nothing_is_made_below_a_grant_that_ended_or_never_was(server, tokens):
    parent = own_grant(server)
    await end(server, parent.id)
    for gone in (parent.id, GrantId("grt_unknown")):
        with pytest.raises(ParentEndedError):
            await elevate(server, gone)
    assert grants_of(server, kind=GrantKind.ELEVATION) == ()


async def test_nothing_is_made_below_a_grant_that_expired(server, tokens):
    parent = own_grant(server)
    server.clock.advance(30 * 86_400)
    with pytest.raises(ParentEndedError):
        await elevate(server, parent.id)


async def test_nothing_is_made_below_an_elevation(server, tokens):
    first = await elevate(server)
    with pytest.raises(ParentEndedError):
        await elevate(server, first)


async def test_of_many_who_spend_it_at_once_one_does(server, tokens):
    made = await elevate(server)
    outcomes = await asyncio.gather(*(spend(server, made) for _ in range(8)))
    assert sorted(outcomes) == [False] * 7 + [True]


async def test_what_was_spent_is_over_and_not_revoked(server, tokens):
    made = await elevate(server)
    assert await spend(server, made)
    now = found(server, made)
    assert not now.is_live(server.clock.now())
    assert now.revoked_at is None
    assert now.last_used_at == server.clock.now()
    assert await end(server, own_grant(server).id)


async def test_a_use_that_is_not_the_last_leaves_it_live(server, tokens):
    made = await elevate(server, uses=2)
    assert await spend(server, made, last=False)
    assert found(server, made).is_live(server.clock.now())
    assert await spend(server, made)
    assert not await spend(server, made)


async def test_what_expired_is_not_spent(server, tokens):
    made = await elevate(server, lasts=60)
    server.clock.advance(59)
    assert await spend(server, made, last=False)
    server.clock.advance(1)
    assert not await spend(server, made)


async def test_a_grant_that_is_no_elevation_is_not_spent(server, tokens):
    grant = own_grant(server)
    assert not await spend(server, grant.id)
    assert found(server, grant.id) == grant
    assert not await spend(server, GrantId("elv_unknown"))


async def test_it_ends_with_its_parent_and_says_so(server, tokens):
    made = await elevate(server)
    await end(server, own_grant(server).id)
    assert found(server, made).revoked_at == server.clock.now()
    assert not await spend(server, made)
    (event,) = server.events(ElevationRevoked)
    assert (event.elevation, event.reason) == (made, "parent_grant_ended")
    assert len(server.events(GrantRevoked)) == 1


async def test_it_ends_by_itself_and_its_parent_and_the_consent_stay(server, tokens):
    made = await elevate(server)
    assert await end(server, made)
    assert not await spend(server, made)
    assert own_grant(server).is_live(server.clock.now())
    (event,) = server.events(ElevationRevoked)
    assert (event.elevation, event.reason) == (made, "incident")
    assert event.context.agent_id == "portal"
    assert not server.events(GrantRevoked)
    browser = server.browser()
    assert "code" in answer(await browser.to_consent())  # nobody is asked anew


async def test_a_race_of_spending_and_revoking_has_one_outcome(server, tokens):
    made = await elevate(server)
    spent, _ = await asyncio.gather(spend(server, made), end(server, made))
    assert not await spend(server, made)
    assert found(server, made).revoked_at is not None
    assert isinstance(spent, bool)


async def test_everything_of_a_person_ends_with_what_they_allowed_of_calls(server, tokens):
    made = await elevate(server)
    user_id = own_grant(server).user_id
    ended = await server.database.run(
        lambda tx: revoke_grants(
            tx,
            GrantFilter(user_id=user_id),
            reason="left",
            at=server.clock.now(),
            context=ADMIN,
        )
    )
    assert {one.id for one in ended} == {made, own_grant(server).id}


async def test_an_access_token_that_is_revoked_takes_the_elevations_of_its_grant_along(
    server, tokens
):
    made = await elevate(server)
    form = {"token": tokens["access_token"], "client_id": "portal"}
    response = await server.browser().client.post("/revoke", data=form)
    assert response.status_code == 200
    assert found(server, made).revoked_at is not None
    assert own_grant(server).is_live(server.clock.now())


async def test_a_refresh_token_that_is_revoked_takes_them_along(server, tokens):
    made = await elevate(server)
    form = {"token": tokens["refresh_token"], "client_id": "portal"}
    await server.browser().client.post("/revoke", data=form)
    assert found(server, made).revoked_at is not None


async def test_nobody_elses_token_ends_it(server, tokens):
    made = await elevate(server)
    form = {"token": tokens["access_token"], "client_id": "one-shot"}
    response = await server.browser().client.post("/revoke", data=form)
    assert response.status_code == 400
    assert found(server, made).is_live(server.clock.now())


async def test_the_id_of_an_elevation_is_no_token(server, tokens):
    made = await elevate(server)
    response = await server.refresh(made)
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_grant"
    assert found(server, made).is_live(server.clock.now())


async def test_refreshing_says_nothing_of_it_and_leaves_it(server, tokens):
    made = await elevate(server)
    answered = (await server.refresh(tokens["refresh_token"])).json()
    assert answered["scope"] == tokens["scope"]
    assert "authorization_details" not in answered
    assert found(server, made).is_live(server.clock.now())


async def test_a_token_that_was_exchanged_has_none_of_it(server):
    employ(server)
    tokens = await server.granted(scope="crm:accounts.read")
    made = await elevate(server)
    exchanged = await exchange(server, tokens["access_token"], scope="crm:accounts.read")
    assert exchanged.status_code == 200, exchanged.text
    children = [one for one in grants_of(server) if one.parent_id and one.id != made]
    assert [one.kind for one in children] == [GrantKind.USER]
    assert SCOPE not in children[0].scopes
    assert children[0].authorization_details == ()
    assert grants_of(server, parent_id=children[0].id) == ()


async def test_an_elevated_scope_cannot_be_had_by_exchange(server):
    employ(server)
    tokens = await server.granted(scope="crm:accounts.read")
    await elevate(server, scopes=("crm:accounts.export",))
    refused = await exchange(server, tokens["access_token"], scope="crm:accounts.export")
    assert refused.status_code == 400


async def test_what_can_still_be_used_moves_to_the_grant_the_client_is_given_next(server, tokens):
    first = own_grant(server)
    made, spent = await elevate(server), await elevate(server)
    await spend(server, spent)
    server.clock.advance(1)
    await server.code()
    second = own_grant(server)
    assert second.id != first.id
    assert found(server, made).parent_id == second.id
    assert found(server, spent).parent_id == first.id
    await end(server, first.id)
    assert found(server, made).is_live(server.clock.now())
    await end(server, second.id)
    assert not found(server, made).is_live(server.clock.now())


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "one-shot", "redirect_uri": "https://one.example/cb"},
        {"resource": "https://remit.example/mcp/payments", "scope": "payments:invoices.read"},
    ],
    ids=["another client", "another server"],
)
async def test_nothing_moves_to_a_grant_for_something_else(server, tokens, changes):
    made, first = await elevate(server), own_grant(server)
    server.clock.advance(1)
    await server.code(**changes)
    assert own_grant(server).id != first.id
    assert found(server, made).parent_id == first.id


async def test_nothing_moves_to_a_grant_of_another_person(server, tokens):
    made, first = await elevate(server), own_grant(server)
    await server.add_user("bob")
    server.clock.advance(1)
    browser = server.browser()
    answer(await browser.decide(await browser.to_consent("bob")))
    assert own_grant(server).user_id != first.user_id
    assert found(server, made).parent_id == first.id


async def test_what_was_revoked_does_not_come_back_with_a_new_grant(server, tokens):
    made, first = await elevate(server), own_grant(server)
    await end(server, made)
    server.clock.advance(1)
    await server.code()
    assert found(server, made).parent_id == first.id
    assert not found(server, made).is_live(server.clock.now())
