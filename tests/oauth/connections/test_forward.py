"""Nobody reaches a third party, and no client its code, without a yes on our own page for that client."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from remit.audit.events import (
    AuthorizationCodeIssued,
    AuthorizationRefused,
    ConnectionMade,
    ConsentGranted,
)
from remit.ids import ServerName
from remit.model import ThirdParty
from tests.oauth.connections.conftest import ISSUER, declare

CALLBACK = "https://app.example/callback"


def parameters(url):
    return {name: one[0] for name, one in parse_qs(urlsplit(url).query).items()}


async def there_and_back(browser, vendor, page, cookies, **changes):
    """Allow on our page, go to the vendor, come back; what Remit answers then."""
    response = await browser.decide(page)
    assert response.status_code == 303, response.text
    callback, brought = vendor.authorize(response.headers["location"], cookies, **changes)
    return await browser.client.get(f"{callback}?{urlencode(brought)}")


async def test_the_person_is_asked_here_sent_there_and_the_client_gets_its_code(linked, vendor):
    browser = linked.browser()
    page = await browser.to_consent()
    assert page.status_code == 200
    response = await there_and_back(browser, vendor, page, set())
    assert response.status_code == 303
    assert response.headers["location"].startswith(CALLBACK)
    answer = parameters(response.headers["location"])
    assert answer["state"] == "st-1 ä&=%"
    redeemed = await linked.redeem(answer["code"])
    assert redeemed.status_code == 200
    (made,) = linked.events(ConnectionMade)
    assert (made.server, made.issuer) == ("crm", ISSUER)


async def test_the_page_says_who_the_third_party_is_and_what_is_asked_of_it(linked):
    page = await linked.browser().to_consent()
    for text in ("Vendor", "accounts.vendor.example", "contacts.read", "contacts.write"):
        assert text in page.text
    assert "Customer" in page.text
    assert "app.example" in page.text
    policy = page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert f"form-action 'self' https://app.example {ISSUER}" in policy


async def test_nothing_is_sent_there_and_no_state_exists_before_the_yes(linked, vendor):
    browser = linked.browser()
    page = await browser.to_consent()
    assert not any(name.startswith("remit_connection") for name in _cookies(browser))
    assert vendor.codes == {}
    response = await browser.decide(page, "refuse")
    assert response.headers["location"].startswith(CALLBACK)
    assert parameters(response.headers["location"])["error"] == "access_denied"
    assert linked.events(ConsentGranted) == []


async def test_what_is_sent_there_is_random_bound_and_for_the_resource(linked, vendor):
    browser = linked.browser()
    response = await browser.decide(await browser.to_consent())
    asked = parameters(response.headers["location"])
    assert response.headers["location"].startswith(f"{ISSUER}/authorize?")
    assert asked["client_id"] == "remit-static"
    assert asked["redirect_uri"] == "https://remit.example/connections/crm/callback"
    assert asked["scope"] == "contacts.read contacts.write"
    assert asked["resource"] == "https://api.vendor.example"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["state"]) == 43
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("__Host-remit_connection_")
    for attribute in ("HttpOnly", "Secure", "SameSite=Lax", "Max-Age=600", "Path=/"):
        assert attribute.casefold() in cookie.casefold()


async def test_a_second_client_gets_a_page_of_its_own_though_the_third_party_would_not_ask(
    linked, vendor
):
    """The confused deputy: the vendor knows one static client, and this browser agreed to it once."""
    browser, vendor_cookies = linked.browser(), set()
    page = await browser.to_consent()
    await there_and_back(browser, vendor, page, vendor_cookies)
    assert vendor.asked == ["remit-static"]
    attacker = await linked.register("https://attacker.example/cb", name="Inspector")
    page = await browser.to_consent(
        client_id=attacker,
        redirect_uri="https://attacker.example/cb",
        scope="crm:handbook.read",
    )
    assert page.status_code == 200
    assert "attacker.example" in page.text
    assert "Nobody vouches for this software" in page.text
    assert linked.events(AuthorizationCodeIssued) == []  # cleared by `register`
    response = await browser.decide(page, "refuse")
    assert "code=" not in response.headers["location"]


async def test_a_second_client_is_asked_even_before_there_is_a_connection(linked, vendor):
    """The attacker's link comes first to a browser in which the vendor answers silently."""
    browser = linked.browser()
    attacker = await linked.register("https://attacker.example/cb", name="Inspector")
    page = await browser.to_consent(
        client_id=attacker,
        redirect_uri="https://attacker.example/cb",
        scope="crm:handbook.read",
    )
    assert page.status_code == 200
    assert "attacker.example" in page.text
    assert vendor.codes == {}


async def test_who_is_connected_is_not_sent_there_again(linked, vendor):
    browser = linked.browser()
    await there_and_back(browser, vendor, await browser.to_consent(), set())
    response = await browser.to_consent()
    assert response.status_code == 303
    assert response.headers["location"].startswith(CALLBACK)
    assert len(vendor.forms) == 1


async def test_a_remembered_consent_sends_nobody_there(linked, vendor):
    """What was allowed before the server needed a third party did not say so."""
    declare(linked, connection=None)
    party = linked.directory.catalog.servers[ServerName("crm")]
    assert party.connection is None
    browser = linked.browser()
    page = await browser.to_consent()
    await browser.decide(page)
    from_now_on = await _declared_again(linked)
    page = await browser.to_consent()
    assert page.status_code == 200
    assert from_now_on.title in page.text


async def test_more_scopes_there_are_asked_here_first(linked, vendor):
    browser = linked.browser()
    await there_and_back(browser, vendor, await browser.to_consent(), set())
    await _declared_again(linked, scopes=("contacts.read", "contacts.write", "contacts.delete"))
    page = await browser.to_consent()
    assert page.status_code == 200
    assert "contacts.delete" in page.text


async def test_without_a_page_there_is_no_way_there(linked):
    response = await linked.browser().follow(await linked.browser().authorize(prompt="none"))
    assert "error=login_required" in response.headers.get("location", response.text)
    browser = linked.browser()
    await browser.to_consent()
    response = await browser.follow(await browser.authorize(prompt="none"))
    assert parameters(response.headers["location"])["error"] == "consent_required"


async def test_a_third_party_that_is_down_is_said_to_the_client(linked, vendor):
    vendor.is_down = True
    browser = linked.browser()
    response = await browser.decide(await browser.to_consent())
    assert parameters(response.headers["location"])["error"] == "temporarily_unavailable"
    (refused,) = linked.events(AuthorizationRefused)
    assert refused.error == "temporarily_unavailable"


@pytest.mark.parametrize("answers", [2])
async def test_of_two_answers_to_one_request_one_counts(linked, vendor, answers):
    browser = linked.browser()
    page = await browser.to_consent()
    forwards = [await browser.decide(page) for _ in range(answers)]
    codes = []
    for forward in forwards:
        callback, brought = vendor.authorize(forward.headers["location"], set())
        response = await browser.client.get(f"{callback}?{urlencode(brought)}")
        codes.append("code=" in response.headers.get("location", ""))
    assert sorted(codes) == [False, True]


async def _declared_again(linked, **changes):
    party = ThirdParty(
        issuer=ISSUER,
        client_id="remit-static",
        secret="env:VENDOR",
        title="Vendor",
        **({"scopes": ("contacts.read",)} | changes),
    )
    declare(linked, connection=party)
    return party


def _cookies(browser):
    return [cookie.name.removeprefix("__Host-") for cookie in browser.client.cookies.jar]
