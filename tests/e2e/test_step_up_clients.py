"""The ways to the page by real clients that are not the Python SDK in its newest era, and by none: words alone."""

import pytest
import pytest_asyncio

from remit.demo.agent import Keyring
from tests.e2e.peer import node_peer
from tests.e2e.stepping_up import Asked, agent_of, approval_in
from tests.e2e.wire import ask

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]


def large(amount: str) -> dict[str, str]:
    return {"invoice_id": "inv-79", "amount": amount, "reason": "delivered twice"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def dana(asking):
    return await asking.person("dana", "support")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def token(asking, dana) -> str:
    keyring = Keyring()
    async with agent_of(asking, dana, keyring=keyring, elicit=Asked()) as agent:
        await agent.client.list_tools()
    return keyring.tokens.access_token


async def test_the_legacy_typescript_client_is_sent_to_the_page_told_when_it_is_done_and_passes_once(
    asking, dana, token
):
    call = {"name": "refund", "arguments": large("601.00")}
    async with node_peer("asked_person.mjs", "legacy", asking.payments, token) as peer:
        assert (await peer.read())["connected"]["version"] == "2025-11-25"
        error = (await peer.ask(**call))["error"]
        assert (error["name"], error["code"]) == ("UrlElicitationRequiredError", -32042)
        (page,) = error["data"]["elicitations"]
        assert "$601.00" in await dana.look(page["url"])
        await dana.say("allow")
        assert (await peer.read())["complete"] == page["elicitationId"]
        result = (await peer.ask(**call))["result"]
        assert not result.get("isError"), result
        again = await peer.ask(**call)
        assert again["error"]["code"] == -32042
        assert again["error"]["data"]["elicitations"][0]["url"] != page["url"]


async def test_the_modern_typescript_client_waits_for_its_person_and_passes_once(
    asking, dana, token
):
    call = {"name": "refund", "arguments": large("602.00")}
    async with node_peer("asked_person.mjs", "auto", asking.payments, token) as peer:
        assert (await peer.read())["connected"]["version"] == "2026-07-28"
        asked = (await peer.ask(**call))["elicit"]
        await peer.write({"action": "accept"})
        assert "$602.00" in await dana.look(asked["url"])
        await dana.say("allow")
        result = (await peer.read())["result"]
        assert not result.get("isError"), result
        again = (await peer.ask(**call))["elicit"]
        assert approval_in(again["url"]) != approval_in(asked["url"])
        declined = await peer.ask(action="decline")
        assert declined["result"]["isError"]


async def test_a_client_that_can_show_nothing_is_told_in_words_and_goes_round_in_no_circle(
    asking, dana, token
):
    params = {"name": "refund", "arguments": large("603.00")}
    said = []
    for _ in range(6):
        answer = await ask(asking.payments, "tools/call", params, token=token)
        said.append((answer.status_code, answer.json().get("result", {})))
    challenges = [status for status, _ in said if status == 401]
    assert len(challenges) <= 1
    words = [result["content"][0]["text"] for status, result in said if status == 200]
    assert all(result["isError"] for status, result in said if status == 200)
    assert f"{asking.url}/approvals/apr_" in words[0]
    assert "/approvals/" not in words[-1], "a link that was named too often is named no more"
    assert len(asking.events("approval.requested")) == len(
        {one["body"]["approval"] for one in asking.events("approval.requested")}
    )
    url = next(one for one in words[0].split() if "/approvals/apr_" in one)
    await dana.answer(url)
    answer = await ask(asking.payments, "tools/call", params, token=token)
    assert not answer.json()["result"].get("isError")
