import pytest

from remit.api.administrator import ForbiddenError
from remit.approvals.errors import NotADeputyError
from remit.audit.approval_events import DeputyNamed, DeputyRemoved
from remit.errors import NotFoundError
from tests.api.bureau import Bureau, office  # noqa: F401  a fixture


@pytest.fixture
def bureau(office):  # noqa: F811
    return Bureau(office)


def _named(bureau, deputy="fay", **changes):
    until = bureau.office.clock.now() + 86_400
    return {"deputy": deputy, "role": "manager", "expires_at": until} | changes


async def test_whoever_is_away_names_who_answers_and_takes_it_back(bureau, events):
    named = await bureau.call("deputies.name", bureau.by("bob"), body=_named(bureau))
    assert (named["absent"], named["deputy"], named["role"]) == ("usr_bob", "usr_fay", "manager")
    approval = await bureau.asked()
    answered = await bureau.answers("approve", bureau.by("fay"), approval)
    assert answered["answers"][0]["capacity"].startswith("deputy:usr_bob:")
    for who in ("bob", "fay"):
        assert len((await bureau.call("deputies.list", bureau.by(who)))["deputies"]) == 1
    body = {"deputy": "fay", "role": "manager"}
    left = await bureau.call("deputies.remove", bureau.by("bob"), body=body)
    assert left["deputies"] == []
    assert len(events.of(DeputyNamed)) == len(events.of(DeputyRemoved)) == 1


async def test_at_the_socket_the_operator_names_one_for_somebody_who_cannot(bureau, events):
    body = _named(bureau, person="bob")
    named = await bureau.call("deputies.name", bureau.socket, body=body)
    assert named["absent"] == "usr_bob"
    (event,) = events.of(DeputyNamed)
    assert event.context.actor.id == "uid:0"
    found = await bureau.call("deputies.list", bureau.socket, query={"person": "bob"})
    assert len(found["deputies"]) == 1


async def test_nobody_names_one_for_anybody_else(bureau):
    with pytest.raises(ForbiddenError):
        await bureau.call("deputies.name", bureau.by("cyn"), body=_named(bureau, person="bob"))
    with pytest.raises(ForbiddenError):
        await bureau.call("deputies.list", bureau.by("cyn"), query={"person": "bob"})
    with pytest.raises(ForbiddenError):
        await bureau.call("deputies.name", bureau.socket, body=_named(bureau))
    with pytest.raises(NotFoundError):
        await bureau.call("deputies.list", bureau.socket, query={"person": "never"})


@pytest.mark.parametrize(
    "changes",
    [{"deputy": "bob"}, {"deputy": "eve"}, {"role": "director"}, {"expires_at": 1}],
    ids=["oneself", "elsewhere", "a-role-not-held", "past"],
)
async def test_who_cannot_stand_for_whom_is_refused(bureau, events, changes):
    with pytest.raises(NotADeputyError):
        await bureau.call("deputies.name", bureau.by("bob"), body=_named(bureau, **changes))
    assert events.of(DeputyNamed) == []


@pytest.mark.parametrize("agent", ["robot", "nobody-knows"])
async def test_no_agent_names_one(bureau, agent):
    with pytest.raises(ForbiddenError):
        await bureau.call("deputies.name", bureau.by("bob", agent_id=agent), body=_named(bureau))
