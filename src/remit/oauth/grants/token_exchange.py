"""A token exchanged for a narrower one: the same subject, an agent that acts, one server.

The new token is a child of the old one's grant, and ends with it. It is never wider: in
scopes, authorization details, sensitivity, life, tenant or environment; and what it says
is asked anew of the agent that acts, as at every issuance. There is no refresh token.

Two sorts of token are taken: our own access tokens, from whoever may act with them
(`delegation`), and those of an issuer that the repository trusts with this
(`upstream_token`). For another server than the token's own only where the acting agent's
file names that server.

Refused as the RFC has it: a token that will not do, or an actor who may not, is
`invalid_request`; a server that may not be had, `invalid_target`; scopes, `invalid_scope`.

Source: RFC 8693 §2, §4; RFC 8707 §2; RFC 9396 §6; RFC 9449 §5; MISSION A6, B8.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from remit.audit.events import TokenIssued
from remit.canonical import JsonObject
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.guard.issuance import Applicant, Ruling, rule
from remit.guard.limits import scope_limits
from remit.guard.standing import agent_of
from remit.ids import GrantId, ScopeName, UserId, digest, new_id
from remit.model import Agent, Sensitivity, Server
from remit.oauth import family_store, grant_store
from remit.oauth.client import GrantType
from remit.oauth.client_standing import note_client_use
from remit.oauth.delegation import Acting, acting_party, chain_of, held_by_chain
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidRequestError, InvalidScopeError, InvalidTargetError
from remit.oauth.exchange_request import ExchangeRequest, named_server, read_exchange
from remit.oauth.grant import Grant, GrantKind
from remit.oauth.grant_holder import having, is_suspended
from remit.oauth.grant_revocation import about_grant
from remit.oauth.guardrail_alert import record_alerts
from remit.oauth.issued_tokens import IssuedTokens, claims_for_log, issue_access_token
from remit.oauth.key_binding import require_key
from remit.oauth.refusal import TokenRefusalError, refusals_in
from remit.oauth.requested_details import narrowed_details
from remit.oauth.subject_token import (
    live_parent,
    server_of_token,
    subject_of_token,
    token_of_ours,
)
from remit.oauth.token_request import TokenRequest
from remit.oauth.upstream_token import Upstream, upstream_asked, upstream_person, upstream_token
from remit.policy import Subject, SubjectKind
from remit.scopes import parse_scope_param
from remit.tokens import AccessToken, Delegate, jti_digest, resource_of

__all__ = ["issue"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """Whose token it was, as found in the transaction: the subject, and what the new grant takes over."""

    subject: Subject
    ends: EpochSeconds
    """When the new grant ends."""
    parent: Grant | None = None
    auth_time: EpochSeconds | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exchange:
    """What may be had at most, whoever vouched. No token outlives `until`."""

    request: TokenRequest
    acting: Acting
    server: Server
    asked: tuple[ScopeName, ...]
    details: tuple[JsonObject, ...]
    actors: tuple[Delegate, ...]
    until: EpochSeconds
    ceiling: Sensitivity
    source: Callable[[Transaction], _Source]
    upstream: Upstream | None = None


async def issue(deps: OAuthDeps, request: TokenRequest) -> IssuedTokens:
    """The narrower token.

    Raises:
        OAuthError, TokenRefusalError: refused; nothing changed.
    """
    exchange = read_exchange(request.form)
    actor_token = _actor_token(deps, request, exchange)
    acting = acting_party(deps, request, actor_token)
    known = replace(request, context=request.context.with_(agent_id=acting.agent.id))
    with refusals_in(known.context):
        token = token_of_ours(deps, exchange.subject_token, jkt=request.jkt)
        if token is None:
            wanted = await _of_upstream(deps, known, acting, exchange)
        else:
            _require_same_person(token, actor_token)
            wanted = _of_ours(deps, known, acting, token)
    issued = await deps.database.run(lambda tx: _issue(tx, wanted, deps=deps))
    return replace(issued, issued_token_type=exchange.issued_token_type)


def _actor_token(
    deps: OAuthDeps, request: TokenRequest, exchange: ExchangeRequest
) -> AccessToken | None:
    if exchange.actor_token is None:
        return None
    token = token_of_ours(deps, exchange.actor_token, jkt=request.jkt)
    if token is None:
        raise InvalidRequestError("the actor token is not a good access token of ours")
    return token


def _require_same_person(token: AccessToken, actor_token: AccessToken | None) -> None:
    """An actor acts as itself or for the same person: what one person allowed proves nothing for another."""
    if actor_token is not None and actor_token.sub not in {token.sub, actor_token.agent_id}:
        raise InvalidRequestError("the actor token is of another person")


# -- a token of ours --------------------------------------------------------------


def _of_ours(
    deps: OAuthDeps, request: TokenRequest, acting: Acting, token: AccessToken
) -> _Exchange:
    actors = chain_of(deps, request, token, acting)
    server = _target(deps, request, acting, token)
    details = narrowed_details(
        token.authorization_details,
        request.form,
        server,
        resource=resource_of(deps.public_url, server),
        now=deps.clock.now(),
    )

    def source(tx: Transaction) -> _Source:
        parent = live_parent(tx, deps, token)
        return _Source(
            subject=subject_of_token(tx, deps, token, parent),
            ends=parent.expires_at,
            parent=parent,
            auth_time=token.auth_time,
            acr=token.acr,
            amr=token.amr,
        )

    return _Exchange(
        request=request,
        acting=acting,
        server=server,
        asked=_asked(deps, request, token),
        details=details,
        actors=actors,
        until=token.exp,
        ceiling=token.sensitivity,
        source=source,
    )


def _target(deps: OAuthDeps, request: TokenRequest, acting: Acting, token: AccessToken) -> Server:
    """The token's own server, or another one that the acting agent may exchange for."""
    own = server_of_token(deps, token)
    server = named_server(request.form, deps.directory.catalog, deps.public_url) or own
    if server.name == own.name:
        return own
    if server.name not in acting.agent.exchange_servers:
        raise InvalidTargetError("this agent may not exchange a token for that server")
    if server.environment != own.environment:
        raise InvalidTargetError("a token is not exchanged for another environment")
    if token.authorization_details:
        # They are about the first server; nothing at the other is within them.
        raise InvalidTargetError("the authorization details of the token are for its own server")
    return server


