"""What a person is shown before an agent may act for them."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

import pytest
from flows import CALLBACK, hidden_fields, offered

from remit.audit.events import ConsentGranted
from remit.model import AdmissionRule


@pytest.fixture
async def browser(server):
    await server.add_user()
    return server.browser()


def words(page):
    """The text of the page, tags and runs of blanks removed."""
    text = re.sub(r"<[^>]+>", " ", page.text.partition("<main")[2])
    return re.sub(r"\s+", " ", unescape(text))


async def test_the_page_names_software_agent_owner_place_and_server(server, browser):
    text = words(await browser.to_consent())
    assert "Let “Customer portal” use “Customer accounts” for you?" in text
    assert "Registered beforehand" in text
    assert "app.example" in text
    assert "Owner: portal-team@acme.example" in text
    assert "Shows customers their own accounts." in text
    assert "Acme Corporation" in text
    assert "prod" in text
    assert "Nobody vouches" not in text


async def test_each_scope_is_said_in_words_with_the_data_it_opens(server, browser):
    text = words(await browser.to_consent())
    assert "Look at customer accounts" in text
    assert "See the customers of your organisation, with their contacts and plans." in text
    assert "Opens data: customer contact" in text


async def test_a_dangerous_scope_says_how_dangerous(server, browser):
    local = await server.register("http://localhost/callback")
    page = await browser.to_consent(
        client_id=local,
        redirect_uri="http://localhost:4711/callback",
        resource="https://remit.example/mcp/payments",
        scope="payments:refunds.create",
    )
    assert "high sensitivity" in words(page)


async def test_what_cannot_be_had_is_shown_with_its_reason_and_cannot_be_ticked(server, browser):
    page = await browser.to_consent(
        scope="crm:accounts.read crm:accounts.export crm:accounts.delete payments:ledger.admin"
        " payments:invoices.read"
    )
    text = words(page)
    assert offered(page.text) == ["crm:accounts.read"]
    assert "Export all customer accounts Your roles do not include it." in text
    assert "Delete customer accounts This agent may not hold it" in text
    assert "Close the ledger It is forbidden to every agent here." in text
    assert "Look at invoices Nothing on this server needs it." in text


async def test_a_placeholder_is_shown_as_what_it_will_be(server, browser):
    page = await browser.to_consent(scope="tenant:reports.read.{organization_id}")
    assert offered(page.text) == ["tenant:reports.read.acme"]
    assert "Read your organisation's reports" in words(page)


async def test_it_says_for_how_long(server, browser):
    text = words(await browser.to_consent())
    assert "This holds for 30 days, and ends sooner if it is not used for 7 days." in text
    issuer = replace(server.catalog.issuer, grant_lifetime=3_600)
    server.change_catalog(issuer=issuer)
    assert "This holds for 1 hour, and ends" in words(await browser.to_consent())


async def test_both_buttons_have_equal_dignity_and_refusing_comes_first(server, browser):
    page = await browser.to_consent()
    buttons = re.findall(r'<button class="([^"]+)"[^>]*value="([a-z]+)"', page.text)
    assert buttons == [("button secondary", "refuse"), ("button secondary", "allow")]


async def test_software_nobody_registered_says_so(server, browser):
    stranger = await server.register("https://helper.example/cb", name="Totally Legit")
    page = await browser.to_consent(
        client_id=stranger, redirect_uri="https://helper.example/cb", scope="crm:handbook.read"
    )
    text = words(page)
    assert "Let “Totally Legit” use" in text
    assert "Nobody vouches for this software." in text
    assert "It introduced itself; the name is its own" in text
    assert "helper.example" in text


async def test_a_registered_agent_is_known_by_its_own_name_and_not_by_the_clients(server, browser):
    local = await server.register("http://localhost/callback", name="Your bank")
    page = await browser.to_consent(
        client_id=local, redirect_uri="http://localhost:4711/callback", scope="crm:accounts.read"
    )
    text = words(page)
    assert "Let “Support assistant” use" in text
    assert "Your bank It introduced itself; the name is its own" in text
    assert "Access goes to a program on this device." in text


async def test_a_scheme_that_any_app_can_claim_stays_on_the_device_too(server, browser):
    admitted = replace(server.catalog.registration, redirect_uri_schemes=("cursor",))
    server.change_catalog(registration=admitted)
    app = await server.register("cursor://anysphere.cursor-mcp/oauth/callback")
    here = {
        "client_id": app,
        "redirect_uri": "cursor://anysphere.cursor-mcp/oauth/callback",
        "scope": "crm:handbook.read",
    }
    page = await browser.to_consent(**here)
    assert "Access goes to a program on this device." in words(page)
    assert "form-action 'self' cursor:;" in page.headers["content-security-policy"]
    response = await browser.decide(page)
    assert response.headers["location"].startswith(here["redirect_uri"] + "?code=")
    assert (await browser.to_consent(**here)).status_code == 200


async def test_what_a_client_says_of_itself_is_text_and_nothing_else(server, browser):
    stranger = await server.register(
        "https://helper.example/cb", name='<script>alert(1)</script> "><b>&amp;'
    )
    page = await browser.to_consent(
        client_id=stranger, redirect_uri="https://helper.example/cb", scope="crm:handbook.read"
    )
    assert "<script>" not in page.text
    assert "<b>" not in page.text
    assert "&lt;script&gt;" in page.text


async def test_the_digest_is_of_the_words_and_not_of_the_request(server, browser):
    first = await browser.to_consent()
    second = await browser.to_consent(state="another")
    other = await browser.to_consent(scope="crm:accounts.read")
    shown = [hidden_fields(page.text)["shown"] for page in (first, second, other)]
    assert shown[0] == shown[1] != shown[2]
    assert re.fullmatch(r"[0-9a-f]{64}", shown[0])
    await browser.decide(first)
    assert server.events(ConsentGranted)[0].shown_digest == shown[0]


async def test_the_page_works_without_a_script_and_loads_nothing_foreign(server, browser):
    page = await browser.to_consent()
    assert "<script" not in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text.replace(CALLBACK, "")
    assert " style=" not in page.text


async def test_a_client_that_is_here_for_a_time_says_until_when(server, browser):
    uri = "https://trial.example/cb"
    rule = AdmissionRule(name="trial", redirect_uris=(uri,), lifetime=14 * 86_400)
    registration = replace(server.catalog.registration, rules=(rule,))
    server.change_catalog(registration=registration)
    client = await server.register(uri)
    ends = datetime.fromtimestamp(server.clock.now() + 14 * 86_400, tz=UTC)
    page = await browser.to_consent(client_id=client, redirect_uri=uri, scope="crm:handbook.read")
    assert f"is here until {ends.day} {ends:%B %Y};" in page.text
    other = await browser.to_consent()
    assert "is here until" not in other.text


async def test_whoever_answers_for_a_client_that_was_admitted_is_named(server, browser):
    rule = AdmissionRule(
        name="partners",
        redirect_uris=("https://partner.example/cb",),
        owner="partners@acme.example",
        environment="prod",
    )
    registration = replace(server.catalog.registration, rules=(rule,))
    server.change_catalog(registration=registration)
    client = await server.register("https://partner.example/cb")
    page = await browser.to_consent(
        client_id=client,
        redirect_uri="https://partner.example/cb",
        scope="crm:handbook.read",
    )
    assert "Admitted for" in page.text
    assert "partners@acme.example" in page.text
