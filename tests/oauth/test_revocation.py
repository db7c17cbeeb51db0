"""How a client ends a token it holds."""

import pytest

from remit.audit.events import GrantRevoked, TokenRevoked
from remit.ids import GrantId
from remit.oauth import credential_store, grant_store
from remit.tokens import jti_digest

BILLING = {"client_id": "billing:job", "client_secret": "billing's secret: 100% + more"}
REPORTS = {"client_id": "reports", "client_secret": "reports"}


async def revoke(world, token, credentials=BILLING, **form):
    return await world.http.post("/revoke", data={"token": token} | credentials | form)


def grant_of(world, grant):
    return world.database.read_now(lambda tx: grant_store.find_grant(tx, grant.id))


def revoked_tokens(world):
    return world.database.read_now(
        lambda tx: credential_store.revoked_tokens(tx, world.clock.now())
    )


@pytest.mark.parametrize("hint", [None, "refresh_token", "access_token", "unknown"])
async def test_a_refresh_token_takes_its_whole_grant_with_it(world, hint):
    grant = world.grant()
    token = world.refresh_token(grant)
    response = await revoke(world, token, **({} if hint is None else {"token_type_hint": hint}))
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["cache-control"] == "no-store"
    ended = grant_of(world, grant)
    assert (ended.revoked_at, ended.revoke_reason) == (world.clock.now(), "revoked_by_client")
    assert world.kinds() == ["grant.revoked", "token.revoked"]
    event = world.only(TokenRevoked)
    assert event.token_type == "refresh_token"
    assert event.context.actor.id == "billing:job"
    assert (event.context.grant_id, event.context.agent_id) == (grant.id, "billing-job")
    assert world.only(GrantRevoked).reason == "revoked_by_client"
    assert world.published == [world.clock.now()]


async def test_a_spent_refresh_token_does_the_same(world):
    grant = world.grant()
    await revoke(world, world.refresh_token(grant, used_at=world.clock.now()))
    assert grant_of(world, grant).revoked_at is not None


async def test_an_access_token_is_remembered_until_it_expires_and_its_grant_lives_on(world):
    grant = world.grant()
    assert (await revoke(world, world.access_token(grant, jti="at_1"))).status_code == 200
    assert revoked_tokens(world) == {"at_1": world.clock.now() + 600}
    assert grant_of(world, grant).revoked_at is None
    event = world.only(TokenRevoked)
    assert (event.token_type, event.jti_digest) == ("access_token", jti_digest("at_1"))
    assert event.context.grant_id == grant.id
    assert world.published == [world.clock.now()]


async def test_a_second_time_is_answered_alike_and_is_no_event(world):
    grant = world.grant()
    for token in (world.access_token(grant), world.refresh_token(grant)):
        for _ in range(2):
            assert (await revoke(world, token)).status_code == 200
    assert world.kinds() == ["token.revoked", "grant.revoked", "token.revoked"]
    assert len(world.published) == 2


@pytest.mark.parametrize("token", ["x", "a.b.c", "rmt_rt_unknown", "x" * 9000, "é"])
async def test_a_token_nobody_knows_is_as_good_as_revoked(world, token):
    response = await revoke(world, token)
    assert (response.status_code, response.content) == (200, b"")
    assert world.kinds() == []
    assert world.published == []


async def test_an_expired_access_token_needs_no_remembering(world):
    token = world.access_token(world.grant())
    world.clock.advance(600)
    assert (await revoke(world, token)).status_code == 200
    assert world.kinds() == []


@pytest.mark.parametrize("credentials", [REPORTS, {"client_id": "desk"}])
async def test_the_token_of_another_client_is_refused_and_stays_as_it_is(world, credentials):
    grant = world.grant()
    for token in (world.access_token(grant), world.refresh_token(grant)):
        response = await revoke(world, token, credentials)
        assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")
    assert grant_of(world, grant).revoked_at is None
    assert revoked_tokens(world) == {}
    assert world.kinds() == []


async def test_a_public_client_revokes_by_its_client_id(world):
    grant = world.grant("desk")
    assert (await revoke(world, world.refresh_token(grant), {"client_id": "desk"})).is_success
    assert grant_of(world, grant).revoked_at is not None


async def test_nobody_revokes_without_proving_who_they_are(world):
    grant = world.grant()
    token = world.refresh_token(grant)
    assert (await revoke(world, token, {})).status_code == 400
    assert (await revoke(world, token, BILLING | {"client_secret": "wrong"})).status_code == 401
    assert (await revoke(world, token, {"client_id": "billing:job"})).status_code == 401
    assert grant_of(world, grant).revoked_at is None


async def test_a_request_without_a_token_or_with_two_is_refused(world):
    response = await world.http.post("/revoke", data=BILLING)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    twice = await world.http.post("/revoke", data=BILLING | {"token": ["a", "b"]})
    assert twice.status_code == 400
    assert (await world.http.get("/revoke?token=x")).status_code == 405


async def test_nothing_ends_that_the_log_does_not_hold(world):
    grant = world.grant()
    world.audit.failing = True
    for token in (world.access_token(grant), world.refresh_token(grant)):
        response = await revoke(world, token)
        assert (response.status_code, response.json()["error"]) == (503, "temporarily_unavailable")
    assert grant_of(world, grant).revoked_at is None
    assert revoked_tokens(world) == {}
    assert world.published == []


async def test_scripts_of_every_origin_may_revoke(world):
    response = await revoke(world, "x")
    assert response.headers["access-control-allow-origin"] == "*"


# -- what was exchanged -----------------------------------------------------------


@pytest.fixture
def family(world):
    """A grant, one that was exchanged from it, one from that one, and one beside them."""
    first = world.grant()
    second = world.grant("reports", id=GrantId("grt_2"), parent_id=first.id)
    third = world.grant("desk", id=GrantId("grt_3"), parent_id=second.id)
    return first, second, third, world.grant("reports", id=GrantId("grt_4"))


def live(world, grants):
    return [grant_of(world, grant).revoked_at is None for grant in grants]


async def test_with_a_refresh_token_ends_all_that_was_exchanged_and_each_has_its_event(
    world, family
):
    await revoke(world, world.refresh_token(family[0]))
    assert live(world, family) == [False, False, False, True]
    told = [(event.context.grant_id, event.reason) for event in world.audit.of(GrantRevoked)]
    assert told[0] == (family[0].id, "revoked_by_client")
    assert set(told[1:]) == {("grt_2", "parent_grant_ended"), ("grt_3", "parent_grant_ended")}


async def test_with_an_access_token_ends_what_was_exchanged_and_not_its_grant(world, family):
    await revoke(world, world.access_token(family[0], jti="at_1"))
    assert live(world, family) == [True, False, False, True]
    assert revoked_tokens(world) == {"at_1": world.clock.now() + 600}


async def test_what_was_exchanged_ends_without_what_it_was_exchanged_from(world, family):
    token = world.refresh_token(family[1])
    await revoke(world, token, REPORTS)
    assert live(world, family) == [True, False, False, True]


async def test_who_holds_the_exchanged_token_ends_nothing_above_it(world, family):
    await revoke(world, world.access_token(family[1], client_id="reports"), REPORTS)
    assert live(world, family) == [True, True, False, True]
