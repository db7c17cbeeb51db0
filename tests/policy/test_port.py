"""Every policy engine behind the port passes one contract; one that is bad in any way does not."""

import asyncio
import time
from pathlib import Path

import pytest

from remit.engines import open_authzen, open_cerbos
from remit.policy import CedarEngine, DecisionPoint, MatchedRule, PolicySource, RuleEffect
from remit.policy.port import Answer, EngineSettings, EngineUnavailableError
from remit.repository import load_repository, write_example
from remit.testing.clock import FixedClock
from remit.testing.policy_engine import CASES, EngineSubject, PolicyEngineContract
from tests.engines import real

POLICIES = Path(real.__file__).parent / "policies"


def opened(open_engine, url, **options):
    return open_engine(EngineSettings(name="pdp", url=url, timeout=10.0, options=options))


class Cedar:
    """The engine in this process, behind the other port."""

    name, version = "cedar", None

    def __init__(self, folder) -> None:
        write_example(folder)
        text = (POLICIES / "engine.cedar").read_text()
        catalog = load_repository(folder).catalog
        engine = CedarEngine.load([PolicySource(text, "policies/engine.cedar")], catalog)
        self._point = DecisionPoint(engine, FixedClock())
        self.answers = True

    async def evaluate_all(self, evaluations):
        if not self.answers:
            raise EngineUnavailableError("nobody answers")
        return [
            Answer(question=one, allowed=self._point.decide(one).allowed) for one in evaluations
        ]

    async def close(self) -> None:
        """Nothing is open."""

    async def fail(self) -> None:
        self.answers = False

    async def mend(self) -> None:
        self.answers = True


class TestCedar(PolicyEngineContract):
    @pytest.fixture
    def subject(self, tmp_path):
        engine = Cedar(tmp_path / "policy")
        return EngineSubject(engine=engine, fail=engine.fail, mend=engine.mend, stall=None)


class TestCerbos(PolicyEngineContract):
    pytestmark = pytest.mark.node

    @pytest.fixture
    async def subject(self, tmp_path):
        async with real.cerbos(tmp_path) as pdp:
            engine = opened(open_cerbos, pdp.url)
            yield EngineSubject(engine=engine, fail=pdp.kill, mend=pdp.mend, stall=pdp.stall)
            await engine.close()


@pytest.mark.parametrize(
    "options",
    [{}, {"discover": "true"}, {"batch": "false"}],
    ids=["plain", "discovered", "one-by-one"],
)
class TestAuthZen(PolicyEngineContract):
    @pytest.fixture
    async def subject(self, tmp_path, options):
        async with real.authzen(tmp_path) as pdp:
            engine = opened(open_authzen, pdp.url, **options)
            yield EngineSubject(engine=engine, fail=pdp.kill, mend=pdp.mend, stall=pdp.stall)
            await engine.close()


class Bad:
    """An engine that is right in everything but what `spoilt` does to its answers."""

    name, version = "bad", None

    def __init__(self, spoilt) -> None:
        self._right = {id(case.evaluation): case.allowed for case in CASES}
        self._spoilt = spoilt
        self.answers = True
        self.said = asyncio.Event()
        self.said.set()

    async def evaluate_all(self, evaluations):
        answers = [Answer(question=one, allowed=self._right[id(one)]) for one in evaluations]
        return await self._spoilt(self, answers)

    async def close(self) -> None:
        """Nothing is open."""

    async def fail(self) -> None:
        self.answers = False

    async def mend(self) -> None:
        self.answers = True
        self.said.set()

    async def stall(self) -> None:
        self.said.clear()


async def _heard(engine):
    """What an engine that is right does first: wait for an answer, and fail where there is none."""
    await engine.said.wait()
    _answering(engine)


def _answering(engine):
    if not engine.answers:
        raise EngineUnavailableError("nobody answers")


async def good(engine, answers):
    await _heard(engine)
    return answers


async def open_when_it_takes_long(engine, answers):
    """It has a time-out of its own, and allows after it."""
    _answering(engine)
    try:
        await asyncio.wait_for(engine.said.wait(), 0.02)
    except TimeoutError:
        return [Answer(question=one.question, allowed=True) for one in answers]
    return answers


async def deaf_to_cancelling(engine, answers):
    _answering(engine)
    while not engine.said.is_set():
        try:
            await engine.said.wait()
        except asyncio.CancelledError:
            engine.gave_up = True
    return answers


async def goes_on_behind_the_back(engine, answers):
    _answering(engine)
    if not engine.said.is_set():
        engine.behind = asyncio.ensure_future(engine.said.wait())
        await asyncio.shield(engine.behind)
    return answers


async def holds_up_everybody(engine, answers):
    _answering(engine)
    if not engine.said.is_set():
        time.sleep(1.2)  # noqa: ASYNC251  this is what is wrong with it
        raise EngineUnavailableError("too late")
    return answers


async def remembers_what_was_said(engine, answers):
    """It answers from memory where it has one, of a question that looks the same to it."""
    known = engine.__dict__.setdefault("known", {})
    if not all(_looks(one) in known for one in answers):
        await _heard(engine)
    for one in answers:
        known.setdefault(_looks(one), one.allowed)
    return [Answer(question=one.question, allowed=known[_looks(one)]) for one in answers]


def _looks(answer):
    one = answer.question
    return one.subject.id, one.resource.server, one.resource.name, repr(one.context.arguments)


