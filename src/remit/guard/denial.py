"""What policy refuses, in words for the caller: why, and what would cure it if anything does.

A `forbid` that something cures is refused for the want of that; one that nothing cures is refused for good, whatever
cures the others. What a `permit` asks for besides is wanting until it is met.

Source: docs/reference/refusals.md; docs/reference/policies.md, annotations.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from remit.guard.justification import JUSTIFICATION_KEY
from remit.guard.outcome import RefusalReason
from remit.guard.refusal import Refusal, forbidden_detail, refused
from remit.guard.rule_limits import RuleLimits
from remit.policy.decision import Decision, DecisionReason, RuleEffect
from remit.policy.duties import age_of, is_met
from remit.policy.evaluation import Evaluation
from remit.policy.obligation import Obligation, ObligationKind
from remit.tokens.access_token import AccessToken

__all__ = ["FOR_PEOPLE", "denied", "is_for_people", "refusal_of", "truth_of"]

_REASONS: Final = (
    (ObligationKind.REQUIRE_APPROVAL, RefusalReason.APPROVAL_NEEDED),
    (ObligationKind.CONFIRM, RefusalReason.CONFIRMATION_NEEDED),
    (ObligationKind.STEP_UP, RefusalReason.STEP_UP_NEEDED),
    (ObligationKind.REQUIRE_SCOPE, RefusalReason.ELEVATION_NEEDED),
    (ObligationKind.REQUIRE_JUSTIFICATION, RefusalReason.JUSTIFICATION_NEEDED),
)
"""What is said when several are wanting: what takes longest."""
_CURES: Final = frozenset(kind for kind, _ in _REASONS)
FOR_PEOPLE: Final = _CURES - {ObligationKind.REQUIRE_JUSTIFICATION}
"""What people can meet; all else is for the caller itself to say."""


def denied(decision: Decision, token: AccessToken, asked: Evaluation | None = None) -> Refusal:
    """What policy refused of `asked`, in the words of whoever wrote it."""
    truth = truth_of(decision)
    if truth is RefusalReason.ENGINE_ERROR:
        detail = "the call could not be decided"
        return replace(refused(truth, detail, token=token), decision=decision)
    cures = () if asked is None else _cures(decision, asked)
    if cures:
        return _wanting(decision, cures, token, words=_words(decision))
    return replace(refused(truth, forbidden_detail(decision), token=token), decision=decision)


def refusal_of(
    decision: Decision,
    asked: Evaluation,
    token: AccessToken,
    *,
    limits: RuleLimits | None,
    at: float,
) -> Refusal | None:
    """What stands in the way of `asked` once it is decided; `None`: nothing, and it is counted in `limits`.

    `at` is seconds of a clock that never goes back.
    """
    if not decision.allowed:
        return denied(decision, token, asked)
    unmet = [one for one in decision.obligations if one.kind in _CURES and not is_met(one, asked)]
    if unmet:
        return _wanting(decision, unmet, token, words="")
    seconds = 0 if limits is None else limits.wait(decision.obligations, token, at)
    if not seconds:
        return None
    detail = "this is permitted so often and no more, and it is used up for now"
    used_up = refused(RefusalReason.LIMIT_REACHED, detail, token=token)
    needs = tuple(one for one in decision.obligations if one.kind is ObligationKind.LIMIT)
    return replace(used_up, decision=decision, retry_after=seconds, needs=needs)


def is_for_people(refusal: Refusal) -> bool:
    """Whether people could cure it, all that is for the caller itself to say being said."""
    return bool(refusal.needs) and all(one.kind in FOR_PEOPLE for one in refusal.needs)


def truth_of(decision: Decision) -> RefusalReason:
    """Why it is refused, as the log has it."""
    if decision.reason is DecisionReason.ENGINE_ERROR:
        return RefusalReason.ENGINE_ERROR
    return RefusalReason.FORBIDDEN


def _cures(decision: Decision, asked: Evaluation) -> tuple[Obligation, ...]:
    """What would have to be there for none of the policies to forbid it; nothing where one does for good."""
    unmet = tuple(
        one for one in decision.obligations if one.kind in _CURES and not is_met(one, asked)
    )
    curable = {one.rule for one in unmet}
    forbids = [rule.id for rule in decision.rules if rule.effect is RuleEffect.FORBID]
    return unmet if forbids and curable.issuperset(forbids) else ()


def _words(decision: Decision) -> str:
    said = [rule.message for rule in decision.rules if rule.message]
    return "; ".join(dict.fromkeys(said))


def _wanting(
    decision: Decision, unmet: Sequence[Obligation], token: AccessToken, *, words: str
) -> Refusal:
    kinds = {one.kind for one in unmet}
    reason = next(reason for kind, reason in _REASONS if kind in kinds)
    said = [words.rstrip(".")] if words else []
    detail = "; ".join(dict.fromkeys((*said, *map(_cure, unmet))))
    return replace(refused(reason, detail, token=token), decision=decision, needs=tuple(unmet))


def _cure(obligation: Obligation) -> str:
    value = obligation.value
    match obligation.kind:
        case ObligationKind.REQUIRE_JUSTIFICATION:
            return f'say why (`{value}`), in `_meta["{JUSTIFICATION_KEY}"]` of the request'
        case ObligationKind.STEP_UP if age_of(value) is not None:
            return f"the person has to have logged in no longer than `{value}` ago"
        case ObligationKind.STEP_UP:
            return f"the person has to have logged in with `{value}`"
        case ObligationKind.CONFIRM:
            return "the person has to confirm this very call"
        case ObligationKind.REQUIRE_SCOPE:
            return f"it takes the scope `{value}` for this very call"
        case _:
            return f"somebody with the role `{value}` has to approve it"
