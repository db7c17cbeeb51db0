"""By which way a client is led to the people who can cure a refusal, in both eras; and that none goes round in circles."""

import asyncio
import json
from dataclasses import replace

import pytest

from remit.gateway.jsonrpc import Response
from remit.gateway.request_state import STATE_LIFETIME
from remit.guard.elevations import AskedState
from remit.testing import FixedClock
from tests.gateway.doubles import (
    BASE_HEADERS,
    META,
    ScriptedServer,
    Wire,
    gateway,
    modern,
    post,
    until,
    without,
)
from tests.gateway.people import APPROVE, CONFIRM, PAGE, SCOPE, WHY, Answered, PeopleGuard
from tests.gateway.test_legacy import CALL, INITIALIZE, OPENED

BY_ADDRESS = {"elicitation": {"url": {}}}
BY_FORM = {"elicitation": {"form": {}}}
OPENED_IT = {"remit/approval": {"action": "accept"}}


def script(outgoing):
    method = outgoing.message.method
    if method == "initialize":
        return [Response(outgoing.message.id, result=OPENED)]
    if method == "resources/read":
        return [Response(outgoing.message.id, result={"contents": []})]
    return [Response(outgoing.message.id, result={"content": []})]


@pytest.fixture
def guard():
    return PeopleGuard(CONFIRM)


@pytest.fixture
def answered():
    return Answered()


@pytest.fixture
def server():
    return ScriptedServer(script)


@pytest.fixture
async def app(guard, server, answered):
    made = gateway(guard, server, answers=answered, hold=0.05, look=0.01)
    yield made
    await made.drain()


async def modern_call(app, *, can=None, who="dana", method="tools/call", **params):
    meta = {**META, "io.modelcontextprotocol/clientCapabilities": can or {}}
    about = {"uri": "notes://x"} if method == "resources/read" else {"name": "find"}
    headers, body = modern(
        method, {**about, "_meta": meta, **params}, name=next(iter(about.values()))
    )
    headers = (*without(headers, "authorization"), ("authorization", f"Bearer {who}"))
    return await post(app, headers, body)


async def session_of(app, **capabilities):
    params = {**INITIALIZE["params"], "capabilities": capabilities}
    answer = await post(app, BASE_HEADERS, {**INITIALIZE, "params": params})
    assert answer.status == 200, answer.body
    return (*BASE_HEADERS, ("mcp-session-id", answer.header("mcp-session-id")))


async def legacy_call(app, **capabilities):
    return await post(app, await session_of(app, **capabilities), CALL)


async def test_a_modern_client_is_asked_to_open_the_page_and_the_retry_goes_through_once(
    app, guard, server, answered
):
    asked = (await modern_call(app, can=BY_ADDRESS)).json["result"]
    question = asked["inputRequests"]["remit/approval"]
    assert asked["resultType"] == "input_required"
    assert question["method"] == "elicitation/create"
    assert (question["params"]["mode"], question["params"]["url"]) == ("url", PAGE)
    guard.approved = True
    answered.requests.add("apr_1")
    state = asked["requestState"]
    again = await modern_call(app, can=BY_ADDRESS, requestState=state, inputResponses=OPENED_IT)
    assert again.json["result"]["content"] == []
    assert len(server.asked) == 1
    sent = json.dumps(server.asked[0].message.params)
    assert "remit/approval" not in sent
    assert "requestState" not in sent
    third = await modern_call(app, can=BY_ADDRESS, requestState=state, inputResponses=OPENED_IT)
    assert third.json["result"]["resultType"] == "input_required", "a new use is a new request"
    assert len(server.asked) == 1


async def test_a_retry_before_anybody_has_answered_is_sent_back_with_its_state_alone(
    app, guard, server
):
    asked = (await modern_call(app, can=BY_ADDRESS)).json["result"]
    back = await modern_call(
        app, can=BY_ADDRESS, requestState=asked["requestState"], inputResponses=OPENED_IT
    )
    result = back.json["result"]
    assert (result["resultType"], "inputRequests" in result) == ("input_required", False)
    assert guard.asked == 1, "nobody is asked again"
    rounds = 0
    while result.get("resultType") == "input_required":
        rounds += 1
        answer = await modern_call(app, can=BY_ADDRESS, requestState=result["requestState"])
        result = answer.json["result"]
    assert rounds == 8, "clients give up after ten rounds in all"
    assert result["isError"] is True
    assert (guard.asked, server.asked) == (2, [])


