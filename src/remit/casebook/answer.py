"""What was decided, as a table speaks of it: the word the caller hears, and the truth behind it."""

from remit.casebook.case import Outcome
from remit.casebook.report import Found
from remit.guard.issuance import Ruling
from remit.guard.ladder import Allowance, Shown
from remit.guard.outcome import Challenge, RefusalReason
from remit.guard.refusal import Refusal
from remit.guard.target import Target
from remit.policy.decision import Decision, DecisionReason
from remit.policy.evaluation import ResourceKind
from remit.tokens.access_token import AccessToken

__all__ = ["found_of_list", "found_of_ruling", "found_of_verdict"]


def found_of_verdict(verdict: Allowance | Refusal, token: AccessToken) -> Found:
    """The answer to a call."""
    if isinstance(verdict, Allowance):
        return _of_decision(
            verdict.decision, Outcome.ALLOW, verdict.decision.reason.value, token=token
        )
    outcome = _outcome(verdict)
    said = verdict.detail
    if verdict.decision is None:
        return Found(
            outcome=outcome,
            reason=verdict.truth.value,
            message=said,
            scopes=verdict.scopes,
            missing=verdict.missing,
            held=token.scopes,
        )
    return _of_decision(
        verdict.decision, outcome, verdict.truth.value, token=token, refusal=verdict
    )


def found_of_list(shown: Shown | Refusal, token: AccessToken) -> Found:
    """The answer to a question for what there is."""
    if isinstance(shown, Refusal):
        return found_of_verdict(shown, token)
    names = tuple(_name(target) for target in shown.targets)
    return Found(outcome=Outcome.ALLOW, reason="permitted", sees=names, held=token.scopes)


def found_of_ruling(ruling: Ruling) -> Found:
    """The answer to a request for a token."""
    decision = ruling.decision
    allowed = ruling.refusal is None
    if decision is None:
        reason = "not_granted"
    elif decision.reason is DecisionReason.NO_PERMIT:
        reason = DecisionReason.FORBIDDEN.value
    else:
        reason = decision.reason.value
    return Found(
        outcome=Outcome.ALLOW if allowed else Outcome.DENY,
        reason=reason,
        rules=() if decision is None else decision.rules,
        observed=() if decision is None else decision.observed,
        obligations=() if decision is None else decision.obligations,
        errors=() if decision is None else decision.errors,
        message=ruling.refusal or "",
        granted=ruling.scopes,
        withheld={one.scope: one.reason.value for one in ruling.withheld},
        engine="" if decision is None else decision.engine,
    )


def _of_decision(
    decision: Decision,
    outcome: Outcome,
    reason: str,
    *,
    token: AccessToken,
    refusal: Refusal | None = None,
) -> Found:
    return Found(
        outcome=outcome,
        reason=reason,
        rules=decision.rules,
        observed=decision.observed,
        obligations=decision.obligations,
        errors=decision.errors,
        needs=() if refusal is None else refusal.needs,
        message="" if refusal is None else refusal.detail,
        scopes=() if refusal is None else refusal.scopes,
        missing=() if refusal is None else refusal.missing,
        held=token.scopes,
        engine=decision.engine,
    )


def _outcome(refusal: Refusal) -> Outcome:
    if isinstance(refusal.outcome(""), Challenge):
        return Outcome.CHALLENGE
    return Outcome.HIDDEN if refusal.reason is RefusalReason.NOT_FOUND else Outcome.DENY


def _name(target: Target) -> str:
    kind, name = target.facts.kind, target.facts.name
    return name if kind is ResourceKind.TOOL else f"{kind.value}/{name}"
