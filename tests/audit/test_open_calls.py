"""What a writer keeps in hand of calls that have begun."""

import struct

import orjson
import pytest

from remit.audit.open_calls import MOST_LISTED, CallsUnderWay, listed, listing


def begun(decision, **body):
    said = {"decision_id": decision, "outcome": "allow", "reason": "allowed", "guard": {}, **body}
    return orjson.dumps({"body": said, "kind": "decision"})


def ended(decision, **body):
    said = {"decision_id": decision, "outcome": "ok", "guard": {}, **body}
    return orjson.dumps({"body": said, "kind": "call.completed"})


@pytest.fixture
def calls():
    return CallsUnderWay()


def test_a_call_is_under_way_from_its_decision_to_its_outcome(calls):
    calls.see(3, begun("dec_1"))
    calls.see(5, begun("dec_2"))
    assert calls.sequences() == (3, 5)
    calls.see(6, ended("dec_1"))
    assert calls.sequences() == (5,)


@pytest.mark.parametrize(
    "line",
    [
        begun("dec_1", outcome="deny"),
        begun("dec_1", outcome="challenge"),
        begun("dec_1", reason="listed"),
        begun("dec_1", guard={"instance": "crm-1"}),
        begun(None),
        ended("dec_1"),
        b'{"kind":"decision","outcome":"allow"}',
        b'"kind":"decision" "outcome":"allow"',
        b'["kind":"decision","outcome":"allow"]',
        orjson.dumps(
            {"kind": "audit.queried", "body": {"query": {"kind": "decision", "outcome": "allow"}}}
        ),
    ],
)
def test_anything_else_begins_nothing(calls, line):
    calls.see(0, line)
    assert len(calls) == 0


def test_nobody_ends_a_call_of_remit_but_remit(calls):
    calls.see(0, begun("dec_1"))
    calls.see(1, ended("dec_1", guard={"instance": "crm-1"}))
    calls.see(2, orjson.dumps({"kind": "x", "body": {"decision_id": "dec_1"}}))
    assert calls.sequences() == (0,)


def test_what_others_told_is_forgotten(calls):
    for n in range(4):
        calls.see(n, begun(f"dec_{n}"))
    calls.forget_before(2)
    assert calls.sequences() == (2, 3)


def test_they_are_listed_and_read_back(calls):
    calls.see(7, begun("dec_1"))
    calls.see(2**40, begun("dec_2"))
    assert list(listed(listing(calls))) == [7, 2**40]
    assert listing(CallsUnderWay()) == b""


def test_no_more_are_listed_than_fit(calls):
    for n in range(MOST_LISTED + 5):
        calls.see(n, begun(f"dec_{n}"))
    assert list(listed(listing(calls))) == list(range(MOST_LISTED))


def test_what_was_not_listed_is_not_read():
    with pytest.raises(struct.error):
        list(listed(b"half"))