async def leaves_failures_lying(engine, answers):
    async def fails():
        raise EngineUnavailableError("nobody answers")

    await engine.said.wait()
    if not engine.answers:
        asyncio.ensure_future(fails())  # noqa: RUF006  this is what is wrong with it
        await asyncio.sleep(0)
        raise EngineUnavailableError("nobody answers")
    return answers


async def answers_the_last_who_asked(engine, answers):
    """It keeps the question under way in itself, where the next one takes its place."""
    await _heard(engine)
    engine.under_way = answers
    await asyncio.sleep(0)
    return engine.under_way


async def permissive(engine, answers):
    _answering(engine)
    return [Answer(question=one.question, allowed=True) for one in answers]


async def open_when_it_fails(engine, answers):
    if not engine.answers:
        return [Answer(question=one.question, allowed=True) for one in answers]
    return answers


async def in_another_order(engine, answers):
    _answering(engine)
    return [*reversed(answers)]


async def shuffled_verdicts(engine, answers):
    _answering(engine)
    turned = [one.allowed for one in reversed(answers)]
    return [
        Answer(question=one.question, allowed=allowed)
        for one, allowed in zip(answers, turned, strict=True)
    ]


async def half_a_batch(engine, answers):
    _answering(engine)
    return answers if len(answers) < 2 else answers[: len(answers) // 2]


async def truthy(engine, answers):
    _answering(engine)
    return [Answer(question=one.question, allowed=int(one.allowed)) for one in answers]


async def no_answers(engine, answers):
    _answering(engine)
    return [one.allowed for one in answers]


async def never_mended(engine, answers):
    if not engine.answers:
        engine.dead = True
    if getattr(engine, "dead", False):
        raise EngineUnavailableError("nobody answers")
    return answers


async def forgetful(engine, answers):
    """It remembers the first verdict and gives it to all that come at the same time."""
    _answering(engine)
    first = engine.__dict__.setdefault("first", answers[0].allowed if answers else True)
    await asyncio.sleep(0)
    return [Answer(question=one.question, allowed=first) for one in answers]


async def contradictory(engine, answers):
    _answering(engine)
    rule = MatchedRule(id="no", effect=RuleEffect.FORBID)
    return [Answer(question=one.question, allowed=one.allowed, rules=(rule,)) for one in answers]


def _tests():
    return sorted(name for name in vars(PolicyEngineContract) if name.startswith("test_"))


async def _failing(spoilt, *only: str) -> set[str]:
    found = set()
    for name in only or _tests():
        engine = Bad(spoilt)
        subject = EngineSubject(
            engine=engine, fail=engine.fail, mend=engine.mend, stall=engine.stall
        )
        try:
            await getattr(PolicyEngineContract(), name)(subject)
        except Exception:  # noqa: BLE001  a test that fails in any way has noticed
            found.add(name)
        await engine.mend()
        await asyncio.sleep(0.03)
    return found


async def test_an_engine_in_memory_that_is_right_passes_the_contract():
    assert await _failing(good) == set()


@pytest.mark.parametrize(
    "spoilt",
    [
        permissive, in_another_order, half_a_batch, truthy, no_answers, never_mended, forgetful,
        contradictory, remembers_what_was_said,
    ],
    ids=lambda spoilt: spoilt.__name__,
)  # fmt: skip
async def test_an_engine_that_is_bad_in_one_way_fails_the_contract(spoilt):
    assert await _failing(spoilt)


OWN_TEST = {
    open_when_it_takes_long: "test_who_is_kept_waiting_is_let_go_and_nothing_goes_on_for_them",
    deaf_to_cancelling: "test_who_is_kept_waiting_is_let_go_and_nothing_goes_on_for_them",
    goes_on_behind_the_back: "test_who_is_kept_waiting_is_let_go_and_nothing_goes_on_for_them",
    holds_up_everybody: "test_who_is_kept_waiting_is_let_go_and_nothing_goes_on_for_them",
    leaves_failures_lying: "test_no_failure_is_left_lying_that_nobody_heard_of",
    open_when_it_fails: "test_an_engine_that_nobody_answers_permits_nothing",
    shuffled_verdicts: "test_an_answer_follows_its_question_and_not_its_place",
    answers_the_last_who_asked: "test_questions_of_many_at_the_same_time_are_kept_apart",
}


@pytest.mark.parametrize("spoilt", OWN_TEST, ids=lambda spoilt: spoilt.__name__)
async def test_what_is_wrong_with_it_is_found_by_the_test_that_is_about_it(spoilt):
    assert await _failing(spoilt, OWN_TEST[spoilt])


async def test_an_engine_that_would_end_the_process_fails_the_contract():
    async def ends_it(engine, answers):
        if not engine.answers:
            raise SystemExit(1)
        return answers

    engine = Bad(ends_it)
    subject = EngineSubject(engine=engine, fail=engine.fail, mend=engine.mend, stall=engine.stall)
    with pytest.raises(AssertionError, match="ends the process"):
        await PolicyEngineContract().test_what_fails_is_an_exception_and_nothing_worse(subject)


async def test_an_engine_that_waits_has_to_say_how_it_is_kept_waiting():
    async def waits(engine, answers):
        await asyncio.sleep(0)
        return answers

    engine = Bad(waits)
    subject = EngineSubject(engine=engine, fail=engine.fail, mend=engine.mend, stall=None)
    name = "test_who_is_kept_waiting_is_let_go_and_nothing_goes_on_for_them"
    with pytest.raises(AssertionError, match="`stall` has to say how"):
        await getattr(PolicyEngineContract(), name)(subject)
