"""The answer to the consent page."""

import asyncio

import pytest
from flows import CRM, ORIGIN, answer, hidden_fields, offered
from sqlalchemy import func, select

from remit.audit.events import (
    AuthorizationCodeIssued,
    AuthorizationRefused,
    ConsentDenied,
    ConsentGranted,
)
from remit.oauth.credential_store import authorization_codes
from remit.oauth.grant_store import grants

BOTH = ["crm:accounts.read", "crm:accounts.write"]


def count(server, table=grants):
    return server.database.read_now(
        lambda tx: tx.connection.scalar(select(func.count()).select_from(table))
    )


@pytest.fixture
async def browser(server):
    await server.add_user()
    return server.browser()


@pytest.fixture
async def page(browser):
    return await browser.to_consent()


async def test_allowing_makes_a_grant_a_code_and_two_events_at_once(server, browser, page):
    answer(await browser.decide(page))
    (consent,) = server.events(ConsentGranted)
    (issued,) = server.events(AuthorizationCodeIssued)
    assert consent.resource == issued.resource == CRM
    assert consent.requested == consent.granted == issued.scopes == tuple(BOTH)
    assert consent.shown_digest == hidden_fields(page.text)["shown"]
    context = consent.context
    assert context.grant_id == issued.context.grant_id
    assert context.tenant == "acme"
    assert context.environment == "prod"
    assert context.agent_id == context.client_id == "portal"
    assert context.actor.type.value == "user"
    assert context.actor.id == context.user_id
    assert context.network.ip == "203.0.113.7"
    assert count(server) == count(server, authorization_codes) == 1


async def test_less_than_was_asked_may_be_allowed(server, browser, page):
    code = answer(await browser.decide(page, scopes=["crm:accounts.read"]))["code"]
    assert (await server.redeem(code)).json()["scope"] == "crm:accounts.read"
    assert server.events(ConsentGranted)[0].requested == tuple(BOTH)
    assert server.events(ConsentGranted)[0].granted == ("crm:accounts.read",)


async def test_refusing_tells_the_client_and_grants_nothing(server, browser, page):
    back = answer(await browser.decide(page, "refuse"))
    assert back["error"] == "access_denied"
    assert back["state"] == "st-1 ä&=%"
    assert back["iss"] == ORIGIN
    (denied,) = server.events(ConsentDenied)
    assert denied.shown_digest == hidden_fields(page.text)["shown"]
    assert denied.requested == tuple(BOTH)
    assert not server.events(ConsentGranted)
    assert count(server) == 0


async def test_nothing_ticked_is_no_answer_and_the_page_keeps_it_so(server, browser, page):
    again = await browser.decide(page, scopes=[])
    assert again.status_code == 400
    assert "Nothing is ticked" in again.text
    assert offered(again.text) == BOTH
    assert " checked" not in again.text
    assert count(server) == 0
    assert "code" in answer(await browser.decide(again))


@pytest.mark.parametrize("decision", [None, "", "yes", "ALLOW"])
async def test_anything_but_allow_and_refuse_is_no_answer(server, browser, page, decision):
    again = await browser.decide(page, decision)
    assert again.status_code == 400
    assert "location" not in again.headers
    assert count(server) == 0


async def test_a_form_cannot_add_to_what_it_offered(server, browser, page):
    wider = [*BOTH, "crm:accounts.export", "payments:ledger.admin", "crm:handbook.read"]
    code = answer(await browser.decide(page, scopes=wider))["code"]
    assert (await server.redeem(code)).json()["scope"] == " ".join(BOTH)


async def test_only_what_was_not_offered_is_nothing(server, browser, page):
    again = await browser.decide(page, scopes=["crm:accounts.export"])
    assert again.status_code == 400
    assert count(server) == 0


async def test_a_second_answer_counts_for_nothing(server, browser, page):
    answer(await browser.decide(page))
    for decision in ("allow", "refuse"):
        again = await browser.decide(page, decision)
        assert again.status_code == 400
        assert "location" not in again.headers
    assert count(server) == 1
    assert not server.events(ConsentDenied)


