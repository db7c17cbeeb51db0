"""A client that can show its person nothing, and authorizes again when it is challenged: the official Python one.

Nothing of why it comes back travels with it but what the challenge says; its person meets the page of the very call on
the way, confirms it there with a passkey, and the client's own retry passes, once.
"""

import asyncio
import re
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio

from remit.demo.agent import Keyring, connect
from remit.repository import write_example
from tests.e2e.stepping_up import PATIENCE, REDIRECT_URI, installation

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(300),
]

HIGH = "payments:refunds.high"
HELD = "      - payments:refunds.create"
LISTED = "  - payments:refunds.create"
ELEVATED = f"""
{HIGH}:
  title: Refund more
  description: Refund more than 500.00 USD, once.
  sensitivity: high
  elevated: true
"""
NEEDS_SCOPE = f"""
@id("refund-elevated") @require_scope("{HIGH}")
@refusal("A refund above 500.00 USD takes an elevated permission.")
forbid (principal, action == Remit::Action::"payments/refund", resource)
when {{ context.arguments.amount.value.greaterThan(decimal("500.00")) }}
unless {{ context.elevation.scopes.contains("{HIGH}") }};
"""
LARGE = {"invoice_id": "inv-78", "amount": "750.00", "reason": "wrong item"}
_BUTTONS = ("Allow", "Use your passkey", "Log in with a passkey")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory):
    async with installation(tmp_path_factory.mktemp("authorizing")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def dana(place):
    return await place.person("dana", "support")


class Journey:
    """The person's way through the pages, each time the client sends them; `answer` is what they say of a call."""

    def __init__(self, person, answer="Confirm"):
        self.person, self.answer = person, answer
        self.requests, self.pages = [], []

    async def __call__(self, url):
        self.requests.append(parse_qs(urlsplit(url).query))
        screen = self.person.screen  # the machine with the passkey
        back = asyncio.get_running_loop().create_future()

        async def arrived(route):
            if not back.done():
                back.set_result(route.request.url)
            await route.fulfill(status=200, body="back", content_type="text/plain")

        await screen.route(re.compile(re.escape(REDIRECT_URI)), arrived)
        await screen.goto(url, wait_until="commit")
        try:
            async with asyncio.timeout(PATIENCE / 1000):
                while not back.done():
                    await self._go_on(screen)
            return await back
        except TimeoutError:
            pytest.fail(f"stuck at {screen.url}: {await screen.locator('body').inner_text()}")
        finally:
            await screen.unroute_all()

    async def _go_on(self, screen):
        await asyncio.sleep(0.05)
        path = urlsplit(screen.url).path
        if path == urlsplit(REDIRECT_URI).path:
            return
        if path.startswith("/approvals/"):
            await self._answer(screen)
            return
        for name in _BUTTONS:
            button = screen.get_by_role("button", name=name, exact=True)
            if await button.count() and await button.first.is_visible():
                await button.first.click()
                return
        if await screen.get_by_label("User name").count():
            await screen.get_by_label("User name").fill(self.person.username)
            await screen.get_by_label("Password", exact=True).fill(self.person.password)
            await screen.keyboard.press("Enter")

    async def _answer(self, screen):
        self.pages.append(await screen.locator("main").inner_text())
        further = screen.get_by_role("link", name=re.compile("^Go on"))
        button = screen.get_by_role("button", name=re.compile(f"^{self.answer}"))
        for one in (further, button):
            if await one.count():
                await one.first.click()
                await screen.wait_for_load_state()
                return


def agent_of(place, journey, keyring=None, mode="auto"):
    return connect(
        place.payments,
        redirect_uri=REDIRECT_URI,
        browse=journey,
        keyring=keyring or Keyring(),
        mode=mode,
    )


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_it_comes_back_confirmed_and_its_retry_passes_once(place, dana, mode):
    journey = Journey(dana)
    async with agent_of(place, journey, mode=mode) as agent:
        before = Decimal(await place.refunded(agent, "inv-78"))
        result = await agent.call("refund", LARGE)
        assert not result.is_error, result
        assert len(journey.requests) == 2
        assert "$750.00" in "".join(journey.pages)
        assert Decimal(await place.refunded(agent, "inv-78")) - before == 750
    first, second = journey.requests
    assert (
        "acr_values" not in second
    )  # this client forgets what it was told, and its person is asked all the same
    given, used = place.events("elevation.given")[-1], place.events("elevation.used")[-1]
    assert given["body"]["elevation"] == used["body"]["elevation"]
    assert given["grant"] != used["grant"]  # it moved with its person to the new grant
    assert first.keys() == second.keys()


async def test_the_same_call_once_more_is_asked_about_once_more(place, dana):
    journey = Journey(dana)
    call = {**LARGE, "amount": "752.00"}
    async with agent_of(place, journey) as agent:
        assert not (await agent.call("refund", call)).is_error
        journey.answer = "Refuse"
        # The no holds under the grant that the client came back with, and is told in words.
        assert (await agent.call("refund", call)).is_error
        assert len(journey.requests) == 3


async def test_a_refusal_of_the_person_comes_back_as_one(place, dana):
    journey = Journey(dana, answer="Refuse")
    async with agent_of(place, journey) as agent:
        refused = await agent.call("refund", {**LARGE, "amount": "751.00"})
        assert refused.is_error
        assert "passkey" in str(refused.content)
        assert len(journey.requests) == 2


async def test_an_elevated_scope_is_given_to_the_call_and_to_no_token(tmp_path):
    """403 `insufficient_scope`: the client asks for the scope, and its token never says it."""
    example = tmp_path / "example"
    write_example(example)
    scopes = (example / "scopes.yaml").read_text() + ELEVATED
    roles = (example / "roles.yaml").read_text().replace(HELD, f"{HELD}\n      - {HIGH}")
    agent_file = (example / "agents" / "support-assistant.yaml").read_text()
    files = {
        "scopes.yaml": scopes,
        "roles.yaml": roles,
        "agents/support-assistant.yaml": agent_file.replace(LISTED, f"{LISTED}\n  - {HIGH}"),
        "policies/refunds.cedar": NEEDS_SCOPE,
    }
    async with installation(tmp_path, **files) as place:
        journey, keyring = Journey(await place.person("erin", "support")), Keyring()
        async with agent_of(place, journey, keyring) as agent:
            result = await agent.call("refund", LARGE)
            assert not result.is_error, result
            challenge = next(one for one in agent.exchanges if one.status == 403).challenge
        assert "insufficient_scope" in challenge
        assert HIGH in challenge
        assert HIGH in journey.requests[1]["scope"][0].split()
        assert HIGH not in keyring.tokens.scope
        (given,) = place.events("elevation.given")
        assert given["body"]["scopes"] == [HIGH]
