"""What comes back from a third party: which answer makes a connection, and every other one that does not."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from remit.audit.events import AuthorizationCodeIssued, ConnectionMade, ConnectionRefused
from remit.oauth import connection_store


def parameters(url):
    return {name: one[0] for name, one in parse_qs(urlsplit(url).query).items()}


@pytest.fixture
async def sent(linked):
    """A browser whose person allowed it, and where it is to go."""
    browser = linked.browser()
    response = await browser.decide(await browser.to_consent())
    return browser, response.headers["location"]


async def come_back(browser, vendor, url, **changes):
    callback, brought = vendor.authorize(url, set(), **changes)
    return await browser.client.get(f"{callback}?{urlencode(brought)}")


@pytest.fixture
def refused(linked):
    """Asserts that nothing was kept, that the client hears of it, and what the log says."""

    def check(response, reason, *, error="access_denied"):
        assert parameters(response.headers["location"])["error"] == error
        assert [event.reason for event in linked.events(ConnectionRefused)] == [reason]
        assert linked.events(ConnectionMade) == linked.events(AuthorizationCodeIssued) == []

    return check


def nothing_happened(linked, vendor, response):
    assert response.status_code == 400
    assert "location" not in response.headers
    assert vendor.forms == []
    assert linked.events(ConnectionMade) == linked.events(AuthorizationCodeIssued) == []


async def test_what_is_issued_is_sealed_for_this_person_and_server(linked, vendor, sent):
    await come_back(sent[0], vendor, sent[1])
    (made,) = linked.events(ConnectionMade)
    row = linked.database.read_now(
        lambda tx: connection_store.find_connection(tx, user_id=made.context.user_id, server="crm")
    )
    assert row.sealed_tokens.startswith("v1.")
    assert "vendor-at" not in repr(row) + repr(linked.audit.events)


@pytest.mark.parametrize("state", [None, "guessed"])
async def test_a_state_that_is_not_ours_is_refused(linked, vendor, sent, state):
    nothing_happened(linked, vendor, await come_back(sent[0], vendor, sent[1], state=state))


async def test_a_state_counts_once(linked, vendor, sent):
    browser, url = sent
    callback, brought = vendor.authorize(url, set())
    cookies = list(browser.client.cookies.jar)
    first = await browser.client.get(f"{callback}?{urlencode(brought)}")
    assert "code=" in first.headers["location"]
    for cookie in cookies:
        browser.client.cookies.jar.set_cookie(cookie)
    assert (await browser.client.get(f"{callback}?{urlencode(brought)}")).status_code == 400
    assert len(vendor.forms) == 1


async def test_an_answer_is_of_no_use_in_another_browser(linked, vendor, sent):
    """An attacker who went there with an account of their own sends the victim the link back."""
    victim = linked.browser()
    await victim.to_consent()
    nothing_happened(linked, vendor, await come_back(victim, vendor, sent[1]))
    assert "code=" in (await come_back(*sent[:1], vendor, sent[1])).headers["location"]


async def test_without_the_cookie_that_was_set_for_it_an_answer_is_refused(linked, vendor, sent):
    browser, url = sent
    for cookie in list(browser.client.cookies.jar):
        if "remit_connection" in cookie.name:
            browser.client.cookies.jar.clear(cookie.domain, cookie.path, cookie.name)
    nothing_happened(linked, vendor, await come_back(browser, vendor, url))


async def test_an_answer_for_another_server_is_refused(linked, vendor, sent):
    browser, url = sent
    _, brought = vendor.authorize(url, set())
    response = await browser.client.get(f"/connections/payments/callback?{urlencode(brought)}")
    nothing_happened(linked, vendor, response)


async def test_an_answer_that_took_too_long_is_refused(linked, vendor, sent):
    linked.clock.advance(601)
    nothing_happened(linked, vendor, await come_back(sent[0], vendor, sent[1]))


async def test_another_person_in_the_same_browser_gets_no_connection(linked, vendor, sent):
    browser, url = sent
    await linked.add_user("grace")
    callback, brought = vendor.authorize(url, set())
    login = await browser.client.get("/login?return_to=/authorize/x")
    await browser.log_in(login, "grace")
    response = await browser.client.get(f"{callback}?{urlencode(brought)}")
    nothing_happened(linked, vendor, response)


@pytest.mark.parametrize(
    "iss",
    [
        "https://attacker.example",
        "https://accounts.vendor.example/",
        "HTTPS://accounts.vendor.example",
    ],
)
async def test_an_answer_of_another_issuer_is_refused(vendor, sent, refused, iss):
    refused(await come_back(sent[0], vendor, sent[1], iss=iss), "iss_mismatch")
    assert vendor.forms == []


async def test_an_answer_without_iss_is_refused_where_it_is_always_sent(vendor, sent, refused):
    refused(await come_back(sent[0], vendor, sent[1], iss=None), "iss_missing")


async def test_a_person_who_says_no_there_is_a_no_here(vendor, sent, refused):
    response = await come_back(sent[0], vendor, sent[1], code=None, error="access_denied")
    refused(response, "cancelled")


async def test_another_error_there_is_told_as_no_more_than_a_no(vendor, sent, refused):
    response = await come_back(sent[0], vendor, sent[1], code=None, error="unauthorized_client")
    refused(response, "third_party_refused")
    assert "unauthorized_client" not in response.headers["location"]


async def test_an_answer_without_a_code_is_refused(vendor, sent, refused):
    refused(await come_back(sent[0], vendor, sent[1], code=None), "no_code")


async def test_a_code_that_the_third_party_does_not_know_is_refused(vendor, sent, refused):
    refused(await come_back(sent[0], vendor, sent[1], code="stolen"), "token_refused")


@pytest.mark.parametrize("answers", [{"token_type": "mac"}, {"access_token": None}])
async def test_tokens_that_cannot_be_used_are_refused(vendor, sent, refused, answers):
    vendor.answers = answers
    refused(await come_back(sent[0], vendor, sent[1]), "token_refused")


async def test_a_third_party_that_goes_down_meanwhile_is_told_as_such(vendor, sent, refused):
    browser, url = sent
    callback, brought = vendor.authorize(url, set())
    vendor.is_down = True
    response = await browser.client.get(f"{callback}?{urlencode(brought)}")
    refused(response, "third_party_unavailable", error="temporarily_unavailable")
