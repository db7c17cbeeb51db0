"""A refund over the limit: it pauses, its person confirms it with a passkey, and it passes once."""

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

SMALL = {"invoice_id": "inv-77", "amount": "4.00", "reason": "damaged parcel"}
PHR = "urn:remit:acr:phr"


def large(amount: str, **changes: str) -> dict[str, str]:
    return {"invoice_id": "inv-79", "amount": amount, "reason": "delivered twice", **changes}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def dana(asking):
    return await asking.person("dana", "support")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def keyring():
    """Dana's agent, from one test to the next."""
    return Keyring()


async def test_what_nothing_forbids_is_asked_of_nobody(asking, dana, keyring):
    asked = Asked()
    async with agent_of(asking, dana, keyring=keyring, elicit=asked) as agent:
        assert not (await agent.call("refund", SMALL)).is_error
    assert asked.urls == []


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_refund_over_the_limit_pauses_is_confirmed_with_a_passkey_and_passes_once(
    asking, dana, keyring, mode
):
    amount = "600.25" if mode == "auto" else "600.50"
    asked = Asked()
    async with agent_of(asking, dana, keyring=keyring, mode=mode, elicit=asked) as agent:
        before = await asking.refunded(agent, "inv-79")
        if mode == "auto":
            call = asyncio.create_task(agent.call("refund", large(amount)))
            url = await asked.arrived.get()
        else:
            told = await refused(agent, large(amount))
            call, url = None, told["elicitations"][0]["url"]
        shown = await dana.look(url)
        assert f"${amount}" in shown
        assert "Payments" in shown
        assert await asking.refunded(agent, "inv-79") == before
        assert "allowed" in await dana.say("allow")
        result = await (call or agent.call("refund", large(amount)))
        assert not result.is_error, result
        after = await asking.refunded(agent, "inv-79")
        assert float(after) == pytest.approx(float(before) + float(amount))
        asked.action = "decline"
        again = await refused(agent, large(amount))
        assert again["reason"] == "confirmation_needed"
        assert approval_in(again.get("request", {}).get("url", "")) != approval_in(url)
        assert await asking.refunded(agent, "inv-79") == after
    approval = approval_in(url)
    (answered,) = [
        one for one in asking.events("approval.answered") if one["body"]["approval"] == approval
    ]
    assert answered["body"]["acr"] == PHR
    assert len(answered["body"]["shown"]) == 64
    given = [one for one in asking.events("elevation.given") if one["body"]["approval"] == approval]
    assert len(given) == 1
    used = [
        one["body"]["decision_id"]
        for one in asking.events("elevation.used")
        if one["body"]["elevation"] == given[0]["body"]["elevation"]
    ]
    assert len(used) == 1
    allowed = [
        one["body"]
        for one in asking.events("decision")
        if one["body"]["elevation"].get("id") == given[0]["body"]["elevation"]
    ]
    assert [one["outcome"] for one in allowed] == ["allow"]


async def test_a_changed_amount_is_another_call_and_is_asked_about_anew(asking, dana, keyring):
    asked = Asked(action="decline")
    async with agent_of(asking, dana, keyring=keyring, elicit=asked) as agent:
        before = await asking.refunded(agent, "inv-79")
        await refused(agent, large("501.00"))
        await dana.answer(asked.urls[-1])
        for other in (
            large("501.01"),
            large("501.00", reason="another"),
            large("501.00", invoice_id="inv-78"),
        ):
            told = await refused(agent, other)
            assert told["reason"] == "confirmation_needed"
        assert len({approval_in(one) for one in asked.urls}) == 4
        assert await asking.refunded(agent, "inv-79") == before
        assert not (await agent.call("refund", large("501.00"))).is_error


async def test_another_agent_of_the_same_person_does_not_use_what_was_confirmed(
    asking, dana, keyring
):
    asked, others = Asked(action="decline"), Asked(action="decline")
    async with agent_of(asking, dana, keyring=keyring, elicit=asked) as agent:
        await refused(agent, large("502.00"))
        await dana.answer(asked.urls[-1])
        async with agent_of(asking, dana, elicit=others) as another:
            told = await refused(another, large("502.00"))
            assert told["reason"] == "confirmation_needed"
            assert approval_in(others.urls[-1]) != approval_in(asked.urls[-1])
        assert not (await agent.call("refund", large("502.00"))).is_error


