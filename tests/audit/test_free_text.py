import pytest

from remit.audit.context import Context, Network
from remit.audit.entry import Moment, Producer, draft, read_entry, seal
from remit.audit.events import AuditExported, CallCompleted, Decided, HoldRequested
from remit.audit.free_text import said, spoken_name

CARD = "4111 1111 1111 1111"


def written(event):
    entry = draft(event, Producer(), Moment.of(0))
    return read_entry(
        seal(entry, sequence=0, previous="0" * 64, observed="2026-01-01T00:00:00.000Z")
    )


def test_what_is_secret_in_a_reason_is_not_written_and_what_is_not_is():
    event = HoldRequested(hold="hld_1", reason=f"the card {CARD} of ann@example.com")
    assert written(event)["body"]["reason"] == "the card [pan] of [pii]"
    assert (
        written(HoldRequested(hold="hld_1", reason="INC-7: a case"))["body"]["reason"]
        == "INC-7: a case"
    )


@pytest.mark.parametrize(
    "value",
    [CARD, "password=hunter2", "AKIAIOSFODNN7EXAMPLE", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc"],
)
def test_nothing_secret_is_written_however_deep_it_stands(value):
    event = AuditExported(form="csv", query={"a": [{"b": value}], "c": value}, records=1)
    assert value not in str(written(event))


def test_an_account_may_be_called_by_an_address_and_prose_may_not_hold_one():
    assert said({"username": "ann@example.com"}) == {"username": "ann@example.com"}
    assert said({"reason": "ask ann@example.com"}) == {"reason": "ask [pii]"}
    assert said({"errors": ["ask ann@example.com"]}) == {"errors": ["ask [pii]"]}


@pytest.mark.parametrize("value", [1, None, True, (), {}, b"x", 1.5])
def test_what_is_no_text_stays_as_it_is(value):
    assert said({"a": value})["a"] == (list(value) if isinstance(value, tuple) else value)


def test_what_is_nested_without_an_end_is_left_to_whoever_refuses_it():
    deep: list[object] = []
    for _ in range(1_000):
        deep = [deep]
    assert said({"a": deep})


def test_a_program_that_calls_itself_a_secret_is_called_by_its_class():
    network = Network("192.0.2.1", f"agent/1 {CARD}")
    event = HoldRequested(context=Context(network=network), hold="hld_1", reason="x")
    assert written(event)["net"]["ua"] == "agent/1 [pan]"
    assert spoken_name(None) is None


def test_decisions_are_looked_through_where_they_are_made():
    assert Decided.vetted
    assert CallCompleted.vetted


def test_what_a_client_says_that_it_is_called_is_no_name_of_ours():
    told = {
        "client_name": "agent of ann@example.com",
        "redirect_uris": ("http://127.0.0.1:9/callback?to=ann@example.com&key=ghp_" + "a1B2" * 9,),
        "owner": "ann@example.com",
    }
    assert said(told) == {
        "client_name": "agent of [pii]",
        "redirect_uris": ["http://127.0.0.1:9/callback?to=[pii]&key=[secret]"],
        "owner": "ann@example.com",
    }
