"""The ways on the wire over the real guard and the real tables: one yes admits one call, whoever brings what back."""

import asyncio

import pytest

from remit.approvals.answered import DatabaseAnswers
from remit.approvals.request import Verdict
from remit.gateway import GatewayApp, GatewayDeps, GatewaySettings
from remit.gateway.jsonrpc import Response
from remit.guard.outcome import RefusalReason
from remit.testing.catalog import PAYMENTS
from remit.tokens import mint
from tests.approvals.conftest import URL
from tests.gateway.doubles import META, ScriptedServer, modern, post, without

OPENED_IT = {"remit/approval": {"action": "accept"}}
BY_ADDRESS = {"elicitation": {"url": {}}}


@pytest.fixture
def server():
    return ScriptedServer(lambda asked: [Response(asked.message.id, result={"content": []})])


@pytest.fixture
async def app(office, server):
    made = GatewayApp(
        GatewayDeps(
            guard=office.guard,
            directory=office.directory,
            upstreams=server,
            settings=GatewaySettings(public_url=URL, drain=1, hold=0.05, look=0.01),
            clock=office.clock,
            issuer=URL,
            answers=DatabaseAnswers(office.database, office.clock),
        )
    )
    yield made
    await made.drain()


async def refund(app, office, *, value="600.00", can=BY_ADDRESS, token=None, **params):
    meta = {**META, "io.modelcontextprotocol/clientCapabilities": can}
    arguments = {"amount": {"value": value, "currency": "EUR"}}
    params = {"name": "refund", "arguments": arguments, "_meta": meta, **params}
    headers, body = modern("tools/call", params, name="refund")
    bearer = ("authorization", f"Bearer {mint(office.keys, office.token(**(token or {})))}")
    headers = (*without(headers, "authorization", "host"), ("host", "remit.example"), bearer)
    return await post(app, headers, body, path=f"/mcp/{PAYMENTS}")


async def asked(app, office, **more):
    result = (await refund(app, office, **more)).json["result"]
    page = result["inputRequests"]["remit/approval"]["params"]["url"]
    retry = {"requestState": result["requestState"], "inputResponses": OPENED_IT}
    return page.rpartition("/")[2], retry


async def test_of_many_retries_of_one_approved_call_one_passes(app, office, server):
    request, retry = await asked(app, office)
    await office.answers("ada", request)
    answers = await asyncio.gather(*(refund(app, office, **retry) for _ in range(6)))
    passed = [one for one in answers if one.json.get("result", {}).get("content") == []]
    assert len(passed) == 1
    assert len(server.asked) == 1
    for other in (one for one in answers if one is not passed[0]):
        assert (
            other.json["result"]["resultType"] == "input_required"
            or other.json["result"]["isError"]
        )


async def test_a_refusal_comes_back_in_words_with_its_reason_and_without_a_way(app, office, server):
    request, retry = await asked(app, office)
    await office.answers("ada", request, Verdict.REFUSED, reason="wrong invoice")
    result = (await refund(app, office, **retry)).json["result"]
    assert result["isError"] is True
    assert "wrong invoice" in result["content"][0]["text"]
    assert "url" not in result["_meta"]["remit/refusal"]["request"]
    assert server.asked == []


async def test_a_state_of_one_call_spends_nothing_for_another(app, office, server):
    request, retry = await asked(app, office)
    await office.answers("ada", request)
    other = await refund(app, office, value="601.00", **retry)
    assert other.status == 400
    swapped = await refund(app, office, token={"client_id": "cli_2", "grant_id": "gnt_2"}, **retry)
    assert swapped.status in {400, 401}
    assert server.asked == []
    assert (await refund(app, office, **retry)).json["result"]["content"] == []


async def test_what_expires_unanswered_is_asked_about_anew_and_then_in_words(app, office, server):
    request, retry = await asked(app, office)
    office.later(599)
    again, _ = await asked(app, office)
    assert again == request
    office.later(30)
    assert (await refund(app, office, **retry)).status == 400, "the state is older than ten minutes"
    anew, _ = await asked(app, office)
    assert anew != request
    assert server.asked == []


async def test_who_asks_again_and_again_is_told_no_way_any_more(app, office):
    answers = [(await refund(app, office, can={})) for _ in range(5)]
    assert [one.status for one in answers] == [401, 200, 200, 200, 200]
    states = [
        one.json["result"]["_meta"]["remit/refusal"]["request"]["state"] for one in answers[1:]
    ]
    assert states == ["waiting", "waiting", "exhausted", "exhausted"]
    assert answers[1].json["result"]["_meta"]["remit/refusal"]["reason"] == (
        RefusalReason.CONFIRMATION_NEEDED
    )
