"""Policies as the engine holds them: what each asks for besides, and a `forbid` with what cures it.

A `forbid` that a justification or a fresh log-in cures is the same policy with that as one more
condition, so that it is indexed, reused and left open in lists like every other. A policy on trial is held apart.

Source: docs/reference/policies.md, annotations.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cedarpy import PolicySet

from remit.policy.check import CheckedPolicy
from remit.policy.decision import MatchedRule, RuleEffect
from remit.policy.duties import condition_of, is_observed, obligations_of
from remit.policy.obligation import Obligation, ObligationKind

__all__ = ["HeldPolicy", "held"]


_LATER: Final = frozenset(
    {
        ObligationKind.STEP_UP,
        ObligationKind.CONFIRM,
        ObligationKind.REQUIRE_SCOPE,
        ObligationKind.REQUIRE_APPROVAL,
    }
)


@dataclass(frozen=True, slots=True)
class HeldPolicy:
    """One policy: as it was written, as it is evaluated, and what it asks for when it decides."""

    written: CheckedPolicy
    evaluated: CheckedPolicy
    rule: MatchedRule
    obligations: tuple[Obligation, ...]

    @property
    def on_trial(self) -> bool:
        return is_observed(self.written.annotations)

    @property
    def is_cured_later(self) -> bool:
        """Whether it forbids only until somebody gets what no list of theirs can have: an approval, a confirmation, a fresh log-in."""
        kinds = {one.kind for one in self.obligations}
        return self.rule.effect is RuleEffect.FORBID and bool(kinds & _LATER)


def held(policies: Sequence[CheckedPolicy]) -> tuple[HeldPolicy, ...]:
    """`policies`, in their order."""
    return tuple(_held(policy) for policy in policies)


def _held(policy: CheckedPolicy) -> HeldPolicy:
    obligations = obligations_of(policy.annotations, policy.id)
    return HeldPolicy(
        written=policy,
        evaluated=_cured(policy, obligations),
        rule=MatchedRule(
            id=policy.id,
            effect=RuleEffect(policy.tree.effect),
            message=policy.annotations.get("refusal"),
        ),
        obligations=obligations,
    )


def _cured(policy: CheckedPolicy, obligations: Sequence[Obligation]) -> CheckedPolicy:
    """A `forbid` that does not match once everything is there that cures it."""
    conditions = [condition_of(one) for one in obligations]
    if policy.tree.effect != "forbid" or None in conditions:
        return policy
    cures = " && ".join(f"({one})" for one in conditions if one)
    if not cures:
        return policy
    # A statement ends with its `;`; on a line of its own the clause is in no comment.
    text = f"{policy.text[:-1]}\nunless {{ {cures} }};"
    tree = next(iter(PolicySet.from_str(text).to_pst().static_policies.values()))
    return CheckedPolicy(text, tree, policy.annotations)
