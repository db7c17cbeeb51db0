"""Modern callers in front of a server of sessions: whose session, whose question, whose answer, and what is given up."""

import asyncio

import pytest

from remit.gateway.bridge import Bridge, BridgeLimits
from remit.gateway.jsonrpc import Notification, Request, Response
from remit.gateway.rejection import RejectedError, UpstreamError
from remit.testing.clock import FixedClock
from tests.gateway.bridge.fakes import (
    OldServer,
    answers,
    asks,
    call,
    modern,
    result,
    said,
)
from tests.gateway.doubles import until

ACCEPTED = {"action": "accept", "content": {"colour": "blue"}}


@pytest.fixture
def clock():
    return FixedClock()


@pytest.fixture
def server():
    return OldServer()


@pytest.fixture
async def bridge(server, clock):
    bridge = Bridge(
        server, clock=clock, limits=BridgeLimits(sessions_per_principal=2, sessions=3, rounds=3)
    )
    yield bridge
    await bridge.close()


def retry(state, answer=ACCEPTED, *, name="find", **more):
    responses = {} if answer is None else {"answer": answer}
    return modern("tools/call", call(name, requestState=state, inputResponses=responses), **more)


async def suspended(bridge, **more):
    asked = await result(bridge.ask(modern("tools/call", call(), **more)))
    assert asked["resultType"] == "input_required"
    return asked["requestState"]


async def test_a_server_is_described_by_what_it_said_when_initialised(bridge, server):
    described = await result(bridge.ask(modern("server/discover")))
    assert described["supportedVersions"] == ["2026-07-28"]
    assert described["instructions"] == "ask away"
    assert described["capabilities"]["tools"] == {"listChanged": True}
    assert described["_meta"] == {
        "io.modelcontextprotocol/serverInfo": {"name": "old", "version": "1"}
    }
    assert (described["ttlMs"], described["cacheScope"]) == (0, "private")
    opened = server.sessions[0].asked[0]
    assert opened.params["clientInfo"] == {"name": "agent", "version": "3"}
    assert opened.params["capabilities"] == {"elicitation": {}}
    assert server.sessions[0].notices == ["notifications/initialized"]


async def test_a_call_goes_up_without_the_words_of_its_era(bridge, server):
    done = await result(
        bridge.ask(modern("tools/call", call(), meta={"progressToken": 7, "a.b/c": 1}))
    )
    assert done["resultType"] == "complete"
    sent = server.sessions[0].outgoing[-1]
    assert sent.message.params == {
        "name": "find",
        "arguments": {},
        "_meta": {"progressToken": 7, "a.b/c": 1},
    }
    assert sent.headers == (("traceparent", "00-1"),)
    assert sent.presented.secrets == ("for-dana",)
    assert sent.version == "2025-11-25"


async def test_one_session_serves_one_call_after_the_other(bridge, server):
    for _ in range(3):
        await result(bridge.ask(modern("tools/call", call())))
    assert len(server.sessions) == 1


@pytest.mark.parametrize("more", [{"name": "eve"}, {"grant": "g2"}, {"declares": {}}])
async def test_a_session_is_lent_to_no_other_principal_and_to_no_client_that_can_do_less(
    bridge, server, more
):
    await result(bridge.ask(modern("tools/call", call())))
    await result(bridge.ask(modern("tools/call", call(), **more)))
    assert len(server.sessions) == 2


async def test_a_question_ends_the_round_and_its_answer_goes_on_with_the_same_call(bridge, server):
    server.script = asks("elicitation/create")
    state = await suspended(bridge)
    done = await result(bridge.ask(retry(state)))
    assert done["said"] == [ACCEPTED]
    assert len(server.calls) == 1
    assert len(server.open) == 1


async def test_a_call_may_take_several_rounds(bridge, server):
    server.script = asks("elicitation/create", "elicitation/create")
    second = await result(bridge.ask(retry(await suspended(bridge))))
    done = await result(bridge.ask(retry(second["requestState"], {"action": "decline"})))
    assert done["said"] == [ACCEPTED, {"action": "decline"}]
    assert len(server.calls) == 1


async def test_the_state_of_another_principal_is_as_unknown_as_any(bridge, server):
    server.script = asks("elicitation/create")
    state = await suspended(bridge)
    answer = call(requestState=state, inputResponses={"answer": ACCEPTED})
    with pytest.raises(RejectedError) as others:
        await result(bridge.ask(modern("tools/call", answer, name="eve")))
    with pytest.raises(RejectedError) as invented:
        await result(bridge.ask(retry("brg_nothing")))
    assert others.value.detail == invented.value.detail
    assert others.value.rpc_code == -32602
    assert not any(isinstance(one, Response) for one in server.sessions[0].told)
    assert (await result(bridge.ask(retry(state))))["said"] == [ACCEPTED]


