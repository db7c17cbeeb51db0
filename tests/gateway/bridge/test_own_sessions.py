"""Who is lent which session, and who gives one up."""

import pytest

from remit.gateway.bridge.limits import BridgeLimits
from remit.gateway.bridge.own_sessions import OwnSessions
from remit.gateway.rejection import NoPlaceError, RejectedError, UpstreamError
from remit.testing.clock import FixedClock
from tests.gateway.bridge.fakes import OldServer, modern
from tests.gateway.doubles import until

LIMITS = BridgeLimits(sessions_per_principal=2, sessions=3)


@pytest.fixture
def server():
    return OldServer()


@pytest.fixture
async def sessions(server):
    sessions = OwnSessions(server.open_session, LIMITS, FixedClock(), gives_way=lambda _: None)
    yield sessions
    await sessions.close()
    assert server.open == []


def lend(sessions, name="dana", capabilities=None):
    return sessions.lend(modern("tools/list", name=name), capabilities or {})


async def test_one_that_was_given_back_is_lent_again(sessions):
    first = await lend(sessions)
    sessions.give_back(first)
    assert await lend(sessions) is first


async def test_one_in_use_is_lent_to_nobody(sessions):
    assert await lend(sessions) is not await lend(sessions)


async def test_nobody_has_more_than_their_share(sessions):
    await lend(sessions)
    await lend(sessions)
    with pytest.raises(RejectedError) as caught:
        await lend(sessions)
    assert caught.value.status == 429
    assert (b"retry-after", b"1") in caught.value.headers


async def test_an_idle_one_of_ones_own_makes_place(sessions, server):
    sessions.give_back(await lend(sessions))
    await lend(sessions, capabilities={"roots": {}})
    await lend(sessions, capabilities={"sampling": {}})
    assert len(sessions) == 2


async def test_an_idle_one_of_anybodys_makes_place(sessions):
    sessions.give_back(await lend(sessions, "eve"))
    await lend(sessions)
    await lend(sessions)
    await lend(sessions, "ann")
    assert len(sessions) == 3


async def test_with_nothing_to_give_up_there_is_no_place(sessions):
    for name in ("dana", "eve", "ann"):
        await lend(sessions, name)
    with pytest.raises(RejectedError) as caught:
        await lend(sessions, "bob")
    assert caught.value.status == 503


async def test_a_place_with_the_server_is_made_by_an_idle_one(sessions, server):
    server.places = 1
    sessions.give_back(await lend(sessions, "eve"))
    await lend(sessions)
    with pytest.raises(NoPlaceError):
        await lend(sessions, "ann")


async def test_one_that_does_not_open_takes_no_place(sessions, server):
    server.initialized = {"protocolVersion": "1999-01-01"}
    with pytest.raises(UpstreamError):
        await lend(sessions)
    assert len(sessions) == 0


async def test_when_another_has_taken_its_place_nothing_is_kept(sessions, server):
    idle, used = await lend(sessions), await lend(sessions)
    sessions.give_back(idle)
    sessions.retire()
    sessions.give_back(used)
    await until(lambda: not server.open)
