"""Passkeys in a real Chromium with a virtual authenticator, from making one to logging in with it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import uvicorn
from playwright.async_api import CDPSession, Page, async_playwright
from playwright.async_api import Route as Held
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from remit.audit.events import LoggedIn, LoginFailed
from remit.identity import routes, session_reader
from remit.web import SecurityHeaders, site_at, static_routes
from tests.chromium import CHROMIUM_ARGUMENTS, find_chromium
from tests.identity.conftest import PASSWORD

# What the pages do is tested on both databases elsewhere; here it is what a browser makes of them.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
async def address(deps) -> AsyncIterator[str]:
    """Where the pages are served, by name: browsers make no passkeys for an address."""
    listening = socket.create_server(("127.0.0.1", 0))
    origin = f"http://localhost:{listening.getsockname()[1]}"
    served = replace(deps, site=site_at(origin))
    read_session = session_reader(served)

    async def authorize(request: Request) -> Response:
        found = await read_session(request)
        return PlainTextResponse("nobody" if found is None else found[1].acr)

    pages = [*routes(served), *static_routes(), Route("/authorize", authorize)]
    application = SecurityHeaders(Starlette(routes=pages), secure=False)
    server = uvicorn.Server(
        uvicorn.Config(application, lifespan="off", log_level="error", ws="none", loop="asyncio")
    )
    server.capture_signals = contextlib.nullcontext
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield origin
    server.should_exit = True
    server.force_exit = True
    await serving


@pytest.fixture
async def screen() -> AsyncIterator[Page]:
    """A page whose complaints (CSP, errors of the script) fail the test."""
    program = find_chromium()
    assert program, "no Chromium: install one, or leave these out with `-m 'not browser'`"
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
        page = await browser.new_page(viewport={"width": 360, "height": 720})
        page.set_default_timeout(60_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        await browser.close()
    assert [one for one in complaints if "status of 40" not in one] == []


@pytest.fixture
async def device(screen) -> tuple[CDPSession, str]:
    """A virtual authenticator of the machine that `screen` is on, and how to speak to it."""
    session = await screen.context.new_cdp_session(screen)
    await session.send("WebAuthn.enable", {"enableUI": False})
    added = await session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    return session, added["authenticatorId"]


async def _is_present(device, *, present: bool) -> None:
    """Whether somebody touches the device when it asks."""
    session, authenticator = device
    await session.send(
        "WebAuthn.setAutomaticPresenceSimulation",
        {"authenticatorId": authenticator, "enabled": present},
    )


async def _log_in_with_password(screen: Page, address: str, path: str = "/login") -> None:
    await screen.goto(f"{address}{path}")
    await screen.get_by_label("User name").fill("ada")
    await screen.get_by_label("Password", exact=True).fill(PASSWORD)
    await screen.keyboard.press("Enter")


async def _add_passkey(screen: Page) -> None:
    """By keyboard, from the account page."""
    await screen.get_by_role("link", name="Add a passkey").focus()
    await screen.keyboard.press("Enter")
    await screen.locator("#name").focus()
    await screen.keyboard.type("my laptop")
    await screen.keyboard.press("Enter")
    await screen.get_by_role("heading", name="Your recovery codes").wait_for()
    assert await screen.get_by_role("list", name="Recovery codes").locator("li").count() == 10
    await screen.get_by_role("link", name="I have kept them").click()
    await screen.get_by_text("my laptop").first.wait_for()


async def test_a_person_makes_a_passkey_logs_out_and_logs_in_with_it(
    screen, device, address, add_user, events
):
    await add_user()
    await _is_present(device, present=False)  # no passkey is offered before anything is pressed
    await _log_in_with_password(screen, address)
    await screen.get_by_role("heading", name="Where you are logged in").wait_for()
    await _is_present(device, present=True)
    await _add_passkey(screen)
    await _is_present(device, present=False)
    await screen.get_by_role("button", name="Log out", exact=True).click()
    await screen.goto(f"{address}/login?return_to=/authorize")
    button = screen.get_by_role("button", name="Log in with a passkey")
    await button.wait_for()
    await _is_present(device, present=True)
    await button.click()
    await screen.wait_for_url(f"{address}/authorize")
    assert await screen.inner_text("body") == "urn:remit:acr:phr"
    assert events.of(LoggedIn)[-1].amr[1:] == ("user", "mfa")
    assert events.of(LoginFailed) == []


async def test_a_passkey_is_offered_in_the_field_of_the_name(
    screen, device, address, add_user, events
):
    """Conditional mediation: the virtual device takes the offer at once, as a person would by a tap."""
    await add_user()
    await _log_in_with_password(screen, address)
    await _add_passkey(screen)
    await screen.get_by_role("button", name="Log out", exact=True).click()
    await screen.get_by_role("heading", name="You are logged out").wait_for()
    await screen.goto(f"{address}/login?return_to=/authorize")
    await screen.wait_for_url(f"{address}/authorize")
    assert await screen.inner_text("body") == "urn:remit:acr:phr"


async def test_a_passkey_follows_the_password_where_the_account_has_one(
    screen, device, address, add_user, events
):
    await add_user()
    await _log_in_with_password(screen, address)
    await _add_passkey(screen)
    await _is_present(device, present=False)
    await screen.get_by_role("button", name="Log out", exact=True).click()
    await _log_in_with_password(screen, address, "/login?return_to=/authorize")
    button = screen.get_by_role("button", name="Use your passkey")
    await button.wait_for()
    await screen.wait_for_selector("button:focus")  # nobody has to look for it with the keyboard
    await _is_present(device, present=True)
    await screen.keyboard.press("Enter")
    await screen.wait_for_url(f"{address}/authorize")
    assert await screen.inner_text("body") == "urn:remit:acr:phr"


async def test_the_button_has_the_focus_where_the_page_was_drawn_before_its_script_came(
    screen, device, address, add_user
):
    """A browser passes over an autofocus in a form that is hidden when it draws."""
    await add_user()
    await _log_in_with_password(screen, address)
    await _add_passkey(screen)
    await _is_present(device, present=False)
    await screen.get_by_role("button", name="Log out", exact=True).click()
    drawn = asyncio.Event()

    async def later(route: Held) -> None:
        await drawn.wait()
        await route.continue_()

    await screen.goto(f"{address}/login?return_to=/authorize")
    await screen.get_by_label("User name").fill("ada")
    await screen.get_by_label("Password", exact=True).fill(PASSWORD)
    await screen.route("**/passkey*.js", later)
    await screen.keyboard.press("Enter")
    await screen.get_by_role("heading", name="One more step").wait_for()
    await screen.screenshot()  # takes a frame, so that it is drawn
    drawn.set()
    await screen.wait_for_selector("button:focus")


async def test_what_the_device_refuses_is_told_where_a_screen_reader_hears_it(
    screen, device, address, add_user
):
    await add_user()
    await _log_in_with_password(screen, address)
    await _add_passkey(screen)
    await screen.get_by_role("link", name="Add a passkey").click()
    await screen.locator("#name").focus()
    await screen.keyboard.press("Enter")
    await screen.get_by_role("alert").get_by_text("already").wait_for()
    await screen.wait_for_selector("button:focus")


async def test_a_browser_without_passkeys_is_not_offered_any(screen, address, add_user):
    await screen.add_init_script("delete window.PublicKeyCredential")
    await screen.goto(f"{address}/login")
    await screen.get_by_label("User name").wait_for()
    assert await screen.get_by_role("button").all_inner_texts() == ["Log in"]