def _asked(deps: OAuthDeps, request: TokenRequest, token: AccessToken) -> tuple[ScopeName, ...]:
    """The scopes asked for, each within what `token` is good for at this moment; without any, all of them."""
    catalog = deps.directory.catalog
    agent = agent_of(token, catalog)
    named = parse_scope_param(request.form.one("scope") or "")
    if named is None or agent is None:
        raise InvalidScopeError("`scope` is malformed")
    limits = scope_limits(token, agent, catalog)
    asked = limits.required(named)
    passed_on = held_by_chain(token, catalog)

    def holds(scope: ScopeName) -> bool:
        return limits.holds(scope) and passed_on(scope)

    if asked is None or not all(holds(one) for one in asked):
        raise InvalidScopeError("`scope` is more than the subject token allows")
    return asked or tuple(one for one in token.scopes if holds(one))


# -- a token of a trusted issuer ----------------------------------------------------


async def _of_upstream(
    deps: OAuthDeps, request: TokenRequest, acting: Acting, exchange: ExchangeRequest
) -> _Exchange:
    upstream = await upstream_token(deps, request, exchange.subject_token)
    server = upstream.server
    details = narrowed_details(
        (),
        request.form,
        server,
        resource=resource_of(deps.public_url, server),
        now=deps.clock.now(),
    )

    def source(tx: Transaction) -> _Source:
        return _Source(
            subject=upstream_person(tx, deps, upstream),
            ends=EpochSeconds(min(upstream.until, _longest(deps))),
        )

    return _Exchange(
        request=request,
        acting=acting,
        server=server,
        asked=upstream_asked(deps, request, server),
        details=details,
        actors=(),
        until=upstream.until,
        ceiling=acting.agent.max_sensitivity,
        source=source,
        upstream=upstream,
    )


def _longest(deps: OAuthDeps) -> int:
    return deps.clock.now() + deps.directory.catalog.issuer.access_token_lifetime


# -- issuance -----------------------------------------------------------------------


def _issue(tx: Transaction, wanted: _Exchange, *, deps: OAuthDeps) -> IssuedTokens:
    request, acting, now = wanted.request, wanted.acting, deps.clock.now()
    with refusals_in(request.context):
        source = wanted.source(tx)
        applicant = having(tx, _applicant(wanted, source, deps), wanted.server, deps=deps)
        require_key(acting.client, acting.agent, wanted.server, request.jkt)
        ruling = _ruling(wanted, applicant, deps=deps)
    grant = _standing_grant(tx, _grant(wanted, source, ruling, deps=deps, now=now), now=now)
    note_client_use(tx, acting.client, now=now)
    shown = replace(grant, expires_at=EpochSeconds(min(grant.expires_at, wanted.until)))
    signed, token = issue_access_token(
        tx, shown, applicant, ruling.scopes, deps=deps, proof=request.proof
    )
    event = _event(wanted, grant, token, ruling)
    record_alerts(tx, ruling, context=event.context, resource=grant.resource)
    tx.record(event)
    return IssuedTokens.from_token(signed, token, refresh_token=None)


