"""The pages in a real Chromium: looked at by axe-core, used by keyboard and without script, on a phone and in the dark.

With `REMIT_PICTURES` set to a folder, the pictures of the guides are made anew there.
"""

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from remit.approvals.access import Holder, HolderKind, Wish
from remit.approvals.request import Verdict
from remit.clock import Seconds
from remit.guard import Permit
from remit.identity import Passwords
from remit.model import (
    ACR_PASSWORD,
    ACR_PHISHING_RESISTANT,
    AccessOffer,
    AgentClients,
    EmergencyAccess,
    StaticClient,
)
from tests.approvals.front import Front, chromium, screen_of, served

# What the pages do is tested on both databases elsewhere; here it is what a browser makes of them.
pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

AXE = Path(__file__).parents[1] / "node" / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"width": 320, "height": 640}
DESK = {"width": 760, "height": 900}
LOOKS = {
    "light": {"viewport": DESK, "color_scheme": "light"},
    "dark": {"viewport": DESK, "color_scheme": "dark"},
    "phone": {"viewport": PHONE, "color_scheme": "light"},
    "forced": {"viewport": DESK, "forced_colors": "active"},
}
DARK = {"color_scheme": "dark"}
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
NASTY = {
    "account": "acc_1",
    "to": "<img src=x onerror=alert(1)>",
    "note": "pay \u202e00.01\u202c now\u200b",
    "body": "line one\nline two " + "very long " * 60,
    "deep": {"list": [1, True, None, "001", ""]},
}


@pytest.fixture
async def front(office) -> AsyncIterator[Front]:
    office.use_approvals(
        access={
            "billing": AccessOffer(
                name="billing", role="finance", people_roles=("manager",), approver="director"
            )
        },
        emergency={
            "break-glass": EmergencyAccess(
                name="break-glass", people=("ada",), role="director", reviewer="manager"
            )
        },
    )
    passwords = Passwords(passes=1, memory_kib=8, lanes=1)
    async with served(office, passwords) as front:
        yield front
    passwords.close()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as launched:
        yield launched


@pytest.fixture
def complaints():
    """What consoles said (CSP, broken files, errors): nothing, when the test is over."""
    said: list[str] = []
    yield said
    assert [one for one in said if "Failed to load resource" not in one] == []


async def examine(screen: Page, name: str, *, picture: bool = False) -> None:
    """Refuse what is wider than the screen, and what axe-core objects to; keep a picture where one is wanted."""
    widths = await screen.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1], name
    if picture and (folder := os.environ.get("REMIT_PICTURES")):
        await screen.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
    session = await screen.context.new_cdp_session(screen)
    # A world of its own: our pages let no script in that stands in the page, and stay so.
    frame = (await session.send("Page.getFrameTree"))["frameTree"]["frame"]["id"]
    world = await session.send("Page.createIsolatedWorld", {"frameId": frame})
    context = world["executionContextId"]
    await session.send("Runtime.evaluate", {"expression": AXE.read_text(), "contextId": context})
    found = await session.send(
        "Runtime.evaluate",
        {
            "expression": "axe.run(document, {resultTypes: ['violations']}).then(found =>"
            " found.violations.map(one => one.id + ': ' + one.nodes.map(at => at.html).join(' ')))",
            "contextId": context,
            "awaitPromise": True,
            "returnByValue": True,
        },
    )
    assert found["result"]["value"] == [], name


async def visits(office, front: Front) -> list[tuple[str, str, str]]:
    """Every page there is, with something on it: its name, whose browser, and where."""
    refund = await office.asked(office.refund("1250.50"))
    both = await office.asked(office.refund("9800.00"))
    nasty = await office.asked(office.update(**NASTY))
    alike = [await office.asked(office.update(name=f"n{n}", note="same")) for n in range(3)]
    refused = await office.asked(office.update(name="other", to="somebody"))
    await office.answers("bob", refused, Verdict.REFUSED, reason="Ask the customer first.")
    wished = await _wished(front)
    return [
        ("wish", "dora", f"/approvals/{wished}"),
        ("review", "bob", "/emergency"),
        ("confirm", "ada", f"/approvals/{refund}"),
        ("approve", "bob", f"/approvals/{nasty}"),
        ("both", "ada", f"/approvals/{both}"),
        ("waiting", "ada", f"/approvals/{nasty}"),
        ("alike", "cyn", f"/approvals/like/{alike[0]}"),
        ("inbox", "ada", "/approvals"),
        ("refused", "ada", f"/approvals/done/{refused}"),
        ("access", "bob", "/access"),
        ("emergency", "ada", "/emergency"),
        ("nothing", "fay", f"/approvals/{refund}"),
    ]


