"""What Cedar does not say of itself: what policies on trial would have refused, what the log may not keep, what is blank.

Cedar names the policies that made a decision: of one that refuses the forbids alone. A `permit` that matched all the
same may want arguments kept out of the log, and an argument is no less a secret for being refused. Nor can it tell a
text of blanks from one that says something.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from remit.policy.decision import Decision, RuleEffect
from remit.policy.duties import is_blank
from remit.policy.engines.cedar_held import HeldPolicy
from remit.policy.evaluation import Evaluation
from remit.policy.obligation import Obligation, ObligationKind

__all__ = ["redacting", "told_of_reasons", "with_nothing_said", "with_observed", "with_redactions"]

_NAMED: Final = re.compile(r"policy `([^`]*)`")


def told_of_reasons(policies: Sequence[HeldPolicy]) -> frozenset[str]:
    """The arguments that stand for a justification, where some policy demands one."""
    return frozenset(
        obligation.value
        for one in policies
        for obligation in one.obligations
        if obligation.kind is ObligationKind.REQUIRE_JUSTIFICATION
    )


def with_nothing_said(evaluation: Evaluation, reasons: frozenset[str]) -> Evaluation:
    """`evaluation`, with the empty text for each of `reasons` that is blank: else it would pass for a justification."""
    given = evaluation.context.arguments or {}
    blank = [name for name in reasons & given.keys() if is_blank(given[name])]
    if not blank:
        return evaluation
    arguments = {**given, **dict.fromkeys(blank, "")}
    return replace(evaluation, context=replace(evaluation.context, arguments=arguments))


def redacting(policies: Sequence[HeldPolicy]) -> list[HeldPolicy]:
    """The permits that want something kept out of the log."""
    return [
        one
        for one in policies
        if one.rule.effect is RuleEffect.PERMIT and not one.on_trial and _redactions(one)
    ]


def with_observed(decision: Decision, trial: Decision, policies: Sequence[HeldPolicy]) -> Decision:
    """`decision`, with the rules on trial that match, or fail: in force, either would have refused."""
    if not trial.rules and not trial.errors:
        return decision
    on_trial = [one.rule for one in policies if one.on_trial]
    named = {name for error in trial.errors for name in _NAMED.findall(error)}
    failed = [rule for rule in on_trial if rule.id in named]
    if trial.errors and not failed:
        failed = on_trial
    rules = sorted({*trial.rules, *failed}, key=lambda rule: rule.id)
    return replace(decision, observed=tuple(rules))


def with_redactions(
    decision: Decision, permitting: Decision, policies: Sequence[HeldPolicy]
) -> Decision:
    """`decision`, which refuses, with what the permits that match would have kept out of the log.

    `permitting` is what the redacting permits among `policies` say alone; where one of them fails, all of them count.
    """
    matched = {rule.id for rule in permitting.rules}
    held = [one for one in redacting(policies) if permitting.errors or one.rule.id in matched]
    extra = [obligation for one in held for obligation in _redactions(one)]
    if not extra:
        return decision
    return replace(decision, obligations=tuple(dict.fromkeys((*decision.obligations, *extra))))


def _redactions(policy: HeldPolicy) -> tuple[Obligation, ...]:
    return tuple(one for one in policy.obligations if one.kind is ObligationKind.REDACT)
