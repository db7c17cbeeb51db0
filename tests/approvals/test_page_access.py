"""The page of what a person can have for a while."""

from dataclasses import replace

import pytest

from remit.audit.approval_events import AccessEnded, AccessGranted, AccessRequested
from remit.clock import Seconds
from remit.identity import Passwords
from remit.model import ACR_MULTI_FACTOR, ACR_PASSWORD, AccessOffer, JustificationField
from tests.approvals.front import front_of, words_of

BILLING = AccessOffer(
    name="billing",
    role="finance",
    people_roles=("manager",),
    longest=Seconds(7_200),
    acr=ACR_MULTI_FACTOR,
    justification=("reason", "ticket_number"),
)
TICKET = JustificationField(name="ticket_number", title="Change ticket", pattern="CHG-[0-9]+")


@pytest.fixture
def front(office):
    office.use_approvals(access={"billing": BILLING}, justifications={"ticket_number": TICKET})
    passwords = Passwords(passes=1, memory_kib=8, lanes=1)
    yield front_of(office, passwords)
    passwords.close()


async def ask(visitor, **fields):
    page = await visitor.get("/access")
    filled = {
        "seconds": "3600",
        "told_reason": "month end",
        "told_ticket_number": "CHG-12",
        **fields,
    }
    return await visitor.send(page, "/access/ask", **filled)


async def test_the_page_says_what_may_be_asked_for_and_on_what_terms(front):
    page = await (await front.visitor("bob")).get("/access")
    words = words_of(page.text)
    assert "You have none at the moment" in words
    assert "The role finance" in words
    assert "You have it at once" in words
    assert "15 minutes 30 minutes 1 hour 2 hours" in words
    assert "Change ticket" in words


async def test_what_is_asked_for_is_had_and_given_back(front, events):
    visitor = await front.visitor("bob")
    response = await ask(visitor)
    assert response.headers["location"] == "/access"
    (given,) = events.of(AccessGranted)
    assert given.expires_at == front.office.clock.now() + 3_600
    page = await visitor.get("/access")
    assert "Yours until" in words_of(page.text)
    assert "/access/ask" not in page.text
    await visitor.send(page, "/access/end")
    assert [one.how for one in events.of(AccessEnded)] == ["returned"]
    assert "What you had" in words_of((await visitor.get("/access")).text)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"told_reason": ""}, "“Reason” is missing"),
        ({"told_ticket_number": "12"}, "“Change ticket” is not as it must be"),
        ({"seconds": "999999"}, "has to be between"),
        ({"seconds": "soon"}, "Say for how long"),
        ({"seconds": "9" * 40}, "Say for how long"),
        ({"ticket": "<b>"}, "ticket"),
    ],
    ids=str,
)
async def test_what_cannot_be_had_so_is_said_beside_what_was_filled_in(
    front, events, fields, words
):
    response = await ask(await front.visitor("bob"), **fields)
    assert response.status_code == 400
    assert words.lower() in words_of(response.text).lower()
    assert "<b>" not in response.text
    if "told_reason" not in fields:
        assert 'value="month end"' in response.text
    assert events.of(AccessRequested) == []


async def test_who_logged_in_too_weakly_does_so_first(front, events):
    response = await ask(await front.visitor("bob", acr=ACR_PASSWORD))
    assert response.headers["location"].startswith("/login?return_to=%2Faccess%3Facr%3D")
    assert events.of(AccessRequested) == []


async def test_what_is_for_others_is_not_offered_nor_given(front, events):
    visitor = await front.visitor("fay")
    page = await visitor.get("/access")
    assert "billing" not in page.text
    bobs = await (await front.visitor("bob")).get("/access")
    response = await visitor.send(bobs, "/access/ask", seconds="3600", told_reason="x")
    assert response.status_code == 403
    assert events.of(AccessRequested) == []


async def test_nobody_gives_back_what_is_somebody_elses(front, events):
    visitor = await front.visitor("bob")
    await ask(visitor)
    (given,) = events.of(AccessGranted)
    other = await front.visitor("cyn")
    page = await other.get("/access")
    await other.send(page, "/access/ask", offer="none", seconds="60")
    await other.client.post(
        "/access/end",
        data={"access": given.access},
        headers={"origin": front.origin, "sec-fetch-site": "same-origin"},
    )
    assert events.of(AccessEnded) == []


async def test_a_form_of_another_site_asks_for_nothing(front, events):
    visitor = await front.visitor("bob")
    page = await visitor.get("/access")
    response = await visitor.send(
        page, "/access/ask", headers={"sec-fetch-site": "cross-site"}, seconds="3600"
    )
    assert response.status_code == 403
    assert events.of(AccessRequested) == []


async def test_who_approves_it_reads_for_whom_for_how_long_and_why(front, office):
    offer = replace(BILLING, approver="director", justification=("reason",), scopes=())
    office.use_approvals(access={"billing": offer})
    visitor = await front.visitor("bob")
    page = await visitor.get("/access")
    assert "Somebody who is director approves it first" in words_of(page.text)
    await visitor.send(page, "/access/ask", seconds="3600", told_reason="<b>month</b> end")
    assert "Waits for approval until" in words_of((await visitor.get("/access")).text)
    director = await front.visitor("dora")
    inbox = await director.get("/approvals")
    path = inbox.text.split('href="/approvals/apr_')[1].split('"')[0]
    asked = await director.get(f"/approvals/apr_{path}")
    words = words_of(asked.text)
    assert "finance for 1 hour Bob (bob) asks to have it for a while" in words
    assert "Asks for access" in words
    assert "&lt;b&gt;month&lt;/b&gt; end" in asked.text
    await director.send(asked, f"/approvals/apr_{path}", decision="allow")
    ((request, outcome),) = office.given
    assert (request, outcome.refused) == (f"apr_{path}", None)
    done = await director.get(f"/approvals/done/apr_{path}")
    assert "The access is allowed" in words_of(done.text)


async def test_nobody_approves_their_own_access(front, office):
    office.use_approvals(access={"billing": replace(BILLING, approver="manager", justification=())})
    visitor = await front.visitor("bob")
    page = await visitor.get("/access")
    await visitor.send(page, "/access/ask", seconds="3600")
    inbox = words_of((await visitor.get("/approvals")).text)
    assert "Others need your approval" not in inbox
    assert "Yours, waiting for others" in inbox


async def test_who_is_not_logged_in_logs_in_and_comes_back(front):
    response = await (await front.visitor(None)).get("/access")
    assert response.headers["location"] == "/login?return_to=%2Faccess"
