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
from mcp.shared.exceptions import MCPError

from remit.demo.agent import Keyring, connect
from tests.e2e.stepping_up import PATIENCE, REDIRECT_URI, installation

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(300),
]

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
        with pytest.raises(MCPError):
            await agent.call("refund", call)
        assert len(journey.requests) == 3


async def test_a_refusal_of_the_person_comes_back_as_one(place, dana):
    journey = Journey(dana, answer="Refuse")
    async with agent_of(place, journey) as agent:
        with pytest.raises(MCPError) as refused:
            await agent.call("refund", {**LARGE, "amount": "751.00"})
        assert "passkey" in str(refused.value)
        assert len(journey.requests) == 2