async def _wished(front: Front) -> str:
    """The id of a request for access, while emergency access is in use that the banner speaks of."""
    context = front.office.context
    bob = Holder(
        kind=HolderKind.USER, id="usr_bob", tenant="acme", username="bob", roles=("manager",)
    )
    wish = Wish(offer="billing", seconds=Seconds(3_600), justification={"reason": "month end"})
    access = await front.deps.access.request(bob, wish, context=context)
    ada = Holder(
        kind=HolderKind.USER,
        id="usr_ada",
        tenant="acme",
        username="ada",
        acr=ACR_PHISHING_RESISTANT,
        auth_time=front.office.clock.now(),
    )
    wish = Wish(offer="break-glass", seconds=Seconds(900), justification={"reason": "fire"})
    await front.deps.access.take(ada, wish, context=context)
    return access.approval


@pytest.mark.parametrize("look", LOOKS)
async def test_every_page_passes_axe_and_fits_its_screen(office, front, browser, complaints, look):
    for name, who, path in await visits(office, front):
        screen = await screen_of(browser, front, who, complaints=complaints, **LOOKS[look])
        await screen.goto(f"{front.origin}{path}")
        await examine(screen, f"{name}-{look}")
        await screen.context.close()


async def test_what_the_guides_show_is_what_people_see(office, front, browser, complaints):
    """The pictures in `docs/images`: `REMIT_PICTURES=docs/images` makes them anew."""
    _furnish(office)
    first, *_ = [
        await office.asked(office.refund(value)) for value in ("1250.50", "640.00", "815.25")
    ]
    for n in range(3):
        await office.asked(office.update(name=f"Customer {n}", note="Merged accounts"))
    pictures = [
        ("confirmation", "ada", f"/approvals/{first}", LOOKS["light"]),
        ("confirmation-phone", "ada", f"/approvals/{first}", {**LOOKS["phone"], **DARK}),
        ("inbox", "ada", "/approvals", LOOKS["light"]),
        ("like-requests", "ada", f"/approvals/like/{first}", LOOKS["light"]),
        ("emergency", "ada", "/emergency", LOOKS["dark"]),
    ]
    for name, who, path, look in pictures:
        screen = await screen_of(browser, front, who, complaints=complaints, **look)
        await screen.goto(f"{front.origin}{path}")
        await screen.get_by_role("heading", level=1).wait_for()
        await examine(screen, name, picture=True)
        await screen.context.close()


def _furnish(office) -> None:
    """Names as an organisation would give them."""
    catalog = office.directory.catalog
    desktop = StaticClient(client_id="cli_1", name="Support desktop")
    agent = replace(
        catalog.agents["assistant"],
        name="Support assistant",
        owner="support-lead@acme.example",
        purpose="Helps support staff to answer customers.",
        clients=AgentClients(static=(desktop,)),
    )
    server = catalog.servers["payments"]
    tool = replace(
        server.tools["refund"],
        description="Refund an amount against an invoice.",
        data_categories=("billing",),
    )
    server = replace(server, tools={**server.tools, "refund": tool})
    office.directory.catalog = replace(
        catalog,
        issuer=replace(catalog.issuer, name="Acme"),
        agents={**catalog.agents, "assistant": agent},
        servers={**catalog.servers, "payments": server},
    )