async def test_a_retry_is_held_until_somebody_answers(guard, server, answered):
    app = gateway(guard, server, answers=answered, hold=60, look=0.01)
    asked = (await modern_call(app, can=BY_ADDRESS)).json["result"]
    retry = asyncio.create_task(
        modern_call(
            app, can=BY_ADDRESS, requestState=asked["requestState"], inputResponses=OPENED_IT
        )
    )
    await until(lambda: answered.looks > 2)
    assert not retry.done()
    guard.approved = True
    answered.requests.add("apr_1")
    assert (await retry).json["result"]["content"] == []
    await app.drain()


async def test_whoever_goes_away_while_held_leaves_nothing_behind(guard, server, answered):
    app = gateway(guard, server, answers=answered, hold=60, look=0.01)
    asked = (await modern_call(app, can=BY_ADDRESS)).json["result"]
    params = {"name": "find", "requestState": asked["requestState"], "inputResponses": OPENED_IT}
    headers, body = modern("tools/call", params, name="find")
    raw = json.dumps(body).encode()
    wire = Wire(app, headers=(*headers, ("content-length", str(len(raw)))), chunks=[raw])
    running = asyncio.create_task(wire.run())
    await until(lambda: answered.looks > 1)
    wire.gone.set()
    assert (await running).status == 0
    assert len(guard.decided) == 1
    looks = answered.looks
    await app.drain()
    assert answered.looks <= looks + 1


async def test_a_process_that_stops_holds_nobody(guard, server, answered):
    app = gateway(guard, server, answers=answered, hold=60, look=0.01)
    asked = (await modern_call(app, can=BY_ADDRESS)).json["result"]
    state = asked["requestState"]
    retry = asyncio.create_task(
        modern_call(app, can=BY_ADDRESS, requestState=state, inputResponses=OPENED_IT)
    )
    await until(lambda: answered.looks)
    await app.drain()
    assert (await retry).json["result"]["resultType"] == "input_required"


@pytest.mark.parametrize("action", ["decline", "cancel", None])
async def test_who_does_not_open_the_page_is_told_in_words_and_asked_no_more(app, guard, action):
    asked = (await modern_call(app, can=BY_ADDRESS)).json["result"]
    answers = {"remit/approval": {"action": action}} if action else {}
    again = await modern_call(
        app, can=BY_ADDRESS, requestState=asked["requestState"], inputResponses=answers
    )
    result = again.json["result"]
    assert (again.status, result["isError"]) == (200, True)
    assert PAGE in result["content"][0]["text"]


@pytest.mark.parametrize(
    "change",
    [
        {"arguments": {"amount": 900}},
        {"who": "eve"},
        {"method": "prompts/get"},
        {"requestState": "r1.AAAA"},
        {"requestState": 7},
    ],
    ids=["another amount", "another person", "another method", "made up", "no text"],
)
async def test_the_state_is_good_for_the_same_call_of_the_same_person_alone(app, guard, change):
    asked = (await modern_call(app, can=BY_ADDRESS)).json["result"]
    guard.approved = True
    retry = {"requestState": asked["requestState"], "inputResponses": OPENED_IT, **change}
    answer = await modern_call(app, can=BY_ADDRESS, **retry)
    assert answer.status == 400
    assert answer.json["error"]["data"] == {"reason": "invalid_request_state"}
    assert guard.approved, "nothing is spent for it"