def _applicant(wanted: _Exchange, source: _Source, deps: OAuthDeps) -> Applicant:
    acting = wanted.acting
    return Applicant(
        subject=source.subject,
        agent=_held_to(acting.agent, wanted.ceiling),
        client_id=acting.client.client_id,
        bounds=acting.client.bounds,
        suspended=is_suspended(acting.agent, deps),
        acr=source.acr,
        amr=source.amr,
        auth_time=source.auth_time,
        ip=wanted.request.context.network.ip,
    )


def _held_to(agent: Agent, ceiling: Sensitivity) -> Agent:
    """`agent` as it may act here: with no more clearance than the token it got."""
    lower = min(agent.max_sensitivity, ceiling, key=lambda level: level.rank)
    return replace(agent, max_sensitivity=lower)


def _ruling(wanted: _Exchange, applicant: Applicant, *, deps: OAuthDeps) -> Ruling:
    ruling = rule(
        wanted.asked,
        applicant,
        server=wanted.server,
        catalog=deps.directory.catalog,
        decisions=deps.decisions,
        now=deps.clock.now(),
    )
    if ruling.refusal is None:
        return ruling
    narrower = ruling.decision is None and ruling.withheld
    error = (InvalidScopeError if narrower else InvalidRequestError)(ruling.refusal)
    raise TokenRefusalError(error, context=wanted.request.context, ruling=ruling)


def _grant(
    wanted: _Exchange, source: _Source, ruling: Ruling, *, deps: OAuthDeps, now: EpochSeconds
) -> Grant:
    """The grant that this exchange would make."""
    subject, acting, parent = source.subject, wanted.acting, source.parent
    is_person = subject.kind is SubjectKind.USER
    return Grant(
        id=GrantId(new_id("grt")),
        kind=GrantKind.USER if is_person else GrantKind.WORKLOAD,
        user_id=UserId(subject.id) if is_person else None,
        client_id=acting.client.client_id,
        agent_id=acting.agent.id,
        tenant=subject.tenant,
        environment=wanted.server.environment,
        resource=resource_of(deps.public_url, wanted.server),
        scopes=tuple(sorted(ruling.scopes)),
        purpose=acting.agent.purpose,
        auth_time=source.auth_time,
        acr=source.acr,
        amr=source.amr,
        created_at=now,
        last_used_at=now,
        expires_at=source.ends,
        parent_id=None if parent is None else parent.id,
        actors=wanted.actors,
        authorization_details=wanted.details,
        origin=None if wanted.upstream is None else wanted.upstream.origin,
    )


def _standing_grant(tx: Transaction, wanted: Grant, *, now: EpochSeconds) -> Grant:
    """The grant that already says the same, of the same parent or by the same word; else `wanted`, stored.

    What an issuer vouches for again lasts longer. A child ends with its parent, as it did before.
    """
    standing = None
    if wanted.parent_id is not None or wanted.origin is not None:
        standing = family_store.find_equal_exchanged_grant(tx, wanted, now=now)
    if standing is not None:
        until = wanted.expires_at
        used = (
            grant_store.use_grant(tx, standing.id, now=now)
            if standing.expires_at >= until
            else family_store.extend_grant(tx, standing.id, until=until, now=now)
        )
        if used is not None:
            return used
    grant_store.add_grant(tx, wanted)
    return wanted


def _event(wanted: _Exchange, grant: Grant, token: AccessToken, ruling: Ruling) -> TokenIssued:
    upstream = wanted.upstream
    return TokenIssued(
        context=about_grant(wanted.request.context, grant),
        grant_type=GrantType.TOKEN_EXCHANGE.value,
        jti_digest=jti_digest(token.jti),
        resource=grant.resource,
        requested=wanted.asked,
        granted=token.scopes,
        expires=token.exp,
        rules=ruling.rules,
        policy_version=ruling.policy_version,
        claims=claims_for_log(token),
        jkt=token.jkt,
        authorization_details=token.authorization_details,
        parent_grant_id=grant.parent_id,
        actors=tuple(one.agent_id for one in token.actors),
        issuer=None if upstream is None else upstream.issuer.issuer,
        subject_digest=None if upstream is None else digest(upstream.assertion.subject),
        withheld=ruling.cut,
    )
