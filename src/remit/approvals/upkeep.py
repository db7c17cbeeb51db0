"""What is done by the clock: ending what nobody answered, asking more people, forgetting what ended long ago."""

from dataclasses import replace
from typing import Final

from remit.approvals.access_store import purge_access
from remit.approvals.deps import ApprovalDeps
from remit.approvals.deputy_store import purge_deputies
from remit.approvals.elevation_store import purge_elevations
from remit.approvals.ending import circumstances, expire
from remit.approvals.notification_store import forget_notifications
from remit.approvals.request import Request
from remit.approvals.request_store import (
    due_requests,
    escalating_requests,
    mark_escalated,
    purge_requests,
)
from remit.approvals.tally import outstanding
from remit.audit.approval_events import ApprovalEscalated
from remit.audit.context import Context
from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction

__all__ = ["KEPT", "escalate_due", "expire_due", "forget_ended"]

KEPT: Final = Seconds(90 * 86_400)
"""How long it is kept who was asked what and answered how; the log keeps it for good."""
_AT_ONCE: Final = 200


def expire_due(tx: Transaction, deps: ApprovalDeps) -> int:
    """End what nobody answered in time; how many, a page of them at most."""
    due = due_requests(tx, now=deps.clock.now(), limit=_AT_ONCE)
    return sum(expire(tx, deps, one.request, reason="nobody answered in time") for one in due)


def escalate_due(tx: Transaction, deps: ApprovalDeps) -> int:
    """Have more people told of what waited long enough; how many, a page of them at most."""
    now = deps.clock.now()
    due = escalating_requests(tx, now=now, limit=_AT_ONCE)
    return sum(_escalate(tx, deps, one.request, now) for one in due)


def forget_ended(tx: Transaction, *, now: EpochSeconds) -> int:
    """Delete what ended long ago; how many rows."""
    before = EpochSeconds(now - KEPT)
    return (
        purge_elevations(tx, before=before)
        + purge_requests(tx, before=before)
        + purge_access(tx, before=before)
        + purge_deputies(tx, before=before)
        + forget_notifications(tx, before=before)
    )


def _escalate(tx: Transaction, deps: ApprovalDeps, request: Request, now: EpochSeconds) -> bool:
    """Whether it went to more people: not where what they could give was given already."""
    if not mark_escalated(tx, request.id, at=now, again_at=request.escalates_after(now)):
        return False
    late = [
        part
        for part in outstanding(request)
        if part.escalation is not None and now >= request.created_at + part.escalation.after
    ]
    told = tuple(dict.fromkeys(name for part in late for name in part.notify))
    roles = dict.fromkeys(part.escalation.role for part in late if part.escalation is not None)
    if roles:
        tx.record(
            ApprovalEscalated(
                context=circumstances(request, Context()),
                approval=request.id,
                roles=tuple(roles),
                told=told,
            )
        )
    if told:
        deps.announce(tx, replace(request, escalated_at=now), told, now)
    return bool(late)
