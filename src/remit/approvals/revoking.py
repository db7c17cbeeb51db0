"""Ending an elevation before it is used: by the person whose agent has it, or an administrator."""

from dataclasses import replace

from remit.approvals.deps import ApprovalDeps
from remit.approvals.elevation import Elevation
from remit.approvals.elevation_store import find_elevation, mark_revoked
from remit.approvals.ending import circumstances
from remit.approvals.errors import NotYoursError, RequestEndedError
from remit.approvals.person import Person
from remit.approvals.request_store import find_request
from remit.audit.context import Context
from remit.db import Transaction
from remit.oauth import revoke_grant

__all__ = ["revoke_elevation"]


def revoke_elevation(
    tx: Transaction,
    deps: ApprovalDeps,
    elevation_id: str,
    person: Person | None,
    *,
    reason: str,
    context: Context,
) -> Elevation:
    """End it. `person`: only one of theirs; `None`: an administrator's word.

    Raises:
        NotYoursError: there is none, or it is not theirs.
        RequestEndedError: it was used, or has ended.
    """
    found = find_elevation(tx, elevation_id)
    of = None if found is None else find_request(tx, found.approval)
    if found is None or of is None:
        raise NotYoursError
    if person is not None and of.request.user_id != person.user_id:
        raise NotYoursError
    now = deps.clock.now()
    if not mark_revoked(tx, elevation_id, at=now):
        raise RequestEndedError("it was used, or has ended, before")
    known = circumstances(of.request, context)
    # Ended as the grant that it is, and recorded with that.
    if revoke_grant(tx, found.grant, reason=reason, at=now, context=known) is None:
        raise RequestEndedError("it was taken back before")
    return replace(found, revoked_at=now)
