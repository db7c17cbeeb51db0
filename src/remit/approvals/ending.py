"""How a request comes to its end: refused, withdrawn, expired. What it was about has not been allowed then.

What is sealed of it is destroyed in the same step, and whoever asked for access is told that they do not get it.
"""

from remit.approvals.deps import AccessOutcome, ApprovalDeps
from remit.approvals.request import About, Request, RequestState
from remit.approvals.request_store import end_request
from remit.audit.approval_events import ApprovalExpired
from remit.audit.context import Context
from remit.db import Transaction

__all__ = ["circumstances", "expire", "refuse_request"]


def expire(tx: Transaction, deps: ApprovalDeps, request: Request, *, reason: str) -> bool:
    """End a request that nobody can meet any more; whether it was still waiting."""
    now, context = deps.clock.now(), circumstances(request, Context())
    if not end_request(tx, request.id, RequestState.EXPIRED, at=now, reason=reason):
        return False
    tx.record(ApprovalExpired(context=context, approval=request.id, reason=reason))
    _tell(tx, deps, request, AccessOutcome(refused="expired", reason=reason), context=context)
    return True


def refuse_request(
    tx: Transaction,
    deps: ApprovalDeps,
    request: Request,
    state: RequestState,
    *,
    reason: str,
    context: Context,
) -> None:
    """End it as `REFUSED` or `WITHDRAWN`; the event is the caller's."""
    end_request(tx, request.id, state, at=deps.clock.now(), reason=reason)
    _tell(tx, deps, request, AccessOutcome(refused=state.value, reason=reason), context=context)


def circumstances(request: Request, context: Context) -> Context:
    """`context`, and whose call it is about."""
    return context.with_(
        tenant=request.tenant,
        environment=request.environment,
        user_id=context.user_id or request.user_id,
        agent_id=request.agent_id,
        client_id=request.client_id,
        grant_id=request.grant_id if request.about is About.CALL else None,
    )


def _tell(
    tx: Transaction,
    deps: ApprovalDeps,
    request: Request,
    outcome: AccessOutcome,
    *,
    context: Context,
) -> None:
    if request.about is About.ACCESS:
        deps.give_access(tx, request, outcome, context=context)
