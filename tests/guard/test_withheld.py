"""What is sealed into a record: all that policies may read and it does not show, and nothing else."""

from dataclasses import replace

import orjson
import pytest

from remit.audit.context import Context
from remit.audit.record_seal import RecordSeal
from remit.audit.redact import MAX_SEALED_BYTES, Redactor
from remit.guard import Call
from remit.guard.withheld import is_shown, unsaid_by, withheld
from remit.model import Argument, ArgumentType, AuditTreatment
from remit.policy import ResourceKind
from remit.policy.decision import Decision, DecisionOutcome, DecisionReason
from remit.policy.obligation import Obligation, ObligationKind

AMOUNT = Argument(
    name="amount", type=ArgumentType.MONEY, pointer="/amount", currency_pointer="/currency"
)
NOTE = Argument(name="note", type=ArgumentType.STRING, pointer="/data/note")


def kept(argument, audit):
    return replace(argument, audit=audit)


def call(arguments, **changes) -> Call:
    return Call(
        server="crm", method="tools/call", authorization=(), context=Context(),
        kind=ResourceKind.TOOL, name="pay", arguments=arguments, **changes,
    )  # fmt: skip


def content(world, arguments, declared, *, unsaid=frozenset(), token=None, **changes):
    found = withheld(
        call(arguments, **changes), world.token(**(token or {})), declared, unsaid=unsaid
    )
    return None if found is None else orjson.loads(found)


def test_declared_arguments_are_sealed_and_no_others(world):
    given = {"amount": 12.5, "currency": "EUR", "data": {"note": "n", "more": 1}, "password": "p"}
    found = content(world, given, (AMOUNT, NOTE))
    assert found == {"a": {"/amount": 12.5, "/currency": "EUR", "/data/note": "n"}}


def test_what_the_log_shows_as_it_is_is_not_sealed(world):
    assert content(world, {"data": {"note": "n"}}, (kept(NOTE, AuditTreatment.KEEP),)) is None


def test_what_the_log_shows_in_part_is_sealed(world):
    note = kept(NOTE, AuditTreatment.KEEP)
    long = "x" * 300
    assert content(world, {"data": {"note": long}}, (note,)) == {"a": {"/data/note": long}}
    last = kept(NOTE, AuditTreatment.LAST4)
    assert content(world, {"data": {"note": "n"}}, (last,)) == {"a": {"/data/note": "n"}}


def test_what_is_kept_nowhere_is_not_sealed_either(world):
    given = {"amount": 1, "currency": "EUR", "data": {"note": "n"}}
    dropped = kept(NOTE, AuditTreatment.DROP)
    assert content(world, given, (AMOUNT, dropped)) == {"a": {"/amount": 1, "/currency": "EUR"}}
    assert content(world, given, (AMOUNT, NOTE), unsaid=frozenset({"amount"})) == {
        "a": {"/data/note": "n"}
    }
    assert content(world, given, (dropped, NOTE)) is None, "the stricter of two holds"


def test_what_is_part_of_something_kept_nowhere_is_not_sealed_either(world):
    tags = kept(replace(NOTE, pointer="/tags", name="tags"), AuditTreatment.DROP)
    first = replace(NOTE, pointer="/tags/0", name="first")
    assert content(world, {"tags": ["secret"]}, (tags, first)) is None


def test_attributes_details_and_justification_are_sealed_with_it(world):
    detail = {"type": "tool_call"}
    token = {"attributes": {"region": "eu"}, "authorization_details": (detail,)}
    found = content(world, {}, (), token=token, justification="as agreed")
    assert found == {
        "t": {"region": "eu"}, "d": [detail], "u": world.token().aud, "j": "as agreed",
    }  # fmt: skip


def test_nothing_is_sealed_where_nothing_is_missing_or_nothing_is_called(world):
    assert content(world, None, ()) is None
    assert content(world, {"other": 1}, (AMOUNT,)) is None
    token = world.token(attributes={"region": "eu"})
    assert withheld(replace(call({"amount": 1}), name=None), token, (AMOUNT,)) is None


def test_a_name_too_long_for_the_log_is_sealed(world):
    uri = f"crm://{'x' * 300}"
    found = withheld(replace(call(None), kind=ResourceKind.RESOURCE, name=uri), world.token(), ())
    assert orjson.loads(found) == {"n": uri}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("text", True), ("x" * 256, False), ("a\nb", False), ("tok1.text.aaaa", False),
        ("****1234", False), (True, True), (2**53 - 1, True), (2**53, False), (1.5, False),
        (["a", "b"], True), (["a", 1], False), (["a"] * 129, False), ({"a": 1}, False),
    ],
)  # fmt: skip
def test_what_the_log_holds_as_it_is(value, shown):
    assert is_shown(value) is shown


def test_a_policy_that_wants_nothing_kept_is_obeyed():
    decision = Decision(
        outcome=DecisionOutcome.ALLOW, reason=DecisionReason.PERMITTED, rules=(), policy_version="",
        engine="cedar",
        obligations=(
            Obligation(kind=ObligationKind.REDACT, value="amount", rule="r"),
            Obligation(kind=ObligationKind.STEP_UP, value="mfa", rule="s"),
        ),
    )  # fmt: skip
    assert unsaid_by(decision) == {"amount"}
    assert unsaid_by(None) == frozenset()


async def test_the_record_of_a_call_holds_it_sealed_and_shows_none_of_it(world):
    seal = RecordSeal(b"s" * 32)
    world.redactor = Redactor(b"k" * 32, record_seal=seal)
    guard = world.new_guard()
    await guard.decide(
        world.call(arguments={"account": "acc_1"}, token={"attributes": {"x": "secret"}})
    )
    event = world.audit.events[-1]
    found = seal.open(event.sealed_arguments, decision=event.decision_id, tenant="acme")
    assert orjson.loads(found)["t"] == {"x": "secret"}
    assert "secret" not in str(event.claims)


async def test_what_is_too_large_is_not_sealed_and_the_call_goes_on(world):
    world.redactor = Redactor(b"k" * 32, record_seal=RecordSeal(b"s" * 32))
    attributes = {"x": "y" * MAX_SEALED_BYTES}
    await world.new_guard().decide(world.call(token={"attributes": attributes}))
    assert world.audit.events[-1].sealed_arguments is None
