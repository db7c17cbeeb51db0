"""What happens next to a request that waits."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from flows import ORIGIN, PASSWORD, answer, hidden_fields, offered
from sqlalchemy import func, select, update

from remit.audit.events import AuthorizationCodeIssued, AuthorizationRefused, ConsentGranted
from remit.identity.session import ACR_MULTI_FACTOR
from remit.identity.store import sessions
from remit.oauth.grant_store import grants


def count(server, table=grants):
    return server.database.read_now(
        lambda tx: tx.connection.scalar(select(func.count()).select_from(table))
    )


async def allow(browser, **changes):
    page = await browser.to_consent(**changes)
    return answer(await browser.decide(page))


@pytest.fixture
async def browser(server):
    await server.add_user()
    return server.browser()


async def test_without_a_session_the_person_logs_in_first(server, browser):
    page = await browser.follow(await browser.authorize())
    assert page.url.path == "/login"
    assert page.status_code == 200


async def test_the_log_in_form_may_lead_to_the_client_of_this_request_alone(server, browser):
    page = await browser.follow(await browser.authorize())
    policy = page.headers["content-security-policy"]
    assert "form-action 'self' https://app.example;" in policy
    other = await browser.client.get("/login?return_to=/authorize/continue?request=unknown")
    assert "form-action 'self';" in other.headers["content-security-policy"]


async def test_the_consent_page_may_lead_to_the_client_and_be_framed_by_nobody(server, browser):
    page = await browser.to_consent()
    policy = page.headers["content-security-policy"]
    assert "form-action 'self' https://app.example;" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert page.headers["cache-control"] == "no-store"


async def test_opening_the_page_grants_nothing(server, browser):
    await browser.to_consent()
    await browser.to_consent()
    assert count(server) == 0
    assert not server.events(AuthorizationCodeIssued)


async def test_a_request_opened_in_one_browser_cannot_be_answered_in_another(server, browser):
    """RFC 9700 §4.7: an attacker's request in a victim's session."""
    attacker = server.browser()
    location = (await attacker.authorize()).headers["location"]
    await browser.to_consent()
    response = await browser.client.get(location)
    assert response.status_code == 400
    assert "no longer open" in response.text
    assert server.events(AuthorizationRefused)[-1].error == "not_waiting"


@pytest.mark.parametrize("query", ["", "request=", "request=nothing", "request=a&request=b"])
async def test_a_name_that_no_request_has_is_a_page(server, browser, query):
    await browser.to_consent()
    response = await browser.client.get(f"/authorize/continue?{query}")
    assert response.status_code == 400
    assert "location" not in response.headers


async def test_a_request_waits_ten_minutes_and_no_longer(server, browser):
    first = (await browser.authorize()).headers["location"]
    server.clock.advance(599)
    assert (await browser.client.get(first)).status_code == 303
    server.clock.advance(1)
    assert (await browser.client.get(first)).status_code == 400


async def test_a_head_request_answers_nothing(server, browser):
    await allow(browser)
    location = (await browser.authorize()).headers["location"]
    response = await browser.client.head(location)
    assert response.status_code == 405
    assert count(server) == 1


# -- consent that is remembered --------------------------------------------------


async def test_the_same_client_is_not_asked_for_the_same_again(server, browser):
    await allow(browser)
    back = answer(await browser.follow(await browser.authorize(state="second")))
    assert back["state"] == "second"
    assert len(server.events(ConsentGranted)) == 1
    assert len(server.events(AuthorizationCodeIssued)) == 2
    assert (await server.redeem(back["code"])).status_code == 200


async def test_fewer_scopes_need_no_new_consent(server, browser):
    await allow(browser)
    back = answer(await browser.follow(await browser.authorize(scope="crm:accounts.read")))
    assert (await server.redeem(back["code"])).json()["scope"] == "crm:accounts.read"


@pytest.mark.parametrize(
    "changes",
    [
        {"scope": "crm:accounts.read tenant:reports.read.{organization_id}"},
        {"prompt": "consent"},
        {"prompt": "login consent"},
        {"resource": f"{ORIGIN}/mcp/payments", "scope": "payments:invoices.read"},
    ],
)
async def test_more_or_elsewhere_or_on_demand_is_asked_again(server, browser, changes):
    await allow(browser, scope="crm:accounts.read")
    page = await browser.to_consent(**changes)
    assert page.status_code == 200
    assert offered(page.text)


async def test_less_than_was_asked_is_asked_again(server, browser):
    page = await browser.to_consent()
    await browser.decide(page, scopes=["crm:accounts.read"])
    assert offered((await browser.to_consent()).text) == ["crm:accounts.read", "crm:accounts.write"]


async def test_a_client_that_changed_is_asked_again(server, browser):
    await allow(browser)
    portal = server.catalog.agents["portal"]
    renamed = replace(portal.clients.static[0], name="Another name")
    server.change_agent("portal", clients=replace(portal.clients, static=(renamed,)))
    page = await browser.follow(await browser.authorize())
    assert page.status_code == 200
    assert "Another name" in page.text


async def test_a_program_on_this_device_is_asked_for_every_time(server, browser):
    """RFC 8252 §8.6: any program here can play it."""
    local = await server.register("http://127.0.0.1/callback")
    here = {"client_id": local, "redirect_uri": "http://127.0.0.1:50123/callback"}
    await allow(browser, **here)
    page = await browser.follow(await browser.authorize(**here))
    assert page.status_code == 200
    assert "on this device" in page.text


async def test_another_person_in_the_same_browser_is_asked(server, browser):
    await allow(browser)
    await server.add_user("grace")
    page = await browser.follow(await browser.authorize(prompt="login"))
    page = await browser.log_in(page, "grace")
    assert page.status_code == 200
    assert offered(page.text)


# -- prompt and max_age ----------------------------------------------------------


async def test_prompt_none_gives_a_code_where_consent_holds(server, browser):
    await allow(browser)
    assert "code" in answer(await browser.follow(await browser.authorize(prompt="none")))


async def test_prompt_none_never_asks_for_consent(server, browser):
    page = await browser.to_consent()
    assert page.status_code == 200
    back = answer(await browser.follow(await browser.authorize(prompt="none")))
    assert back["error"] == "consent_required"
    assert back["iss"] == ORIGIN
    assert server.events(AuthorizationRefused)[-1].error == "consent_required"


@pytest.mark.parametrize("prompt", ["login", "select_account"])
async def test_prompt_login_needs_another_log_in(server, browser, prompt):
    await allow(browser)
    page = await browser.follow(await browser.authorize(prompt=prompt))
    assert page.url.path == "/login"
    again = await browser.client.get(parse_qs(urlsplit(str(page.url)).query)["return_to"][0])
    assert again.headers["location"].startswith("/login")
    assert "code" in answer(await browser.log_in(page))


@pytest.mark.parametrize("anew", [{"prompt": "login"}, {"max_age": "0"}])
async def test_a_second_factor_alone_is_no_log_in_anew(server, browser, anew):
    await allow(browser)
    server.clock.advance(100)
    page = await browser.follow(await browser.authorize(acr_values=ACR_MULTI_FACTOR, **anew))
    assert 'name="password"' in page.text  # and not the missing step
    raise_session(server)
    waiting = parse_qs(urlsplit(str(page.url)).query)["return_to"][0]
    assert (await browser.client.get(waiting)).headers["location"].startswith("/login")


def raise_session(server):
    """As a step-up does: another session, of the same log-in, that is stronger."""
    changed = {"id": "ses_raised", "acr": ACR_MULTI_FACTOR, "amr": '["pwd","otp","mfa"]'}
    server.database.run_now(lambda tx: tx.connection.execute(update(sessions).values(changed)))


async def test_max_age_needs_a_log_in_that_is_young_enough(server, browser):
    await allow(browser)
    server.clock.advance(100)
    assert "code" in answer(await browser.follow(await browser.authorize(max_age="100")))
    page = await browser.follow(await browser.authorize(max_age="99"))
    assert page.url.path == "/login"
    assert "code" in answer(await browser.log_in(page))


async def test_max_age_zero_is_a_new_log_in_and_reading_slowly_is_no_second_one(server, browser):
    await allow(browser)
    page = await browser.follow(await browser.authorize(max_age="0", prompt="consent"))
    assert page.url.path == "/login"
    page = await browser.log_in(page)
    server.clock.advance(300)
    assert "code" in answer(await browser.decide(page))


async def test_prompt_none_with_an_old_log_in_is_login_required(server, browser):
    await allow(browser)
    server.clock.advance(100)
    back = answer(await browser.follow(await browser.authorize(prompt="none", max_age="10")))
    assert back["error"] == "login_required"


# -- what changed while the person logged in ---------------------------------------


async def test_a_client_that_lost_its_redirect_uri_meanwhile_gets_a_page(server, browser):
    page = await browser.follow(await browser.authorize())
    portal = server.catalog.agents["portal"]
    moved = replace(portal.clients.static[0], redirect_uris=("https://new.example/cb",))
    server.change_agent("portal", clients=replace(portal.clients, static=(moved,)))
    response = await browser.log_in(page)
    assert response.status_code == 400
    assert "location" not in response.headers


async def test_a_server_that_left_the_catalog_meanwhile_is_an_invalid_target(server, browser):
    page = await browser.follow(await browser.authorize())
    servers = {name: one for name, one in server.catalog.servers.items() if name != "crm"}
    server.directory.replace_catalog(replace(server.catalog, servers=servers))
    assert answer(await browser.log_in(page))["error"] == "invalid_target"


async def test_a_policy_that_says_no_goes_back_to_the_client_with_its_words(server, browser):
    server.change_policies(
        '@id("closed")\n@refusal("The customer system is closed today.")\n'
        'forbid (principal, action == Remit::Action::"issue", resource);'
    )
    back = answer(await browser.to_consent())
    assert back["error"] == "access_denied"
    assert back["error_description"] == "The customer system is closed today."
    (refused,) = server.events(AuthorizationRefused)
    assert "closed" in refused.rules
    assert refused.policy_version == server.decisions.version
    assert refused.requested == ("crm:accounts.read", "crm:accounts.write")
    assert refused.resource == f"{ORIGIN}/mcp/crm"
    assert refused.context.user_id is not None
    assert refused.context.environment == "prod"


async def test_a_refused_request_is_answered_once(server, browser):
    server.change_policies(
        '@id("closed") forbid (principal, action == Remit::Action::"issue", resource);'
    )
    page = await browser.follow(await browser.authorize())
    fields = {**hidden_fields(page.text), "username": "ada", "password": PASSWORD}
    first = await browser.post("/login", fields)
    location = first.headers["location"]
    assert answer(await browser.client.get(location))["error"] == "access_denied"
    assert (await browser.client.get(location)).status_code == 400
