"""Whose answer is this: many callers, one pipe."""

import pytest

from remit.gateway.jsonrpc import Notification, Request, Response
from remit.gateway.rejection import UpstreamError
from remit.gateway.upstream.correlation import Correlation

CALL = Request("mine", "tools/call", {"name": "x", "_meta": {"progressToken": "mine", "k": 1}})


async def test_numbers_go_up_and_the_callers_own_words_come_back():
    correlation = Correlation()
    pending, sent = correlation.begin(CALL)
    assert sent == Request(1, "tools/call", {"name": "x", "_meta": {"progressToken": 1, "k": 1}})
    assert correlation.deliver(
        Notification("notifications/progress", {"progressToken": 1, "progress": 5})
    )
    assert correlation.deliver(Response(1, result={}))
    assert await pending.next(1) == Notification(
        "notifications/progress", {"progressToken": "mine", "progress": 5}
    )
    assert await pending.next(1) == Response("mine", result={})
    assert pending.answered


async def test_a_token_that_was_not_asked_for_is_not_made_up():
    _, sent = Correlation().begin(Request(1, "x", {"a": 1}))
    assert sent.params == {"a": 1}


@pytest.mark.parametrize("strange", [2, "1", True, None])
async def test_an_answer_to_nothing_in_flight_is_dropped(strange):
    correlation = Correlation()
    pending, _ = correlation.begin(CALL)
    error = {"code": 1, "message": "m"}
    assert correlation.deliver(Response(strange, error=error))
    assert correlation.deliver(Notification("notifications/progress", {"progressToken": strange}))
    with pytest.raises(UpstreamError):
        await pending.next(0)


async def test_other_messages_are_left_to_somebody_else():
    correlation = Correlation()
    correlation.begin(CALL)
    assert not correlation.deliver(Notification("notifications/message", {}))
    assert not correlation.deliver(Request(1, "ping"))


async def test_what_comes_right_behind_an_answer_is_not_about_that_request():
    correlation = Correlation()
    pending, _ = correlation.begin(CALL)
    correlation.deliver(Response(1, result={}))
    assert correlation.latest() is None
    assert (await pending.next(1)).id == "mine"


async def test_what_comes_after_the_caller_left_is_dropped():
    correlation = Correlation()
    pending, _ = correlation.begin(CALL)
    correlation.end(pending)
    assert correlation.deliver(Response(1, result={}))
    assert correlation.latest() is None


async def test_a_caller_who_reads_nothing_loses_the_call_and_holds_up_nobody():
    correlation = Correlation()
    slow, _ = correlation.begin(CALL)
    other, _ = correlation.begin(CALL)
    for number in range(1000):
        correlation.deliver(
            Notification("notifications/progress", {"progressToken": 1, "progress": number})
        )
    correlation.deliver(Response(2, result={}))
    assert await other.next(1) == Response("mine", result={})
    with pytest.raises(UpstreamError, match="does not read"):
        await all_of(slow)


async def all_of(pending):
    return [await pending.next(1) for _ in range(1001)]


def test_a_callers_id_is_found_under_its_number_and_type():
    correlation = Correlation()
    correlation.begin(Request(1, "x"))
    correlation.begin(Request("1", "x"))
    assert (correlation.number_of(1), correlation.number_of("1"), correlation.number_of(2)) == (
        1,
        2,
        None,
    )
