"""What of a question is open, and whether it is within the schema."""

from decimal import Decimal

import pytest

from remit.policy import DecisionPoint, Phase
from remit.policy.decision import DecisionReason
from remit.policy.engines.cedar_question import literal, open_to
from tests.policy.conftest import PAST

ALL = '@id("all") permit(principal, action, resource);\n'
HEAD = '(principal, action == Remit::Action::"crm/get_account", resource)'


@pytest.mark.parametrize(
    ("phase", "changes", "unknown"),
    [
        (Phase.CALL, {}, set()),
        (Phase.ISSUE, {}, set()),
        (Phase.LIST, {}, {"arguments", "history", "justification", "told"}),
        (Phase.LIST, {"arguments": {}}, {"history", "justification", "told"}),
        (
            Phase.LIST,
            {"arguments": {}, "history": PAST, "justification": "x"},
            {"justification", "told"},
        ),
    ],
)
def test_only_a_list_leaves_open_what_a_call_brings(desk, phase, changes, unknown):
    assert open_to(desk.ask(phase, **changes)) == unknown


def decided(desk, condition, **changes):
    text = f'{ALL}@id("no") forbid{HEAD} when {{ {condition} }};'
    return DecisionPoint(desk.engine(text), desk.clock).decide(desk.ask(**changes))


@pytest.mark.parametrize(
    "history",
    [None, {}, {"calls": True}, {"calls": 2**63}, {"calls": 1.5}, {"spent": Decimal(1)}, {"more": 1, "calls": 1}],
    ids=["none", "empty", "truth", "long", "float", "another", "undeclared"],
)  # fmt: skip
def test_a_past_that_a_policy_asks_for_and_nobody_tells_is_a_refusal(desk, history):
    decision = decided(desk, "context.history.calls > 5", history=history)
    assert decision.reason is DecisionReason.ENGINE_ERROR


@pytest.mark.parametrize("history", [None, {"spent": Decimal(1)}, PAST])
def test_a_past_that_no_policy_asks_for_need_not_be_told(desk, history):
    assert decided(desk, "context.time.hour > 30", history=history).allowed


@pytest.mark.parametrize(
    ("history", "allowed"),
    [({"calls": 5}, True), ({"calls": 6}, False), ({**PAST, "calls": 6}, False)],
)
def test_what_is_told_of_the_past_decides(desk, history, allowed):
    assert decided(desk, "context.history.calls > 5", history=history).allowed is allowed


def test_an_entity_is_written_as_cedar_writes_it():
    assert literal({"type": "Remit::User", "id": 'a"b\\c\n'}) == 'Remit::User::"a\\"b\\\\c\\n"'
