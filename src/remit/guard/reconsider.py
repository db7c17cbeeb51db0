"""A decision taken once more, as it was or with something changed: by the very steps that take every other.

Nothing of it is recorded, counted or carried out. Who calls is not proved again: the
token is made of what the log holds of it, so whatever comes before is taken as it was.
"""

from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import ClassVar, Final, TypeVar

from remit.clock import Clock, EpochSeconds
from remit.errors import Error
from remit.guard.call import Call
from remit.guard.definitions import Definitions
from remit.guard.elevations import Elevated, Recorded
from remit.guard.ladder import Allowance, Ladder, Shown
from remit.guard.ports import Past, Standing
from remit.guard.refusal import Refusal
from remit.guard.settings import GuardSettings
from remit.guard.use import Use
from remit.model import Catalog
from remit.policy.decision_point import DecisionPoint
from remit.policy.history import History
from remit.tokens.access_token import AccessToken
from remit.tokens.verify import TokenVerifier

__all__ = [
    "Scenario",
    "UnansweredError",
    "at_once",
    "deliberate",
    "deliberate_listing",
    "listing",
    "may_be_allowed",
    "reconsider",
]

_Answer = TypeVar("_Answer")

_NOWHERE: Final = GuardSettings(public_url="https://reconsidered.invalid")


class UnansweredError(Error):
    """Whether it would be allowed cannot be told without asking somebody else."""

    code: ClassVar[str] = "unanswered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """All that a decision depends on. `call.authorization` does not matter: `token` is what it would say."""

    call: Call
    token: AccessToken
    catalog: Catalog
    standing: Standing
    definitions: Definitions
    decisions: DecisionPoint
    now: EpochSeconds
    history: History = field(default_factory=lambda: MappingProxyType({}))
    """What policies were told of what was done before. What they were not told of is not known any more."""
    past: Past | None = None
    """What remembers, in place of `history`."""
    elevated: Elevated | None = None
    """What people said of the very call."""


def reconsider(scenario: Scenario) -> Allowance | Refusal:
    """What would be decided of this very call.

    Raises:
        UnansweredError: an engine that is not in this process would have to be asked, or a fact of history is read
            that is not in `scenario.history`.
    """
    return at_once(_ladder(scenario).decide(_spoken(scenario)))


async def deliberate(scenario: Scenario) -> Allowance | Refusal:
    """What would be decided of this very call, engines in other processes asked where they decide."""
    return await _ladder(scenario).decide(_spoken(scenario))


async def deliberate_listing(scenario: Scenario) -> Shown | Refusal:
    """What would stand in the lists, engines in other processes asked where they decide."""
    return await _ladder(scenario).shown(_unnamed(scenario))


def may_be_allowed(scenario: Scenario) -> bool:
    """Whether some call of the same thing may be allowed, whatever its arguments: whether it would be listed.

    Raises:
        UnansweredError: an engine that is not in this process would have to be asked.
    """
    shown = listing(scenario)
    if isinstance(shown, Refusal):
        return False
    return any(target.facts.name == scenario.call.name for target in shown.targets)


def listing(scenario: Scenario) -> Shown | Refusal:
    """What of the call's server, of its kind or of all kinds, would stand in the lists.

    Raises:
        UnansweredError: an engine that is not in this process would have to be asked.
    """
    return at_once(_ladder(scenario).shown(_unnamed(scenario)))


def at_once(answer: Coroutine[object, object, _Answer]) -> _Answer:
    """What comes of steps that wait for nothing.

    Raises:
        UnansweredError: they wait for something, which they are not given.
    """
    try:
        answer.send(None)
    except StopIteration as finished:
        found: _Answer = finished.value
        return found
    answer.close()
    raise UnansweredError("an engine outside this process decides, and is not asked again")


def _ladder(scenario: Scenario) -> Ladder:
    return Ladder(
        _Vouching(scenario.token, _Instant(scenario.now)),
        _World(
            scenario.catalog,
            replace(scenario.standing, as_of=scenario.now),
            scenario.definitions,
        ),
        decisions=scenario.decisions,
        settings=replace(
            _NOWHERE,
            past=scenario.past or _Recorded(scenario.history),
            elevations=Recorded(scenario.elevated),
        ),
    )


def _spoken(scenario: Scenario) -> Call:
    return replace(scenario.call, authorization=("Bearer as-recorded",), proof=None)


def _unnamed(scenario: Scenario) -> Call:
    """The question for all that there is."""
    return replace(_spoken(scenario), name=None, arguments=None)


@dataclass(frozen=True, slots=True)
class _World:
    """The snapshots of a scenario, as a directory."""

    catalog: Catalog
    standing: Standing
    definitions: Definitions


@dataclass(frozen=True, slots=True)
class _Recorded:
    """What was told of the past, told again. Nothing counts."""

    told: History

    async def come_to(self, use: Use) -> History:
        """The facts that are read.

        Raises:
            UnansweredError: one of them was not told, so that it is not known any more.
        """
        read = [entry.fact.name for entry in use.entries if entry.told]
        if not self.told.keys() >= set(read):
            raise UnansweredError("a policy reads what was done before, and it was not recorded")
        return {name: self.told[name] for name in read}

    async def take_back(self, use: Use) -> None:
        """Nothing was counted."""


class _Instant(Clock):
    """Stands where the decision was taken."""

    def __init__(self, now: EpochSeconds) -> None:
        self._now = now

    def now(self) -> EpochSeconds:
        return self._now

    def now_ms(self) -> int:
        return self._now * 1000

    def monotonic(self) -> float:
        return float(self._now)


class _Vouching(TokenVerifier):
    """Says of whatever it is shown that it is `token`: that was verified when the decision was taken."""

    __slots__ = ("_token",)

    def __init__(self, token: AccessToken, clock: Clock) -> None:
        self._token = token
        self.clock = clock

    def verify(self, raw: str, *, audience: str) -> AccessToken:
        del raw, audience
        return self._token

    def has_expired(self, token: AccessToken) -> bool:
        del token
        return False
