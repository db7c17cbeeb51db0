"""Every policy engine behind the port passes one contract; one that is bad in any way does not."""

import asyncio
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
        return EngineSubject(engine=engine, fail=engine.fail, mend=engine.mend)


class TestCerbos(PolicyEngineContract):
    pytestmark = pytest.mark.node

    @pytest.fixture
    async def subject(self, tmp_path):
        async with real.cerbos(tmp_path) as pdp:
            engine = opened(open_cerbos, pdp.url)
            yield EngineSubject(engine=engine, fail=pdp.kill, mend=pdp.start)
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
            yield EngineSubject(engine=engine, fail=pdp.kill, mend=pdp.start)
            await engine.close()


class Bad:
    """An engine that is right in everything but what `spoilt` does to its answers."""

    name, version = "bad", None

    def __init__(self, spoilt) -> None:
        self._right = {id(case.evaluation): case.allowed for case in CASES}
        self._spoilt = spoilt
        self.answers = True

    async def evaluate_all(self, evaluations):
        answers = [Answer(question=one, allowed=self._right[id(one)]) for one in evaluations]
        return await self._spoilt(self, answers)

    async def close(self) -> None:
        """Nothing is open."""

    async def fail(self) -> None:
        self.answers = False

    async def mend(self) -> None:
        self.answers = True


def _answering(engine):
    if not engine.answers:
        raise EngineUnavailableError("nobody answers")


async def good(engine, answers):
    _answering(engine)
    return answers


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


async def _failing(spoilt) -> set[str]:
    found = set()
    for name in _tests():
        engine = Bad(spoilt)
        subject = EngineSubject(engine=engine, fail=engine.fail, mend=engine.mend)
        try:
            await getattr(PolicyEngineContract(), name)(subject)
        except Exception:  # noqa: BLE001  a test that fails in any way has noticed
            found.add(name)
    return found


async def test_an_engine_in_memory_that_is_right_passes_the_contract():
    assert await _failing(good) == set()


@pytest.mark.parametrize(
    "spoilt",
    [
        permissive, open_when_it_fails, in_another_order, shuffled_verdicts, half_a_batch, truthy,
        no_answers, never_mended, forgetful, contradictory,
    ],
    ids=lambda spoilt: spoilt.__name__,
)  # fmt: skip
async def test_an_engine_that_is_bad_in_one_way_fails_the_contract(spoilt):
    assert await _failing(spoilt)
