"""What a person sees and takes back of what was allowed of their calls."""

import pytest
from elevating import SCOPE, elevate, found, own_grant
from flows import ADMIN

from remit.audit.approval_events import ElevationRevoked
from remit.identity import find_user
from remit.oauth import elevation_section, spend_elevation_grant


@pytest.fixture
async def ada(server):
    await server.granted()
    user_id = own_grant(server).user_id
    return await server.database.read(lambda tx: find_user(tx, user_id))


@pytest.fixture
def section(server):
    return elevation_section(server.deps)


async def test_a_person_sees_the_call_who_makes_it_and_until_when(server, section, ada):
    made = await elevate(server)
    (entry,) = await section.entries(ada)
    assert entry.id == made
    assert entry.title == "update_account on Customer accounts"
    who, what, until = entry.facts
    assert who == "By Customer portal"
    assert what == f"Allows: {SCOPE}"
    assert until.startswith("Until ")
    assert until.endswith(" UTC")


async def test_a_server_that_is_declared_no_more_is_named_as_it_was(server, section, ada):
    await elevate(server, scopes=(), server="ledger")
    (entry,) = await section.entries(ada)
    assert entry.title == "update_account on ledger"
    assert len(entry.facts) == 2


async def test_what_was_used_expired_or_ended_is_not_there(server, section, ada):
    used, expired = await elevate(server), await elevate(server, lasts=1)
    server.clock.advance(1)
    await server.database.run(lambda tx: spend_elevation_grant(tx, used, at=server.clock.now()))
    assert await section.entries(ada) == []
    await section.remove(ada, expired, ADMIN)
    await section.remove(ada, used, ADMIN)
    assert not server.events(ElevationRevoked)


async def test_taking_it_back_ends_it_once_and_is_told_at_once(server, section, ada):
    made, published = await elevate(server), server.published
    await section.remove(ada, made, ADMIN)
    await section.remove(ada, made, ADMIN)
    assert not found(server, made).is_live(server.clock.now())
    (event,) = server.events(ElevationRevoked)
    assert (event.elevation, event.reason) == (made, "taken_back_by_person")
    assert server.published == published + 1


async def test_nobody_takes_back_what_is_another_persons(server, section, ada):
    made, bob = await elevate(server), await server.add_user("bob")
    assert await section.entries(bob) == []
    await section.remove(bob, made, ADMIN)
    assert found(server, made).is_live(server.clock.now())


async def test_no_grant_but_an_elevation_can_be_ended_here(server, section, ada):
    grant = own_grant(server)
    for one in (grant.id, "elv_unknown", ""):
        await section.remove(ada, one, ADMIN)
    assert own_grant(server) == grant
