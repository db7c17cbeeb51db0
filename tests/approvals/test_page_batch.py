"""Like requests side by side: each that is ticked is answered by itself, in the words that were shown of it."""

import re

import pytest

from remit.approvals.request import RequestState
from remit.audit.approval_events import ApprovalAnswered, ApprovalOpened
from remit.identity import Passwords
from remit.model import ACR_PASSWORD
from tests.approvals.front import front_of, words_of


@pytest.fixture
def front(office):
    passwords = Passwords(passes=1, memory_kib=8, lanes=1)
    yield front_of(office, passwords)
    passwords.close()


@pytest.fixture
async def three(office):
    """The ids of three updates that a manager is asked about."""
    return [await office.asked(office.update(name=f"n{n}", note="the same")) for n in range(3)]


def ticks(html: str) -> list[str]:
    return re.findall(r'name="request" value="([^"]+)"', html)


async def states(office, ids):
    person = await office.person("ada")
    return [(await office.desk.read(one, person)).state for one in ids]


async def test_what_is_common_stands_once_and_what_differs_of_each(front, three):
    page = await (await front.visitor("bob")).get(f"/approvals/like/{three[1]}")
    words = words_of(page.text)
    assert words.count("the same") == 1
    for n in range(3):
        assert words.count(f"n{n}") == 1
    assert len(ticks(page.text)) == 3
    assert " checked" not in page.text


async def test_only_what_is_ticked_is_answered(front, office, three, events):
    visitor, path = await front.visitor("bob"), f"/approvals/like/{three[0]}"
    page = await visitor.get(path)
    chosen = ticks(page.text)
    done = await visitor.send(page, path, decision="allow", request=[chosen[0], chosen[2]])
    assert "Your answers are recorded" in words_of(done.text)
    assert await states(office, three) == [
        RequestState.APPROVED,
        RequestState.WAITING,
        RequestState.APPROVED,
    ]
    assert len(events.of(ApprovalAnswered)) == 2


async def test_each_answer_has_the_digest_of_its_own_words(front, three, events):
    visitor, path = await front.visitor("bob"), f"/approvals/like/{three[0]}"
    page = await visitor.get(path)
    await visitor.send(page, path, decision="refuse", request=ticks(page.text), reason="no")
    opened = {one.approval: one.shown for one in events.of(ApprovalOpened)}
    answered = {one.approval: one.shown for one in events.of(ApprovalAnswered)}
    assert opened == answered
    assert len(set(answered.values())) == 3


async def test_nothing_ticked_is_nothing_answered(front, office, three):
    visitor, path = await front.visitor("bob"), f"/approvals/like/{three[0]}"
    page = await visitor.get(path)
    response = await visitor.send(page, path, decision="allow")
    assert response.status_code == 400
    assert "Nothing is ticked" in response.text
    assert set(await states(office, three)) == {RequestState.WAITING}


async def test_what_is_not_of_the_batch_or_has_other_words_is_left(front, office, three):
    other = await office.asked(office.refund("6000.00"))
    visitor, path = await front.visitor("bob"), f"/approvals/like/{three[0]}"
    page = await visitor.get(path)
    digest = ticks(page.text)[0].partition(":")[2]
    forged = [f"{other}:{digest}", f"{three[1]}:{digest}", "apr_x:y", "nothing"]
    done = await visitor.send(page, path, decision="allow", request=forged)
    assert words_of(done.text).count("Left as it is") == 4
    assert set(await states(office, three)) == {RequestState.WAITING}


@pytest.mark.parametrize("place", [0, 1])
async def test_one_that_ended_meanwhile_stops_no_other(front, office, three, place):
    visitor, path = await front.visitor("bob"), f"/approvals/like/{three[0]}"
    page = await visitor.get(path)
    await office.answers("cyn", three[place])
    done = await visitor.send(page, path, decision="allow", request=ticks(page.text))
    assert words_of(done.text).count("Left as it is") == 1
    assert set(await states(office, three)) == {RequestState.APPROVED}


async def test_a_form_of_another_site_or_browser_changes_nothing(front, office, three):
    visitor, path = await front.visitor("bob"), f"/approvals/like/{three[0]}"
    page = await visitor.get(path)
    chosen = ticks(page.text)
    evil = {"sec-fetch-site": "cross-site"}
    response = await visitor.send(page, path, headers=evil, decision="allow", request=chosen)
    assert response.status_code == 403
    response = await (await front.visitor("bob")).send(page, path, decision="allow", request=chosen)
    assert response.status_code == 403
    assert set(await states(office, three)) == {RequestState.WAITING}


async def test_who_logged_in_too_weakly_cannot_say_yes(front, office, three):
    visitor, path = await front.visitor("bob", acr=ACR_PASSWORD), f"/approvals/like/{three[0]}"
    page = await visitor.get(path)
    assert 'value="allow"' not in page.text
    response = await visitor.send(page, path, decision="allow", request=ticks(page.text))
    assert response.status_code == 303
    assert set(await states(office, three)) == {RequestState.WAITING}


async def test_one_without_its_like_has_a_page_of_its_own(front, office):
    asked = await office.asked(office.update(name="n"))
    response = await (await front.visitor("bob")).get(f"/approvals/like/{asked}")
    assert response.headers["location"] == f"/approvals/{asked}"


@pytest.mark.parametrize("name", ["apr_%0d%0aSet-Cookie:x", "%E2%80%AE", "%5Cevil"])
async def test_whatever_the_address_names_leads_nowhere_else(front, name):
    visitor = await front.visitor("bob")
    response = await visitor.get(f"/approvals/like/{name}")
    assert response.status_code in (303, 404)
    assert response.headers.get("location", "/approvals/").startswith("/approvals/")
    assert "x" not in response.cookies


@pytest.mark.parametrize("name", ["eve", "fay", "ada"])
async def test_who_is_not_asked_sees_none_of_it(front, three, name):
    visitor = await front.visitor(name)
    response = await visitor.get(f"/approvals/like/{three[0]}")
    assert response.status_code == 303
    assert "n0" not in response.text


async def test_an_argument_that_reads_like_another_does_not_take_its_place(front, office):
    for n in range(2):
        forged = {"limit": {"value": f"90000{n}"}, "limit / value": f"1{n}"}
        asked = await office.asked(office.update(**forged))
    page = await (await front.visitor("bob")).get(f"/approvals/like/{asked}")
    words = words_of(page.text)
    assert all(value in words.split() for value in ("900000", "900001", "10", "11"))