async def test_of_two_answers_at_once_one_counts(server, browser, page):
    both = await asyncio.gather(browser.decide(page), browser.decide(page))
    assert sorted(response.status_code for response in both) == [303, 400]
    assert count(server) == count(server, authorization_codes) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://remit.example"},
    ],
    ids=str,
)
async def test_a_form_from_another_site_is_refused(server, browser, page, headers):
    response = await browser.decide(page, headers=headers)
    assert response.status_code == 403
    assert "location" not in response.headers
    assert count(server) == 0
    assert [event.error for event in server.events(AuthorizationRefused)] == ["cross_site_request"]


@pytest.mark.parametrize("token", ["", "x", "é", "a" * 43])
async def test_a_form_without_its_token_is_refused(server, browser, page, token):
    response = await browser.decide(page, csrf_token=token)
    assert response.status_code == 403
    assert count(server) == 0


async def test_the_token_of_another_request_does_not_do(server, browser, page):
    other = await browser.to_consent(state="other")
    token = hidden_fields(other.text)["csrf_token"]
    assert (await browser.decide(page, csrf_token=token)).status_code == 403
    assert count(server) == 0


async def test_an_answer_from_another_browser_is_refused(server, browser, page):
    stranger = server.browser()
    await stranger.to_consent()
    response = await stranger.decide(page)
    assert response.status_code == 400
    assert "no longer open" in response.text
    assert count(server) == 0


async def test_what_one_person_was_shown_is_not_another_persons_answer(server, browser, page):
    await server.add_user("grace")
    login = await browser.client.get("/login?return_to=/authorize")
    await browser.post(
        "/login",
        {
            **hidden_fields(login.text),
            "username": "grace",
            "password": "correct horse battery staple",
        },
    )
    assert (await browser.decide(page)).status_code == 403
    assert count(server) == 0


async def test_an_answer_after_logging_out_asks_to_log_in(server, browser, page):
    session = next(c for c in browser.client.cookies.jar if "session" in c.name)
    browser.client.cookies.jar.clear(session.domain, session.path, session.name)
    response = await browser.decide(page)
    assert response.headers["location"].startswith("/authorize/continue?")
    assert count(server) == 0


async def test_words_that_are_no_longer_true_are_shown_again(server, browser, page):
    server.change_agent("portal", scopes=("crm:accounts.read",))
    again = await browser.decide(page)
    assert again.status_code == 400
    assert "has changed" in again.text
    assert offered(again.text) == ["crm:accounts.read"]
    assert count(server) == 0
    code = answer(await browser.decide(again))["code"]
    assert (await server.redeem(code)).json()["scope"] == "crm:accounts.read"


async def test_a_policy_that_came_in_between_refuses(server, browser, page):
    server.change_policies(
        '@id("closed") forbid (principal, action == Remit::Action::"issue", resource);'
    )
    assert answer(await browser.decide(page))["error"] == "access_denied"
    assert count(server) == 0


async def test_an_answer_that_is_too_late_counts_for_nothing(server, browser, page):
    server.clock.advance(600)
    assert (await browser.decide(page)).status_code == 400
    assert count(server) == 0


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_only_a_post_is_an_answer(server, browser, page, method):
    fields = {**hidden_fields(page.text), "decision": "allow", "scope": BOTH}
    response = await browser.client.request(method, "/authorize/consent", params=fields)
    assert response.status_code == 405
    assert count(server) == 0


async def test_a_field_that_comes_twice_is_refused(server, browser, page):
    response = await browser.decide(page, decision=["refuse", "allow"])
    assert response.status_code == 400
    assert count(server) == 0


async def test_a_body_that_is_no_form_is_refused(server, browser, page):
    response = await browser.client.post(
        "/authorize/consent", json={**hidden_fields(page.text), "decision": "allow"}
    )
    assert response.status_code == 400
    assert count(server) == 0


async def test_a_log_that_cannot_take_the_consent_leaves_everything_as_it_was(
    server, browser, page
):
    server.audit.failing = True
    assert (await browser.decide(page)).status_code == 503
    assert count(server) == count(server, authorization_codes) == 0
    server.audit.failing = False
    assert "code" in answer(await browser.decide(page))
