"""What a client carries from one round to the next opens nothing: changed, exchanged, used again, or beside another definition."""

import asyncio

import httpx2
import pytest
import pytest_asyncio

from remit.demo.agent import Keyring
from tests.e2e.stepping_up import Asked, agent_of, approval_in, refused
from tests.e2e.wire import headers, message

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]
PAGE = "remit/approval"
OPENED = {PAGE: {"action": "accept"}}


def large(amount: str) -> dict[str, str]:
    return {"invoice_id": "inv-79", "amount": amount, "reason": "delivered twice"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def dana(asking):
    return await asking.person("dana", "support")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def keyring(asking, dana):
    found = Keyring()
    async with agent_of(asking, dana, keyring=found, elicit=Asked()) as agent:
        await agent.client.list_tools()
    return found


@pytest.fixture
def call(asking, keyring):
    """One round by hand, of a client that can show its person a page."""

    async def called(amount: str, **round_trip):
        params = {"name": "refund", "arguments": large(amount), **round_trip}
        body = message("tools/call", params)
        body["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = {
            "elicitation": {"url": {}}
        }
        token = keyring.tokens.access_token
        async with httpx2.AsyncClient(timeout=60) as http:
            answer = await http.post(
                asking.payments,
                json=body,
                headers=headers("tools/call", name="refund", token=token),
            )
        return answer.json()

    return called


def asked_in(answer) -> tuple[str, str]:
    """The state, and the page."""
    result = answer["result"]
    assert result["resultType"] == "input_required"
    return result["requestState"], result["inputRequests"][PAGE]["params"]["url"]


async def test_a_state_that_was_changed_is_refused_and_one_that_was_not_opens_nothing(call):
    state, _ = asked_in(await call("701.00"))
    middle = len(state) // 2
    other = "A" if state[middle] != "A" else "B"
    for changed in (state[:middle] + other + state[middle + 1 :], state[:-4], "x", ""):
        answer = await call("701.00", requestState=changed, inputResponses=OPENED)
        assert "isError" not in answer.get("result", {}) or answer["result"]["isError"]
        if changed:
            assert answer["error"]["code"] == -32602, answer
    declined = {PAGE: {"action": "decline"}}
    answer = await call("701.00", requestState=state, inputResponses=declined)
    assert answer["result"]["isError"]


async def test_a_state_of_one_call_is_good_for_no_other_even_when_that_was_confirmed(call, dana):
    state, _ = asked_in(await call("702.00"))
    theirs, page = asked_in(await call("703.00"))
    await dana.answer(page)
    answer = await call("702.00", requestState=theirs, inputResponses=OPENED)
    assert answer["error"]["code"] == -32602
    answer = await call("703.00", requestState=state, inputResponses=OPENED)
    assert answer["error"]["code"] == -32602
    answer = await call("703.00", requestState=theirs, inputResponses=OPENED)
    assert not answer["result"].get("isError")


async def test_a_state_that_was_used_is_worth_nothing_more(call, dana):
    state, page = asked_in(await call("704.00"))
    await dana.answer(page)
    both = await asyncio.gather(
        *(call("704.00", requestState=state, inputResponses=OPENED) for _ in range(4))
    )
    passed = [one for one in both if one["result"].get("resultType") == "complete"]
    passed = [one for one in passed if not one["result"].get("isError")]
    assert len(passed) == 1, "one yes, one call, however many come at once"
    declined = {PAGE: {"action": "decline"}}
    late = await call("704.00", requestState=state, inputResponses=declined)
    assert late["result"].get("isError") or late["result"]["resultType"] == "input_required"


async def test_a_tool_that_changed_since_is_another_one(asking, dana, keyring):
    asked = Asked(action="decline")
    async with agent_of(asking, dana, keyring=keyring, elicit=asked) as agent:
        before = await asking.refunded(agent, "inv-79")
        await refused(agent, large("705.00"))
        await dana.answer(asked.urls[-1])
        asking.turn()
        # The gateway looks again when somebody asks what there is.
        names = {one.name for one in (await agent.client.list_tools()).tools}
        assert "refund" not in names
        told = await refused(agent, large("705.00"))
        assert told["reason"] == "quarantined"
        await asking.stage.remit("servers", "review", "payments", "--admit-all")
        told = await refused(agent, large("705.00"))
        assert told["reason"] == "confirmation_needed"
        assert approval_in(asked.urls[-1]) != approval_in(asked.urls[0])
        assert await asking.refunded(agent, "inv-79") == before
