"""A request that waits, found again in its own browser, and the person who is to answer it.

What the client sent is checked again by the same rules: the repository, the client and
the agent may have changed while somebody logged in. Decides whether the person must
log in first, and what of the request they could grant.

Source: O21 §7.9; OpenID Connect Core §3.1.2.1 (`prompt`, `max_age`); RFC 9470 §5; RFC 9700 §4.7.
"""

import hmac
from dataclasses import dataclass

from remit.audit.context import Context, authenticated
from remit.guard.issuance import Applicant, Ruling, rule
from remit.identity import Session, User, subject_of
from remit.identity.requirements import can_be_reached
from remit.ids import ScopeName, digest
from remit.oauth import request_store
from remit.oauth.authentication_strength import meets
from remit.oauth.authorization_request import AuthorizationRequest, Prompt, check_request
from remit.oauth.authorization_response import AuthorizationRefusalError
from remit.oauth.circumstances import acting_user
from remit.oauth.connections.standing import onward_sources
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import (
    AccessDeniedError,
    OAuthError,
    UnmetAuthenticationRequirementsError,
)
from remit.oauth.grant_holder import asked_having, is_suspended
from remit.oauth.pending_request import NotWaitingError, PendingRequest
from remit.oauth.requested_details import require_unexpired
from remit.oauth.requester import Requester, find_requester
from remit.web import Browser, parse_query

__all__ = [
    "Person",
    "Waiting",
    "find_waiting",
    "is_stale",
    "must_log_in",
    "person_answering",
    "refusal_of",
    "refuse_unmet",
    "rule_on_request",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A request that waits: as stored, who sent it, what it asks."""

    pending: PendingRequest
    requester: Requester
    request: AuthorizationRequest
    onward: tuple[str, ...] = ()
    """CSP sources that a yes may lead to besides the client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is logged in and answers: account and session, what they are to policies and to the log."""

    user: User
    session: Session
    applicant: Applicant
    context: Context


async def find_waiting(
    deps: OAuthDeps, name: str | None, *, browser: Browser, context: Context
) -> Waiting:
    """The request that `browser` knows by `name`.

    Raises:
        NotWaitingError: none of that name waits in this browser.
        UnusableRequestError, AuthorizationRefusalError: it no longer passes.
    """
    if name is None or browser.is_new:
        raise NotWaitingError
    now = deps.clock.now()
    pending = await deps.database.glance(
        lambda tx: request_store.find_request(tx, digest(name), now=now)
    )
    if pending is None or not hmac.compare_digest(pending.browser_digest, browser.digest):
        raise NotWaitingError
    params = parse_query(pending.query.encode())
    requester = await find_requester(deps, params, context=context)
    try:
        request = check_request(
            params,
            requester.client,
            agent=requester.agent,
            back=requester.back,
            catalog=deps.directory.catalog,
            public_url=deps.public_url,
        )
        require_unexpired(request.details, now)
    except OAuthError as error:
        raise AuthorizationRefusalError(
            error, requester, context=context, pending=pending
        ) from error
    onward = await onward_sources(deps, request.server)
    return Waiting(pending=pending, requester=requester, request=request, onward=onward)


def must_log_in(waiting: Waiting, session: Session | None) -> bool:
    """Whether somebody has to log in, perhaps again or more strongly, before this can be answered."""
    return (
        session is None or is_stale(waiting, session) or not meets(session.acr, waiting.request.acr)
    )


def is_stale(waiting: Waiting, session: Session) -> bool:
    """Whether the log-in behind `session` was too long ago for this request.

    Age is measured against when the request came, so that reading the consent page
    slowly is no reason to log in once more. Who asks for a log-in anew gets one that began
    after the request: a session that became stronger since has a new id, and its old age.
    """
    request, pending = waiting.request, waiting.pending
    again = bool({Prompt.LOGIN, Prompt.SELECT_ACCOUNT} & request.prompt) or request.max_age == 0
    if again and (session.id == pending.session_id or session.auth_time < pending.created_at):
        return True
    if request.max_age is None:
        return False
    return pending.created_at - session.auth_time > request.max_age


def refuse_unmet(waiting: Waiting, session: Session, *, deps: OAuthDeps, context: Context) -> None:
    """Refuse when somebody logged in for this request, and still not as strongly as it asks.

    Else they would be sent to log in again and again for what they have not got. Who may add a
    factor of ours to that log-in, as after one through an identity provider, is asked for it first.

    Raises:
        AuthorizationRefusalError: `unmet_authentication_requirements` (RFC 9470 §5).
    """
    required = waiting.request.acr
    if required is None or meets(session.acr, required) or can_be_reached(required, deps.site):
        return
    if session.id != waiting.pending.session_id:
        unmet = UnmetAuthenticationRequirementsError(
            "the person could not be authenticated as strongly as was asked"
        )
        raise refusal_of(waiting, unmet, context=context)


async def person_answering(
    waiting: Waiting, found: tuple[User, Session], *, deps: OAuthDeps, context: Context
) -> Person:
    """The person who is logged in, as the one to answer `waiting`."""
    user, session = found
    requester = waiting.requester
    applicant = Applicant(
        subject=subject_of(user, deps.directory.catalog),
        agent=requester.agent,
        client_id=requester.client.client_id,
        bounds=requester.client.bounds,
        suspended=is_suspended(requester.agent, deps),
        acr=session.acr,
        amr=session.amr,
        auth_time=session.auth_time,
        ip=context.network.ip,
    )
    return Person(
        user=user,
        session=session,
        applicant=await asked_having(applicant, waiting.request.server, deps=deps),
        context=acting_user(context, user.id, user.tenant).with_(
            client_id=requester.client.client_id,
            agent_id=requester.agent.id,
            environment=waiting.request.server.environment,
            auth=authenticated(session.acr, session.amr, session.auth_time),
            flow_id=waiting.pending.flow_id,
        ),
    )


def rule_on_request(
    waiting: Waiting, person: Person, *, scopes: tuple[ScopeName, ...], deps: OAuthDeps
) -> Ruling:
    """What of `scopes` the person may grant.

    Raises:
        AuthorizationRefusalError: nothing.
    """
    ruling = rule(
        scopes,
        person.applicant,
        server=waiting.request.server,
        catalog=deps.directory.catalog,
        decisions=deps.decisions,
        now=deps.clock.now(),
    )
    if ruling.refusal is not None:
        raise refusal_of(
            waiting, AccessDeniedError(ruling.refusal), context=person.context, ruling=ruling
        )
    return ruling


def refusal_of(
    waiting: Waiting, error: OAuthError, *, context: Context, ruling: Ruling | None = None
) -> AuthorizationRefusalError:
    """`error`, as the answer to `waiting`."""
    return AuthorizationRefusalError(
        error,
        waiting.requester,
        context=context,
        request=waiting.request,
        ruling=ruling,
        pending=waiting.pending,
    )
