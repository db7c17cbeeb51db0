"""Putting a call to people: the request for it, made once however often and by however many it is asked.

The same call again while its request waits is the same request; once somebody said no, or it was taken back, it is not
put to anybody again until that request would have expired, whatever grant it is made with by then. Asked too often without anything having happened it goes on
waiting, and no way to it is named any more, so that no client goes round in circles. One client has a bounded number
of requests of one person waiting, however many grants it was given: whoever floods an inbox makes people click. Nobody is asked about a call whose grant has ended.

Source: docs/adr/0025-cures.md, "Asking is idempotent".
"""

from typing import Final

from remit.approvals.deps import ApprovalDeps
from remit.approvals.ending import expire
from remit.approvals.plan import Plan, Subject, plan_of
from remit.approvals.request import About, Request, RequestState
from remit.approvals.request_store import (
    add_request,
    count_waiting,
    note_asked,
    refused_about,
    request_about,
)
from remit.approvals.sealing import seal_content
from remit.approvals.tally import need_name
from remit.approvals.very_call import digest_of_call
from remit.audit.approval_events import ApprovalRequested
from remit.audit.context import Context
from remit.canonical import canonical_bytes
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.guard.elevations import Asked, AskedState, Wanted
from remit.guard.limits import is_workload
from remit.guard.records import context_of
from remit.guard.standing import agent_of
from remit.identity import find_user, subject_of
from remit.ids import GrantId, ScopeName, UserId, new_id
from remit.model import AuditTreatment, Catalog
from remit.oauth import find_grant
from remit.policy.obligation import ObligationKind
from remit.policy.vocabulary import action_name
from remit.scopes import missing

__all__ = ["LONGEST_SHOWN", "MOST_WAITING", "PATIENCE", "ask", "note_requested", "page_of"]

PATIENCE: Final = 3
"""How often the way to a request is named without anything having happened."""
MOST_WAITING: Final = 20
"""Requests of one client for one person that wait at one time."""
LONGEST_SHOWN: Final = 32 * 1024
"""Bytes of arguments, as they will be sent, that anybody is asked about: all are shown, and nobody reads more. A few calls
of megabytes would keep a whole inbox from opening."""


def ask(tx: Transaction, deps: ApprovalDeps, wanted: Wanted) -> Asked | None:
    """The request for the call that `wanted` is; `None` where nobody could meet what is wanting or read it, or too much waits."""
    catalog, now = deps.directory.catalog, deps.clock.now()
    digest, grant_id = digest_of_call(deps.key, wanted), wanted.token.grant_id
    stored = request_about(tx, digest, grant_id)
    if stored is not None:
        request = stored.request
        if now >= request.expires_at:
            if request.is_open:
                expire(tx, deps, request, reason="nobody answered in time")
        elif request.is_open:
            return _asked_again(tx, deps, request)
    # A client that is given another grant for the asking would have people say no until they say yes.
    refused = refused_about(tx, digest, wanted.token.organization_id, now=now)
    if refused is not None:
        return _asked(deps, refused.request, AskedState.REFUSED, reason=refused.request.reason)
    plan = _plan(tx, wanted, catalog)
    if plan is None or not _stands(tx, grant_id, now) or _waits_enough(tx, wanted):
        return None
    if len(canonical_bytes(wanted.arguments)) > LONGEST_SHOWN:
        return None
    request = _request(wanted, plan, digest=digest, policy_version=catalog.version, now=now)
    sealed = seal_content(
        deps.box, request.id, arguments=wanted.arguments, justification=wanted.justification
    )
    if not add_request(tx, request, sealed=sealed):
        # Another process was first; the row is theirs, and so is the notification.
        other = request_about(tx, digest, grant_id)
        return None if other is None else _asked_again(tx, deps, other.request)
    note_requested(
        tx, deps, request, justification=_kept(wanted, catalog), context=_context(wanted)
    )
    return _asked(deps, request, AskedState.WAITING)


def note_requested(
    tx: Transaction,
    deps: ApprovalDeps,
    request: Request,
    *,
    justification: str | None,
    context: Context,
) -> None:
    """Record a new request, and have people told of it."""
    tx.record(
        ApprovalRequested(
            context=context,
            approval=request.id,
            server=request.server,
            name=request.thing,
            digest=request.digest,
            needs=tuple(need_name(part) for part in request.parts),
            rules=tuple(dict.fromkeys(part.rule for part in request.parts if part.rule)),
            decision_id=request.decision_id,
            expires_at=request.expires_at,
            justification=justification,
        )
    )
    told = tuple(dict.fromkeys(name for part in request.parts for name in part.notify))
    if told:
        deps.announce(tx, request, told, request.created_at)


