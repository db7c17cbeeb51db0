"""Observe mode: what policies refuse goes on, and the log says what would have refused it.

A server or an organisation observes, or else everything enforces. Only what policies say is observed: tokens, standing,
limits of callers, clearance, scopes, definitions, arguments and a policy that fails refuse as ever. Remit's own
management is never observed, for whoever gets in there ends every rule.

Source: MISSION C6; docs/guides/observing.md.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from remit.guard.caller import Caller
from remit.guard.outcome import RefusalReason
from remit.guard.refusal import Refusal
from remit.ids import TenantId
from remit.model import MANAGEMENT, Catalog, Mode, Server
from remit.policy.decision import (
    Decision,
    DecisionOutcome,
    DecisionReason,
    MatchedRule,
    RuleEffect,
)

__all__ = [
    "NO_PERMIT",
    "as_listed",
    "as_observed",
    "goes_on",
    "is_observed",
    "is_refused_by_policy",
    "observing",
]

NO_PERMIT: Final = "(no permit)"
"""In the place of a rule, where none permits it. No policy can be called so."""


def is_observed(server: Server, tenant: TenantId, catalog: Catalog) -> bool:
    """Whether what policies refuse at `server` to people of `tenant` goes on all the same."""
    if server.name == MANAGEMENT.name:
        return False
    return Mode.OBSERVE in {server.mode, catalog.tenants[tenant].mode}


def goes_on(refusal: Refusal, caller: Caller) -> bool:
    """Whether what policies refuse the caller goes on all the same. What failed never does."""
    if refusal.truth is RefusalReason.ENGINE_ERROR:
        return False
    return is_observed(caller.server, caller.token.organization_id, caller.catalog)


def observing(catalog: Catalog, policies: Sequence[str]) -> tuple[str, ...]:
    """Everything that only observes, for the log: `policies` are the ids of those on trial."""
    return (
        *(f"policy {one}" for one in sorted(policies)),
        *(f"server {one.name}" for one in catalog.servers.values() if one.mode is Mode.OBSERVE),
        *(f"tenant {one.id}" for one in catalog.tenants.values() if one.mode is Mode.OBSERVE),
    )


def as_observed(decision: Decision, refusal: Refusal | None = None) -> Decision:
    """The decision that lets it go on; `observed` are the rules that would have refused.

    `refusal` is what would have been said, where a policy permits and something it asks for is wanting.
    """
    forbids = [rule for rule in decision.rules if rule.effect is RuleEffect.FORBID]
    wanting = () if refusal is None else refusal.needs
    named = [MatchedRule(id=one.rule, effect=RuleEffect.PERMIT) for one in wanting]
    rules = [*forbids, *(() if forbids else named)]
    if not rules:
        rules = [MatchedRule(id=NO_PERMIT, effect=RuleEffect.PERMIT)]
    return replace(
        decision,
        outcome=DecisionOutcome.ALLOW,
        reason=DecisionReason.OBSERVED,
        rules=(),
        observed=tuple(dict.fromkeys((*rules, *decision.observed))),
    )


def is_refused_by_policy(decision: Decision) -> bool:
    """Whether policies refuse it, and none failed."""
    return not decision.allowed and decision.reason is not DecisionReason.ENGINE_ERROR


def as_listed(decision: Decision, caller: Caller) -> Decision:
    """The decision of a list: what would be hidden if it were not observed is shown."""
    if not is_refused_by_policy(decision):
        return decision
    if not is_observed(caller.server, caller.token.organization_id, caller.catalog):
        return decision
    return replace(decision, outcome=DecisionOutcome.ALLOW, reason=DecisionReason.OBSERVED)
