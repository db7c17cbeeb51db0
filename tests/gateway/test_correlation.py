"""Whose answer is this: many callers, one pipe."""

import pytest

from remit.gateway.jsonrpc import Notification, Request, Response
from remit.gateway.rejection import UpstreamError
from remit.gateway.upstream.correlation import Correlation

CALL = Request("mine", "tools/call", {"name": "x", "_meta": {"progressToken": "mine", "k": 1}})


async def test_numbers_go_up_and_the_callers_own_words_come_back():
    correlation = Correlation()
    pending, sent = correlation.begin(CALL)
    number = sent.id
    assert sent == Request(
        number, "tools/call", {"name": "x", "_meta": {"progressToken": number, "k": 1}}
    )
    assert correlation.deliver(
        Notification("notifications/progress", {"progressToken": number, "progress": 5})
    )
    assert correlation.deliver(Response(number, result={}))
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
    pending, sent = correlation.begin(CALL)
    correlation.deliver(Response(sent.id, result={}))
    assert correlation.latest() is None
    assert (await pending.next(1)).id == "mine"


async def test_what_comes_after_the_caller_left_is_dropped():
    correlation = Correlation()
    pending, sent = correlation.begin(CALL)
    correlation.end(pending)
    assert correlation.deliver(Response(sent.id, result={}))
    assert correlation.latest() is None


async def test_a_caller_who_reads_nothing_loses_the_call_and_holds_up_nobody():
    correlation = Correlation()
    slow, chatty = correlation.begin(CALL)
    other, quiet = correlation.begin(CALL)
    for number in range(1000):
        correlation.deliver(
            Notification("notifications/progress", {"progressToken": chatty.id, "progress": number})
        )
    correlation.deliver(Response(quiet.id, result={}))
    assert await other.next(1) == Response("mine", result={})
    with pytest.raises(UpstreamError, match="does not read"):
        await all_of(slow)


async def all_of(pending):
    return [await pending.next(1) for _ in range(1001)]


def test_a_callers_id_is_found_under_its_number_and_type():
    correlation = Correlation()
    _, first = correlation.begin(Request(1, "x"))
    _, second = correlation.begin(Request("1", "x"))
    found = [correlation.number_of(one) for one in (1, "1", 2)]
    assert found == [first.id, second.id, None]


def test_numbers_cannot_be_guessed_from_others_and_survive_every_parser():
    correlation = Correlation()
    numbers = [correlation.begin(CALL)[1].id for _ in range(200)]
    assert len(set(numbers)) == 200
    assert all(0 < number < 2**53 for number in numbers)
    assert numbers != sorted(numbers)
    assert max(numbers) > 2**48


async def test_a_request_can_be_failed_alone():
    correlation = Correlation()
    pending, sent = correlation.begin(CALL)
    other, quiet = correlation.begin(CALL)
    assert correlation.refuse(sent.id, UpstreamError("broken"))
    assert not correlation.refuse(sent.id, UpstreamError("broken"))
    assert not correlation.refuse(0, UpstreamError("broken"))
    correlation.deliver(Response(quiet.id, result={}))
    with pytest.raises(UpstreamError, match="broken"):
        await pending.next(1)
    assert (await other.next(1)).id == "mine"


def test_the_latest_is_what_was_sent_last_whatever_its_number():
    correlation = Correlation()
    for _ in range(20):
        pending, _ = correlation.begin(CALL)
        assert correlation.latest() is pending
