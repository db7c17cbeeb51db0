"""Log-in and consent in a real Chromium, from the client's request to the client's callback."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.chromium import CHROMIUM_ARGUMENTS, find_chromium
from tests.e2e.application import Application, application, listening

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

PHONE = {"width": 320, "height": 640}
PATIENCE = 60


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    program = find_chromium()
    assert program, "no Chromium: install one, or leave these out with `-m 'not browser'`"
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=program, args=CHROMIUM_ARGUMENTS
        )
        yield launched
        await launched.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the console said: CSP, broken files, errors. A test that expects some takes them away."""
    return []


@pytest.fixture
async def context(browser, complaints) -> AsyncIterator[BrowserContext]:
    yield await _context(browser, complaints)
    assert complaints == []


@pytest.fixture
async def screen(context) -> Page:
    return await context.new_page()


@pytest.fixture
async def client(stage) -> AsyncIterator[Application]:
    async with application(stage) as listener:
        yield listener


async def _context(browser: Browser, complaints: list[str], **options) -> BrowserContext:
    made = await browser.new_context(viewport=PHONE, **options)
    made.set_default_timeout(PATIENCE * 1000)

    def heard(text: str) -> None:
        # Chromium reports each document that is not a 2xx; some of them are what a test asks for.
        if "Failed to load resource" not in text:
            complaints.append(text)

    made.on("console", lambda message: heard(message.text))
    made.on("weberror", lambda error: heard(str(error.error)))
    return made


async def _log_in(screen: Page, stage, *, password: str | None = None) -> None:
    """As a person without a mouse: the first field has the focus."""
    await screen.wait_for_selector("#username:focus")
    await screen.keyboard.type(stage.username)
    await screen.keyboard.press("Tab")
    await screen.keyboard.type(stage.password if password is None else password)
    await screen.keyboard.press("Enter")


async def _tab_to(screen: Page, label: str) -> None:
    """Press Tab until what is named `label` has the focus, as a person would."""
    for _ in range(20):
        await screen.keyboard.press("Tab")
        focused = await screen.evaluate(
            "(document.activeElement.closest('label') ?? document.activeElement).innerText"
        )
        if focused.startswith(label):
            return
    raise AssertionError(f"`{label}` cannot be reached by keyboard")


async def _came_back(client: Application) -> dict[str, str]:
    return await asyncio.wait_for(client.arrived.get(), PATIENCE)


async def test_a_person_withholds_a_scope_by_keyboard_alone_and_the_token_lacks_it(
    stage, client, screen
):
    await screen.goto(client.request())
    await _log_in(screen, stage)
    await screen.get_by_role("button", name="Allow").wait_for()
    assert "127.0.0.1" in await screen.locator(".origin").first.inner_text()
    await _tab_to(screen, "Change customer accounts")
    await screen.keyboard.press("Space")
    await _tab_to(screen, "Allow")
    await screen.keyboard.press("Enter")
    back = await _came_back(client)
    assert back["state"] == client.state
    assert back["iss"] == stage.url
    tokens = await client.redeem(back["code"])
    assert tokens["scope"] == "crm:accounts.read"
    await screen.get_by_role("heading", name="Back").wait_for()


async def test_who_refuses_is_sent_back_with_an_error_and_without_a_code(stage, client, screen):
    await screen.goto(client.request())
    await _log_in(screen, stage)
    await screen.get_by_role("button", name="Refuse").click()
    back = await _came_back(client)
    assert back == {"error": "access_denied", "state": client.state, "iss": stage.url} | (
        {"error_description": back["error_description"]} if "error_description" in back else {}
    )


async def test_a_wrong_password_is_told_where_a_screen_reader_hears_it(stage, client, screen):
    await screen.goto(client.request())
    await _log_in(screen, stage, password="not the password")
    alert = screen.get_by_role("alert")
    await alert.wait_for()
    assert "do not match" in await alert.inner_text()
    assert await screen.evaluate("document.activeElement.id") == "password"
    await screen.keyboard.type(stage.password)
    await screen.keyboard.press("Enter")
    await screen.get_by_role("button", name="Allow").wait_for()


