"""Every policy engine behind the port passes one contract; one that is bad in any way does not."""

from pathlib import Path

import pytest

from remit.engines import open_authzen, open_cerbos
from remit.policy import CedarEngine, DecisionPoint, PolicySource
from remit.policy.port import Answer, EngineSettings, EngineUnavailableError
from remit.repository import load_repository, write_example
from remit.testing.clock import FixedClock
from remit.testing.policy_engine import EngineSubject, PolicyEngineContract
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
