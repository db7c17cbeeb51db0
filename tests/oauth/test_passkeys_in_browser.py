"""An authorization request that asks for a passkey (`acr_values`), in a real Chromium, to its token."""

import contextlib
import json
import socket
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import flows
import pytest
from playwright.async_api import Page, async_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from remit.db import Database
from remit.identity import Passwords
from remit.web import SecurityHeaders
from tests.chromium import CHROMIUM_ARGUMENTS, find_chromium
from tests.identity.test_passkeys_in_browser import DEVICE
from tests.oauth.test_consent_in_browser import Served, listening_at_loopback, serving

# What the pages do is tested on both databases elsewhere; here it is what a person meets.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

PHR = "urn:remit:acr:phr"


@pytest.fixture
async def served(database_url, audit, clock, repository) -> AsyncIterator[Served]:
    """An authorization server that is reached by name, and a client at an address."""
    database = Database.open(database_url, recorder=audit)
    passwords = Passwords(passes=1, memory_kib=8, lanes=1)
    ours = socket.create_server(("127.0.0.1", 0))
    origin = f"http://localhost:{ours.getsockname()[1]}"
    theirs, client = listening_at_loopback()
    world = flows.build_world(
        database, audit, clock, repository=repository, passwords=passwords, origin=origin
    )

    async def callback(_: Request) -> Response:
        return PlainTextResponse("the client")

    stranger = Starlette(routes=[Route("/callback", callback)])
    async with (
        serving(SecurityHeaders(world.application, secure=False), ours),
        serving(stranger, theirs),
    ):
        made = Served(world, origin, client)
        await made.prepare()
        yield made
    with contextlib.suppress(RuntimeError):
        for one in world.clients:
            await one.aclose()
    passwords.close()
    database.close()


@pytest.fixture
async def screen() -> AsyncIterator[Page]:
    """A page on a machine with a virtual authenticator; its complaints fail the test."""
    program = find_chromium()
    assert program, "no Chromium: install one, or leave these out with `-m 'not browser'`"
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
        page = await browser.new_page(viewport={"width": 320, "height": 640})
        page.set_default_timeout(60_000)
        page.on("console", lambda said: complaints.append(said.text))
        device = await page.context.new_cdp_session(page)
        await device.send("WebAuthn.enable", {"enableUI": False})
        await device.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
        yield page
        await browser.close()
    assert [one for one in complaints if "favicon" not in one and "404" not in one] == []


async def test_a_request_for_a_passkey_ends_with_a_token_that_says_so(served, screen):
    """She has none yet: she shows her password, makes one, uses it, and allows the client."""
    await screen.goto(await served.request(acr_values=PHR))
    await screen.get_by_label("User name").fill("ada")
    await screen.get_by_label("Password", exact=True).fill(flows.PASSWORD)
    await screen.keyboard.press("Enter")
    await screen.get_by_role("heading", name="Set up a second factor").wait_for()
    assert await screen.get_by_text("authenticator app").count() == 0
    await screen.get_by_role("button", name="Create a passkey").click()
    await screen.get_by_role("link", name="I have kept them").click()
    await screen.get_by_role("button", name="Use your passkey").click()
    await screen.get_by_role("button", name="Allow").click()
    await screen.wait_for_url(f"{served.client}/callback**")
    (code,) = parse_qs(urlsplit(screen.url).query)["code"]
    answer = await served.world.redeem(
        code,
        client_id=served.client_id,
        redirect_uri=f"{served.client}/callback",
        resource=f"{served.origin}/mcp/crm",
    )
    claims = _claims(answer.json()["access_token"])
    assert claims["acr"] == PHR
    assert claims["amr"] == ["pwd", "hwk", "user", "mfa"]


async def test_who_has_a_session_and_a_passkey_is_asked_for_the_passkey_alone(served, screen):
    await screen.goto(f"{served.origin}/login")
    await screen.get_by_label("User name").fill("ada")
    await screen.get_by_label("Password", exact=True).fill(flows.PASSWORD)
    await screen.keyboard.press("Enter")
    await screen.get_by_role("link", name="Set up an app").wait_for()
    await screen.goto(f"{served.origin}/account/passkeys/new")
    await screen.get_by_role("button", name="Create the passkey").click()
    await screen.get_by_role("link", name="I have kept them").click()
    await screen.goto(await served.request(acr_values=PHR))
    assert await screen.get_by_label("Password", exact=True).count() == 0
    await screen.get_by_role("button", name="Use your passkey").click()
    await screen.get_by_role("button", name="Allow").wait_for()


def _claims(token: str) -> dict:
    body = token.split(".")[1]
    claims: dict = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims
