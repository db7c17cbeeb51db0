"""Who looks at emergency access afterwards: somebody of the reviewers' role who did not use it, once.

Whoever used it is known by every name that they have here, so that no other account of theirs reviews it. What the
repository names no reviewer for any more stays unreviewed, and in everybody's face, until it does again.

Source: docs/adr/0025-cures.md; MISSION C5; NIST SP 800-53 AC-5.
"""

from dataclasses import dataclass

from remit.approvals import access_store
from remit.approvals.access import (
    Access,
    AccessHeldError,
    AccessKind,
    AccessStrengthError,
    NotYourReviewError,
    Review,
)
from remit.approvals.person import Person, names_of
from remit.audit.approval_events import EmergencyOverdue, EmergencyReviewed
from remit.audit.context import Actor, ActorType, Context
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.errors import NotFoundError
from remit.identity import find_user, satisfies, subject_of
from remit.ids import UserId
from remit.model import ACR_MULTI_FACTOR, Catalog

__all__ = ["Said", "note_overdue", "review_emergency"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody says of it."""

    verdict: Review
    reason: str
    at: EpochSeconds


def review_emergency(
    tx: Transaction,
    access_id: str,
    reviewer: Person,
    said: Said,
    *,
    catalog: Catalog,
    context: Context,
) -> Access:
    """Note what they say of it.

    Raises:
        NotFoundError: there is none of their tenant.
        NotYourReviewError: it is not for them to say.
        AccessStrengthError: they logged in with a password alone.
        AccessHeldError: somebody did before.
    """
    found = access_store.find_access(tx, access_id)
    if found is None or found.tenant != reviewer.tenant or found.kind is not AccessKind.EMERGENCY:
        raise NotFoundError("there is no such emergency access")
    _require_reviewer(tx, found, reviewer, catalog)
    reviewed = access_store.review_access(
        tx, found.id, verdict=said.verdict, by=reviewer.user_id, now=said.at
    )
    if reviewed is None:
        raise AccessHeldError("somebody reviewed it before")
    known = context.with_(tenant=reviewed.tenant)
    tx.record(
        EmergencyReviewed(
            context=known, access=reviewed.id, verdict=said.verdict.value, reason=said.reason
        )
    )
    return reviewed


def note_overdue(tx: Transaction, *, now: EpochSeconds) -> tuple[Access, ...]:
    """Record of what nobody reviewed in time that nobody did, once; those of which people have to be told again."""
    late = access_store.mark_overdue(tx, now=now)
    for one in late:
        context = Context(actor=Actor(ActorType.SYSTEM), tenant=one.tenant, user_id=one.holder)
        by = one.review_by or now
        tx.record(EmergencyOverdue(context=context, access=one.id, name=one.offer, review_by=by))
    return late


def _require_reviewer(tx: Transaction, found: Access, reviewer: Person, catalog: Catalog) -> None:
    """Pass when they are somebody else, under whatever account, and hold the reviewers' role at this moment."""
    emergency = catalog.approvals.emergency.get(found.offer)
    user, holder = find_user(tx, reviewer.user_id), find_user(tx, UserId(found.holder))
    if emergency is None or user is None or user.disabled_at is not None:
        raise NotYourReviewError("the policy repository names nobody to review it who is you")
    theirs = {f"user:{found.holder}"} if holder is None else set(names_of(tx, holder))
    if not theirs.isdisjoint(names_of(tx, user)):
        raise NotYourReviewError("whoever used it does not review it")
    if emergency.reviewer not in subject_of(user, catalog).roles:
        raise NotYourReviewError(f"it is for the role `{emergency.reviewer}` to review")
    if not satisfies(reviewer.acr, ACR_MULTI_FACTOR):
        raise AccessStrengthError(ACR_MULTI_FACTOR)