async def test_another_user_cannot_open_answer_or_use_it(asking, dana, keyring):
    asked, others = Asked(action="decline"), Asked(action="decline")
    eve = await asking.person("eve", "support")
    async with agent_of(asking, dana, keyring=keyring, elicit=asked) as agent:
        await refused(agent, large("503.00"))
        url = asked.urls[-1]
        shown = await eve.look(url, ready=False)
        assert "Nothing here for you" in shown
        assert eve.username in shown
        assert "503.00" not in shown
        missing = await eve.look(f"{asking.url}/approvals/apr_{'0' * 26}", ready=False)
        assert missing == shown
        await dana.answer(url)
        async with agent_of(asking, eve, elicit=others) as another:
            told = await refused(another, large("503.00"))
            assert told["reason"] == "confirmation_needed"
        result = await agent.call("refund", large("503.00"))
        assert not result.is_error, result


async def test_what_its_person_refuses_is_refused_with_their_reason(asking, dana, keyring):
    asked = Asked()
    async with agent_of(asking, dana, keyring=keyring, elicit=asked) as agent:
        call = asyncio.create_task(refused(agent, large("504.00")))
        await dana.look(await asked.arrived.get())
        await dana.say("refuse", reason="not this customer again")
        told = await call
        assert "not this customer again" in told["text"]
        told = await refused(agent, large("504.00"))
        assert "not this customer again" in told["text"]
        assert len(asked.urls) == 1, "a no is not asked about again"


async def test_an_expired_page_answers_nothing(asking, dana, keyring):
    asked = Asked(action="decline")
    async with agent_of(asking, dana, keyring=keyring, elicit=asked) as agent:
        before = await asking.refunded(agent, "inv-79")
        await refused(agent, large("505.00"))
        url = asked.urls[-1]
        await dana.look(url)
        asking.run_out(approval_in(url))
        said = await dana.say("allow")
        assert "allowed" not in said
        told = await refused(agent, large("505.00"))
        assert told["reason"] == "confirmation_needed"
        assert await asking.refunded(agent, "inv-79") == before


async def test_the_link_is_worth_nothing_framed_or_from_another_site(asking, dana, keyring):
    asked = Asked(action="decline")
    async with agent_of(asking, dana, keyring=keyring, elicit=asked) as agent:
        await refused(agent, large("506.00"))
        url = asked.urls[-1]
        await dana.look(url)
        form = await dana.screen.evaluate(
            "Object.fromEntries(new FormData(document.querySelector('form[method=post]:has([name=shown])')).entries())"
        )
        browser = dana.context.request
        page = await browser.get(url)
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert page.headers["x-frame-options"] == "DENY"
        for headers in (
            {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
            {"origin": "null"},
            {"origin": asking.url.replace("localhost", "127.0.0.1"), "sec-fetch-site": "same-site"},
        ):
            posted = await browser.post(
                url, form={**form, "decision": "allow"}, headers=headers, max_redirects=0
            )
            assert posted.status == 403, headers
        token = {**form, "csrf_token": form["csrf_token"][::-1], "decision": "allow"}
        ours = {"origin": asking.url, "sec-fetch-site": "same-origin"}
        posted = await browser.post(url, form=token, headers=ours, max_redirects=0)
        assert posted.status == 403
        told = await refused(agent, large("506.00"))
        assert told["reason"] == "confirmation_needed"
        other_words = {**form, "shown": "0" * 64, "decision": "allow"}
        posted = await browser.post(url, form=other_words, headers=ours, max_redirects=0)
        assert posted.status == 409


async def test_the_form_of_one_browser_is_good_in_no_other(asking, dana, keyring):
    asked = Asked(action="decline")
    async with agent_of(asking, dana, keyring=keyring, elicit=asked) as agent:
        await refused(agent, large("507.00"))
        url = asked.urls[-1]
        await dana.look(url)
        form = await dana.screen.evaluate(
            "Object.fromEntries(new FormData(document.querySelector('form[method=post]:has([name=shown])')).entries())"
        )
        elsewhere = await dana.elsewhere()
        await elsewhere.look(url)
        posted = await elsewhere.context.request.post(
            url, form={**form, "decision": "allow"}, max_redirects=0,
            headers={"origin": asking.url, "sec-fetch-site": "same-origin"},
        )  # fmt: skip
        assert posted.status == 403
        told = await refused(agent, large("507.00"))
        assert told["reason"] == "confirmation_needed"
