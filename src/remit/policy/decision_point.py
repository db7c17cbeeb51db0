"""The policy decision point: the only caller of an engine, and where errors become refusals.

Refuses when the engine raises, when it reports that any policy failed while being
evaluated, and when its answer contradicts itself. Cedar leaves out a policy that
fails, so a failing `forbid` would otherwise let the call through (docs/adr/0006).
"""

from collections.abc import Sequence
from dataclasses import replace

from remit.clock import Clock
from remit.policy.decision import Decision, DecisionOutcome, DecisionReason, RuleEffect
from remit.policy.error_text import error_text
from remit.policy.evaluation import Evaluation
from remit.policy.port import PolicyEngine

__all__ = ["DecisionPoint"]

_ENGINE_NAME = "decision-point"


class DecisionPoint:
    """Puts questions to the engine in force, and never raises."""

    __slots__ = ("_clock", "_engine")

    def __init__(self, engine: PolicyEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    @property
    def version(self) -> str:
        """The SHA-256, in hexadecimal, of the policies in force."""
        return self._engine.version

    @property
    def engine(self) -> PolicyEngine:
        """What decides at present."""
        return self._engine

    def publish(self, engine: PolicyEngine) -> None:
        """Let `engine` decide from now on."""
        self._engine = engine

    async def adjudicate(self, evaluation: Evaluation) -> Decision:
        """What decides a call, engines in other processes included. Never raises; does not wait for Cedar."""
        return self.decide(evaluation)

    async def adjudicate_all(self, evaluations: Sequence[Evaluation]) -> tuple[Decision, ...]:
        """Each decided by itself, in the order given; an engine elsewhere is asked once for all of them."""
        return tuple([await self.adjudicate(one) for one in evaluations])

    def decide(self, evaluation: Evaluation) -> Decision:
        """The decision of the engine in this process, or a refusal for `ENGINE_ERROR`; with the time it took."""
        engine = self._engine
        started = self._clock.monotonic()
        try:
            decision = _without_errors(engine.evaluate(evaluation))
        except Exception as error:  # noqa: BLE001  whatever it is, it is a refusal
            decision = _refusal(engine, error_text(f"{type(error).__name__}: {error}"))
        micros = int((self._clock.monotonic() - started) * 1_000_000)
        return decision if micros <= 0 else _after(decision, micros)


def _without_errors(decision: Decision) -> Decision:
    """`decision`, or its refusal if a policy failed, or if it allows what nothing permits."""
    if not decision.allowed and not decision.errors:
        return decision
    permitted = any(rule.effect is RuleEffect.PERMIT for rule in decision.rules)
    forbidden = any(rule.effect is RuleEffect.FORBID for rule in decision.rules)
    errors = decision.errors
    if decision.allowed and (forbidden or not permitted) and not errors:
        errors = ("the engine allows what no policy permits, or what one forbids",)
    if not errors:
        return decision
    return replace(
        decision,
        outcome=DecisionOutcome.DENY,
        reason=DecisionReason.ENGINE_ERROR,
        errors=errors,
    )


def _after(decision: Decision, micros: int) -> Decision:
    """`decision`, which took so long. Spelt out: `replace` takes three times as long."""
    return Decision(
        outcome=decision.outcome,
        reason=decision.reason,
        rules=decision.rules,
        policy_version=decision.policy_version,
        engine=decision.engine,
        errors=decision.errors,
        micros=micros,
        obligations=decision.obligations,
        observed=decision.observed,
    )


def _refusal(engine: PolicyEngine, error: str) -> Decision:
    return Decision(
        outcome=DecisionOutcome.DENY,
        reason=DecisionReason.ENGINE_ERROR,
        rules=(),
        policy_version=engine.version,
        engine=_ENGINE_NAME,
        errors=(error,),
    )
