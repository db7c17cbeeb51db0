import asyncio
from dataclasses import replace

import pytest

from remit.guard.reconsider import UnansweredError, at_once
from remit.model import EngineKind, ExternalEngine
from remit.policy import (
    Decision,
    DecisionOutcome,
    DecisionPoint,
    DecisionReason,
    MatchedRule,
    RuleEffect,
)
from remit.policy.port import Answer, EngineUnavailableError

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


class Elsewhere:
    """One engine outside this process: it permits all, and keeps what it was asked."""

    def __init__(self, *, allowed=True) -> None:
        self.asked = []
        self.allowed = allowed
        self.name, self.version = "pdp", "7"

    def find(self, declared):
        return self

    async def evaluate_all(self, evaluations):
        self.asked.append(tuple(evaluations))
        return [Answer(question=one, allowed=self.allowed) for one in evaluations]


PDP = ExternalEngine(name="pdp", kind=EngineKind.PLUGIN)


@pytest.fixture
def elsewhere():
    return Elsewhere()


def refusing(reason, **fields):
    fields = {"rules": (), "outcome": DecisionOutcome.DENY, **fields}
    return replace(ALLOW, reason=reason, **fields)


@pytest.mark.parametrize("own", [ALLOW, refusing(DecisionReason.NO_PERMIT)], ids=["permit", "none"])
@pytest.mark.parametrize("allowed", [True, False], ids=["yes", "no"])
async def test_an_engine_elsewhere_permits_whatever_the_own_policies_permit(desk, own, allowed):
    point = DecisionPoint(Engine(own), desk.clock, Elsewhere(allowed=allowed))
    decision = await point.adjudicate(replace(desk.ask(), engine=PDP))
    assert decision.allowed is allowed
    assert decision.reason is (DecisionReason.PERMITTED if allowed else DecisionReason.NO_PERMIT)
    assert (decision.engine, decision.policy_version) == ("pdp@7", "v1")
    assert decision.rules == ()


@pytest.mark.parametrize(
    ("own", "reason"),
    [
        (refusing(DecisionReason.FORBIDDEN, rules=(FORBID,)), DecisionReason.FORBIDDEN),
        (refusing(DecisionReason.ENGINE_ERROR, errors=("x",)), DecisionReason.ENGINE_ERROR),
        (RuntimeError("x"), DecisionReason.ENGINE_ERROR),
        (replace(ALLOW, errors=("policy `f` failed",)), DecisionReason.ENGINE_ERROR),
    ],
    ids=["forbidden", "error", "raised", "allowed-with-error"],
)
async def test_what_the_own_policies_forbid_or_fail_on_is_asked_of_nobody(
    desk, elsewhere, own, reason
):
    point = DecisionPoint(Engine(own), desk.clock, elsewhere)
    asked = replace(desk.ask(), engine=PDP)
    for decision in (await point.adjudicate(asked), *await point.adjudicate_all([asked])):
        assert decision.reason is reason
    assert elsewhere.asked == []


async def test_what_names_no_engine_is_decided_here(desk, elsewhere):
    point = DecisionPoint(Engine(ALLOW), desk.clock, elsewhere)
    assert await point.adjudicate(desk.ask()) == ALLOW
    assert elsewhere.asked == []


async def test_questions_of_a_list_are_asked_together_and_answered_in_their_order(desk, elsewhere):
    point = DecisionPoint(Engine(refusing(DecisionReason.NO_PERMIT)), desk.clock, elsewhere)
    here, there = desk.ask(), replace(desk.ask(), engine=PDP)
    other = replace(desk.ask(), engine=replace(PDP, name="other"))
    decided = await point.adjudicate_all([there, here, other, there])
    assert [one.allowed for one in decided] == [True, False, True, True]
    assert [len(asked) for asked in elsewhere.asked] == [2, 1]


async def test_without_engines_elsewhere_what_needs_one_is_refused_and_says_which(desk):
    point = DecisionPoint(Engine(ALLOW), desk.clock)
    decision = await point.adjudicate(replace(desk.ask(), engine=PDP))
    assert decision.reason is DecisionReason.ENGINE_ERROR
    assert decision.engine == "pdp"
    assert "can be asked here" in decision.errors[0]


def test_whoever_cannot_wait_learns_that_he_would_have_to(desk, elsewhere):
    point = DecisionPoint(Engine(ALLOW), desk.clock, elsewhere)
    assert at_once(point.adjudicate(desk.ask())) == ALLOW
    with pytest.raises(UnansweredError):
        at_once(point.adjudicate(replace(desk.ask(), engine=PDP)))
    assert elsewhere.asked == []


def test_at_issuance_the_own_policies_alone_decide(desk, elsewhere):
    point = DecisionPoint(Engine(ALLOW), desk.clock, elsewhere)
    assert point.decide(replace(desk.ask(), engine=PDP)) == ALLOW


class Failing(Elsewhere):
    """Whatever it is asked, it does `what`."""

    def __init__(self, what) -> None:
        super().__init__()
        self.what = what

    async def evaluate_all(self, evaluations):
        return await self.what()


async def _never():
    await asyncio.Event().wait()


async def _late():
    raise EngineUnavailableError("the connection took too long", cause=TimeoutError())


async def _broken():
    raise ConnectionError


async def _wrong():
    return ["yes"]


@pytest.mark.parametrize(
    ("engine", "outcome"),
    [
        (Elsewhere(allowed=True), "allow"),
        (Elsewhere(allowed=False), "deny"),
        (Failing(_never), "late"),
        (Failing(_late), "late"),
        (Failing(_broken), "error"),
        (Failing(_wrong), "error"),
        (None, "error"),
    ],
    ids=["yes", "no", "silent", "late", "broken", "no-answer", "nowhere"],
)
async def test_what_came_of_asking_an_engine_is_told_to_whoever_counts(desk, engine, outcome):
    heard = []

    def inquired(name, outcomes, *, seconds):
        heard.append((name, tuple(outcomes), seconds >= 0))

    point = DecisionPoint(
        Engine(refusing(DecisionReason.NO_PERMIT)), desk.clock, engine, inquired=inquired
    )
    asked = replace(desk.ask(), engine=replace(PDP, timeout_ms=10))
    await point.adjudicate(asked)
    await point.in_force.adjudicate_all([asked, asked])
    assert heard == [("pdp", (outcome,), True), ("pdp", (outcome, outcome), True)]


async def test_what_is_decided_here_is_told_to_nobody(desk):
    point = DecisionPoint(Engine(ALLOW), desk.clock, inquired=pytest.fail)
    assert (await point.adjudicate(desk.ask())).allowed