async def test_a_state_that_comes_too_late_is_refused_and_nothing_is_spent(guard, server):
    clock = FixedClock()
    app = gateway(guard, server, clock=clock)
    asked = (await modern_call(app, can=BY_ADDRESS)).json["result"]
    clock.advance(STATE_LIFETIME)
    guard.approved = True
    retry = {"requestState": asked["requestState"], "inputResponses": OPENED_IT}
    assert (await modern_call(app, can=BY_ADDRESS, **retry)).status == 400
    assert guard.approved
    assert (await modern_call(app)).json["result"]["content"] == []


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_workload_is_asked_to_show_nobody_anything(guard, server, era):
    class ForItself(PeopleGuard):
        def _who(self, call):
            token = super()._who(call)
            return replace(token, agent_id=token.sub)

    app = gateway(ForItself(APPROVE, alone=False), server)
    can = BY_ADDRESS
    answer = await (modern_call(app, can=can) if era == "modern" else legacy_call(app, **can))
    assert answer.json["result"]["isError"] is True
    assert PAGE in answer.json["result"]["content"][0]["text"]


async def test_a_legacy_client_is_told_which_page_comes_first(app):
    error = (await legacy_call(app, **BY_ADDRESS)).json["error"]
    assert error["code"] == -32042
    assert error["data"]["elicitations"] == [
        {
            "mode": "url",
            "elicitationId": "apr_1",
            "url": PAGE,
            "message": error["data"]["elicitations"][0]["message"],
        }
    ]
    assert error["data"]["reason"] == "confirmation_needed"


async def test_before_its_revision_no_page_is_named_in_an_error(guard):
    def older(outgoing):
        return [Response(outgoing.message.id, result={**OPENED, "protocolVersion": "2025-06-18"})]

    app = gateway(guard, ScriptedServer(older))
    headers = await session_of(app, **BY_ADDRESS)
    assert (await post(app, headers, CALL)).status == 401
    assert (await post(app, headers, CALL)).json["result"]["isError"] is True


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_who_can_show_no_page_is_challenged_once_and_then_told_in_words(app, era):
    async def call():
        return await (modern_call(app) if era == "modern" else legacy_call(app))

    first = await call()
    assert first.status == 401
    said = first.header("www-authenticate")
    assert 'error="insufficient_user_authentication"' in said
    assert 'acr_values="urn:remit:acr:mfa urn:remit:acr:phr"' in said
    assert "resource_metadata=" in said
    second = await call()
    assert (second.status, second.header("www-authenticate")) == (200, None)
    result = second.json["result"]
    assert result["isError"] is True
    assert PAGE in result["content"][0]["text"]
    told = result["_meta"]["remit/refusal"]
    assert told["reason"] == "confirmation_needed"
    assert told["request"] == {
        "id": "apr_1", "state": "waiting", "alone": True, "url": PAGE, "expires_at": 1_800_000_000,
    }  # fmt: skip


async def test_another_request_is_challenged_anew(app, guard):
    assert (await modern_call(app)).status == 401
    guard.request_id = "apr_2"
    assert (await modern_call(app)).status == 401
    assert (await modern_call(app)).status == 200


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_an_elevated_scope_is_asked_for_with_a_403(app, guard, era):
    guard.needs = (SCOPE, CONFIRM)
    answer = await (modern_call(app) if era == "modern" else legacy_call(app))
    said = answer.header("www-authenticate")
    assert answer.status == 403
    assert 'error="insufficient_scope"' in said
    assert 'scope="payments.refund.high_value"' in said
    assert "acr_values=" in said, "everything that is needed is named at once"


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_what_others_have_to_approve_is_no_challenge(app, guard, era):
    guard.needs, guard.alone = (APPROVE,), False
    answer = await (modern_call(app) if era == "modern" else legacy_call(app))
    assert (answer.status, answer.header("www-authenticate")) == (200, None)
    assert answer.json["result"]["isError"] is True


@pytest.mark.parametrize("era", ["modern", "legacy"])
@pytest.mark.parametrize("can", [{}, BY_ADDRESS], ids=["shows nothing", "shows pages"])
@pytest.mark.parametrize("state", [AskedState.REFUSED, AskedState.EXHAUSTED])
async def test_a_no_and_too_many_questions_name_no_way_any_more(app, guard, era, can, state):
    guard.state, guard.reason = state, "not this\nweek"
    answer = await (modern_call(app, can=can) if era == "modern" else legacy_call(app, **can))
    assert (answer.status, answer.header("www-authenticate")) == (200, None)
    result = answer.json["result"]
    assert result["isError"] is True
    assert PAGE not in answer.body.decode()
    assert ("not thisweek" in result["content"][0]["text"]) == (state is AskedState.REFUSED)


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_what_is_no_tool_is_answered_with_an_error_that_names_the_page(app, guard, era):
    guard.needs, guard.alone = (APPROVE,), False
    if era == "modern":
        answer = await modern_call(app, method="resources/read")
    else:
        read = {**CALL, "method": "resources/read", "params": {"uri": "notes://x"}}
        answer = await post(app, await session_of(app), read)
    error = answer.json["error"]
    assert (answer.status, error["code"]) == (200, 1021)
    assert error["data"]["request"]["url"] == PAGE


