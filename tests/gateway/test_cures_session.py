"""How a legacy session is led to people and told of the end; and asked why, on the stream of the call."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from remit.gateway.rejection import RejectedError
from tests.gateway.doubles import ScriptedServer, Wire, gateway, post, until, without
from tests.gateway.people import CONFIRM, WHY, Answered, PeopleGuard
from tests.gateway.test_cures import BY_ADDRESS, script, session_of
from tests.gateway.test_legacy import CALL


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


async def test_a_session_hears_when_people_have_decided(app, server, answered):
    headers = await session_of(app, **BY_ADDRESS)
    await post(app, headers, CALL)
    await post(app, headers, {**CALL, "id": 6})
    stream = Wire(app, method="GET", headers=headers)
    listening = asyncio.create_task(stream.run())
    answered.requests.add("apr_1")
    await until(lambda: stream.answer.events)
    assert stream.answer.events == [
        {
            "jsonrpc": "2.0",
            "method": "notifications/elicitation/complete",
            "params": {"elicitationId": "apr_1"},
        }
    ]
    stream.gone.set()
    await listening


async def test_a_session_that_has_ended_is_waited_for_no_more(app, answered):
    headers = await session_of(app, **BY_ADDRESS)
    await post(app, headers, CALL)
    await until(lambda: answered.looks)
    await Wire(app, method="DELETE", headers=headers).run()
    looks = answered.looks
    await asyncio.sleep(0.05)
    assert answered.looks <= looks + 1


async def _asked_in_session(app, headers):
    """A call whose answer begins with a question of the gateway's own; the wire, and the question."""
    raw = json.dumps(CALL).encode()
    wire = Wire(app, headers=(*headers, ("content-length", str(len(raw)))), chunks=[raw])
    running = asyncio.create_task(wire.run())
    await until(lambda: wire.answer.events)
    return wire, running, wire.answer.events[0]


async def _answered(app, headers, question, result):
    return await post(app, headers, {"jsonrpc": "2.0", "id": question["id"], "result": result})


async def test_a_session_is_asked_why_on_the_stream_of_the_call_which_then_goes_on(
    app, guard, server
):
    guard.needs = (WHY,)
    headers = await session_of(app, elicitation={})
    wire, running, question = await _asked_in_session(app, headers)
    assert question["method"] == "elicitation/create"
    assert question["params"]["requestedSchema"]["required"] == ["reason"]
    assert "mode" not in question["params"]
    filled = {"action": "accept", "content": {"reason": "ticket 7"}}
    assert (await _answered(app, headers, question, filled)).status == 202
    await running
    assert wire.answer.events[-1] == {"jsonrpc": "2.0", "id": 5, "result": {"content": []}}
    assert server.told == [], "the server hears nothing of it"
    assert (await _answered(app, headers, question, filled)).status == 400


@pytest.mark.parametrize(
    "result", [{"action": "decline"}, {"action": "accept", "content": {}}, {"action": 1}]
)
async def test_who_does_not_say_why_is_refused_in_the_same_stream(app, guard, server, result):
    guard.needs = (WHY,)
    headers = await session_of(app, elicitation={})
    wire, running, question = await _asked_in_session(app, headers)
    await _answered(app, headers, question, result)
    await running
    assert wire.answer.events[-1]["error"]["data"]["reason"] == "justification_needed"
    assert [one.message.method for one in server.asked] == ["initialize"]


async def test_what_is_filled_in_badly_is_refused_in_the_same_stream(app, guard):
    guard.needs = (WHY,)
    headers = await session_of(app, elicitation={})
    wire, running, question = await _asked_in_session(app, headers)
    await _answered(app, headers, question, {"action": "accept", "content": {"reason": " "}})
    await running
    assert wire.answer.events[-1]["error"]["code"] == -32602


async def test_people_are_asked_in_the_stream_in_which_it_was_asked_why(app, guard):
    guard.needs = (WHY, CONFIRM)
    headers = await session_of(app, elicitation={"form": {}, "url": {}})
    wire, running, question = await _asked_in_session(app, headers)
    filled = {"action": "accept", "content": {"reason": "ticket 7"}}
    await _answered(app, headers, question, filled)
    await running
    assert wire.answer.events[-1]["error"]["code"] == -32042


async def test_nobody_else_can_answer_for_a_session(app, guard):
    guard.needs = (WHY,)
    headers = await session_of(app, elicitation={})
    wire, running, question = await _asked_in_session(app, headers)
    filled = {"action": "accept", "content": {"reason": "mine"}}
    eve = (*without(headers, "authorization"), ("authorization", "Bearer eve"))
    assert (await _answered(app, eve, question, filled)).status == 404
    other = await session_of(app, elicitation={})
    assert (await _answered(app, other, question, filled)).status == 400
    assert guard.said_why == []
    wire.gone.set()
    await running


async def test_a_session_whose_server_has_no_stream_hears_of_the_end_all_the_same(
    app, server, answered
):
    @asynccontextmanager
    async def none(version):
        raise RejectedError(405, "the server offers no stream of its own")
        yield

    server.listen = none
    headers = await session_of(app, **BY_ADDRESS)
    await post(app, headers, CALL)
    stream = Wire(app, method="GET", headers=headers)
    listening = asyncio.create_task(stream.run())
    answered.requests.add("apr_1")
    await until(lambda: stream.answer.events)
    stream.gone.set()
    await listening
    without_pages = await session_of(app)
    assert (await Wire(app, method="GET", headers=without_pages).run()).status == 405


async def test_a_session_is_not_asked_more_than_it_can_be_expected_to_answer(app, guard):
    guard.needs = (WHY,)
    headers = await session_of(app, elicitation={})
    asked = [await _asked_in_session(app, headers) for _ in range(4)]
    refused = await post(app, headers, CALL)
    assert (refused.status, refused.json["error"]["code"]) == (403, 1019)
    for wire, running, _ in asked:
        wire.gone.set()
        await running
    wire, running, _ = await _asked_in_session(app, headers)
    wire.gone.set()
    await running


async def test_a_form_is_given_up_with_its_session(app, guard):
    guard.needs = (WHY,)
    headers = await session_of(app, elicitation={})
    wire, running, _ = await _asked_in_session(app, headers)
    await Wire(app, method="DELETE", headers=headers).run()
    await running
    assert wire.answer.events[-1]["error"]["data"]["reason"] == "justification_needed"
