"""Engines asked beforehand: few questions, slowly, and whatever is no clear answer is unknown."""

import asyncio
from dataclasses import replace

import pytest

from remit.clock import SystemClock
from remit.engines import EngineConnections
from remit.engines.inquiry import MOST_QUESTIONS, EngineInquiry, Word
from remit.policy import DecisionPoint, MatchedRule, RuleEffect
from remit.policy.obligation import Obligation, ObligationKind
from remit.policy.port import Answer, EngineUnavailableError
from remit.testing.clock import FixedClock
from tests.engines.doubles import QUESTION, Own, declared, pdp, response

HERE = replace(QUESTION, engine=declared("plugin", "", plugin="here", timeout_ms=40))
THERE = replace(QUESTION, engine=replace(HERE.engine, name="there"))


class Engine:
    """Answers as `behaves` says; keeps how many were asked at once, and how many at the same time."""

    name, version = "pdp", None

    def __init__(self, behaves=None) -> None:
        self.behaves = behaves
        self.batches = []
        self.under_way = 0

    async def evaluate_all(self, evaluations):
        self.batches.append(len(evaluations))
        self.under_way += 1
        assert self.under_way == 1
        try:
            await asyncio.sleep(0)
            if self.behaves is not None:
                return await self.behaves(evaluations)
            return [Answer(question=one, allowed=True) for one in evaluations]
        finally:
            self.under_way -= 1


class Found:
    """Implements `Elsewhere`."""

    def __init__(self, **engines) -> None:
        self.engines = engines

    def find(self, declared):
        if declared.name not in self.engines:
            raise EngineUnavailableError("there is none")
        return self.engines[declared.name]


def inquiry(**engines):
    return EngineInquiry(Found(**engines), FixedClock())


async def test_what_an_engine_says_is_told_with_its_rules_and_what_it_wants():
    async def behaves(evaluations):
        rule = MatchedRule(id="r", effect=RuleEffect.PERMIT)
        wants = Obligation(kind=ObligationKind.REQUIRE_APPROVAL, value="finance", rule="r")
        no = MatchedRule(id="n", effect=RuleEffect.FORBID)
        return [
            Answer(question=evaluations[0], allowed=True, rules=(rule,), obligations=(wants,)),
            Answer(question=evaluations[1], allowed=False, rules=(no,)),
        ]

    yes, no = await inquiry(pdp=Engine(behaves)).ask([HERE, HERE])
    assert (yes.word, yes.rules, yes.needs) == (Word.YES, ("pdp:r",), ("require_approval finance",))
    assert (no.word, no.rules, no.why) == (Word.NO, ("pdp:n",), None)


async def test_nothing_asked_asks_nobody():
    engine = Engine()
    assert await inquiry(pdp=engine).ask([]) == []
    assert engine.batches == []


async def fails(evaluations):
    raise RuntimeError("a secret inside")


async def is_late(evaluations):
    await asyncio.sleep(30)


async def says_half(evaluations):
    return [Answer(question=one, allowed=True) for one in evaluations[1:]]


async def mixes_up(evaluations):
    return [Answer(question=one, allowed=True) for one in reversed(evaluations)]


async def says_something(evaluations):
    return [Answer(question=one, allowed="yes") for one in evaluations]


@pytest.mark.parametrize(
    ("behaves", "why"),
    [
        (fails, "RuntimeError"),
        (is_late, "no answer within 40 ms"),
        (says_half, "1 answers to 2 questions"),
        (mixes_up, "another question"),
        (says_something, "neither yes nor no"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
async def test_what_is_no_answer_is_unknown_and_says_why(behaves, why):
    other = replace(HERE, resource=replace(HERE.resource, name="other"))
    words = await inquiry(pdp=Engine(behaves)).ask([HERE, other])
    assert {one.word for one in words} == {Word.UNKNOWN}
    assert all(why in one.why for one in words)
    assert all("secret" not in one.why for one in words)


async def test_an_engine_that_is_not_there_is_unknown():
    (word,) = await inquiry().ask([HERE])
    assert (word.word, word.why) == (Word.UNKNOWN, "EngineUnavailableError: there is none")


async def test_an_engine_that_fails_once_is_not_asked_further_and_others_are():
    dead, alive = Engine(fails), Engine()
    words = await inquiry(pdp=dead, there=alive).ask([HERE] * 45 + [THERE])
    assert dead.batches == [20]
    assert alive.batches == [1]
    assert words[20].why == "not asked: the engine had just failed"
    assert words[-1].word is Word.YES


async def test_an_inquiry_has_so_many_questions_and_no_more():
    engine = Engine()
    words = await inquiry(pdp=engine).ask([HERE] * (MOST_QUESTIONS + 3))
    assert (sum(engine.batches), max(engine.batches)) == (MOST_QUESTIONS, 20)
    assert [one.word for one in words[MOST_QUESTIONS:]] == [Word.UNKNOWN] * 3
    assert "at most" in words[-1].why


async def test_all_inquiries_of_a_minute_have_so_many_questions_and_the_next_minute_begins_anew():
    clock, engine = FixedClock(), Engine()
    asks = EngineInquiry(Found(pdp=engine), clock)
    for _ in range(3):
        assert {one.word for one in await asks.ask([HERE] * 200)} == {Word.YES}
    (refused,) = await asks.ask([HERE])
    assert (refused.word, refused.why) == (
        Word.UNKNOWN, "not asked: engines were asked enough for this minute",
    )  # fmt: skip
    assert sum(engine.batches) == 600
    clock.advance(60)
    (word,) = await asks.ask([HERE])
    assert word.word is Word.YES


async def test_one_inquiry_goes_on_at_a_time():
    engine = Engine()
    asks = inquiry(pdp=engine)
    words = await asyncio.gather(*[asks.ask([HERE] * 30) for _ in range(4)])
    assert {one.word for several in words for one in several} == {Word.YES}


async def test_an_inquiry_that_takes_too_long_ends_and_says_so(monkeypatch):
    monkeypatch.setattr("remit.engines.inquiry._PATIENCE", 0.05)
    slow = replace(HERE, engine=replace(HERE.engine, timeout_ms=5_000))
    asks = inquiry(pdp=Engine(is_late))
    words = await asks.ask([slow] * 30)
    assert {(one.word, one.why) for one in words} == {
        (Word.UNKNOWN, "not asked: the inquiry took too long")
    }


@pytest.mark.parametrize("kind", ["cerbos", "authzen"])
async def test_over_the_wire_it_is_asked_as_a_call_asks_it(kind):
    async with pdp() as engine:
        engines = EngineConnections(lambda reference: "secret")
        question = replace(QUESTION, engine=declared(kind, engine.url))
        (word,) = await EngineInquiry(engines, SystemClock()).ask([question])
        assert word.word is Word.YES
        (asked,) = engine.questions

        async def behaves(writer, right):
            writer.write(response({"decision": "true"}))

        engine.behaves = behaves
        (word,) = await EngineInquiry(engines, SystemClock()).ask([question])
        assert word.word is Word.UNKNOWN
        engine.behaves = None
        await DecisionPoint(Own(), SystemClock(), engines).adjudicate(question)
        assert {**engine.questions[-1], "requestId": ""} == {**asked, "requestId": ""}
        await engines.close()
