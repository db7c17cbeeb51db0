"""Many recorded calls decided again under one bundle, each by the very steps that take every other decision.

As `reconsider`, but what was worked out about a caller is kept from one call to the next: a log holds the
same few agents and people over and over. Nothing is recorded, counted or carried out. Who called is not
proved again, keys are not either, and limits do not hold: the token is made of what the log says of it.
"""

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar, Final

from remit.clock import Clock, EpochSeconds, Seconds
from remit.errors import Error
from remit.guard.call import Call
from remit.guard.caller import Caller
from remit.guard.definitions import NO_DEFINITIONS, Definitions
from remit.guard.elevations import Elevated, Recorded
from remit.guard.ladder import Allowance, Ladder
from remit.guard.ports import Past, Standing
from remit.guard.reconsider import at_once
from remit.guard.refusal import Refusal
from remit.guard.settings import GuardSettings
from remit.guard.use import Use
from remit.model import NO_LIMITS, Agent, Catalog, Server
from remit.policy.decision_point import DecisionPoint
from remit.policy.history import History
from remit.tokens.access_token import AccessToken
from remit.tokens.verify import TokenVerifier

__all__ = ["Rehearing", "UnrecordedPastError"]

_FOR_EVER: Final = GuardSettings(
    public_url="https://reheard.invalid", standing_max_age=Seconds(2**62)
)
_NOBODY_STOPPED: Final = Standing(as_of=EpochSeconds(0))
_NO_PAST: Final[History] = MappingProxyType({})
_BEARER: Final = ("Bearer as-recorded",)


class UnrecordedPastError(Error):
    """A policy reads a fact of history that was not told when the call was decided."""

    code: ClassVar[str] = "unrecorded_past"


class Rehearing:
    """Decides calls under one catalog and the policies over it. For one thread."""

    __slots__ = ("_elevations", "_ladder", "_now", "_past", "_vouching", "catalog")

    def __init__(
        self, catalog: Catalog, decisions: DecisionPoint, *, unheard: bool = False
    ) -> None:
        """`unheard`: only what would be recorded is asked for, not what the caller would be told."""
        self.catalog = _unlimited(catalog)
        self._now = _Recorded()
        self._vouching = _Vouching(self._now)
        self._past = _RecordedPast()
        self._elevations = Recorded()
        self._ladder = Ladder(
            self._vouching,
            _World(self.catalog),
            decisions=decisions,
            settings=replace(
                _FOR_EVER, past=self._past, unheard=unheard, elevations=self._elevations
            ),
        )

    def decide(
        self,
        call: Call,
        token: AccessToken,
        *,
        now: EpochSeconds,
        history: History = _NO_PAST,
        past: Past | None = None,
        elevated: Elevated | None = None,
    ) -> Allowance | Refusal:
        """What would be decided of `call`, made by the holder of `token` at `now`, to whom the past was `history`.

        `call.authorization` does not matter. `past` remembers in place of `history`, where it is given;
        `elevated` is what people said of it.

        Raises:
            UnansweredError: an engine that is not in this process would have to be asked.
            UnrecordedPastError: a fact is read that is not in `history`.
        """
        self._hear(token, now)
        self._past.told, self._past.instead = history, past
        self._elevations.elevated = elevated
        # A call is no precedent: what a rule or a caller may have so often is not used up by others here.
        self._ladder.forget_counts()
        return at_once(self._ladder.decide(_spoken(call)))

    def caller(self, call: Call, token: AccessToken, *, now: EpochSeconds) -> Caller | Refusal:
        """Who makes `call`, and that they may speak with its server at all: the first steps of `decide`."""
        self._hear(token, now)
        return self._ladder.authenticate(_spoken(call))

    def _hear(self, token: AccessToken, now: EpochSeconds) -> None:
        self._now.at = now
        self._vouching.token = token


def _spoken(call: Call) -> Call:
    return call if call.authorization == _BEARER else replace(call, authorization=_BEARER)


def _unlimited(catalog: Catalog) -> Catalog:
    """`catalog` without limits on how much is asked, and without proofs: neither is decided again."""
    return replace(
        catalog,
        agents=MappingProxyType({name: _free(one) for name, one in catalog.agents.items()}),
        unregistered=_free(catalog.unregistered),
        servers=MappingProxyType({name: _open(one) for name, one in catalog.servers.items()}),
        guardrails=replace(
            catalog.guardrails, limits_per_agent=NO_LIMITS, limits_per_user=NO_LIMITS
        ),
    )


def _free(agent: Agent) -> Agent:
    return replace(agent, limits=NO_LIMITS, dpop_required=False)


def _open(server: Server) -> Server:
    return replace(server, limits=NO_LIMITS, dpop_required=False)


@dataclass(frozen=True, slots=True)
class _World:
    """The snapshots of a rehearing, as a directory."""

    catalog: Catalog
    standing: Standing = _NOBODY_STOPPED
    definitions: Definitions = NO_DEFINITIONS


class _Recorded(Clock):
    """Stands where the call was decided."""

    __slots__ = ("at",)

    def __init__(self) -> None:
        self.at = EpochSeconds(0)

    def now(self) -> EpochSeconds:
        return self.at

    def now_ms(self) -> int:
        return self.at * 1000

    def monotonic(self) -> float:
        return float(self.at)


class _Vouching(TokenVerifier):
    """Says of whatever it is shown that it is `token`: that was verified when the call was decided."""

    __slots__ = ("token",)

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.token: AccessToken | None = None

    def verify(self, raw: str, *, audience: str) -> AccessToken:
        del raw, audience
        if self.token is None:
            raise LookupError("nobody is heard")
        return self.token

    def has_expired(self, token: AccessToken) -> bool:
        del token
        return False


class _RecordedPast:
    """What was told of the past when the call was decided; the rest is not known any more."""

    __slots__ = ("instead", "told")

    def __init__(self) -> None:
        self.told: History = _NO_PAST
        self.instead: Past | None = None

    async def come_to(self, use: Use) -> History:
        """The recorded facts that are read.

        Raises:
            UnrecordedPastError: one of them was not.
        """
        if self.instead is not None:
            return await self.instead.come_to(use)
        read = [entry.fact.name for entry in use.entries if entry.told]
        unknown = [name for name in read if name not in self.told]
        if unknown:
            raise UnrecordedPastError(f"`context.history.{unknown[0]}` was not recorded")
        return {name: self.told[name] for name in read}

    async def take_back(self, use: Use) -> None:
        """Nothing was counted."""
