"""A server that guards itself: people are asked through Remit, and their yes admits a call there, once."""

import asyncio
import secrets
import sys
from pathlib import Path

import pytest
import pytest_asyncio

from remit.demo.agent import Keyring
from remit.demo.stage import _process, _until_listening, free_port
from tests.e2e.stepping_up import Asked, agent_of, installation, refused

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(300),
]

SERVER = Path(__file__).parent / "guarded_payments.py"


def large(amount: str) -> dict[str, str]:
    return {"invoice_id": "inv-79", "amount": amount, "reason": "delivered twice"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("guarded-asking"), free_port()
    secret, at = secrets.token_urlsafe(24), f"http://localhost:{port}/mcp"
    told = {"PAYMENTS_GUARD_SECRET": secret}
    async with installation(folder, guarded_at=at, environment=told) as running:
        environment = {
            "REMIT_URL": running.url,
            "GUARD_FOLDER": str(folder / "guard"),
            "PYTHONPATH": str(SERVER.parents[2]),
            **told,
        }
        command = [sys.executable, str(SERVER), str(port)]
        async with _process(command, folder / "guarded.log", environment):
            await _until_listening(port, folder / "guarded.log")
            running.payments = at
            yield running


async def test_a_call_pauses_is_confirmed_in_remit_and_passes_once_at_the_server_itself(place):
    dana = await place.person("dana", "support")
    asked = Asked()
    async with agent_of(place, dana, keyring=Keyring(), elicit=asked) as agent:
        call = asyncio.create_task(agent.call("refund", large("801.00")))
        url = await asked.arrived.get()
        assert url.startswith(f"{place.url}/approvals/")
        assert "$801.00" in await dana.look(url)
        assert await place.refunded(agent, "inv-79") == "0.00"
        await dana.say("allow")
        result = await call
        if result.is_error:
            result = await agent.call("refund", large("801.00"))
        assert not result.is_error, result
        assert await place.refunded(agent, "inv-79") == "801.00"
        asked.action = "decline"
        assert (await refused(agent, large("801.00")))["reason"] == "confirmation_needed"
        assert (await refused(agent, large("801.01")))["reason"] == "confirmation_needed"
        assert await place.refunded(agent, "inv-79") == "801.00"
    (used,) = place.events("elevation.used")
    assert used["body"]["decision_id"].startswith("payments:dec_")
