"""A Remit whose payments ask people first, the people, and their browsers."""

import asyncio
import contextlib
import json
import re
import secrets
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from mcp.shared.exceptions import MCPError
from mcp_types import ElicitResult
from playwright.async_api import (
    Browser,
    BrowserContext,
    CDPSession,
    Page,
    async_playwright,
)
from playwright.async_api import TimeoutError as PlaywrightTimeout

from remit.audit import read_events
from remit.demo.agent import Keyring, connect
from remit.demo.stage import Stage, _process, _remit, _until_listening, _until_ready, free_port
from remit.repository import write_example
from tests.chromium import CHROMIUM_ARGUMENTS, find_chromium

LEDGER = Path(__file__).parent / "turning_payments.py"
REDIRECT_URI = "http://127.0.0.1:8765/callback"
PATIENCE = 30_000
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
BUTTONS = (
    ("link", "Go on with your passkey"),
    ("link", "Go on"),
    ("button", "Use your passkey"),
    ("button", "Log in with a passkey"),
    ("button", "Allow"),
)
REFUNDS = """
@id("refund-confirmed") @confirm("urn:remit:acr:phr")
@refusal("A refund above 500.00 USD is confirmed with a passkey.")
forbid (principal, action == Remit::Action::"payments/refund", resource)
when { context.arguments.amount.value.greaterThan(decimal("500.00")) };

@id("refund-approved") @require_approval("manager")
@refusal("A refund above 5,000.00 USD is approved by a manager.")
forbid (principal, action == Remit::Action::"payments/refund", resource)
when { context.arguments.amount.value.greaterThan(decimal("5000.00")) };
"""
APPROVALS = """
confirmation: { waits: 10m, holds: 5m, fresh: 5m }
rules:
  - { name: managers, role: manager, acr: "urn:remit:acr:phr", waits: 15m, holds: 5m }
"""
MANAGER = """
  manager:
    description: Answers for money.
    scopes: [payments:invoices.read, payments:refunds.create]
"""


@dataclass(slots=True)
class Person:
    """Somebody with an account, a machine and a passkey on it."""

    username: str
    password: str
    url: str
    context: BrowserContext
    screen: Page
    complaints: list[str] = field(default_factory=list)
    device: tuple[CDPSession, str] | None = None

    async def log_in(self, path: str = "/account") -> None:
        """With the password, at a page that nobody reaches without."""
        await self.screen.goto(f"{self.url}{path}")
        await self.fill_in()

    async def fill_in(self) -> None:
        """The log-in form, where there is one."""
        await self.screen.get_by_label("User name").fill(self.username)
        await self.screen.get_by_label("Password", exact=True).fill(self.password)
        await self.screen.keyboard.press("Enter")

    async def take_up_passkey(self) -> None:
        """A virtual authenticator, and a passkey on it."""
        await self.add_device()
        await self.log_in()
        await self.screen.get_by_role("link", name="Add a passkey").click()
        await self.screen.locator("#name").fill("my laptop")
        await self.screen.keyboard.press("Enter")
        await self.screen.get_by_role("heading", name="Your recovery codes").wait_for()
        await self.screen.get_by_role("link", name="I have kept them").click()
        await self.screen.get_by_text("my laptop").first.wait_for()

    async def elsewhere(self) -> "Person":
        """The same person at another machine, to which their passkey is synced, and where nobody is logged in."""
        browser = self.context.browser
        assert browser is not None
        context = await browser.new_context()
        context.set_default_timeout(PATIENCE)
        made = Person(self.username, self.password, self.url, context, await context.new_page())
        await made.add_device()
        for side in (self.device, made.device):
            assert side is not None
        (session, here), (other, there) = self.device, made.device
        held = await session.send("WebAuthn.getCredentials", {"authenticatorId": here})
        for one in held["credentials"]:
            await other.send(
                "WebAuthn.addCredential", {"authenticatorId": there, "credential": one}
            )
        return made

    async def add_device(self) -> None:
        """A virtual authenticator."""
        session = await self.context.new_cdp_session(self.screen)
        await session.send("WebAuthn.enable", {"enableUI": False})
        added = await session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
        self.device = (session, added["authenticatorId"])

    async def look(self, url: str, *, ready: bool = True) -> str:
        """Open a page, prove who they are as it asks, and return what it says."""
        await self.screen.goto(url)
        await self.screen.wait_for_load_state()
        decides = self.screen.locator("button[name=decision][value=allow]")
        try:
            async with asyncio.timeout(PATIENCE / 1000):
                while ready and not await decides.count():
                    await go_on(self.screen, self)
        except TimeoutError:
            said = await self.screen.locator("body").inner_text()
            raise AssertionError(f"{self.screen.url}: {said}") from None
        return await self.screen.locator("main").inner_text()

    async def say(self, decision: str, *, reason: str = "") -> str:
        """Press a button of the page that is open, and return what comes of it."""
        if reason:
            await self.screen.locator("#reason").fill(reason)
        await self.screen.locator(f"button[name=decision][value={decision}]").click()
        await self.screen.wait_for_url("**/approvals/done/**")
        return await self.screen.locator("main").inner_text()

    async def answer(self, url: str, decision: str = "allow", *, reason: str = "") -> str:
        """Open a page and press its button."""
        await self.look(url)
        return await self.say(decision, reason=reason)