async def test_a_call_is_confirmed_by_keyboard_alone(office, front, browser, complaints):
    asked = await office.asked(office.refund("1250.50"))
    screen = await screen_of(browser, front, "ada", complaints=complaints, viewport=PHONE)
    await screen.goto(f"{front.origin}/approvals/{asked}")
    await screen.get_by_role("heading", name="Refund").wait_for()
    for _ in range(30):
        await screen.keyboard.press("Tab")
        if "Confirm" in await screen.evaluate("document.activeElement.innerText"):
            break
    await screen.keyboard.press("Enter")
    await screen.get_by_role("heading", name="The call is allowed").wait_for()
    assert isinstance(await office.decide(office.refund("1250.50")), Permit)


async def test_without_script_everything_can_be_answered(office, front, browser, complaints):
    asked = await office.asked(office.update(note="x"))
    screen = await screen_of(
        browser, front, "bob", complaints=complaints, java_script_enabled=False
    )
    await screen.goto(f"{front.origin}/approvals")
    await screen.get_by_role("link", name="Update account").click()
    await screen.get_by_label("A word on your answer").fill("who asks for this?")
    await screen.get_by_role("button", name="Refuse").click()
    await screen.get_by_role("heading", name="The call is refused").wait_for()
    request = await office.desk.read(asked, await office.person("ada"))
    assert request.answers[0].reason == "who asks for this?"


async def test_who_has_not_used_their_passkey_does_so_and_comes_back_to_confirm(
    office, front, browser, complaints
):
    asked = await office.asked(office.refund("1250.50"))
    screen = await screen_of(browser, front, "ada", complaints=complaints, acr=ACR_PASSWORD)
    session = await screen.context.new_cdp_session(screen)
    await session.send("WebAuthn.enable", {"enableUI": False})
    await session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    await screen.goto(f"{front.origin}/approvals")
    await screen.goto(f"{front.origin}/account/passkeys/new")
    await screen.locator("#name").fill("my key")
    await screen.keyboard.press("Enter")
    await screen.get_by_role("heading", name="Your recovery codes").wait_for()
    weak = await front.session("ada", acr=ACR_PASSWORD)
    await screen.context.add_cookies(
        [{"name": "remit_session", "value": weak, "url": front.origin}]
    )
    await screen.goto(f"{front.origin}/approvals/{asked}?return_to=%2Fauthorize%2Fcontinue")
    assert await screen.get_by_role("button", name="Confirm").count() == 0
    await screen.get_by_role("link", name="Go on with your passkey").click()
    await screen.get_by_role("button", name="Use your passkey").click()
    await screen.get_by_role("button", name="Confirm €1,250.50").click()
    await screen.wait_for_url(f"{front.origin}/authorize/continue")
    assert isinstance(await office.decide(office.refund("1250.50")), Permit)


async def test_the_examination_finds_what_is_wrong(browser, front, complaints):
    screen = await screen_of(browser, front, None, complaints=complaints)
    await screen.set_content(
        "<main><img src='data:,'><input><p style='color:#aaa'>faint</p></main>"
    )
    with pytest.raises(AssertionError, match="color-contrast"):
        await examine(screen, "wrong")


async def test_a_page_of_another_origin_frames_nothing(office, front, browser):
    said: list[str] = []
    asked = await office.asked()
    screen = await screen_of(browser, front, "ada", complaints=said)
    await screen.set_content(f"<iframe src='{front.origin}/approvals/{asked}'></iframe>")
    await screen.frames[1].wait_for_url(
        lambda url: url.startswith("chrome-error:"), wait_until="commit"
    )
    assert await screen.frames[1].locator("form").count() == 0
    assert any("frame-ancestors" in one for one in said)


async def test_markup_in_an_argument_stands_there_as_text(office, front, browser, complaints):
    asked = await office.asked(office.update(**NASTY))
    screen = await screen_of(browser, front, "bob", complaints=complaints)
    await screen.goto(f"{front.origin}/approvals/{asked}")
    assert await screen.get_by_text("<img src=x onerror=alert(1)>", exact=True).count() == 2
    assert await screen.locator("main img").count() == 0
    # Turned text would put `now` before `pay`, as it did where the sign was kept.
    note = screen.locator(".values dd", has_text="pay")
    assert (await note.inner_text()).split() == ["pay", "U+202E00.01U+202C", "nowU+200B"]
