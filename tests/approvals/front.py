"""The pages over the office of `conftest.py`: people who are logged in, and their browsers."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html import unescape

import httpx2
import uvicorn
from playwright.async_api import Browser, Page, async_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from remit.approvals.access_asking import AccessAsking
from remit.approvals.access_desk import AccessDeps, AccessDesk
from remit.approvals.page_deps import PageDeps
from remit.approvals.page_login import PAGE_LINKS, PAGE_PATHS, asked_acr
from remit.approvals.pages import routes
from remit.audit.context import Context
from remit.identity import (
    ACR_PHISHING_RESISTANT,
    IdentityDeps,
    Passwords,
    Proof,
    begin_session,
    find_user,
    session_reader,
)
from remit.identity import routes as identity_routes
from remit.web import SecurityHeaders, site_at, static_routes
from tests.chromium import CHROMIUM_ARGUMENTS, find_chromium

ORIGIN = "http://localhost:8000"


@dataclass
class Front:
    """The pages at `origin`, and sessions for people."""

    office: object
    origin: str
    identity: IdentityDeps
    deps: PageDeps
    application: object

    async def session(self, name: str, *, acr: str = ACR_PHISHING_RESISTANT) -> str:
        """The secret of a session of that person, who has just logged in."""

        def begin(tx):
            user = find_user(tx, f"usr_{name}")
            proof = Proof(acr=acr, amr=("pwd",))
            return begin_session(
                tx, self.identity, user, proof=proof, previous=None, context=Context()
            )

        return (await self.office.database.run(begin)).secret

    async def visitor(self, name: str | None, **how: str) -> "Visitor":
        """Somebody's browser."""
        cookies = {} if name is None else {"remit_session": await self.session(name, **how)}
        transport = httpx2.ASGITransport(app=self.application)
        client = httpx2.AsyncClient(transport=transport, base_url=self.origin, cookies=cookies)
        return Visitor(client, self.origin)


@dataclass
class Visitor:
    """A browser without a screen: cookies, and forms it sends as they stand on the page."""

    client: httpx2.AsyncClient
    origin: str

    async def get(self, path: str) -> httpx2.Response:
        return await self.client.get(path)

    async def send(
        self, page: httpx2.Response, path: str, *, headers: dict | None = None, **fields: object
    ) -> httpx2.Response:
        """The form of `page` that goes to `path`, with `fields` filled in."""
        own = {"origin": self.origin, "sec-fetch-site": "same-origin", **(headers or {})}
        filled = {**hidden_fields(page.text, path), **fields}
        return await self.client.post(path, data=filled, headers=own)


def hidden_fields(html: str, path: str) -> dict[str, str]:
    """What the form that is sent to `path` carries."""
    form = html.split(f'action="{path}"', 1)[1].split("</form>", 1)[0]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form)
    return {name: unescape(value) for name, value in found}


def words_of(html: str) -> str:
    """The text of a page, as somebody reads it."""
    body = html.split("<body", 1)[1]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def front_of(office: object, passwords: Passwords, origin: str = ORIGIN) -> Front:
    """The pages, at `origin`."""
    site = site_at(origin)

    async def no_more(_: str) -> str | None:
        return None

    identity = IdentityDeps(
        database=office.database,
        directory=office.directory,
        clock=office.clock,
        site=site,
        passwords=passwords,
        box=office.deps.box,
        required_acr=asked_acr(no_more),
        return_paths=("/authorize", "/account", *PAGE_PATHS),
        links=PAGE_LINKS,
    )
    access = AccessDesk(
        AccessDeps(
            database=office.database,
            directory=office.directory,
            clock=office.clock,
            ask=AccessAsking(office.deps),
        )
    )
    deps = PageDeps(
        desk=office.desk,
        access=access,
        database=office.database,
        directory=office.directory,
        clock=office.clock,
        site=site,
        read_session=session_reader(identity),
    )

    async def onward(_: Request) -> Response:
        return PlainTextResponse("back at the client")

    pages = [*routes(deps), *identity_routes(identity), *static_routes()]
    application = Starlette(routes=[*pages, Route("/authorize/continue", onward)])
    return Front(
        office=office,
        origin=origin,
        identity=identity,
        deps=deps,
        application=SecurityHeaders(application, secure=False),
    )


@contextlib.asynccontextmanager
async def served(office: object, passwords: Passwords) -> AsyncIterator[Front]:
    """The pages over a real socket, by a name for which browsers make passkeys."""
    listening = socket.create_server(("127.0.0.1", 0))
    front = front_of(office, passwords, f"http://localhost:{listening.getsockname()[1]}")
    server = uvicorn.Server(
        uvicorn.Config(
            front.application, lifespan="off", log_level="error", ws="none", loop="asyncio"
        )
    )
    server.capture_signals = contextlib.nullcontext
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield front
    finally:
        server.should_exit = True
        server.force_exit = True
        await running


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A real browser."""
    program = find_chromium()
    assert program, "no Chromium: install one, or leave these out with `-m 'not browser'`"
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=program, args=CHROMIUM_ARGUMENTS
        )
        yield launched
        await launched.close()


async def screen_of(
    browser: Browser, front: Front, name: str | None, *, complaints: list[str], **options: object
) -> Page:
    """A screen at which that person is logged in; what its console says is added to `complaints`."""
    acr = options.pop("acr", ACR_PHISHING_RESISTANT)
    context = await browser.new_context(**options)
    context.set_default_timeout(60_000)
    if name is not None:
        secret = await front.session(name, acr=acr)
        await context.add_cookies([{"name": "remit_session", "value": secret, "url": front.origin}])
    page = await context.new_page()
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page
