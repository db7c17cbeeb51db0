"""What a change of policies takes away: rules that refused and refuse no more, and what the log kept to.

It decides nothing. A change is recorded as `policy.loaded` all the same; this says of what somebody should look at first.

Source: AUDIT §1.3 (`policy.disabled`, `audit.redaction_changed`).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass

from remit.audit import Context
from remit.audit.event import Event
from remit.audit.events import AuditRulesChanged, PolicyDisabled
from remit.canonical import canonical_bytes
from remit.deployment.loaded import LoadedPolicies
from remit.guard.observing import observing
from remit.model import AuditRules
from remit.policy.decision import RuleEffect

__all__ = ["taken_away"]


def taken_away(before: LoadedPolicies, after: LoadedPolicies, context: Context) -> list[Event]:
    """The events of what held `before` and does not `after`; none where nothing is taken away."""
    found: list[Event] = []
    removed = tuple(sorted(_forbidding(before) - _forbidding(after)))
    enforced = _enforcing(before)
    relaxed = tuple(one for one in _observing(after) if one in enforced)
    if removed or relaxed:
        found.append(
            PolicyDisabled(context=context, bundle=after.bundle, removed=removed, observing=relaxed)
        )
    mine, theirs = before.catalog.audit, after.catalog.audit
    if mine != theirs:
        parts = fields(AuditRules)
        changed = tuple(
            one.name for one in parts if getattr(mine, one.name) != getattr(theirs, one.name)
        )
        found.append(
            AuditRulesChanged(
                context=context,
                bundle=after.bundle,
                changed=changed,
                before=_digest(mine),
                after=_digest(theirs),
            )
        )
    return found


def _forbidding(loaded: LoadedPolicies) -> frozenset[str]:
    return frozenset(one.id for one in loaded.engine.rules if one.effect is RuleEffect.FORBID)


def _observing(loaded: LoadedPolicies) -> tuple[str, ...]:
    return observing(loaded.catalog, loaded.engine.on_trial)


def _enforcing(loaded: LoadedPolicies) -> frozenset[str]:
    """Everything that could observe, and does not; named as `observing` names it."""
    catalog = loaded.catalog
    there = {
        *(f"policy {one.id}" for one in loaded.engine.rules),
        *(f"server {one}" for one in catalog.servers),
        *(f"tenant {one}" for one in catalog.tenants),
    }
    return frozenset(there - set(_observing(loaded)))


def _digest(rules: AuditRules) -> str:
    """Of what is said, in whatever order it stands in the file."""
    said = {one.name: _plain(getattr(rules, one.name)) for one in fields(rules)}
    return hashlib.sha256(canonical_bytes(said)).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in sorted(value.items())}
    if isinstance(value, frozenset):
        return sorted(map(str, value))
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    return [_plain(one) for one in value] if isinstance(value, tuple) else str(value)
