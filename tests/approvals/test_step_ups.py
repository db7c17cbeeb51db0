"""What waits for its own person, as the authorization server asks; and how it moves to the grant that comes of it."""

import pytest

from remit.approvals.step_ups import DatabaseStepUps
from remit.audit.approval_events import ApprovalMoved
from remit.guard.outcome import Deny, Permit
from remit.ids import ClientId, GrantId
from remit.oauth import revoke_grant
from remit.testing.catalog import CRM, PAYMENTS
from remit.tokens import audience_of

URL = "https://remit.example"
RESOURCE = audience_of(URL, PAYMENTS)


@pytest.fixture
def step_ups(office):
    return DatabaseStepUps(office.deps)


async def _waiting(step_ups, client="cli_1", user="usr_ada", resource=RESOURCE):
    return await step_ups.waiting_for(ClientId(client), user, resource)


async def test_the_oldest_that_they_can_answer_is_told(office, step_ups):
    first = await office.asked(office.refund("600.00"))
    office.later(1)
    await office.asked(office.refund("700.00"))
    found = await _waiting(step_ups)
    assert found.id == first
    assert found.url == f"{URL}/approvals/{first}"
    assert (found.acr, found.max_age, found.scopes) == ("urn:remit:acr:phr", 300, ())


@pytest.mark.parametrize(
    "of",
    [
        {"client": "cli_2"},
        {"user": "usr_fay"},
        {"resource": audience_of(URL, CRM)},
        {"resource": "https://elsewhere.example"},
    ],
    ids=["client", "person", "server", "unknown-server"],
)
async def test_what_waits_for_another_is_not_told(office, step_ups, of):
    await office.asked()
    assert await _waiting(step_ups, **of) is None


async def test_what_waits_for_others_alone_is_not_told(office, step_ups):
    await office.asked(office.update())
    assert await _waiting(step_ups, resource=audience_of(URL, CRM)) is None


async def test_what_they_answered_is_not_told_again(office, step_ups):
    request_id = await office.asked(office.refund("6000.00"))
    await office.answers("ada", request_id)
    assert await _waiting(step_ups) is None


async def test_what_lapsed_is_not_told(office, step_ups):
    await office.asked()
    office.later(600)
    assert await _waiting(step_ups) is None


async def test_what_was_allowed_counts_for_the_grant_that_comes_of_it(office, step_ups, events):
    await office.answers("ada", await office.asked())
    grant = await office.grant("gnt_2")
    await office.database.run(lambda tx: step_ups.rebind(tx, grant))
    assert isinstance(await office.decide(), Deny)
    moved = office.refund(token={"grant_id": GrantId("gnt_2")})
    assert isinstance(await office.decide(moved), Permit)
    (told,) = events.of(ApprovalMoved)
    assert (told.former, told.context.grant_id) == ("gnt_1", "gnt_2")
    assert told.elevation is not None


async def test_what_counts_for_that_grant_already_is_not_said_to_have_moved(
    office, step_ups, events
):
    await office.answers("ada", await office.asked())
    grant = await office.grant("gnt_2")
    for _ in range(2):
        await office.database.run(lambda tx: step_ups.rebind(tx, grant))
    assert len(events.of(ApprovalMoved)) == 1


async def test_what_waits_moves_too(office, step_ups, events):
    request_id = await office.asked()
    grant = await office.grant("gnt_2")
    await office.database.run(lambda tx: step_ups.rebind(tx, grant))
    moved = office.refund(token={"grant_id": GrantId("gnt_2")})
    assert await office.asked(moved) == request_id
    (told,) = events.of(ApprovalMoved)
    assert (told.approval, told.elevation, told.former) == (request_id, None, "gnt_1")
    await office.answers("ada", request_id)
    assert isinstance(await office.decide(moved), Permit)


async def test_the_same_call_that_waits_under_both_is_one(office, step_ups):
    old = await office.asked()
    grant = await office.grant("gnt_2")
    moved = office.refund(token={"grant_id": GrantId("gnt_2")})
    new = await office.asked(moved)
    await office.database.run(lambda tx: step_ups.rebind(tx, grant))
    ada = await office.person("ada")
    assert (await office.desk.read(old, ada)).state == "expired"
    assert (await office.desk.read(new, ada)).is_open


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": ClientId("cli_2")},
        {"user_id": "usr_fay"},
        {"agent_id": "job"},
        {"environment": "staging"},
        {"resource": audience_of(URL, CRM)},
    ],
    ids=["client", "person", "agent", "environment", "server"],
)
async def test_nothing_moves_to_what_is_somebody_elses(office, step_ups, changes):
    await office.answers("ada", await office.asked())
    waiting = await office.asked(office.refund("700.00"))
    grant = await office.grant("gnt_2", **changes)
    await office.database.run(lambda tx: step_ups.rebind(tx, grant))
    assert isinstance(await office.decide(), Permit)
    assert await office.asked(office.refund("700.00")) == waiting


async def test_what_was_spent_does_not_move(office, step_ups):
    await office.answers("ada", await office.asked())
    assert isinstance(await office.decide(), Permit)
    grant = await office.grant("gnt_2")
    await office.database.run(lambda tx: step_ups.rebind(tx, grant))
    moved = office.refund(token={"grant_id": GrantId("gnt_2")})
    assert isinstance(await office.decide(moved), Deny)


async def test_what_was_asked_with_a_grant_that_was_revoked_ends_with_it(office, step_ups):
    request_id = await office.asked(office.refund("6000.00"))
    await office.answers("bob", request_id)

    def revoke(tx):
        at = office.clock.now()
        revoke_grant(tx, GrantId("gnt_1"), reason="stolen", at=at, context=office.context)

    await office.database.run(revoke)
    assert await _waiting(step_ups) is None
    grant = await office.grant("gnt_2")
    await office.database.run(lambda tx: step_ups.rebind(tx, grant))
    assert (await office.desk.read(request_id, await office.person("ada"))).state == "expired"
    moved = office.refund("6000.00", token={"grant_id": GrantId("gnt_2")})
    assert await office.asked(moved) != request_id
