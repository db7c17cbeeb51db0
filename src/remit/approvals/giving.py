"""What comes of a request to which enough people said yes: an elevation for a call, or the access itself.

An elevation is a grant below the caller's own, and nothing where that has ended meanwhile. What there was already for
the same call, and did not suffice, becomes part of it: taken in the same step, so that it is not spent beside it.

Source: docs/adr/0025-cures.md.
"""

from remit.approvals.deps import AccessOutcome, ApprovalDeps
from remit.approvals.elevation import Elevation
from remit.approvals.elevation_store import add_elevation, find_elevation, mark_revoked
from remit.approvals.ending import expire
from remit.approvals.request import About, Answer, PartKind, Request, RequestState, Verdict
from remit.approvals.request_store import end_request
from remit.approvals.tally import counted_for, need_name
from remit.audit.approval_events import ElevationGiven, ElevationRevoked
from remit.audit.context import Context
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.ids import ScopeName
from remit.oauth import (
    ElevationDetail,
    ParentEndedError,
    find_grant,
    make_elevation_grant,
    spend_elevation_grant,
)

__all__ = ["give"]


def give(tx: Transaction, deps: ApprovalDeps, request: Request, *, context: Context) -> None:
    """Let it be as they said. `request` waits still, and has every answer that it takes."""
    if request.about is About.ACCESS:
        _end(tx, deps, request)
        taken = counted_for(request.parts, request.answers)
        approvers = tuple(dict.fromkeys(one.person for answers in taken for one in answers))
        deps.give_access(tx, request, AccessOutcome(approved_by=approvers), context=context)
        return
    now = deps.clock.now()
    confirmed, held = _confirmation(request), _held(tx, request, now)
    # What was said before is not made to hold longer by what is said now.
    holds = request.holds if held is None else min(request.holds, held.expires_at - held.given_at)
    try:
        grant_id = make_elevation_grant(
            tx,
            parent=request.grant_id,
            detail=_detail(request, confirmed),
            scopes=_scopes(request),
            expires_at=EpochSeconds(now + holds),
            at=now,
        )
    except ParentEndedError:
        expire(tx, deps, request, reason="the grant that the call was made with has ended")
        return
    _end(tx, deps, request)
    grant = find_grant(tx, grant_id)
    elevation = Elevation(
        id=grant_id,
        approval=request.id,
        grant_id=request.grant_id,
        digest=request.digest,
        roles=tuple(dict.fromkeys(one.role for one in request.parts if one.role is not None)),
        acr=None if confirmed is None else confirmed.acr,
        confirmed_at=None if confirmed is None else confirmed.auth_time,
        scopes=_scopes(request),
        uses_left=1,
        given_at=now,
        expires_at=EpochSeconds(now + holds) if grant is None else grant.expires_at,
    )
    elevation = _with_held(tx, held, elevation, context=context)
    add_elevation(tx, elevation)
    tx.record(
        ElevationGiven(
            context=context,
            elevation=elevation.id,
            approval=request.id,
            parent=request.grant_id,
            scopes=elevation.scopes,
            digest=request.digest,
            expires_at=elevation.expires_at,
        )
    )


def _end(tx: Transaction, deps: ApprovalDeps, request: Request) -> None:
    end_request(tx, request.id, RequestState.APPROVED, at=deps.clock.now(), reason="")


def _held(tx: Transaction, request: Request, now: EpochSeconds) -> Elevation | None:
    """What there was already for the very call; `None` where it was used or has ended since."""
    held = None if request.held is None else find_elevation(tx, request.held)
    if held is None or held.digest != request.digest or held.grant_id != request.grant_id:
        return None
    return held if held.is_live(now) else None


def _with_held(
    tx: Transaction, held: Elevation | None, elevation: Elevation, *, context: Context
) -> Elevation:
    """`elevation`, with what was said yes to before; what was taken back meanwhile is left out."""
    at = elevation.given_at
    if held is None:
        return elevation
    if not mark_revoked(tx, held.id, at=at):
        return elevation
    if not spend_elevation_grant(tx, held.grant, at=at):
        return elevation  # it was taken back
    tx.record(
        ElevationRevoked(context=context, elevation=held.id, reason=f"part of {elevation.id}")
    )
    return elevation.joined(held)


def _confirmation(request: Request) -> Answer | None:
    """What the person of the call said, where they were asked."""
    if not any(one.kind is PartKind.CONFIRMATION for one in request.parts):
        return None
    return next((one for one in request.answers if one.verdict is Verdict.CONFIRMED), None)


def _scopes(request: Request) -> tuple[ScopeName, ...]:
    return tuple(dict.fromkeys(one.scope for one in request.parts if one.scope is not None))


def _detail(request: Request, confirmed: Answer | None) -> ElevationDetail:
    return ElevationDetail(
        approval=request.id,
        server=request.server,
        kind="" if request.kind is None else request.kind.value,
        thing=request.thing,
        arguments_digest=request.digest,
        definition=request.definition,
        purpose=", ".join(need_name(part) for part in request.parts),
        acr=None if confirmed is None else confirmed.acr,
        auth_time=None if confirmed is None else confirmed.auth_time,
    )
