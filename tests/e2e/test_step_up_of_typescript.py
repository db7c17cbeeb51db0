"""The official TypeScript client, with authorization of its own and nothing to show its person, before a call that takes a yes.

It answers a 401 with its refresh token, and so never meets its person: the answer to its second try is the link in words. A
403 that names a scope sends it to its person, who meets the page of the call on the way.
"""

import json

import pytest
import pytest_asyncio

from remit.repository import write_example
from tests.e2e.peer import node_peer
from tests.e2e.stepping_up import REDIRECT_URI, installation
from tests.e2e.test_step_up_by_authorizing import Journey

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.node,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(300),
]

SCOPE = "payments:refunds.high_value"
LARGE = """
@id("refund-confirmed") @confirm("urn:remit:acr:phr")
forbid (principal, action == Remit::Action::"payments/refund", resource)
when { context.arguments.amount.value.greaterThan(decimal("500.00")) };

@id("refund-high-value") @require_scope("payments:refunds.high_value")
forbid (principal, action == Remit::Action::"payments/refund", resource)
when { context.arguments.amount.value.greaterThan(decimal("600.00")) };
"""
ELEVATED = f"""
{SCOPE}:
  title: Refund large amounts
  description: Pay large amounts back, one at a time.
  sensitivity: high
  elevated: true
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory):
    example = tmp_path_factory.mktemp("example") / "policy"
    write_example(example)
    files = {"policies/refunds.cedar": LARGE}
    files["scopes.yaml"] = (example / "scopes.yaml").read_text() + ELEVATED
    for name in ("roles.yaml", "agents/support-assistant.yaml"):
        line = "- payments:refunds.create"
        text = (example / name).read_text()
        indent = text.split(line)[0].rpartition("\n")[2]
        files[name] = text.replace(line, f"{line}\n{indent}- {SCOPE}", 1)
    async with installation(tmp_path_factory.mktemp("typescript"), **files) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def dana(place):
    return await place.person("dana", "support")


async def _seen(place, dana, mode, amount, answer):
    """What the client saw; `answer` is done between its two calls, with the text of the first."""
    journey = Journey(dana)
    arguments = json.dumps({"invoice_id": "inv-79", "amount": amount, "reason": "twice"})
    async with node_peer(
        "step_up.mjs", place.payments, REDIRECT_URI, mode, "refund", arguments
    ) as peer:
        while "seen" not in (said := await peer.read()):
            if "authorize" in said:
                await peer.write({"callback": await journey(said["authorize"])})
            else:
                await answer(said["first"])
                await peer.write({})
    return said["seen"], journey


@pytest.mark.parametrize(("mode", "amount"), [("legacy", "510.00"), ("auto", "511.00")])
async def test_it_refreshes_at_a_401_and_is_given_the_link_and_the_call_passes_once_confirmed(
    place, dana, mode, amount
):
    async def answer(first):
        assert first["error"] is True
        url = first["text"].partition("to open ")[2].partition(" ")[0]
        await dana.answer(url)

    seen, _ = await _seen(place, dana, mode, amount, answer)
    calls = [one for one in seen["exchanges"] if one["path"] == "/mcp/payments"]
    posts = [one["status"] for one in calls if one["method"] == "POST"]
    assert posts == [401, 200, 200]
    assert [one["path"] for one in seen["exchanges"]].count("/token") == 1
    assert "insufficient_user_authentication" in str(seen["exchanges"])
    assert seen["sent"] == 0, "its person was sent nowhere"
    assert seen["second"]["error"] is False
    assert amount in seen["second"]["text"]


@pytest.mark.parametrize(("mode", "amount"), [("legacy", "610.00"), ("auto", "611.00")])
async def test_it_goes_to_its_person_for_an_elevated_scope_and_its_retry_passes(
    place, dana, mode, amount
):
    async def answer(first):
        assert first["error"] is False, first

    seen, journey = await _seen(place, dana, mode, amount, answer)
    challenged = [one for one in seen["exchanges"] if one["status"] == 403]
    assert SCOPE in challenged[0]["challenge"]
    assert "urn:remit:acr:phr" in challenged[0]["challenge"], "all of it at once"
    assert seen["sent"] == 2, "each of the two calls is asked about by itself"
    assert f"${amount}" in "".join(journey.pages)
    assert SCOPE not in journey.requests[0]["scope"][0]
    assert SCOPE in journey.requests[-1]["scope"][0]
