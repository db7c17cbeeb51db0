"""Access for a while, as it is given and as it ends: each with its event, in the transaction of whoever calls.

Given once, for as long as was asked for and not longer; ended once. With its end every access token that says
something by it is revoked, and no other: the grants that it was issued from stay what they were without it.
Whoever ends one publishes standing after the transaction has committed.

Source: docs/adr/0025-cures.md; MISSION C4.
"""

from typing import Final

from remit.approvals import access_store
from remit.approvals.access import Access, AccessEnd, HolderKind
from remit.approvals.access_token_store import take_tokens
from remit.approvals.deps import AccessOutcome
from remit.approvals.request import Request
from remit.audit.approval_events import AccessEnded, AccessGranted
from remit.audit.context import Context
from remit.clock import Clock, EpochSeconds
from remit.db import Transaction
from remit.oauth.temporary_access import end_token

__all__ = ["AccessGiver", "about_access", "end_access", "give_access", "holder_name"]

_ENDS: Final = {"refused": AccessEnd.REFUSED, "expired": AccessEnd.EXPIRED, "withdrawn": AccessEnd.RETURNED}  # fmt: skip


class AccessGiver:
    """`ApprovalDeps.give_access`: what comes of an access whose request in the inbox has ended."""

    __slots__ = ("_clock",)

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(
        self, tx: Transaction, request: Request, outcome: AccessOutcome, *, context: Context
    ) -> None:
        now, access_id = self._clock.now(), str(request.grant_id)
        if outcome.refused is None:
            give_access(tx, access_id, approved_by=outcome.approved_by, now=now, context=context)
        else:
            how = _ENDS.get(outcome.refused, AccessEnd.REFUSED)
            end_access(tx, access_id, how=how, reason=outcome.reason, now=now, context=context)


def give_access(
    tx: Transaction,
    access_id: str,
    *,
    approved_by: tuple[str, ...],
    now: EpochSeconds,
    context: Context,
) -> Access | None:
    """Let its holder have it from now on; `None` when it does not wait any more, or its time is over."""
    waiting = access_store.find_access(tx, access_id)
    if waiting is None:
        return None
    ends = EpochSeconds(now + waiting.seconds)
    if waiting.until is not None:
        ends = min(ends, waiting.until)
    if ends <= now:
        how, reason = AccessEnd.EXPIRED, "its time was over before it was approved"
        end_access(tx, access_id, how=how, reason=reason, now=now, context=context)
        return None
    given = access_store.activate(
        tx, access_id, granted_at=now, expires_at=ends, approved_by=approved_by
    )
    if given is not None:
        tx.record(
            AccessGranted(
                context=about_access(context, given),
                access=given.id,
                offer=given.offer,
                holder=holder_name(given),
                role=given.role,
                scopes=given.scopes,
                expires_at=given.expires_at,
                approved_by=approved_by,
            )
        )
    return given


def end_access(
    tx: Transaction,
    access_id: str,
    *,
    how: AccessEnd,
    reason: str,
    now: EpochSeconds,
    context: Context,
) -> Access | None:
    """End it, with the tokens that rest on it; `None` when it is over already, or never was."""
    ended = access_store.finish(tx, access_id, how=how, reason=reason, now=now)
    if ended is None:
        return None
    known = about_access(context, ended)
    tokens = take_tokens(tx, access_id, now=now)
    revoked = sum(
        end_token(tx, one.jti, grant_id=one.grant_id, expires_at=one.expires_at, context=context)
        for one in tokens
    )
    tx.record(
        AccessEnded(context=known, access=ended.id, how=how.value, reason=reason, tokens=revoked)
    )
    return ended


def about_access(context: Context, access: Access) -> Context:
    """`context`, with what is known of whose access it is."""
    is_person = access.holder_kind is HolderKind.USER
    return context.with_(
        tenant=access.tenant,
        user_id=access.holder if is_person else None,
        agent_id=access.agent_id if is_person else access.holder,
    )


def holder_name(access: Access) -> str:
    """Whose it is, in a word: `user:usr_…` or `agent:…`."""
    return f"{access.holder_kind.value}:{access.holder}"
