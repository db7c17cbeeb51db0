"""The policy decision point: the only caller of an engine, and where errors become refusals.

Refuses when the engine raises, when it reports that any policy failed while being
evaluated, and when its answer contradicts itself. Cedar leaves out a policy that
fails, so a failing `forbid` would otherwise let the call through (docs/adr/0006).

Where the catalog says so, an engine in another process permits instead of the repository's policies. These are
asked first all the same: what they forbid, or fail on, is refused and never asked elsewhere.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from remit.clock import Clock
from remit.model import ExternalEngine
from remit.policy.decision import Decision, DecisionOutcome, DecisionReason, RuleEffect
from remit.policy.elsewhere import (
    Inquired,
    Inquiries,
    Nowhere,
    described,
    failure_of,
    nobody_hears,
)
from remit.policy.error_text import error_text
from remit.policy.evaluation import Evaluation, ResourceFacts
from remit.policy.obligation import Obligation, ObligationKind
from remit.policy.port import Answer, Elsewhere, PolicyEngine

__all__ = ["DecisionPoint"]

_ENGINE_NAME = "decision-point"
_MAX_VERSION = 64


class DecisionPoint:
    """Puts questions to the engine in force, and never raises."""

    __slots__ = ("_clock", "_elsewhere", "_engine", "_held", "_inquired", "_inquiries")

    def __init__(
        self,
        engine: PolicyEngine,
        clock: Clock,
        elsewhere: Elsewhere | None = None,
        *,
        inquired: Inquired = nobody_hears,
    ) -> None:
        """`elsewhere`: the engines outside this process; without it, what needs one is refused.

        `inquired` hears what comes of every time that one of them is asked.
        """
        self._engine = engine
        self._held: tuple[PolicyEngine, DecisionPoint] | None = None
        self._clock = clock
        self._elsewhere = elsewhere or Nowhere()
        self._inquired = inquired
        self._inquiries = Inquiries()

    @property
    def version(self) -> str:
        """The SHA-256, in hexadecimal, of the policies in force."""
        return self._engine.version

    @property
    def engine(self) -> PolicyEngine:
        """What decides at present."""
        return self._engine

    @property
    def in_force(self) -> "DecisionPoint":
        """The same, held to the engine in force now: a call that began with it ends with it, whatever is published."""
        engine, held = self._engine, self._held
        if held is None or held[0] is not engine:
            point = DecisionPoint(engine, self._clock, self._elsewhere, inquired=self._inquired)
            point._inquiries = self._inquiries
            held = self._held = engine, point
        return held[1]

    def publish(self, engine: PolicyEngine) -> None:
        """Let `engine` decide from now on."""
        self._engine = engine

    def history_read(self, resource: ResourceFacts) -> frozenset[str]:
        """The facts of history that policies about `resource` look at. Raises what the engine raises."""
        return self._engine.history_read(resource)

    async def adjudicate(self, evaluation: Evaluation) -> Decision:
        """What decides a call, engines in other processes included. Never raises; does not wait for Cedar."""
        decision = self.decide(evaluation)
        if evaluation.engine is None or _is_final(decision):
            return decision
        (asked,) = await self._asked(evaluation.engine, [(evaluation, decision)])
        return asked

    async def adjudicate_all(self, evaluations: Sequence[Evaluation]) -> tuple[Decision, ...]:
        """Each decided by itself, in the order given; an engine elsewhere is asked once for all of them."""
        decisions = [self.decide(one) for one in evaluations]
        waiting: dict[str, list[int]] = {}
        for place, (one, decision) in enumerate(zip(evaluations, decisions, strict=True)):
            if one.engine is not None and not _is_final(decision):
                waiting.setdefault(one.engine.name, []).append(place)
        for places in waiting.values():
            declared = evaluations[places[0]].engine
            if declared is not None:
                pairs = [(evaluations[place], decisions[place]) for place in places]
                for place, decision in zip(places, await self._asked(declared, pairs), strict=True):
                    decisions[place] = decision
        return tuple(decisions)

    async def _asked(
        self, declared: ExternalEngine, pairs: Sequence[tuple[Evaluation, Decision]]
    ) -> tuple[Decision, ...]:
        """What `declared` decides of questions on which the repository's own policies have no veto."""
        # Whoever has no loop to wait in learns here that he would have to: `guard.reconsider`.
        await asyncio.sleep(0)
        started, name = self._clock.monotonic(), declared.name
        try:
            engine = self._elsewhere.find(declared)
            answers = await self._inquiries.answers(
                engine, [one for one, _ in pairs], seconds=declared.timeout_ms / 1000
            )
            name = name if engine.version is None else f"{name}@{engine.version[:_MAX_VERSION]}"
            decided = [
                _as_answered(answer, own, declared=declared.name, engine=name)
                for answer, (_, own) in zip(answers, pairs, strict=True)
            ]
            outcomes = ["allow" if answer.allowed else "deny" for answer in answers]
        except Exception as error:  # noqa: BLE001  whatever it is, it is a refusal
            said = error_text(described(error))
            decided = [_unanswered(own, name, said) for _, own in pairs]
            outcomes = [failure_of(error)] * len(pairs)
        seconds = self._clock.monotonic() - started
        self._inquired(declared.name, outcomes, seconds=seconds)
        micros = int(seconds * 1_000_000)
        return tuple(_after(one, one.micros + micros) for one in decided)

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
    permitted = forbidden = False
    for rule in decision.rules:
        permitted = permitted or rule.effect is RuleEffect.PERMIT
        forbidden = forbidden or rule.effect is RuleEffect.FORBID
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


def _is_final(decision: Decision) -> bool:
    """Whether the repository's own policies forbid it, or one of them failed: nobody else can permit that."""
    return decision.reason in {DecisionReason.FORBIDDEN, DecisionReason.ENGINE_ERROR}


def _as_answered(answer: Answer, own: Decision, *, declared: str, engine: str) -> Decision:
    """The decision of an engine elsewhere. What the repository's own policies permit does not count.

    Its rules are called by its name and theirs, so that none is taken for one of the repository's.
    """
    if answer.allowed:
        outcome, reason = DecisionOutcome.ALLOW, DecisionReason.PERMITTED
    else:
        forbids = any(rule.effect is RuleEffect.FORBID for rule in answer.rules)
        outcome = DecisionOutcome.DENY
        reason = DecisionReason.FORBIDDEN if forbids else DecisionReason.NO_PERMIT
    return replace(
        own,
        outcome=outcome,
        reason=reason,
        rules=tuple(replace(rule, id=f"{declared}:{rule.id}") for rule in answer.rules),
        engine=engine,
        obligations=(
            *_redactions(own),
            *(replace(one, rule=f"{declared}:{one.rule}") for one in answer.obligations),
        ),
    )


def _unanswered(own: Decision, engine: str, error: str) -> Decision:
    return replace(
        own,
        outcome=DecisionOutcome.DENY,
        reason=DecisionReason.ENGINE_ERROR,
        rules=(),
        engine=engine,
        errors=(error,),
        obligations=_redactions(own),
    )


def _redactions(own: Decision) -> tuple[Obligation, ...]:
    """What the repository's own policies want kept out of the log counts, whoever permits the call."""
    return tuple(one for one in own.obligations if one.kind is ObligationKind.REDACT)


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