@dataclass(slots=True)
class Installation:
    """A running Remit. `url` names a host: passkeys belong to one. `turn` has the payments change a tool."""

    stage: Stage
    browser: Browser
    turn: Callable[[], None]
    payments: str

    @property
    def url(self) -> str:
        return self.stage.url

    async def person(
        self, name: str, *roles: str, passkey: bool = True, tenant: str = "acme"
    ) -> Person:
        """Somebody new, at a machine of their own."""
        username, password = f"{name}-{secrets.token_hex(3)}", secrets.token_urlsafe(12)
        given = [part for role in roles for part in ("--role", role)]
        await self.stage.remit(
            "users", "add", username, "--tenant", tenant, *given,
            "--display-name", name.capitalize(), "--password-stdin", stdin=f"{password}\n",
        )  # fmt: skip
        context = await self.browser.new_context(viewport={"width": 480, "height": 900})
        context.set_default_timeout(PATIENCE)
        made = Person(username, password, self.url, context, await context.new_page())
        made.screen.on("console", lambda said: made.complaints.append(said.text))
        made.screen.on("pageerror", lambda error: made.complaints.append(str(error)))
        if passkey:
            await made.take_up_passkey()
        return made

    def events(self, *kinds: str) -> list[dict]:
        """What the log says, of `kinds` alone where there are any."""
        found = read_events(self.stage.data / "audit")
        return [one for one in found if not kinds or one["kind"] in kinds]

    def run_out(self, approval: str) -> None:
        """Let the time of a request be over."""
        with closing(sqlite3.connect(self.stage.data / "remit.sqlite3", timeout=30)) as database:
            database.execute(
                "UPDATE approvals SET expires_at = created_at WHERE id = ?", (approval,)
            )
            database.commit()

    async def refunded(self, agent, invoice: str) -> str:
        """What the ledger itself says was refunded."""
        read = await agent.call("get_invoice", {"invoice_id": invoice})
        return json.loads(read.content[0].text)["refunded"]


@asynccontextmanager
async def installation(
    folder: Path,
    *,
    guarded_at: str | None = None,
    environment: dict[str, str] | None = None,
    **files: str,
) -> AsyncIterator[Installation]:
    """`remit serve` with the example, and rules that people can cure. `guarded_at`: where the payments guard themselves.

    `files` replace others.
    """
    program = find_chromium()
    assert program, "no Chromium: install one, or leave these out with `-m 'not browser'`"
    port, upstream = free_port(), free_port()
    policy, url = folder / "policy", f"http://localhost:{port}"
    write_example(policy)
    roles = policy / "roles.yaml"
    text = roles.read_text()
    if "\n  manager:" not in text:
        roles.write_text(text.replace("roles:\n", f"roles:{MANAGER}\n", 1))
    server = policy / "servers" / "payments.yaml"
    text = server.read_text()
    begin, end = text.index("upstream:\n"), text.index("\n\n", text.index("upstream:\n"))
    http = f"upstream: {{ http: {{ url: http://127.0.0.1:{upstream}/mcp }} }}"
    guarded = ""
    if guarded_at is not None:
        guarded = f"\nguard_secret: env:PAYMENTS_GUARD_SECRET\nresource_identifier: {guarded_at}\n"
    server.write_text(text[:begin] + http + text[end:] + guarded)
    (policy / "policies" / "refunds.cedar").write_text(REFUNDS)
    (policy / "approvals.yaml").write_text(APPROVALS)
    for name, content in files.items():
        (policy / name).write_text(content)
    serve = _remit(
        "serve", "--repo", str(policy), "--data", str(folder / "data"), "--port", str(port),
        "--public-url", url,
    )  # fmt: skip
    told = {
        "CRM_GATEWAY_TOKEN": secrets.token_urlsafe(24),
        "REMIT_BILLING_JOB_SECRET": secrets.token_urlsafe(24),
        **(environment or {}),
    }
    ledger = [sys.executable, str(LEDGER), str(upstream)]
    async with (
        _process(ledger, folder / "payments.log", {}) as payments,
        _process(serve, folder / "remit.log", told) as process,
    ):
        await _until_listening(upstream, folder / "payments.log")
        await _until_ready(f"{url}/readyz", process, folder / "remit.log")
        stage = Stage(folder=folder, url=url, username="", password="", ready_seconds=0.0)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=program, args=CHROMIUM_ARGUMENTS
            )
            yield Installation(
                stage,
                browser,
                turn=lambda: payments.send_signal(signal.SIGUSR1),
                payments=stage.server("payments"),
            )
            await browser.close()


