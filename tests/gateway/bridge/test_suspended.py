"""Handles of calls that wait: whose they are, for how long, and for what."""

from types import SimpleNamespace

import pytest

from remit.gateway.bridge.suspended import Suspended, digest_of
from remit.gateway.jsonrpc import Request
from remit.gateway.rejection import RejectedError
from remit.testing.clock import FixedClock
from tests.gateway.bridge.fakes import principal_of
from tests.gateway.doubles import token_of

QUESTION = Request("q0", "elicitation/create", {})


def call_of(name="dana"):
    session = SimpleNamespace(principal=principal_of(name), token=token_of(name))
    return SimpleNamespace(session=session)


@pytest.fixture
def clock():
    return FixedClock()


@pytest.fixture
def suspended(clock):
    return Suspended(300, clock)


def test_it_is_found_once_by_whose_it_is(suspended):
    call = call_of()
    handle = suspended.keep(call, QUESTION, "digest")
    assert suspended.claim(handle, principal_of(), "digest").call is call
    with pytest.raises(RejectedError):
        suspended.claim(handle, principal_of(), "digest")


@pytest.mark.parametrize(
    ("handle", "who", "digest"),
    [
        ("brg_other", principal_of(), "digest"),
        (None, principal_of("eve"), "digest"),
        (None, principal_of(grant="g2"), "digest"),
        (None, principal_of(), "another"),
        (7, principal_of(), "digest"),
    ],
    ids=["unknown", "eve", "grant", "digest", "number"],
)
def test_it_is_not_found_otherwise_and_stays(suspended, handle, who, digest):
    kept = suspended.keep(call_of(), QUESTION, "digest")
    with pytest.raises(RejectedError):
        suspended.claim(kept if handle is None else handle, who, digest)
    assert len(suspended) == 1


def test_it_is_too_late_for_an_answer_after_a_time(suspended, clock):
    handle = suspended.keep(call_of(), QUESTION, "digest")
    clock.advance(301)
    with pytest.raises(RejectedError):
        suspended.claim(handle, principal_of(), "digest")
    assert len(suspended.late()) == 1
    assert suspended.late() == ()


def test_the_oldest_of_a_principal_gives_way(suspended):
    first, other = call_of(), call_of("eve")
    suspended.keep(first, QUESTION, "1")
    suspended.keep(other, QUESTION, "2")
    assert suspended.oldest(principal_of("eve")).call is other
    assert suspended.oldest(principal_of("eve")) is None
    assert suspended.oldest().call is first


def test_those_of_whoever_may_act_no_more_are_forgotten(suspended):
    suspended.keep(call_of(), QUESTION, "1")
    suspended.keep(call_of("eve"), QUESTION, "2")
    gone = suspended.unbacked(lambda token: token.sub != "dana")
    assert [one.principal for one in gone] == [principal_of()]
    assert len(suspended.all()) == 1


def test_a_round_is_told_by_what_must_stay_the_same():
    first = {"name": "find", "arguments": {"a": 1}, "_meta": {"progressToken": 1}}
    again = {**first, "_meta": {}, "inputResponses": {}, "requestState": "s"}
    assert digest_of("tools/call", first) == digest_of("tools/call", again)
    assert digest_of("tools/call", first) != digest_of(
        "tools/call", {**first, "arguments": {"a": 2}}
    )
    assert digest_of("tools/call", first) != digest_of("prompts/get", first)
