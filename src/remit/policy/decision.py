"""The answer of a policy engine, and why."""

from dataclasses import dataclass
from enum import StrEnum

from remit.policy.obligation import Obligation

__all__ = ["Decision", "DecisionOutcome", "DecisionReason", "MatchedRule", "RuleEffect"]


class DecisionOutcome(StrEnum):
    ALLOW = "allow"
    DENY = "deny"


class DecisionReason(StrEnum):
    """Why, in one stable word. Documented in the reference; shown to agents and in the log."""

    PERMITTED = "permitted"
    NO_PERMIT = "no_permit"
    """No policy permits it: refusal by default."""
    FORBIDDEN = "forbidden"
    """A policy forbids it."""
    OBSERVED = "observed"
    """Policies refuse it, and their server or their organisation only observes what they would refuse."""
    ENGINE_ERROR = "engine_error"
    """The engine failed, timed out, or reported an error while evaluating: always a refusal."""


class RuleEffect(StrEnum):
    PERMIT = "permit"
    FORBID = "forbid"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedRule:
    """A policy that took part in the decision.

    `message` is its `@refusal("…")` annotation: words that may be shown to the agent and the person.
    """

    id: str
    effect: RuleEffect
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Allow or deny, with all that the audit log needs to explain it."""

    outcome: DecisionOutcome
    reason: DecisionReason
    rules: tuple[MatchedRule, ...]
    policy_version: str
    engine: str
    errors: tuple[str, ...] = ()
    """What the engine reported, for the operator. Never shown to a caller."""
    micros: int = 0
    obligations: tuple[Obligation, ...] = ()
    """What has to be done besides, or would cure a refusal: see `obligation`."""
    observed: tuple[MatchedRule, ...] = ()
    """Rules on trial that would have refused, had they been in force. They decided nothing."""

    @property
    def allowed(self) -> bool:
        return self.outcome is DecisionOutcome.ALLOW