async def test_a_retry_that_its_server_asks_for_brings_the_decision_that_was_spent(guard):
    asks = {"resultType": "input_required", "inputRequests": {}}
    server = ScriptedServer(lambda outgoing: [Response(outgoing.message.id, result=asks)])
    app = gateway(guard, server)
    guard.approved = True
    result = (await modern_call(app)).json["result"]
    await modern_call(app, requestState=result["requestState"])
    earlier = guard.decided[-1].earlier
    assert (guard.decided[0].earlier, earlier.decision_id) == (None, "dec_1")


async def test_what_the_client_answered_its_server_is_kept_while_people_are_asked(guard, answered):
    asks = {"resultType": "input_required", "requestState": "theirs"}
    server = ScriptedServer(lambda outgoing: [Response(outgoing.message.id, result=asks)])
    app = gateway(guard, server, answers=answered)
    guard.approved = True
    first = (await modern_call(app, can=BY_ADDRESS)).json["result"]
    guard.spent_for = None  # policies changed meanwhile, and want another yes
    answers = {"colour": {"action": "accept", "content": {"colour": "blue"}}}
    page = await modern_call(
        app, can=BY_ADDRESS, requestState=first["requestState"], inputResponses=answers
    )
    assert "remit/approval" in page.json["result"]["inputRequests"]
    guard.approved = True
    answered.requests.add(guard.request_id)
    state = page.json["result"]["requestState"]
    await modern_call(app, can=BY_ADDRESS, requestState=state, inputResponses=OPENED_IT)
    sent = server.asked[-1].message.params
    assert (sent["requestState"], sent["inputResponses"]) == ("theirs", answers)
    await app.drain()


async def test_a_modern_client_is_asked_why_in_a_form_once(app, guard, server):
    guard.needs = (WHY,)
    asked = (await modern_call(app, can=BY_FORM)).json["result"]
    schema = asked["inputRequests"]["remit/justification"]["params"]["requestedSchema"]
    assert schema["required"] == ["reason"]
    state = asked["requestState"]
    declined = {"remit/justification": {"action": "decline"}}
    no = await modern_call(app, can=BY_FORM, requestState=state, inputResponses=declined)
    assert no.json["error"]["data"]["reason"] == "justification_needed"
    yes = {"remit/justification": {"action": "accept", "content": {"reason": "ticket 7"}}}
    done = await modern_call(app, can=BY_FORM, requestState=state, inputResponses=yes)
    assert done.json["result"]["content"] == []
    assert "ticket 7" not in json.dumps(server.asked[-1].message.params)


async def test_why_is_still_known_when_people_are_asked_after_it(app, guard, answered):
    guard.needs = (WHY, CONFIRM)
    can = {"elicitation": {"form": {}, "url": {}}}
    asked = (await modern_call(app, can=can)).json["result"]
    yes = {"remit/justification": {"action": "accept", "content": {"reason": "ticket 7"}}}
    page = await modern_call(app, can=can, requestState=asked["requestState"], inputResponses=yes)
    guard.approved = True
    answered.requests.add("apr_1")
    state = page.json["result"]["requestState"]
    done = await modern_call(app, can=can, requestState=state, inputResponses=OPENED_IT)
    assert done.json["result"]["content"] == []
    assert len(guard.said_why) == 2


async def test_who_shows_no_forms_is_told_as_before(app, guard):
    guard.needs = (WHY,)
    answer = await modern_call(app, can=BY_ADDRESS)
    assert (answer.status, answer.json["error"]["code"]) == (403, 1019)
    assert (await legacy_call(app)).status == 403
