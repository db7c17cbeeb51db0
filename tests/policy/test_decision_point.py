from dataclasses import replace

import pytest

from remit.policy import (
    Decision,
    DecisionOutcome,
    DecisionPoint,
    DecisionReason,
    MatchedRule,
    RuleEffect,
)

PERMIT = MatchedRule(id="p", effect=RuleEffect.PERMIT)
FORBID = MatchedRule(id="f", effect=RuleEffect.FORBID)
ALLOW = Decision(
    outcome=DecisionOutcome.ALLOW,
    reason=DecisionReason.PERMITTED,
    rules=(PERMIT,),
    policy_version="v1",
    engine="fake",
)


class Engine:
    version = "v1"

    def __init__(self, answer):
        self.answer = answer

    def evaluate(self, evaluation):
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.fixture
def decide(desk):
    return lambda answer: DecisionPoint(Engine(answer), desk.clock).decide(desk.ask())


def test_an_engines_answer_is_passed_on(decide):
    assert decide(ALLOW) == ALLOW


@pytest.mark.parametrize(
    "error", [RuntimeError("x"), ValueError(), TimeoutError(), RecursionError(), MemoryError()]
)
def test_whatever_the_engine_raises_is_a_refusal(decide, error):
    decision = decide(error)
    assert not decision.allowed
    assert decision.reason is DecisionReason.ENGINE_ERROR
    assert decision.policy_version == "v1"
    assert type(error).__name__ in decision.errors[0]


def test_an_allow_with_any_reported_error_is_a_refusal(decide):
    decision = decide(replace(ALLOW, errors=("policy `f` failed",)))
    assert not decision.allowed
    assert decision.reason is DecisionReason.ENGINE_ERROR
    assert decision.errors == ("policy `f` failed",)


@pytest.mark.parametrize("rules", [(), (FORBID,), (PERMIT, FORBID)])
def test_an_allow_that_contradicts_its_own_rules_is_a_refusal(decide, rules):
    assert decide(replace(ALLOW, rules=rules)).reason is DecisionReason.ENGINE_ERROR


@pytest.mark.parametrize("answer", [None, True, "allow", object()])
def test_an_answer_that_is_no_decision_is_a_refusal(decide, answer):
    assert decide(answer).reason is DecisionReason.ENGINE_ERROR


def test_an_engine_that_is_published_decides_from_then_on(desk):
    point = DecisionPoint(Engine(RuntimeError("x")), desk.clock)
    assert not point.decide(desk.ask()).allowed
    point.publish(Engine(ALLOW))
    assert point.decide(desk.ask()).allowed
    assert point.version == "v1"


def test_no_error_repeats_a_value_of_the_call(decide):
    (error,) = decide(ValueError("bad amount `4111111111111111`")).errors
    assert "4111" not in error
