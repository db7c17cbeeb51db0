"""Ending an elevation before it is used."""

import pytest

from remit.approvals.errors import NotYoursError, RequestEndedError
from remit.audit.approval_events import ElevationRevoked
from remit.guard.outcome import Deny, Permit
from remit.ids import GrantId
from remit.oauth import find_grant, revoke_grant


async def _given(office):
    await office.answers("ada", await office.asked())
    (elevation,) = await office.desk.elevations(grant_id=GrantId("gnt_1"))
    return elevation


async def _revoke(office, elevation_id, name="ada"):
    person = None if name is None else await office.person(name)
    return await office.desk.revoke_elevation(
        elevation_id, person=person, reason="no longer", context=office.context
    )


@pytest.mark.parametrize("name", ["ada", None], ids=["theirs", "administrator"])
async def test_it_admits_nothing_any_more(office, events, name):
    elevation = await _given(office)
    ended = await _revoke(office, elevation.id, name)
    assert ended.revoked_at == office.clock.now()
    assert isinstance(await office.decide(), Deny)
    (event,) = events.of(ElevationRevoked)
    assert (event.elevation, event.reason) == (elevation.id, "no longer")
    assert await office.desk.elevations(tenant="acme") == ()


async def test_nobody_ends_what_is_somebody_elses(office):
    elevation = await _given(office)
    with pytest.raises(NotYoursError):
        await _revoke(office, elevation.id, "bob")
    with pytest.raises(NotYoursError):
        await _revoke(office, "elv_none")


async def test_what_was_used_or_has_ended_is_not_ended_again(office):
    elevation = await _given(office)
    await office.decide()
    with pytest.raises(RequestEndedError):
        await _revoke(office, elevation.id)


async def test_what_was_taken_back_as_a_grant_admits_nothing_and_can_be_asked_for_anew(
    office, events
):
    """On the account page, or by an administrator who ends grants."""
    elevation = await _given(office)

    def take_back(tx):
        return revoke_grant(
            tx, elevation.grant, reason="mine", at=office.clock.now(), context=office.context
        )

    assert await office.database.run(take_back)
    assert await office.desk.elevations(tenant="acme") == ()
    refused = await office.decide()
    assert isinstance(refused, Deny)
    assert refused.asked.id != elevation.approval
    with pytest.raises(RequestEndedError):
        await _revoke(office, elevation.id)
    await office.answers("ada", refused.asked.id)
    assert isinstance(await office.decide(), Permit)
    (event,) = events.of(ElevationRevoked)
    assert (event.elevation, event.reason) == (elevation.id, "mine")


async def test_what_is_ended_here_is_a_grant_that_was_revoked(office):
    elevation = await _given(office)
    await _revoke(office, elevation.id)
    grant = office.database.read_now(lambda tx: find_grant(tx, elevation.grant))
    assert (grant.revoked_at, grant.revoke_reason) == (office.clock.now(), "no longer")


async def test_they_are_listed_by_organisation_person_and_grant(office):
    elevation = await _given(office)
    for wanted in ({}, {"tenant": "acme"}, {"person": await office.person("ada")}):
        assert await office.desk.elevations(**wanted) == (elevation,)
    for wanted in ({"tenant": "globex"}, {"person": await office.person("bob")}):
        assert await office.desk.elevations(**wanted) == ()
    office.later(300)
    assert await office.desk.elevations() == ()
