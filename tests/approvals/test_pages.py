"""One page for a call that waits: who sees it, what it says, and what answering it takes."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from remit.approvals.request import RequestState
from remit.audit.approval_events import ApprovalAnswered, ApprovalOpened
from remit.guard import Deny, Permit
from remit.identity import Passwords
from remit.model import ACR_MULTI_FACTOR, ACR_PASSWORD, ACR_PHISHING_RESISTANT
from tests.approvals.front import front_of, hidden_fields, words_of

RETURN = "/authorize/continue?request=abc"


@pytest.fixture
def front(office):
    passwords = Passwords(passes=1, memory_kib=8, lanes=1)
    yield front_of(office, passwords)
    passwords.close()


@pytest.fixture
async def asked(office):
    """The id of a request about a refund that its person has to confirm."""
    return await office.asked()


async def state_of(office, request_id):
    return (await office.desk.read(request_id, await office.person("ada"))).state


async def confirm(visitor, request_id, **fields):
    path = f"/approvals/{request_id}"
    page = await visitor.get(path)
    return await visitor.send(page, path, **{"decision": "allow", **fields})


# -- what it says


async def test_the_page_says_what_for_how_much_by_whom_and_on_which_system(front, asked):
    page = await (await front.visitor("ada")).get(f"/approvals/{asked}")
    words = words_of(page.text)
    assert page.status_code == 200
    for said in ("Refund", "€600.00", "Payments", "prod", "For Ada (ada)", "Your agent asks you"):
        assert said in words
    assert "This one call, once, within 5 minutes" in words
    assert "Confirm €600.00" in words


async def test_what_was_shown_is_in_the_log_as_a_digest_alone(front, office, asked, events):
    page = await (await front.visitor("ada")).get(f"/approvals/{asked}")
    (opened,) = events.of(ApprovalOpened)
    assert opened.shown == hidden_fields(page.text, f"/approvals/{asked}")["shown"]
    assert len(opened.shown) == 64
    assert "600" not in repr(events.recorded)


async def test_the_page_cannot_be_framed_cached_or_scripted(front, asked):
    headers = (await (await front.visitor("ada")).get(f"/approvals/{asked}")).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-frame-options"] == "DENY"
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self';" in policy
    assert "script-src" not in policy


async def test_markup_and_turned_text_in_arguments_are_inert(front, office):
    call = office.update(name="<script>alert(1)</script>", note="pay \u202e00.01")
    asked = await office.asked(call)
    html = (await (await front.visitor("bob")).get(f"/approvals/{asked}")).text
    assert "<script" not in html
    assert "\u202e" not in html
    assert "U+202E" in html


# -- who sees it


async def test_who_is_not_logged_in_logs_in_and_comes_back(front, asked):
    response = await (await front.visitor(None)).get(f"/approvals/{asked}?return_to=%2Fauthorize")
    assert response.status_code == 303
    query = parse_qs(urlsplit(response.headers["location"]).query)
    assert query["return_to"] == [f"/approvals/{asked}?return_to=%2Fauthorize"]


@pytest.mark.parametrize("name", ["bob", "eve", "fay"])
async def test_a_link_opened_by_another_reads_like_one_that_leads_nowhere(front, asked, name):
    visitor = await front.visitor(name)
    page = await visitor.get(f"/approvals/{asked}")
    nowhere = await visitor.get("/approvals/apr_00000000000000000000000000")
    assert page.status_code == nowhere.status_code == 404
    assert page.text == nowhere.text
    assert f"logged in as {name}" in page.text


async def test_an_answer_by_another_changes_nothing(front, office, asked):
    page = await (await front.visitor("ada")).get(f"/approvals/{asked}")
    response = await (await front.visitor("bob")).send(
        page, f"/approvals/{asked}", decision="allow"
    )
    assert response.status_code in (403, 404)
    assert await state_of(office, asked) is RequestState.WAITING


# -- answering


async def test_a_yes_lets_the_very_call_through_once(front, office, asked):
    response = await confirm(await front.visitor("ada"), asked)
    assert response.status_code == 303
    assert response.headers["location"] == f"/approvals/done/{asked}"
    assert isinstance(await office.decide(), Permit)
    assert isinstance(await office.decide(), Deny)


async def test_a_no_with_its_reason_reaches_whoever_asked(front, office, asked):
    visitor = await front.visitor("ada")
    await confirm(visitor, asked, decision="refuse", reason="not <b>this</b> one")
    page = await visitor.get(f"/approvals/done/{asked}")
    assert "The call is refused" in words_of(page.text)
    assert "not <b>this</b> one" in words_of(page.text)
    assert "<b>" not in page.text
    denied = await office.decide()
    assert denied.asked.reason == "not <b>this</b> one"


@pytest.mark.parametrize("decision", [None, "", "yes", "ALLOW", "refuse"])
async def test_whatever_is_no_yes_is_a_no(front, office, asked, decision):
    fields = {} if decision is None else {"decision": decision}
    visitor = await front.visitor("ada")
    page = await visitor.get(f"/approvals/{asked}")
    await visitor.send(page, f"/approvals/{asked}", **fields)
    assert await state_of(office, asked) is RequestState.REFUSED


async def test_an_answer_leads_on_to_the_client_that_waits(front, asked):
    visitor = await front.visitor("ada")
    page = await visitor.get(f"/approvals/{asked}?return_to={RETURN.replace('?', '%3F')}")
    response = await visitor.send(page, f"/approvals/{asked}", decision="allow")
    assert response.headers["location"] == RETURN


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example", "//evil.example", "/logout", "/authorize//evil", "/\\evil"],
)
async def test_an_answer_leads_nowhere_else(front, asked, elsewhere):
    visitor = await front.visitor("ada")
    page = await visitor.client.get(f"/approvals/{asked}", params={"return_to": elsewhere})
    assert "return_to" not in page.text
    response = await visitor.send(
        page, f"/approvals/{asked}", decision="allow", return_to=elsewhere
    )
    assert response.headers["location"] == f"/approvals/done/{asked}"


async def test_a_yes_to_other_words_than_were_shown_is_none(front, office, asked):
    visitor = await front.visitor("ada")
    page = await visitor.get(f"/approvals/{asked}")
    response = await visitor.send(page, f"/approvals/{asked}", decision="allow", shown="0" * 64)
    assert response.status_code == 409
    assert "read it once more" in response.text
    assert await state_of(office, asked) is RequestState.WAITING


async def test_words_that_changed_meanwhile_are_shown_anew(front, office, asked):
    visitor = await front.visitor("ada")
    page = await visitor.get(f"/approvals/{asked}")
    catalog = office.directory.catalog
    server = replace(catalog.servers["payments"], title="Something else")
    office.directory.catalog = replace(catalog, servers={**catalog.servers, "payments": server})
    response = await visitor.send(page, f"/approvals/{asked}", decision="allow")
    assert response.status_code == 409
    assert "Something else" in response.text
    assert await state_of(office, asked) is RequestState.WAITING
    again = await visitor.send(response, f"/approvals/{asked}", decision="allow")
    assert again.status_code == 303
    assert await state_of(office, asked) is RequestState.APPROVED


# -- where from


@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}]
)
async def test_a_form_of_another_site_changes_nothing(front, office, asked, headers):
    visitor = await front.visitor("ada")
    page = await visitor.get(f"/approvals/{asked}")
    response = await visitor.send(page, f"/approvals/{asked}", headers=headers, decision="allow")
    assert response.status_code == 403
    assert await state_of(office, asked) is RequestState.WAITING


async def test_a_form_of_another_browser_changes_nothing(front, office, asked):
    """The same person, logged in there too: a page that was sent on is worth nothing."""
    page = await (await front.visitor("ada")).get(f"/approvals/{asked}")
    other = await front.visitor("ada")
    await other.get("/approvals")
    response = await other.send(page, f"/approvals/{asked}", decision="allow")
    assert response.status_code == 403
    assert await state_of(office, asked) is RequestState.WAITING


async def test_the_form_of_one_request_answers_no_other(front, office, asked):
    other = await office.asked(office.refund("700.00"))
    visitor = await front.visitor("ada")
    page = await visitor.get(f"/approvals/{asked}")
    fields = hidden_fields(page.text, f"/approvals/{asked}")
    response = await visitor.client.post(
        f"/approvals/{other}",
        data={**fields, "decision": "allow"},
        headers={"origin": front.origin, "sec-fetch-site": "same-origin"},
    )
    assert response.status_code == 403
    assert await state_of(office, other) is RequestState.WAITING


async def test_opening_a_link_answers_nothing(front, office, asked):
    visitor = await front.visitor("ada")
    for query in ("", "?decision=allow", "?decision=allow&shown=x"):
        await visitor.get(f"/approvals/{asked}{query}")
    assert await state_of(office, asked) is RequestState.WAITING


# -- how strongly


async def test_who_logged_in_too_weakly_is_led_to_a_passkey_and_can_say_no(front, office, asked):
    visitor = await front.visitor("ada", acr=ACR_PASSWORD)
    page = await visitor.get(f"/approvals/{asked}")
    assert "Go on with your passkey" in page.text
    assert 'value="allow"' not in page.text
    location = page.text.split('href="/login?return_to=', 1)[1].split('"', 1)[0]
    assert "phr" in location
    response = await confirm(visitor, asked)
    assert response.headers["location"].startswith("/login?return_to=%2Fapprovals%2F")
    assert await state_of(office, asked) is RequestState.WAITING
    await confirm(visitor, asked, decision="refuse")
    assert await state_of(office, asked) is RequestState.REFUSED


async def test_an_old_log_in_is_not_enough(front, office, asked):
    visitor = await front.visitor("ada")
    office.later(301)
    page = await visitor.get(f"/approvals/{asked}")
    assert "used just now" in page.text
    assert 'value="allow"' not in page.text


# -- when it is over


async def test_what_expired_while_it_was_looked_at_is_over(front, office, asked):
    visitor = await front.visitor("ada")
    page = await visitor.get(f"/approvals/{asked}")
    office.later(601)
    response = await visitor.send(page, f"/approvals/{asked}", decision="allow")
    assert response.headers["location"] == f"/approvals/done/{asked}"
    done = await visitor.get(f"/approvals/done/{asked}")
    assert "This is over" in words_of(done.text)
    assert isinstance(await office.decide(), Deny)


async def test_a_second_answer_changes_nothing(front, office, asked):
    visitor = await front.visitor("ada")
    page = await visitor.get(f"/approvals/{asked}")
    await visitor.send(page, f"/approvals/{asked}", decision="allow")
    response = await visitor.send(page, f"/approvals/{asked}", decision="refuse")
    assert response.headers["location"] == f"/approvals/done/{asked}"
    assert await state_of(office, asked) is RequestState.APPROVED


async def test_the_arguments_are_on_no_page_once_it_is_over(front, office):
    asked = await office.asked(office.update(note="very private"))
    visitor = await front.visitor("bob")
    assert "very private" in (await visitor.get(f"/approvals/{asked}")).text
    await confirm(visitor, asked)
    for path in (f"/approvals/{asked}", f"/approvals/done/{asked}"):
        response = await visitor.client.get(path, follow_redirects=True)
        assert response.status_code == 200
        assert "very private" not in response.text


# -- others


async def test_a_manager_approves_what_somebody_elses_agent_asks(front, office, events):
    asked = await office.asked(office.update())
    visitor = await front.visitor("bob", acr=ACR_MULTI_FACTOR)
    page = await visitor.get(f"/approvals/{asked}")
    assert "Needs your approval" in page.text
    await visitor.send(page, f"/approvals/{asked}", decision="allow")
    assert await state_of(office, asked) is RequestState.APPROVED
    (answered,) = events.of(ApprovalAnswered)
    assert answered.capacity == "role:manager"


async def test_the_person_of_the_call_sees_that_it_waits_and_can_take_it_back(front, office):
    asked = await office.asked(office.update())
    visitor = await front.visitor("ada")
    page = await visitor.get(f"/approvals/{asked}")
    words = words_of(page.text)
    assert "Waits for others" in words
    assert "manager" in words
    assert 'value="allow"' not in page.text
    refused = await visitor.send(page, f"/approvals/{asked}", decision="allow")
    assert refused.status_code in (303, 403)
    assert await state_of(office, asked) is RequestState.WAITING
    page = await visitor.get(f"/approvals/{asked}")
    await visitor.send(page, f"/approvals/{asked}", decision="withdraw")
    assert await state_of(office, asked) is RequestState.WITHDRAWN


async def test_a_call_that_takes_both_shows_whose_word_it_takes(front, office):
    asked = await office.asked(office.refund("6000.00"))
    visitor = await front.visitor("ada", acr=ACR_PHISHING_RESISTANT)
    words = words_of((await visitor.get(f"/approvals/{asked}")).text)
    assert "The person it is for" in words
    assert "€6,000.00" in words
    await confirm(visitor, asked)
    done = words_of((await visitor.get(f"/approvals/done/{asked}")).text)
    assert "Your answer is recorded" in done
    assert "said yes" in done
