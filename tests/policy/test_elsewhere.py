"""What comes back from an engine elsewhere is believed if it is an answer to the question, in time."""

import asyncio

import pytest

from remit.policy import MatchedRule, RuleEffect
from remit.policy.elsewhere import Inquiries, Nowhere, described
from remit.policy.obligation import Obligation, ObligationKind
from remit.policy.port import Answer, EngineUnavailableError
from remit.testing.policy_engine import ask
from tests.engines.doubles import declared

ONE, OTHER = ask("crm", "get_account", {}), ask("crm", "get_account", {})


class Engine:
    name, version = "fake", None

    def __init__(self, answer) -> None:
        self.answer = answer

    async def evaluate_all(self, evaluations):
        return await self.answer(evaluations)


async def heard(answer, *, asked=(ONE,), seconds=20.0):
    return await Inquiries().answers(Engine(answer), asked, seconds=seconds)


def saying(value):
    async def answer(evaluations):
        return value

    return answer


async def test_answers_come_back_in_their_order():
    answers = [Answer(question=ONE, allowed=True), Answer(question=OTHER, allowed=False)]
    assert await heard(saying(answers), asked=(ONE, OTHER)) == tuple(answers)


def forbidding(**fields):
    return Answer(question=ONE, allowed=False, **fields)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "no list of answers"),
        (True, "no list of answers"),
        ({ONE.phase: True}, "no list of answers"),
        ([], "0 answers to 1"),
        ([forbidding(), forbidding()], "2 answers to 1"),
        ([True], "no answer is among"),
        ([Answer(question=OTHER, allowed=True)], "another question"),
        ([Answer(question=ONE, allowed=1)], "neither yes nor no"),
        ([Answer(question=ONE, allowed=None)], "neither yes nor no"),
        ([Answer(question=ONE, allowed="yes")], "neither yes nor no"),
        ([forbidding(rules=["x"])], "are none"),
        ([forbidding(rules=("x",))], "are none"),
        ([forbidding(obligations=("x",))], "are none"),
        ([forbidding(rules=(MatchedRule(id="", effect=RuleEffect.FORBID),))], "no name"),
        ([forbidding(rules=(MatchedRule(id="a\nb", effect=RuleEffect.FORBID),))], "no name"),
        ([forbidding(rules=(MatchedRule(id="x" * 257, effect=RuleEffect.FORBID),))], "no name"),
        (
            [forbidding(rules=(MatchedRule(id="x", effect=RuleEffect.FORBID, message="\x1b["),))],
            "no name",
        ),
        (
            [forbidding(rules=(MatchedRule(id="x", effect=RuleEffect.FORBID),) * 33)],
            "are none",
        ),
        (
            [
                Answer(
                    question=ONE,
                    allowed=True,
                    rules=(MatchedRule(id="x", effect=RuleEffect.FORBID),),
                )
            ],
            "one of its policies forbids",
        ),
    ],
    ids=range(19),
)
async def test_what_is_no_answer_is_not_believed(value, said):
    with pytest.raises(EngineUnavailableError, match=said):
        await heard(saying(value))


async def test_rules_and_obligations_that_are_well_formed_are_taken():
    answer = forbidding(
        rules=(MatchedRule(id="x", effect=RuleEffect.FORBID, message="ask somebody"),),
        obligations=(
            Obligation(kind=ObligationKind.STEP_UP, value="5m", rule="x"),
            Obligation(kind=ObligationKind.LIMIT, value="10/1h", rule="x"),
            Obligation(kind=ObligationKind.REDACT, value="account_id", rule="x"),
        ),
    )
    assert await heard(saying([answer])) == (answer,)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ObligationKind.LIMIT, "5 per hour"),
        (ObligationKind.LIMIT, "0/1h"),
        (ObligationKind.LIMIT, ""),
        ("blessing", "of the elders"),
        (ObligationKind.STEP_UP, "strong"),
        (ObligationKind.REDACT, "account, note"),
        (ObligationKind.REDACT, ""),
        (ObligationKind.REQUIRE_APPROVAL, "a\nb"),
        (ObligationKind.REQUIRE_JUSTIFICATION, 7),
    ],
)
async def test_an_obligation_that_cannot_be_read_makes_it_no_answer(kind, value):
    one = Obligation(kind=kind, value=value, rule="x")
    answer = Answer(question=ONE, allowed=True, obligations=(one,))
    with pytest.raises(EngineUnavailableError, match="obligation"):
        await heard(saying([answer]))


async def test_who_is_late_is_not_heard_even_if_it_will_not_be_cancelled():
    released = asyncio.Event()

    async def stubborn(evaluations):
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue
        return [Answer(question=ONE, allowed=True)]

    with pytest.raises(EngineUnavailableError, match="no answer within 10 ms"):
        await heard(stubborn, seconds=0.01)
    released.set()
    await asyncio.sleep(0)


async def test_an_engine_that_cancels_itself_has_given_no_answer():
    async def gives_up(evaluations):
        raise asyncio.CancelledError

    with pytest.raises(EngineUnavailableError, match="gave up"):
        await heard(gives_up)


async def test_what_it_raises_is_raised():
    async def fails(evaluations):
        raise ZeroDivisionError("x")

    with pytest.raises(ZeroDivisionError):
        await heard(fails)


async def test_who_asks_and_leaves_takes_the_question_along():
    cancelled = asyncio.Event()

    async def waits(evaluations):
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    asking = asyncio.ensure_future(heard(waits))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.wait_for(cancelled.wait(), 20)


def test_nowhere_is_no_engine():
    with pytest.raises(EngineUnavailableError):
        Nowhere().find(declared("cerbos", "http://127.0.0.1:1"))


def test_of_a_failure_that_is_not_ours_the_words_are_not_told():
    assert described(ValueError("password is hunter2")) == "ValueError"
    assert described(EngineUnavailableError("late")) == "EngineUnavailableError: late"
