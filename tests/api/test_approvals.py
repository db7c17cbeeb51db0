import pytest
from pydantic import ValidationError

from remit.api.administrator import ForbiddenError
from remit.api.problems import BadRequestError
from remit.approvals.errors import (
    AlreadyAnsweredError,
    NotYoursError,
    RequestEndedError,
    ShownChangedError,
)
from remit.audit.approval_events import ApprovalAnswered
from remit.guard import Permit
from tests.api.bureau import Bureau, office  # noqa: F401  a fixture


@pytest.fixture
def bureau(office):  # noqa: F811
    return Bureau(office)


async def test_a_yes_by_a_person_who_looked_admits_the_very_call_once(bureau, events):
    approval = await bureau.asked()
    answered = await bureau.answers("approve", bureau.by("bob"), approval, reason="read it")
    assert answered["state"] == "approved"
    (said,) = answered["answers"]
    assert (said["person"], said["verdict"], said["capacity"]) == (
        "usr_bob", "approved", "role:manager",
    )  # fmt: skip
    (event,) = events.of(ApprovalAnswered)
    assert event.context.actor.id == "usr_bob"
    assert isinstance(await bureau.office.decide(bureau.office.update()), Permit)
    assert not isinstance(await bureau.office.decide(bureau.office.update()), Permit)


async def test_a_no_admits_nothing(bureau):
    approval = await bureau.asked()
    answered = await bureau.answers("refuse", bureau.by("bob"), approval, reason="no")
    assert answered["state"] == "refused"
    assert not isinstance(await bureau.office.decide(bureau.office.update()), Permit)


async def test_whoever_is_asked_sees_the_arguments_and_administrators_do_not(bureau):
    approval = await bureau.asked()
    path = {"approval": approval}
    seen = await bureau.call("approvals.look", bureau.by("bob"), path=path)
    assert seen["arguments"] == {"account": "acc_1"}
    assert len(seen["shown"]) == 64
    for by in (bureau.socket, bureau.by("bob")):
        shown = await bureau.call("approvals.show", by, path=path)
        assert "arguments" not in shown
        assert "acc_1" not in str(shown)
        listed = await bureau.call("approvals.list", by)
        assert [one["id"] for one in listed["approvals"]] == [approval]
        assert "acc_1" not in str(listed)
    assert shown["url"] == f"https://remit.example/approvals/{approval}"
    assert [need["role"] for need in shown["needs"]] == ["manager"]


async def test_an_answer_to_other_words_than_were_shown_is_none(bureau):
    approval = await bureau.asked()
    path = {"approval": approval}
    await bureau.call("approvals.look", bureau.by("bob"), path=path)
    with pytest.raises(ShownChangedError):
        await bureau.call(
            "approvals.approve", bureau.by("bob"), path=path, body={"shown": "0" * 64}
        )


async def test_an_answer_of_whoever_did_not_look_is_none(bureau):
    approval = await bureau.asked()
    path = {"approval": approval}
    seen = await bureau.call("approvals.look", bureau.by("bob"), path=path)
    with pytest.raises(ShownChangedError):
        await bureau.call(
            "approvals.approve", bureau.by("cyn"), path=path, body={"shown": seen["shown"]}
        )


async def test_nobody_answers_twice_or_what_is_decided(bureau):
    approval = await bureau.asked()
    await bureau.answers("approve", bureau.by("bob"), approval)
    for who in ("bob", "cyn"):
        with pytest.raises((RequestEndedError, AlreadyAnsweredError, NotYoursError)):
            await bureau.answers("approve", bureau.by(who), approval)


@pytest.mark.parametrize("who", ["fay", "eve"])
async def test_what_is_not_theirs_is_not_there(bureau, who):
    approval = await bureau.asked()
    by = bureau.by(who, tenant="globex" if who == "eve" else "acme")
    for verb in ("look", "approve", "refuse", "withdraw"):
        body = {"shown": "x"} if verb in {"approve", "refuse"} else {}
        with pytest.raises(NotYoursError):
            await bureau.call(f"approvals.{verb}", by, path={"approval": approval}, body=body)


async def test_what_is_another_organisations_is_not_there_for_its_administrators_either(bureau):
    approval = await bureau.asked()
    by = bureau.by("eve", tenant="globex")
    with pytest.raises(NotYoursError):
        await bureau.call("approvals.show", by, path={"approval": approval})
    assert (await bureau.call("approvals.list", by))["approvals"] == []
    with pytest.raises(ForbiddenError):
        await bureau.call("approvals.list", by, query={"tenant": "acme"})
    with pytest.raises(ForbiddenError):
        await bureau.call("approvals.stats", by, query={"tenant": "acme"})


async def test_the_inbox_has_what_waits_for_this_person(bureau):
    approval = await bureau.asked()
    for who, found in (("bob", [approval]), ("fay", []), ("ada", [])):
        inbox = await bureau.call("approvals.inbox", bureau.by(who))
        assert [one["id"] for one in inbox["approvals"]] == found, who
    with pytest.raises(ForbiddenError):
        await bureau.call("approvals.inbox", bureau.socket)


async def test_its_person_takes_it_back(bureau):
    approval = await bureau.asked()
    found = await bureau.call(
        "approvals.withdraw", bureau.by("ada"), path={"approval": approval}, body={"reason": "no"}
    )
    assert found["state"] == "withdrawn"


async def test_long_lists_come_a_page_at_a_time(bureau):
    made = []
    for place in range(5):
        made.append(await bureau.office.asked(bureau.office.update(note=str(place))))
        bureau.office.later(1)
    found, cursor = [], None
    while True:
        query = {"limit": 2} | ({} if cursor is None else {"cursor": cursor})
        page = await bureau.call("approvals.list", bureau.socket, query=query)
        found += [one["id"] for one in page["approvals"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == made[::-1]
    with pytest.raises(BadRequestError):
        await bureau.call("approvals.list", bureau.socket, query={"cursor": "WzFd"})
    with pytest.raises(ValidationError):
        await bureau.call("approvals.list", bureau.socket, query={"state": "other"})


async def test_how_people_answer_is_told(bureau):
    approval = await bureau.asked()
    await bureau.answers("approve", bureau.by("bob"), approval)
    found = (await bureau.call("approvals.stats", bureau.socket))["figures"]
    assert found[0] | {"person": None} == found[0]
    assert (found[0]["approved"], found[0]["hasty"]) == (1, 1)
    assert found[1]["person"] == "usr_bob"
    bureau.office.later(2 * 86_400)
    none = await bureau.call("approvals.stats", bureau.socket, query={"days": 1})
    assert none["figures"][0]["approved"] == 0
