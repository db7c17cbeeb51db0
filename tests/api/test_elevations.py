import pytest

from remit.approvals.errors import NotYoursError, RequestEndedError
from remit.audit.approval_events import ElevationRevoked
from remit.guard import Permit
from tests.api.bureau import Bureau, office  # noqa: F401  a fixture


@pytest.fixture
def bureau(office):  # noqa: F811
    return Bureau(office)


@pytest.fixture
async def given(bureau):
    """An elevation that nobody used yet."""
    await bureau.answers("approve", bureau.by("bob"), await bureau.asked())
    (one,) = (await bureau.call("elevations.list", bureau.socket))["elevations"]
    return one


async def test_what_was_allowed_is_listed_until_it_is_used(bureau, given):
    assert given["roles"] == ["manager"]
    assert given["grant"] == "gnt_1"
    for grant, found in (("gnt_1", 1), ("gnt_2", 0)):
        listed = await bureau.call("elevations.list", bureau.socket, query={"grant": grant})
        assert len(listed["elevations"]) == found
    assert isinstance(await bureau.office.decide(bureau.office.update()), Permit)
    assert (await bureau.call("elevations.list", bureau.socket))["elevations"] == []


async def test_what_is_ended_admits_nothing(bureau, given, events):
    path = {"elevation": given["id"]}
    ended = await bureau.call("elevations.revoke", bureau.socket, path=path, body={"reason": "x"})
    assert ended["revoked_at"] == bureau.office.clock.now()
    assert [one.reason for one in events.of(ElevationRevoked)] == ["x"]
    assert not isinstance(await bureau.office.decide(bureau.office.update()), Permit)
    with pytest.raises(RequestEndedError):
        await bureau.call("elevations.revoke", bureau.socket, path=path)


async def test_what_was_used_cannot_be_ended(bureau, given):
    await bureau.office.decide(bureau.office.update())
    with pytest.raises(RequestEndedError):
        await bureau.call("elevations.revoke", bureau.socket, path={"elevation": given["id"]})


async def test_what_is_another_organisations_is_not_there(bureau, given, events):
    by = bureau.by("eve", tenant="globex")
    assert (await bureau.call("elevations.list", by))["elevations"] == []
    for name in (given["id"], "elv_none"):
        with pytest.raises(NotYoursError):
            await bureau.call("elevations.revoke", by, path={"elevation": name})
    assert events.of(ElevationRevoked) == []