async def test_another_grant_of_the_same_person_cannot_answer(bridge, server):
    server.script = asks("elicitation/create")
    state = await suspended(bridge)
    with pytest.raises(RejectedError):
        await result(bridge.ask(retry(state, grant="g2")))


async def test_an_answered_round_cannot_be_answered_again(bridge, server):
    server.script = asks("elicitation/create")
    state = await suspended(bridge)
    await result(bridge.ask(retry(state)))
    with pytest.raises(RejectedError):
        await result(bridge.ask(retry(state)))
    assert sum(isinstance(one, Response) for one in server.sessions[0].told) == 1


async def test_a_state_is_good_for_the_request_that_it_came_from_alone(bridge, server):
    server.script = asks("elicitation/create")
    state = await suspended(bridge)
    with pytest.raises(RejectedError) as caught:
        await result(bridge.ask(retry(state, name="delete")))
    assert "other parameters" in caught.value.detail
    assert (await result(bridge.ask(retry(state))))["said"] == [ACCEPTED]


async def test_a_question_left_open_is_asked_again(bridge, server):
    server.script = asks("elicitation/create")
    again = await result(bridge.ask(retry(await suspended(bridge), None)))
    assert again["resultType"] == "input_required"
    assert (await result(bridge.ask(retry(again["requestState"]))))["said"] == [ACCEPTED]


@pytest.mark.parametrize(
    ("method", "code"),
    [("sampling/createMessage", -32601), ("roots/list", -32601), ("tasks/get", -32601)],
)
async def test_what_the_client_has_not_declared_is_refused_to_the_server(
    bridge, server, method, code
):
    server.script = asks(method)
    done = await result(bridge.ask(modern("tools/call", call())))
    assert done["said"][0]["code"] == code


async def test_a_page_is_opened_only_for_clients_who_can(bridge, server):
    server.script = asks(
        "elicitation/create", params={"mode": "url", "url": "https://a.example", "message": "go"}
    )
    done = await result(bridge.ask(modern("tools/call", call())))
    assert done["said"][0]["code"] == -32602


async def test_a_list_is_no_occasion_for_questions(bridge, server):
    server.script = asks("elicitation/create")
    done = await result(bridge.ask(modern("tools/list")))
    assert done["said"][0]["code"] == -32601


async def test_a_ping_is_answered_here(bridge, server):
    server.script = asks("ping")
    assert (await result(bridge.ask(modern("tools/call", call()))))["said"] == [{}]


async def test_a_server_that_asks_without_end_is_stopped(bridge, server):
    server.script = asks(*["elicitation/create"] * 9)
    state = await suspended(bridge)
    for _ in range(bridge.limits.rounds - 1):
        state = (await result(bridge.ask(retry(state))))["requestState"]
    with pytest.raises(UpstreamError, match="without end"):
        await result(bridge.ask(retry(state)))
    await until(lambda: not server.open)
    assert "notifications/cancelled" in server.sessions[0].notices


async def test_a_client_that_vanishes_while_its_call_waits_has_it_cancelled_in_time(
    bridge, server, clock
):
    server.script = asks("elicitation/create")
    state = await suspended(bridge)
    clock.advance(bridge.limits.answer - 1)
    bridge.sweep()
    assert server.open
    clock.advance(2)
    with pytest.raises(RejectedError):
        await result(bridge.ask(retry(state)))
    bridge.sweep()
    await until(lambda: not server.open)
    session = server.sessions[0]
    assert session.notices == ["notifications/initialized", "notifications/cancelled"]
    assert session.told[-1].params["requestId"] == session.asked[-1].id


async def test_a_client_that_vanishes_in_the_middle_has_its_call_cancelled_at_once(bridge, server):
    async def script(session, request):
        yield Notification("notifications/progress", {"progressToken": 1, "progress": 1})
        await asyncio.Event().wait()

    server.script = script
    async with bridge.ask(modern("tools/call", call())) as reply:
        assert reply.streamed
        assert (await anext(reply.messages)).method == "notifications/progress"
    await until(lambda: not server.open)
    assert "notifications/cancelled" in server.sessions[0].notices


async def test_who_may_act_no_more_loses_sessions_and_suspended_calls(bridge, server):
    await result(bridge.ask(modern("tools/call", call(), declares={})))
    server.script = asks("elicitation/create")
    state = await suspended(bridge)
    await suspended(bridge, name="eve")
    bridge.end_unbacked(lambda token: token.sub != "dana")
    await until(lambda: len(server.open) == 1)
    with pytest.raises(RejectedError):
        await result(bridge.ask(retry(state)))


async def test_idle_sessions_end(bridge, server, clock):
    await result(bridge.ask(modern("tools/call", call())))
    bridge.sweep()
    assert server.open
    clock.advance(bridge.limits.idle + 1)
    bridge.sweep()
    await until(lambda: not server.open)


