"""A refund that takes somebody else's word besides: four eyes, bound to the very call, in real browsers."""

import asyncio

import pytest
import pytest_asyncio

from remit.demo.agent import Keyring
from tests.e2e.stepping_up import Asked, agent_of, approval_in, refused

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]


def huge(amount: str) -> dict[str, str]:
    return {"invoice_id": "inv-79", "amount": amount, "reason": "lost at sea"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def dana(asking):
    return await asking.person("dana", "support")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def mona(asking):
    return await asking.person("mona", "manager")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def keyring():
    return Keyring()


async def test_a_manager_finds_it_in_her_inbox_approves_it_and_it_passes_once(
    asking, dana, mona, keyring
):
    asked = Asked()
    async with agent_of(asking, dana, keyring=keyring, elicit=asked) as agent:
        before = float(await asking.refunded(agent, "inv-79"))
        call = asyncio.create_task(agent.call("refund", huge("5001.00")))
        url = await asked.arrived.get()
        assert "$5,001.00" in await dana.look(url)
        assert "allowed" not in await dana.say("allow"), "it takes a second person"
        assert float(await asking.refunded(agent, "inv-79")) == before
        inbox = await mona.look(f"{asking.url}/approvals", ready=False)
        if await mona.screen.get_by_label("User name").count():
            await mona.log_in("/approvals")
            inbox = await mona.screen.locator("main").inner_text()
        assert "$5,001.00" in inbox
        shown = await mona.look(url)
        assert "$5,001.00" in shown
        assert "Dana" in shown
        await mona.say("allow")
        result = await call
        assert not result.is_error, result
        assert float(await asking.refunded(agent, "inv-79")) == before + 5001
        asked.action = "decline"
        again = await refused(agent, huge("5001.00"))
        assert again["reason"] == "approval_needed"
        assert float(await asking.refunded(agent, "inv-79")) == before + 5001
    answers = [
        one["body"]
        for one in asking.events("approval.answered")
        if one["body"]["approval"] == approval_in(url)
    ]
    assert [one["verdict"] for one in answers] == ["confirmed", "approved"]
    assert [one["capacity"] for one in answers][1] == "role:manager"
    assert len({one["shown"] for one in answers}) == 1, "both were shown the same"


async def test_who_has_not_the_role_and_who_is_of_another_tenant_see_nothing(asking, dana, keyring):
    asked = Asked(action="decline")
    eve = await asking.person("eve", "support")
    greta = await asking.person("greta", "manager", tenant="globex")
    async with agent_of(asking, dana, keyring=keyring, elicit=asked) as agent:
        await refused(agent, huge("5002.00"))
        for stranger in (eve, greta):
            assert "Nothing here for you" in await stranger.look(asked.urls[-1], ready=False)
            inbox = await stranger.look(f"{asking.url}/approvals", ready=False)
            assert "5,002" not in inbox


async def test_nobody_approves_what_their_own_agent_asks(asking):
    asked = Asked(action="decline")
    boss = await asking.person("boss", "support", "manager")
    async with agent_of(asking, boss, elicit=asked) as agent:
        await refused(agent, huge("5003.00"))
        url = asked.urls[-1]
        await boss.answer(url)
        shown = await boss.look(url, ready=False)
        assert await boss.screen.locator("button[name=decision][value=allow]").count() == 0
        assert "somebody else" in shown
        told = await refused(agent, huge("5003.00"))
        assert told["reason"] == "approval_needed"
    assert asking.events("elevation.given")[-1:] == [] or all(
        one["body"]["approval"] != approval_in(url) for one in asking.events("elevation.given")
    )


async def test_a_manager_refuses_and_the_agent_hears_why(asking, dana, mona, keyring):
    asked = Asked()
    async with agent_of(asking, dana, keyring=keyring, elicit=asked) as agent:
        call = asyncio.create_task(refused(agent, huge("5004.00")))
        url = await asked.arrived.get()
        await dana.answer(url)
        await mona.look(url)
        await mona.say("refuse", reason="insured elsewhere")
        told = await call
        assert "insured elsewhere" in told["text"]
        assert told["reason"] == "approval_needed"


async def test_what_was_approved_for_one_amount_admits_no_other(asking, dana, mona, keyring):
    asked = Asked(action="decline")
    async with agent_of(asking, dana, keyring=keyring, elicit=asked) as agent:
        before = await asking.refunded(agent, "inv-79")
        await refused(agent, huge("5005.00"))
        url = asked.urls[-1]
        await dana.answer(url)
        await mona.answer(url)
        told = await refused(agent, huge("5005.01"))
        assert told["reason"] == "approval_needed"
        assert await asking.refunded(agent, "inv-79") == before