async def test_a_page_of_another_origin_frames_nothing(stage, client, screen, complaints):
    await screen.goto(client.request())
    await _log_in(screen, stage)
    await screen.get_by_role("button", name="Allow").wait_for()
    consent = screen.url
    for address in (consent, f"{stage.url}/login", client.request()):
        async with listening(_framing(address)) as port:
            async with screen.expect_console_message(
                lambda message: "frame-ancestors" in message.text
            ):
                await screen.goto(f"http://localhost:{port}/")
            frame = screen.frames[1]
            await frame.wait_for_url(_is_error_page, wait_until="commit")
            assert await frame.locator("form").count() == 0
    # One for each frame that the browser refused to show.
    assert len([one for one in complaints if "frame-ancestors" in one]) == 3
    complaints.clear()


async def test_every_page_says_that_it_cannot_be_framed(stage, client):
    async with httpx2.AsyncClient(timeout=PATIENCE) as http:
        for address in (client.request(), f"{stage.url}/login", client.request(client_id="x")):
            answer = await http.get(address, follow_redirects=True)
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["x-frame-options"] == "DENY"


async def test_consent_opened_in_one_browser_cannot_be_finished_in_another(
    stage, client, screen, browser
):
    """The second browser is the same person's, logged in: a link sent on is worth nothing (AS-36)."""
    await screen.goto(client.request())
    await _log_in(screen, stage)
    await screen.get_by_role("button", name="Allow").wait_for()
    other = await (await _context(browser, [])).new_page()
    await other.goto(f"{stage.url}/login")
    await _log_in(other, stage)
    await other.get_by_role("button", name="Log out", exact=True).wait_for()
    await other.goto(screen.url)
    assert await other.get_by_role("button", name="Allow").count() == 0
    form = await screen.evaluate(
        "Object.fromEntries(new FormData(document.querySelector('form')).entries())"
    )
    posted = await other.context.request.post(
        f"{stage.url}/authorize/consent",
        form={**form, "decision": "allow"},
        headers={"origin": stage.url, "sec-fetch-site": "same-origin"},
        max_redirects=0,
    )
    assert 400 <= posted.status < 500
    assert client.arrived.empty()
    await screen.get_by_role("button", name="Allow").click()
    assert "code" in await _came_back(client)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_page_scrolls_sideways_on_a_narrow_screen(
    stage, client, browser, complaints, scheme, tmp_path
):
    screen = await (await _context(browser, complaints, color_scheme=scheme)).new_page()
    backgrounds = []

    async def look(name: str) -> None:
        backgrounds.append(await _look(screen, tmp_path / f"{name}-{scheme}.png"))

    await screen.goto(client.request(client_id="cli_nobody"))
    await screen.get_by_role("heading").wait_for()
    await look("error")
    await screen.goto(client.request())
    await _log_in(screen, stage, password="not the password")
    await screen.get_by_role("alert").wait_for()
    await look("login")
    await screen.keyboard.type(stage.password)
    await screen.keyboard.press("Enter")
    await screen.get_by_role("button", name="Allow").wait_for()
    await look("consent")
    assert complaints == []
    # Dark is dark, and light is light: the pages follow the system.
    assert {sum(colour) < 3 * 128 for colour in backgrounds} == {scheme == "dark"}


async def _look(screen: Page, picture: Path) -> list[int]:
    """Keep a picture, refuse what is wider than the screen, return the background's colour."""
    await screen.screenshot(path=picture, full_page=True)
    width, content = await screen.evaluate(
        "[document.documentElement.clientWidth, document.documentElement.scrollWidth]"
    )
    assert content <= width, picture.stem
    colour: list[int] = await screen.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
    )
    return colour


def _is_error_page(url: str) -> bool:
    return url.startswith("chrome-error:")


def _framing(address: str):
    page = f"<!doctype html><link rel=icon href='data:,'><iframe src='{address}'></iframe>"
    return lambda _: page.replace("&", "&amp;")
