"""A refund over the limit: it pauses, its person confirms it with a passkey, and it passes once."""

import pytest
import pytest_asyncio

from tests.e2e.stepping_up import agent_of, installation

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(300),
]

SMALL = {"invoice_id": "inv-77", "amount": "49.00", "reason": "damaged parcel"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory):
    async with installation(tmp_path_factory.mktemp("step-up")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def dana(place):
    return await place.person("dana", "support")


async def test_what_nothing_forbids_is_asked_of_nobody(place, dana):
    async with agent_of(place, dana) as agent:
        result = await agent.call("refund", SMALL)
        assert not result.is_error
        assert await place.refunded(agent, "inv-77") == "49.00"