async def test_a_session_that_the_server_ended_is_opened_again_for_the_call_that_finds_out(
    bridge, server
):
    await result(bridge.ask(modern("tools/call", call())))
    server.sessions[0].ended = True
    done = await result(bridge.ask(modern("tools/call", call())))
    assert done["resultType"] == "complete"
    assert len(server.calls) == 2
    assert len(server.sessions) == 2


async def test_a_call_that_may_have_begun_is_not_made_again(bridge, server):
    async def script(session, request):
        if session is server.sessions[0] and len(session.asked) > 2:
            raise UpstreamError("the server broke off its answer")
        yield Response(request.id, result={})

    server.script = script
    await result(bridge.ask(modern("tools/call", call())))
    with pytest.raises(UpstreamError, match="broke off"):
        await result(bridge.ask(modern("tools/call", call())))
    assert len(server.calls) == 2


async def test_a_session_that_ends_while_its_call_waits_takes_the_call_with_it(bridge, server):
    server.script = asks("elicitation/create")
    state = await suspended(bridge)
    server.sessions[0].ended = True
    with pytest.raises(UpstreamError):
        await result(bridge.ask(retry(state)))
    assert len(server.calls) == 1


async def test_a_principal_has_so_many_sessions_and_the_oldest_question_gives_way(bridge, server):
    server.script = asks("elicitation/create")
    first, second, third = [await suspended(bridge) for _ in range(3)]
    with pytest.raises(RejectedError):
        await result(bridge.ask(retry(first)))
    for state in (second, third):
        assert (await result(bridge.ask(retry(state))))["said"] == [ACCEPTED]


async def test_calls_under_way_do_not_give_way(bridge, server):
    gate = asyncio.Event()

    async def script(session, request):
        await gate.wait()
        yield Response(request.id, result={})

    server.script = script
    under_way = [
        asyncio.create_task(result(bridge.ask(modern("tools/call", call())))) for _ in range(2)
    ]
    await until(lambda: len(server.calls) == 2)
    with pytest.raises(RejectedError) as caught:
        await result(bridge.ask(modern("tools/call", call())))
    assert caught.value.status == 429
    gate.set()
    assert [one["resultType"] for one in await asyncio.gather(*under_way)] == ["complete"] * 2


async def test_one_persons_questions_do_not_shut_others_out(bridge, server):
    server.script = asks("elicitation/create")
    await suspended(bridge)
    await suspended(bridge)
    await suspended(bridge, name="eve")
    await suspended(bridge, name="ann")
    await until(lambda: len(server.open) == 3)


async def test_what_a_server_logs_is_heard_from_the_level_that_was_asked_for(bridge, server):
    async def script(session, request):
        for level in ("debug", "error"):
            yield Notification("notifications/message", {"level": level, "data": level})
        yield Notification("notifications/tools/list_changed")
        yield Response(request.id, result={})

    server.script = script
    level = {"io.modelcontextprotocol/logLevel": "warning"}
    heard = await said(bridge.ask(modern("tools/call", call(), meta=level)))
    assert [one.params["data"] for one in heard[:-1]] == ["error"]
    assert [one.method for one in server.sessions[0].asked] == [
        "initialize",
        "logging/setLevel",
        "tools/call",
    ]
    assert len(await said(bridge.ask(modern("tools/call", call())))) == 1


async def test_a_question_on_the_servers_own_stream_belongs_to_the_call_under_way(bridge, server):
    async def script(session, request):
        session.unasked.put_nowait(Request("q0", "elicitation/create", {"message": "?"}))
        answer = await session.answered("q0")
        yield Response(request.id, result={"said": answer.result})

    server.script = script
    state = await suspended(bridge)
    assert (await result(bridge.ask(retry(state))))["said"] == ACCEPTED


async def test_a_question_when_nothing_is_under_way_is_refused(bridge, server):
    await result(bridge.ask(modern("tools/call", call())))
    session = server.sessions[0]
    session.unasked.put_nowait(Request("q9", "elicitation/create", {"message": "?"}))
    assert (await session.answered("q9")).error["code"] == -32600


@pytest.mark.parametrize(("code", "known"), [(-32002, -32602), (-32000, -32000), (-32603, -32603)])
async def test_errors_come_down_in_codes_of_this_era(bridge, server, code, known):
    async def script(session, request):
        yield Response(request.id, error={"code": code, "message": "no"})

    server.script = script
    assert (await result(bridge.ask(modern("resources/read", {"uri": "a:b"}))))["code"] == known


async def test_lists_say_that_they_are_not_to_be_kept(bridge, server):
    server.script = answers(
        {"tools": [{"name": "a", "inputSchema": {}, "execution": {"taskSupport": "required"}}]}
    )
    listed = await result(bridge.ask(modern("tools/list")))
    assert listed["tools"] == [{"name": "a", "inputSchema": {}}]
    assert (listed["ttlMs"], listed["cacheScope"], listed["resultType"]) == (
        0,
        "private",
        "complete",
    )
