"""What the ladder comes to when it refuses nothing: a call that may be, or what a caller may know of."""

from collections.abc import Sequence
from dataclasses import dataclass

from remit.guard.account import Account
from remit.guard.caller import Caller
from remit.guard.elevations import Elevated, Wanted
from remit.guard.footing import Footing
from remit.guard.refusal import Refusal
from remit.guard.target import Target
from remit.ids import ScopeName
from remit.policy.decision import Decision, DecisionOutcome, DecisionReason
from remit.policy.history import History

__all__ = ["Allowance", "Resting", "Shown", "as_declared", "rests", "undecided_among"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resting:
    """What people said yes to, on which a call rests; and how it is refused if that cannot be spent for it."""

    elevated: Elevated
    wanted: Wanted
    otherwise: Refusal

    @property
    def is_spent(self) -> bool:
        """Whether it was spent when the task began that this call is a use of."""
        return self.wanted.task_of is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """A call that policy permits; nothing of it has been recorded yet."""

    caller: Caller
    target: Target | None
    """`None` for a method that the server's declaration allows by its name."""
    required: tuple[ScopeName, ...]
    decision: Decision
    account: Account | None = None
    """What it was counted in as; `None` where no fact of history has to do with it."""
    footing: Footing | None = None
    """What it was begun on; `None` where that was not kept."""
    resting: Resting | None = None
    """What it rests on besides policies; `None` for nothing."""

    @property
    def told(self) -> History:
        """What policies were told of what was done before."""
        return {} if self.account is None else self.account.told or {}

    async def take_back(self) -> None:
        """Let the call count no longer: something else than policy keeps it from being."""
        if self.account is not None:
            await self.account.take_back()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What of a server a caller may know of."""

    caller: Caller
    targets: tuple[Target, ...]
    footing: Footing | None = None


def rests(verdict: Allowance | Refusal) -> bool:
    """Whether it may be only because people said yes to it."""
    return isinstance(verdict, Allowance) and verdict.resting is not None


def as_declared(caller: Caller, footing: Footing) -> Allowance:
    """What whoever may use the server at all may send: its declaration decides, and no policy."""
    decision = Decision(
        outcome=DecisionOutcome.ALLOW,
        reason=DecisionReason.PERMITTED,
        rules=(),
        policy_version=caller.world.decisions.version,
        engine="declaration",
    )
    return Allowance(caller=caller, target=None, required=(), decision=decision, footing=footing)


def undecided_among(answers: Sequence[Decision]) -> Decision | None:
    """The error, where nothing may be shown and something could not be decided: an empty list would pass for the truth."""
    if any(one.allowed for one in answers):
        return None
    return next((one for one in answers if one.reason is DecisionReason.ENGINE_ERROR), None)
