"""The consent page in a real Chromium: where its forms may lead, by keyboard, on a narrow screen."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlencode

import flows
import pytest
import uvicorn
from playwright.async_api import Page, async_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from remit.audit.events import ConsentDenied, ConsentGranted
from remit.db import Database
from remit.identity import Passwords
from remit.web import SecurityHeaders
from tests.chromium import CHROMIUM_ARGUMENTS, find_chromium

# What the pages do is tested on both databases elsewhere; here it is what a person meets.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@dataclass
class Served:
    """An authorization server and a client, each at an origin of its own."""

    world: flows.World
    origin: str
    client: str

    async def request(self, **changes: object) -> str:
        """The address of an authorization request of a client that introduced itself."""
        fields = {
            **flows.request_fields(),
            "client_id": self.client_id,
            "redirect_uri": f"{self.client}/callback",
            "resource": f"{self.origin}/mcp/crm",
        }
        return f"{self.origin}/authorize?{urlencode(flows.given(fields, changes))}"

    async def prepare(self) -> None:
        await self.world.add_user()
        self.client_id = await self.world.register("http://127.0.0.1/callback")


@contextlib.asynccontextmanager
async def serving(application, listening) -> AsyncIterator[None]:
    server = uvicorn.Server(
        uvicorn.Config(application, lifespan="off", log_level="error", ws="none", loop="asyncio")
    )
    server.capture_signals = contextlib.nullcontext
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        server.force_exit = True
        await running


def listening_at_loopback() -> tuple[socket.socket, str]:
    listening = socket.create_server(("127.0.0.1", 0))
    return listening, f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
async def served(database_url, audit, clock, repository) -> AsyncIterator[Served]:
    database = Database.open(database_url, recorder=audit)
    passwords = Passwords(passes=1, memory_kib=8, lanes=1)
    (ours, origin), (theirs, client) = listening_at_loopback(), listening_at_loopback()
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
    for one in world.clients:
        await one.aclose()
    passwords.close()
    database.close()


@pytest.fixture
async def screen() -> AsyncIterator[Page]:
    """A page 320 pixels wide whose complaints (CSP, broken files) fail the test."""
    program = find_chromium()
    assert program, "no Chromium: install one, or leave these out with `-m 'not browser'`"
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
        page = await browser.new_page(viewport={"width": 320, "height": 640}, color_scheme="light")
        page.on("console", lambda said: complaints.append(f"{said.text} {said.location}"))
        yield page
        await browser.close()
    assert [one for one in complaints if "status of 4" not in one and "favicon" not in one] == []


async def log_in(screen: Page) -> None:
    await screen.get_by_label("User name").fill("ada")
    await screen.get_by_label("Password").fill(flows.PASSWORD)
    await screen.get_by_role("button", name="Log in").click()


async def test_a_person_unticks_one_scope_and_the_client_at_its_own_origin_is_told(screen, served):
    await screen.goto(await served.request())
    await log_in(screen)
    await screen.get_by_label("Change customer accounts").uncheck()
    await screen.get_by_role("button", name="Allow").click()
    await screen.wait_for_url(f"{served.client}/callback?code=*")
    (granted,) = served.world.events(ConsentGranted)
    assert granted.granted == ("crm:accounts.read",)


async def test_refusing_leads_to_the_client_too(screen, served):
    await screen.goto(await served.request())
    await log_in(screen)
    await screen.get_by_role("button", name="Refuse").click()
    await screen.wait_for_url(f"{served.client}/callback?error=access_denied*")


async def test_enter_refuses(screen, served):
    """Nobody grants anything by a key pressed too early."""
    await screen.goto(await served.request())
    await log_in(screen)
    await screen.get_by_label("Look at customer accounts").focus()
    await screen.keyboard.press("Enter")
    await screen.wait_for_url(f"{served.client}/callback?error=access_denied*")
    assert len(served.world.events(ConsentDenied)) == 1


async def test_an_answer_right_after_the_log_in_may_leave_our_origin(screen, served):
    """A browser applies the form's policy to the whole chain of redirects after it."""
    await screen.goto(await served.request(scope="crm:accounts.delete"))
    await log_in(screen)
    await screen.wait_for_url(f"{served.client}/callback?error=access_denied*")


async def test_what_cannot_be_had_cannot_be_ticked_and_nothing_scrolls_sideways(screen, served):
    await screen.goto(await served.request(scope="crm:accounts.read crm:accounts.delete"))
    await log_in(screen)
    assert await screen.get_by_label("Delete customer accounts").is_disabled()
    assert await screen.get_by_label("Look at customer accounts").is_checked()
    assert await screen.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


async def test_nothing_ticked_is_said_and_kept(screen, served):
    await screen.goto(await served.request(scope="crm:accounts.read"))
    await log_in(screen)
    await screen.get_by_label("Look at customer accounts").uncheck()
    await screen.get_by_role("button", name="Allow").click()
    await screen.get_by_role("alert").wait_for()
    assert not await screen.get_by_label("Look at customer accounts").is_checked()