async def refused(agent, arguments: dict[str, str], tool: str = "refund") -> dict:
    """What is said of a call that has to be refused, in whichever way."""
    try:
        result = await agent.call(tool, arguments)
    except MCPError as error:
        return {"text": str(error), **(error.error.data or {})}
    assert result.is_error, result
    return {"text": result.content[0].text, **(result.meta or {}).get("remit/refusal", {})}


def approval_in(url: str) -> str:
    """The id of the request that a page is about."""
    return urlsplit(url).path.rpartition("/")[2]


@dataclass(slots=True)
class Asked:
    """What a client was asked to show, and what its person does about it."""

    urls: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    arrived: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    action: str = "accept"

    async def __call__(self, context, params) -> ElicitResult:
        self.messages.append(params.message)
        self.urls.append(params.url)
        self.arrived.put_nowait(params.url)
        return ElicitResult(action=self.action)


@asynccontextmanager
async def agent_of(place: Installation, person: Person, *, keyring=None, mode="auto", elicit=None):
    """The official Python client, connected to the payments for `person`, who allows whatever it asks."""

    async def browse(url: str) -> str:
        return await allow(person, url)

    async with connect(
        place.payments, redirect_uri=REDIRECT_URI, browse=browse, keyring=keyring or Keyring(),
        mode=mode, elicit=elicit,
    ) as agent:  # fmt: skip
        yield agent


async def allow(person: Person, url: str) -> str:
    """Go through the pages in the real browser, from the authorization URL to the callback."""
    screen = await person.context.new_page()
    back: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def arrived(route) -> None:
        if not back.done():
            back.set_result(route.request.url)
        await route.fulfill(status=200, body="back", content_type="text/plain")

    await screen.route(re.compile(re.escape(REDIRECT_URI)), arrived)
    await screen.goto(url, wait_until="commit")
    try:
        async with asyncio.timeout(PATIENCE / 1000):
            while not back.done():
                if _is_callback(screen.url):
                    await asyncio.sleep(0.05)
                    continue
                await go_on(screen, person, says_yes=True)
        return await back
    finally:
        await screen.close()


async def go_on(screen: Page, person: Person, *, says_yes: bool = False) -> None:
    """Whatever the page there is wants: a log-in, a proof, a consent, a yes."""
    await asyncio.sleep(0.05)
    for named in BUTTONS:
        button = screen.locator("main").get_by_role(named[0], name=named[1], exact=True)
        if await button.count() and await button.first.is_visible():
            with contextlib.suppress(PlaywrightTimeout):
                await button.first.click(timeout=2_000)
            return
    answer = screen.locator("button[name=decision][value=allow]")
    if says_yes and await answer.count():
        await answer.click()
    elif await screen.get_by_label("User name").count():
        await screen.get_by_label("User name").fill(person.username)
        await screen.get_by_label("Password", exact=True).fill(person.password)
        await screen.keyboard.press("Enter")


def _is_callback(url: str) -> bool:
    return urlsplit(url).path == urlsplit(REDIRECT_URI).path