def page_of(public_url: str, request_id: str) -> str:
    """Where a person reads and answers a request."""
    return f"{public_url.rstrip('/')}/approvals/{request_id}"


def _asked_again(tx: Transaction, deps: ApprovalDeps, request: Request) -> Asked:
    if request.asked >= PATIENCE:
        return _asked(deps, request, AskedState.EXHAUSTED)
    note_asked(tx, request.id)
    return _asked(deps, request, AskedState.WAITING)


def _asked(deps: ApprovalDeps, request: Request, state: AskedState, *, reason: str = "") -> Asked:
    return Asked(
        id=request.id,
        state=state,
        url=page_of(deps.public_url, request.id),
        expires_at=request.expires_at,
        alone=request.alone,
        reason=reason,
    )


def _plan(tx: Transaction, wanted: Wanted, catalog: Catalog) -> Plan | None:
    server, kind, name = wanted.thing
    subject = Subject(
        server=server,
        action=action_name(kind, server, name),
        environment=wanted.token.environment,
        arguments=wanted.typed,
        grantable=_grantable(tx, wanted, catalog),
        has_person=not is_workload(wanted.token),
    )
    return plan_of(wanted.needs, subject, catalog)


def _grantable(tx: Transaction, wanted: Wanted, catalog: Catalog) -> frozenset[ScopeName]:
    """Which of the scopes that are wanting the person could give: theirs by a role, and not beyond the agent's own."""
    scopes = tuple(
        ScopeName(one.value) for one in wanted.needs if one.kind is ObligationKind.REQUIRE_SCOPE
    )
    if not scopes or is_workload(wanted.token):
        return frozenset()
    user, agent = find_user(tx, wanted.token.sub), agent_of(wanted.token, catalog)
    if user is None or user.disabled_at is not None or agent is None:
        return frozenset()
    roles = subject_of(user, catalog).roles
    held = [scope for role in roles for scope in catalog.roles[role].scopes]
    beyond = {
        *missing(scopes, held, catalog.hierarchy),
        *missing(scopes, agent.scopes, catalog.hierarchy),
        *catalog.guardrails.forbidden_scopes,
    }
    return frozenset(scopes) - beyond


def _stands(tx: Transaction, grant_id: GrantId, now: EpochSeconds) -> bool:
    """Whether there is anything below which an elevation could be: else people would be asked for nothing."""
    grant = find_grant(tx, grant_id)
    return grant is not None and grant.is_live(now)


def _waits_enough(tx: Transaction, wanted: Wanted) -> bool:
    token = wanted.token
    user_id = None if is_workload(token) else UserId(token.sub)
    waiting = count_waiting(
        tx, tenant=token.organization_id, client_id=token.client_id, user_id=user_id
    )
    return waiting >= MOST_WAITING


def _request(
    wanted: Wanted, plan: Plan, *, digest: str, policy_version: str, now: EpochSeconds
) -> Request:
    token = wanted.token
    server, kind, name = wanted.thing
    return Request(
        id=new_id("apr"),
        state=RequestState.WAITING,
        about=About.CALL,
        tenant=token.organization_id,
        user_id=None if is_workload(token) else UserId(token.sub),
        agent_id=token.agent_id,
        client_id=token.client_id,
        grant_id=token.grant_id,
        server=server,
        kind=kind,
        thing=name,
        definition=wanted.definition,
        environment=token.environment,
        parts=plan.parts,
        arguments=wanted.arguments,
        justification=wanted.justification,
        decision_id=wanted.decision_id,
        policy_version=policy_version,
        asked=1,
        created_at=now,
        opened_at=None,
        ended_at=None,
        expires_at=EpochSeconds(now + plan.waits),
        holds=plan.holds,
        digest=digest,
        actors=tuple(one.agent_id for one in token.actors if one.agent_id != token.agent_id),
        held=None if wanted.held is None else wanted.held.id,
    )


def _kept(wanted: Wanted, catalog: Catalog) -> str | None:
    """What the log may keep of why the call is made, openly; the record of its decision keeps the rest."""
    server = catalog.server_named(wanted.thing[0])
    in_full = server is not None and server.justification is AuditTreatment.KEEP
    return wanted.justification if in_full else None


def _context(wanted: Wanted) -> Context:
    return context_of(Context(), wanted.token)
