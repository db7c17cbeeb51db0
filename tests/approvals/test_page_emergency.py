"""Emergency access on a page: taken by the few, seen by all, reviewed by somebody else."""

import re

import pytest

from remit.audit.approval_events import AccessEnded, EmergencyReviewed, EmergencyTaken
from remit.clock import Seconds
from remit.identity import Passwords
from remit.model import ACR_MULTI_FACTOR, ACR_PASSWORD, EmergencyAccess
from tests.approvals.front import front_of, words_of

GLASS = EmergencyAccess(
    name="break-glass",
    people=("ada", "bob"),
    role="director",
    longest=Seconds(1_800),
    reviewer="manager",
)


@pytest.fixture
def front(office):
    office.use_approvals(emergency={"break-glass": GLASS})
    passwords = Passwords(passes=1, memory_kib=8, lanes=1)
    yield front_of(office, passwords)
    passwords.close()


async def take(visitor, **fields):
    page = await visitor.get("/emergency")
    filled = {"seconds": "900", "told_reason": "the plant is on fire", **fields}
    return await visitor.send(page, "/emergency/take", **filled)


def form_at(html: str, access: str) -> str:
    """The review form of that access alone."""
    (form,) = [
        one
        for one in re.findall(
            r'<form method="post" action="/emergency/review">.*?</form>', html, re.DOTALL
        )
        if access in one
    ]
    return form


async def test_the_page_says_what_happens_then(front):
    words = words_of((await (await front.visitor("ada")).get("/emergency")).text)
    assert "an alarm is raised at once" in words
    assert "Somebody who is manager has to review it within 3 days" in words


async def test_it_is_taken_at_once_and_everybody_reads_it_on_every_page(front, events):
    visitor = await front.visitor("ada")
    await take(visitor)
    (taken,) = events.of(EmergencyTaken)
    assert taken.expires_at == front.office.clock.now() + 900
    other = await front.visitor("fay")
    for path in ("/approvals", "/access", "/emergency"):
        assert "“break-glass” is in use by Ada until" in words_of((await other.get(path)).text)
    strangers = await (await front.visitor("eve")).get("/approvals")
    assert "break-glass" not in strangers.text


async def test_it_is_given_back_and_stays_in_view_until_it_is_reviewed(front, events):
    visitor = await front.visitor("ada")
    await take(visitor)
    await visitor.send(await visitor.get("/emergency"), "/emergency/end")
    assert [one.how for one in events.of(AccessEnded)] == ["returned"]
    other = await front.visitor("cyn")
    page = await other.get("/emergency")
    assert "used by Ada, has to be reviewed by" in words_of(page.text)
    assert "the plant is on fire" in page.text
    await other.send(page, "/emergency/review", verdict="justified", reason="It was on fire.")
    (reviewed,) = events.of(EmergencyReviewed)
    assert reviewed.verdict == "justified"
    assert "break-glass" not in (await other.get("/approvals")).text


async def test_a_review_that_is_late_is_shown_as_such(front):
    await take(await front.visitor("ada"))
    front.office.later(3 * 86_400)
    page = words_of((await (await front.visitor("cyn")).get("/emergency")).text)
    assert "Review overdue" in page
    assert "was to be reviewed by" in page
    assert "The review is overdue." in page


@pytest.mark.parametrize("name", ["ada", "fay"])
async def test_neither_who_used_it_nor_who_is_no_reviewer_is_shown_a_review(front, name):
    await take(await front.visitor("ada"))
    page = await (await front.visitor(name)).get("/emergency")
    assert "/emergency/review" not in page.text


async def test_a_reviewer_does_not_review_themselves(front, events):
    visitor = await front.visitor("bob")
    await take(visitor)
    page = await (await front.visitor("cyn")).get("/emergency")
    access = form_at(page.text, "acc_").split('name="access" value="')[1].split('"')[0]
    mine = await visitor.get("/emergency")
    token = mine.text.split('name="csrf_token" value="')[1].split('"')[0]
    response = await visitor.client.post(
        "/emergency/review",
        data={"csrf_token": token, "access": access, "verdict": "justified", "reason": "mine"},
        headers={"origin": front.origin, "sec-fetch-site": "same-origin"},
    )
    assert response.status_code == 400
    assert events.of(EmergencyReviewed) == []


async def test_a_review_without_a_word_is_none(front, events):
    await take(await front.visitor("ada"))
    visitor = await front.visitor("cyn")
    page = await visitor.get("/emergency")
    response = await visitor.send(page, "/emergency/review", verdict="justified", reason="  ")
    assert response.status_code == 400
    assert "what you found" in response.text
    assert events.of(EmergencyReviewed) == []


async def test_anything_but_justified_is_not_justified(front, events):
    await take(await front.visitor("ada"))
    visitor = await front.visitor("cyn")
    page = await visitor.get("/emergency")
    await visitor.send(page, "/emergency/review", verdict="whatever", reason="I looked")
    assert [one.verdict for one in events.of(EmergencyReviewed)] == ["unjustified"]


async def test_it_takes_a_passkey(front, events):
    response = await take(await front.visitor("ada", acr=ACR_MULTI_FACTOR))
    assert response.headers["location"].startswith("/login?return_to=%2Femergency%3Facr%3D")
    assert events.of(EmergencyTaken) == []


async def test_who_logged_in_some_time_ago_logs_in_anew(front, events):
    visitor = await front.visitor("ada")
    front.office.later(301)
    response = await take(visitor)
    assert response.headers["location"].startswith("/login?return_to=%2Femergency%3Facr%3D")
    assert "anew%3D1" in response.headers["location"]
    assert events.of(EmergencyTaken) == []


async def test_a_review_takes_more_than_a_password(front, events):
    await take(await front.visitor("ada"))
    weak = await front.visitor("cyn", acr=ACR_PASSWORD)
    page = await weak.get("/emergency")
    response = await weak.send(page, "/emergency/review", verdict="justified", reason="I looked")
    assert response.headers["location"].startswith("/login?return_to=%2Femergency%3Facr%3D")
    assert events.of(EmergencyReviewed) == []


@pytest.mark.parametrize("fields", [{"told_reason": ""}, {"seconds": "99999"}], ids=str)
async def test_it_is_not_taken_without_a_reason_or_for_longer(front, events, fields):
    response = await take(await front.visitor("ada"), **fields)
    assert response.status_code == 400
    assert events.of(EmergencyTaken) == []


async def test_who_is_not_named_is_not_offered_it(front):
    page = await (await front.visitor("cyn")).get("/emergency")
    assert "/emergency/take" not in page.text


async def test_a_form_of_another_site_breaks_no_glass(front, events):
    visitor = await front.visitor("ada")
    response = await take(visitor)
    assert response.status_code == 303
    other = await front.visitor("bob")
    page = await other.get("/emergency")
    response = await other.send(
        page, "/emergency/take", headers={"origin": "https://evil.example"}, seconds="900"
    )
    assert response.status_code == 403
    assert len(events.of(EmergencyTaken)) == 1
