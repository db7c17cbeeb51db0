"""The log-in page in a real Chromium: by keyboard, on a narrow screen, light and dark."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import uvicorn
from playwright.async_api import Page, async_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from remit.identity import routes
from remit.web import SecurityHeaders, redirect, redirect_source, site_at, static_routes
from tests.chromium import CHROMIUM_ARGUMENTS, find_chromium
from tests.identity.conftest import PASSWORD

# What the pages do is tested on both databases in test_pages.py; here it is what a person meets.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@pytest.fixture
def sources() -> list[str]:
    """Where the log-in form may lead besides our own origin."""
    return []


@pytest.fixture
async def address(deps, sources) -> AsyncIterator[str]:
    """Where the log-in pages are served, for as long as a test runs. `/authorize` leads to a client."""
    listening = socket.create_server(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{listening.getsockname()[1]}"

    async def form_sources(_: str) -> list[str]:
        return sources

    async def authorize(_: Request) -> Response:
        return redirect(f"{_client_of(origin)}?code=abc")

    async def callback(_: Request) -> Response:
        return PlainTextResponse("the client")

    served = replace(deps, site=site_at(origin), form_sources=form_sources)
    pages = [
        *routes(served),
        *static_routes(),
        Route("/authorize", authorize),
        Route("/cb", callback),
    ]
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
def complaints() -> list[str]:
    """What the browser complains of: a test that expects some takes them away."""
    return []


@pytest.fixture
async def screen(complaints) -> AsyncIterator[Page]:
    """A page 320 pixels wide whose complaints (CSP, broken files) fail the test."""
    program = find_chromium()
    assert program, "no Chromium: install one, or leave these out with `-m 'not browser'`"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
        page = await browser.new_page(viewport={"width": 320, "height": 640}, color_scheme="light")
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        await browser.close()
    # Chromium reports every document that is not 2xx; those are what the tests ask for.
    assert [one for one in complaints if "status of 403" not in one] == []


async def test_a_person_logs_in_by_keyboard_alone_and_is_kept_logged_in(screen, address, add_user):
    await add_user()
    await screen.goto(f"{address}/login")
    await screen.keyboard.type("Ada")
    await screen.keyboard.press("Tab")
    await screen.keyboard.type(PASSWORD)
    await screen.keyboard.press("Enter")
    await screen.get_by_role("heading", name="Where you are logged in").wait_for()
    await screen.reload()
    await screen.get_by_role("button", name="Log out", exact=True).click()
    await screen.get_by_role("heading", name="You are logged out").wait_for()
    await screen.goto(f"{address}/login")
    await screen.get_by_label("Password").wait_for()


async def test_after_a_mistake_the_person_hears_why_and_types_only_the_password_again(
    screen, address, add_user
):
    await add_user()
    await screen.goto(f"{address}/login")
    await screen.get_by_label("User name").fill("ada")
    await screen.get_by_label("Password").fill("not the password")
    await screen.get_by_role("button", name="Log in").click()
    await screen.get_by_role("alert").get_by_text("do not match").wait_for()
    assert (await screen.title()).startswith("Error: ")
    assert await screen.get_by_label("User name").input_value() == "ada"
    assert await screen.evaluate("document.activeElement.id") == "password"
    await screen.keyboard.type(PASSWORD)
    await screen.keyboard.press("Enter")
    await screen.get_by_role("heading", name="Where you are logged in").wait_for()


async def test_nothing_is_cut_off_on_a_narrow_screen_and_targets_are_large_enough(screen, address):
    await screen.goto(f"{address}/login?return_to=/authorize")
    width, content = await screen.evaluate(
        "[document.documentElement.clientWidth, document.documentElement.scrollWidth]"
    )
    assert content <= width
    for target in (screen.get_by_label("User name"), screen.get_by_role("button")):
        box = await target.bounding_box()
        assert box is not None
        assert box["height"] >= 44


async def test_focus_can_be_seen_wherever_the_keyboard_goes(screen, address):
    for scheme in ("light", "dark"):
        await screen.emulate_media(color_scheme=scheme)
        await screen.goto(f"{address}/login")
        await _follow_focus(screen)


def _client_of(origin: str) -> str:
    """A redirect URI on another origin, as the browser sees it, of the same server."""
    return origin.replace("127.0.0.1", "localhost") + "/cb"


async def _log_in_for_a_client(screen: Page, address: str) -> None:
    await screen.goto(f"{address}/login?return_to=/authorize")
    await screen.get_by_label("User name").fill("ada")
    await screen.get_by_label("Password").fill(PASSWORD)
    await screen.keyboard.press("Enter")


async def test_a_log_in_may_end_at_the_client_that_the_form_was_told_of(
    screen, address, add_user, sources
):
    await add_user()
    sources.append(redirect_source(_client_of(address)))
    await _log_in_for_a_client(screen, address)
    await screen.wait_for_url(f"{_client_of(address)}?code=abc")


async def test_a_log_in_ends_at_no_other_origin(screen, address, add_user, complaints):
    await add_user()
    async with screen.expect_console_message(lambda message: "form-action" in message.text):
        await _log_in_for_a_client(screen, address)
    assert screen.url.startswith(f"{address}/login")
    complaints.clear()


async def _follow_focus(screen: Page) -> None:
    for name in ("username", "password", "BUTTON"):
        outline = await screen.evaluate(
            "[document.activeElement.id || document.activeElement.tagName,"
            " getComputedStyle(document.activeElement).outlineStyle,"
            " parseFloat(getComputedStyle(document.activeElement).outlineWidth)]"
        )
        assert outline[0] == name
        assert outline[1] == "solid"
        assert outline[2] >= 2
        await screen.keyboard.press("Tab")
