"""What the log hears of a person who has to prove more for a request than they had, and of what came of it.

It decides nothing: whether somebody has to is `waiting_request`'s to say.

Source: RFC 9470 §4, §5; AUDIT §1.3.
"""

from remit.audit.context import Context, authenticated
from remit.audit.events import StepUpCompleted, StepUpExpired, StepUpFailed, StepUpRequired
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.identity import Session, User
from remit.oauth import request_store
from remit.oauth.authentication_strength import meets
from remit.oauth.authorization_response import AuthorizationRefusalError
from remit.oauth.circumstances import acting_user
from remit.oauth.deps import OAuthDeps
from remit.oauth.pending_request import PendingRequest
from remit.oauth.waiting_request import Waiting, refuse_unmet
from remit.tokens import resource_of
from remit.web import MalformedParametersError, parse_query

__all__ = ["ask_to_step_up", "purge_unanswered", "record_stepped_up"]

_LONGEST = 256


async def ask_to_step_up(
    deps: OAuthDeps, waiting: Waiting, found: tuple[User, Session], *, context: Context
) -> None:
    """Record that somebody who is logged in has to prove more; refuse where they just did, and it was not enough.

    Raises:
        AuthorizationRefusalError: `unmet_authentication_requirements` (RFC 9470 §5).
        AuditUnavailableError: it cannot be recorded.
    """
    user, session = found
    request = waiting.request
    known = acting_user(context, user.id, user.tenant).with_(
        client_id=waiting.requester.client.client_id,
        agent_id=waiting.requester.agent.id,
        environment=request.server.environment,
        auth=authenticated(session.acr, session.amr, session.auth_time),
        flow_id=waiting.pending.flow_id,
    )
    resource = resource_of(deps.public_url, request.server)
    try:
        refuse_unmet(waiting, session, deps=deps, context=context)
    except AuthorizationRefusalError:
        await deps.audit.append(
            StepUpFailed(context=known, resource=resource, acr=request.acr, got=session.acr)
        )
        raise
    await deps.audit.append(
        StepUpRequired(
            context=known,
            resource=resource,
            acr=request.acr,
            had=session.acr,
            cause="age" if meets(session.acr, request.acr) else "acr",
            max_age=request.max_age,
        )
    )


def record_stepped_up(
    tx: Transaction, waiting: Waiting, session: Session, *, context: Context, resource: str
) -> None:
    """Record in `tx`, which grants the request, that its person proved what it asked since it came."""
    request, pending = waiting.request, waiting.pending
    if pending.session_id is None or session.id == pending.session_id:
        return  # They were not logged in before, or did not have to do more.
    tx.record(
        StepUpCompleted(
            context=context,
            resource=resource,
            acr=request.acr,
            got=session.acr,
            auth_time=session.auth_time,
        )
    )


def purge_unanswered(tx: Transaction, now: EpochSeconds) -> int:
    """Delete requests of people who were logged in that got no answer before `now`; how many.

    Those that asked for more are recorded. However many there are, none goes without its record.
    """
    found = request_store.take_expired_requests(tx, before=now)
    for pending in found:
        event = _expired(pending)
        if event is not None:
            tx.record(event)
    return len(found)


def _expired(pending: PendingRequest) -> StepUpExpired | None:
    try:
        params = parse_query(pending.query.encode())
        acr, client, resource = (
            params.one(name) for name in ("acr_values", "client_id", "resource")
        )
    except MalformedParametersError:
        return None
    if pending.session_id is None or not acr:
        return None
    return StepUpExpired(
        context=Context(client_id=client, flow_id=pending.flow_id),
        resource=(resource or "")[:_LONGEST],
        acr=acr[:_LONGEST],
    )
