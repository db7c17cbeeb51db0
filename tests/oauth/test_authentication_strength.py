"""How strongly a person must have logged in for a request (RFC 9470)."""

from dataclasses import replace
from urllib.parse import urlencode

import pytest
from flows import CRM, answer
from sqlalchemy import update
from starlette.applications import Starlette

from remit.audit.events import AuthorizationRefused
from remit.identity import routes as identity_routes
from remit.identity.session import ACR_VALUES
from remit.identity.store import sessions
from remit.oauth import login_requirements, routes
from remit.oauth.authentication_strength import meets, required_acr
from remit.oauth.errors import UnmetAuthenticationRequirementsError
from remit.web import site_at, static_routes

PWD, MFA, PHR = ACR_VALUES


def strengthen(server, acr):
    """Let every session be one that was opened with `acr`."""
    server.database.run_now(
        lambda tx: tx.connection.execute(update(sessions).values(acr=acr, amr='["pwd","otp"]'))
    )


@pytest.fixture
async def browser(server):
    await server.add_user()
    return server.browser()


def test_the_weakest_class_that_is_known_is_what_is_asked():
    assert required_acr([]) is None
    assert required_acr([PHR, MFA, "urn:else"]) == MFA
    assert required_acr([PWD, PHR]) == PWD
    with pytest.raises(UnmetAuthenticationRequirementsError):
        required_acr(["urn:else"])


@pytest.mark.parametrize(
    ("acr", "required", "enough"),
    [
        (PWD, None, True),
        ("urn:else", None, True),
        (PWD, PWD, True),
        (PWD, MFA, False),
        (MFA, PHR, False),
        (PHR, MFA, True),
        ("urn:else", PWD, False),
    ],
)
def test_a_stronger_authentication_meets_a_weaker_demand(acr, required, enough):
    assert meets(acr, required) is enough


async def test_a_session_too_weak_has_to_log_in_again(server, browser):
    await browser.to_consent()
    page = await browser.follow(await browser.authorize(acr_values=MFA))
    assert page.url.path.startswith("/login")


async def test_a_session_strong_enough_is_not_asked_again(server, browser):
    await browser.to_consent()
    strengthen(server, PHR)
    page = await browser.follow(await browser.authorize(acr_values=f"{MFA} {PHR}"))
    assert page.url.path == "/authorize/continue"
    code = answer(await browser.decide(page))["code"]
    response = await server.redeem(code)
    claims = server.deps.verifier.verify(response.json()["access_token"], audience=CRM)
    assert claims.acr == PHR
    assert claims.amr == ("pwd", "otp")
    assert claims.auth_time == server.clock.now()


async def test_a_log_in_that_is_too_weak_yet_gets_a_second_factor_first(server, browser):
    """As after an identity provider that counts as a password; here, one beside the request."""
    waiting = (await browser.authorize(acr_values=MFA)).headers["location"]
    await browser.to_consent()
    page = await browser.follow(await browser.client.get(waiting))
    assert page.url.path == "/login/set-up"
    strengthen(server, MFA)
    page = await browser.follow(await browser.client.get(waiting))
    assert page.url.path == "/authorize/continue"


async def test_a_log_in_that_cannot_become_strong_enough_is_an_answer_and_no_loop(server, browser):
    """No browser makes passkeys for an address without a name."""
    here = "https://192.0.2.1"
    deps = replace(server.deps, site=site_at(here))
    pages = [*routes(deps), *identity_routes(server.identity), *static_routes()]
    browser = server.browser(application=Starlette(routes=pages))
    resource = f"{here}/mcp/crm"
    waiting = (await browser.authorize(acr_values=PHR, resource=resource)).headers["location"]
    assert (await browser.client.get(waiting)).headers["location"].startswith("/login")
    await browser.to_consent(resource=resource)  # beside the request that waits
    parameters = answer(await browser.client.get(waiting))
    assert parameters["error"] == "unmet_authentication_requirements"
    assert parameters["iss"]
    assert server.events(AuthorizationRefused)[-1].error == "unmet_authentication_requirements"


async def test_a_class_that_nobody_can_have_is_refused_at_once(server, browser):
    parameters = answer(await browser.authorize(acr_values="urn:else urn:more"))
    assert parameters["error"] == "unmet_authentication_requirements"


async def test_without_interaction_a_weak_session_is_as_good_as_none(server, browser):
    await browser.to_consent()
    page = await browser.follow(await browser.authorize(acr_values=MFA, prompt="none"))
    assert answer(page)["error"] == "login_required"


async def test_consent_cannot_be_given_in_a_session_that_became_too_weak(server, browser):
    await browser.to_consent()
    strengthen(server, MFA)
    page = await browser.follow(await browser.authorize(acr_values=MFA))
    strengthen(server, PWD)
    response = await browser.decide(page)
    assert response.headers["location"].startswith("/authorize/continue")


async def test_the_log_in_page_learns_what_the_stored_request_asks_and_no_other(server, browser):
    ask = login_requirements(server.database, server.clock)
    stored = (await browser.authorize(acr_values=f"{PHR} {MFA}")).headers["location"]
    assert await ask(stored) == MFA
    # What stands in the address of the log-in page counts for nothing.
    assert await ask(f"{stored}&{urlencode({'acr_values': PWD})}") == MFA
    assert await ask("/authorize/continue?request=unknown") is None
    assert await ask("/authorize/continue?request=a&request=b") is None
    assert await ask("/login") is None
    plain = (await browser.authorize()).headers["location"]
    assert await ask(plain) is None


@pytest.mark.parametrize("jkt", ["short", "x" * 44, "=" * 43])
async def test_a_thumbprint_that_is_none_is_refused(server, browser, jkt):
    assert answer(await browser.authorize(dpop_jkt=jkt))["error"] == "invalid_request"
