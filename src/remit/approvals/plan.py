"""What it takes to cure a refusal: who has to say what, how long they have for it, and how long it holds then.

Decided by what policies ask for and by the rules of `approvals.yaml`: the first rule for the role that fits the call
counts, and without one it takes one person of that role. What only the person of the call can do is one confirmation,
as strong and as fresh as any of the policies wants. Nobody is asked where nobody could meet all of it: a confirmation of
a call for which no person stands, a role that the repository does not declare, a scope that the person could not
hold either.

Source: docs/adr/0025-cures.md; docs/reference/policy-repository.md, `approvals.yaml`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from remit.approvals.request import Part, PartKind
from remit.clock import Seconds
from remit.ids import ScopeName, ServerName
from remit.model import ACR_MULTI_FACTOR, ACR_VALUES, ApprovalRule, Approvals, Catalog, Environment
from remit.policy.duties import age_of
from remit.policy.evaluation import ArgumentValue, Money
from remit.policy.obligation import Obligation, ObligationKind

__all__ = ["Plan", "Subject", "approval_of", "plan_of"]

_DEFAULTS = ApprovalRule(name="", role="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What rules look at. `action` is as policies name it, such as `payments/refund`."""

    server: ServerName
    action: str
    environment: Environment | None
    arguments: Mapping[str, ArgumentValue]
    grantable: frozenset[ScopeName]
    """The scopes that the person of the call could give it besides."""
    has_person: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All parts have to be met while the request `waits`; what comes of it `holds` so long."""

    parts: tuple[Part, ...]
    waits: Seconds
    holds: Seconds


def plan_of(needs: Sequence[Obligation], subject: Subject, catalog: Catalog) -> Plan | None:
    """What it takes to meet `needs`; `None` where nobody could."""
    approvals = catalog.approvals
    roles = dict.fromkeys(one.value for one in needs if one.kind is ObligationKind.REQUIRE_APPROVAL)
    own = [one for one in needs if one.kind is not ObligationKind.REQUIRE_APPROVAL]
    confirmations = _confirmations(own, subject, approvals)
    if confirmations is None or any(role not in catalog.roles for role in roles):
        return None
    rules = [_rule_for(role, subject, approvals) for role in roles]
    parts = (*confirmations, *map(_approval, rules))
    if not parts:
        return None
    waits = [rule.waits for rule in rules]
    holds = [rule.holds for rule in rules]
    if confirmations:
        waits.append(approvals.confirmation.waits)
        holds.append(approvals.confirmation.holds)
    # Who waits longest is waited for; what is shortest good for limits the whole.
    return Plan(parts=parts, waits=max(waits), holds=min(holds))


def approval_of(role: str, subject: Subject, catalog: Catalog) -> Plan | None:
    """What it takes for somebody of `role` to approve something that is no call."""
    need = Obligation(kind=ObligationKind.REQUIRE_APPROVAL, value=role, rule="")
    return plan_of([need], subject, catalog)


def _rule_for(role: str, subject: Subject, approvals: Approvals) -> ApprovalRule:
    """The first rule for `role` that fits."""
    for rule in approvals.rules:
        if rule.role == role and _fits(rule, subject):
            return rule
    return ApprovalRule(name=_DEFAULTS.name, role=role)


def _fits(rule: ApprovalRule, subject: Subject) -> bool:
    return (
        (not rule.servers or subject.server in rule.servers)
        and (not rule.tools or subject.action in rule.tools)
        and (not rule.environments or subject.environment in rule.environments)
        and (rule.above is None or _is_above(rule, subject.arguments))
    )


def _is_above(rule: ApprovalRule, arguments: Mapping[str, ArgumentValue]) -> bool:
    """Whether an amount is larger than the rule's; one that cannot be told may be."""
    amounts = [one for one in arguments.values() if isinstance(one, Money)]
    if not amounts or any(one.currency != rule.currency for one in amounts):
        return True
    return rule.above is not None and any(one.value > rule.above for one in amounts)


def _approval(rule: ApprovalRule) -> Part:
    return Part(
        kind=PartKind.APPROVAL,
        acr=rule.acr or ACR_MULTI_FACTOR,
        role=rule.role,
        quorum=rule.quorum,
        rule=rule.name,
        owners=rule.owners,
        escalation=rule.escalation,
        notify=rule.notify,
    )


def _confirmations(
    own: Sequence[Obligation], subject: Subject, approvals: Approvals
) -> tuple[Part, ...] | None:
    """What the person of the call has to say; `None` where there is none, or they could not."""
    if not own:
        return ()
    scopes = tuple(
        dict.fromkeys(
            ScopeName(one.value) for one in own if one.kind is ObligationKind.REQUIRE_SCOPE
        )
    )
    if not subject.has_person or not subject.grantable.issuperset(scopes):
        return None
    strengths = [one.value for one in own if one.value in ACR_VALUES]
    ages = [age for one in own if (age := _age(one)) is not None]
    # A scope is given by a yes to this very call, just as a confirmation is.
    anew = any(one.kind is not ObligationKind.STEP_UP for one in own)
    if anew:
        ages.append(approvals.confirmation.fresh)
    part = Part(
        kind=PartKind.CONFIRMATION,
        acr=max(strengths, key=ACR_VALUES.index, default=None),
        fresh=min(ages, default=None),
        anew=anew,
    )
    return tuple(_with_scope(part, scope) for scope in scopes) or (part,)


def _with_scope(part: Part, scope: ScopeName) -> Part:
    return Part(kind=part.kind, acr=part.acr, fresh=part.fresh, anew=part.anew, scope=scope)


def _age(one: Obligation) -> Seconds | None:
    return age_of(one.value) if one.kind is ObligationKind.STEP_UP else None
