"""A token for a workload whose platform vouches for it: a job of a pipeline, a pod of a cluster.

The rules of the policy repository say which claims make it which agent, for which servers, with
at most which scopes and for how long; of the claims themselves none gets into the token. The
subject is the agent, the client is the rule. Refuses an assertion for somebody else, one without
a `jti` or one that was used before, and a workload that no rule knows. Where an issuer is
declared to give no `jti`, an assertion may be used again, and lives ten minutes at most. No
refresh token: the workload can ask again.

Source: RFC 7523 §3; MCP extension workload identity federation (draft); AS-69, AS-70, AS-71.
"""

from dataclasses import dataclass, replace
from typing import Final

from remit.audit.context import Actor, ActorType, Context
from remit.audit.events import TokenIssued
from remit.canonical import canonical_text
from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction
from remit.guard.issuance import Applicant, Ruling, agent_named, rule
from remit.ids import ClientId, ScopeName, digest
from remit.model import AgentClass, ClientBounds, Server, TrustedIssuer, WorkloadRule
from remit.oauth.assertion_store import remember_once
from remit.oauth.assertions.assertion import Assertion
from remit.oauth.assertions.trusted_issuer import Purpose, believe
from remit.oauth.assertions.workload_rules import matching_rule
from remit.oauth.authorization_request import require_scopes
from remit.oauth.client import GrantType
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import (
    InvalidDpopProofError,
    InvalidGrantError,
    InvalidScopeError,
    InvalidTargetError,
    UnauthorizedClientError,
)
from remit.oauth.grant import Grant
from remit.oauth.grant_holder import asked_having, is_suspended, workload_subject
from remit.oauth.grant_revocation import about_grant
from remit.oauth.guardrail_alert import record_alerts
from remit.oauth.issued_tokens import IssuedTokens, claims_for_log, issue_access_token
from remit.oauth.metadata import TOKEN_PATH
from remit.oauth.refusal import TokenRefusalError, refusals_in
from remit.oauth.requested_details import require_details, require_unexpired
from remit.oauth.resource_indicators import require_resource
from remit.oauth.token_request import TokenRequest
from remit.oauth.workload_grant import standing_grant, workload_grant
from remit.scopes import covers
from remit.tokens import jti_digest, resource_of
from remit.tokens.authorization_details import details_json
from remit.tokens.dpop import Proof

__all__ = ["believed", "issue"]

_CLIENT_PREFIX: Final = "workload:"
"""What the client of a workload's tokens begins with; the issuer's name and the rule's follow. No
identifier of the repository has a colon, one that is a document begins with https, and those that
we make with `cli_`: nobody else is called so."""
_LONGEST_REUSED: Final = Seconds(600)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Workload:
    """What is known of whoever asks, once a rule knows them."""

    issuer: TrustedIssuer
    rule: WorkloadRule
    assertion: Assertion
    applicant: Applicant
    context: Context
    proof: Proof | None


async def believed(deps: OAuthDeps, raw: str, issuer: TrustedIssuer) -> Assertion:
    """What `issuer` says to us of a workload of its.

    Raises:
        InvalidGrantError: it says nothing that is good here.
        TemporarilyUnavailableError: its keys cannot be had at the moment.
    """
    assertion = await believe(
        deps,
        raw,
        issuer,
        purpose=Purpose.WORKLOAD,
        audiences=(deps.public_url, deps.public_url + TOKEN_PATH, *issuer.audiences),
        longest=issuer.max_lifetime if issuer.require_jti else _LONGEST_REUSED,
    )
    if assertion.issued_at is None:
        raise InvalidGrantError("the assertion does not say when it was issued")
    if issuer.require_jti and assertion.jti is None:
        raise InvalidGrantError("the assertion has no `jti`")
    return assertion


async def issue(
    deps: OAuthDeps, request: TokenRequest, *, issuer: TrustedIssuer, assertion: Assertion
) -> IssuedTokens:
    """The access token for the workload that `assertion` is about.

    Raises:
        OAuthError, TokenRefusalError: refused; nothing changed, and `assertion` is not used up.
    """
    matched = matching_rule(issuer.workloads, assertion.claims)
    if matched is None:
        raise InvalidGrantError("no rule knows this workload")
    workload = _workload(issuer, matched, assertion, request=request, deps=deps)
    with refusals_in(workload.context):
        server = _server(workload, request, deps=deps)
        asked = _asked(request.form.one("scope"), workload, server, deps=deps)
        applicant = await asked_having(workload.applicant, server, deps=deps)
        workload = replace(workload, applicant=applicant)
        ruling = _ruling(workload, server, asked, deps=deps)
        grant = _grant(workload, server, ruling, request=request, deps=deps)
        return await deps.database.run(
            lambda tx: _issue(tx, workload, grant, asked=asked, ruling=ruling, deps=deps)
        )


def _workload(
    issuer: TrustedIssuer,
    matched: WorkloadRule,
    assertion: Assertion,
    *,
    request: TokenRequest,
    deps: OAuthDeps,
) -> _Workload:
    """The agent that the rule names, as it stands now.

    Raises:
        UnauthorizedClientError: there is none, or none that may act for itself.
    """
    agent = agent_named(matched.agent, deps.directory.catalog)
    if agent is None or agent.agent_class is not AgentClass.WORKLOAD:
        raise UnauthorizedClientError("only a workload agent may act for itself")
    subject = workload_subject(agent)
    if subject is None:
        raise UnauthorizedClientError("the workload must belong to exactly one organisation")
    client_id = ClientId(f"{_CLIENT_PREFIX}{issuer.name}:{matched.name}")
    return _Workload(
        issuer=issuer,
        rule=matched,
        assertion=assertion,
        applicant=Applicant(
            subject=subject,
            agent=agent,
            client_id=client_id,
            bounds=ClientBounds(scopes=matched.scopes),
            suspended=is_suspended(agent, deps),
            ip=request.context.network.ip,
        ),
        context=request.context.with_(
            actor=Actor(ActorType.AGENT, agent.id),
            client_id=client_id,
            agent_id=agent.id,
            tenant=subject.tenant,
        ),
        proof=request.proof,
    )


def _server(workload: _Workload, request: TokenRequest, *, deps: OAuthDeps) -> Server:
    """The server that is asked for, which the rule has to name; the only one of the rule, if none is.

    Raises:
        InvalidTargetError: it does not, or several are meant.
        InvalidDpopProofError: it takes only tokens bound to a key, and none was proved.
    """
    named, agent = request.form.all("resource"), workload.applicant.agent
    if not named and len(workload.rule.servers) == 1:
        server = deps.directory.catalog.server_named(workload.rule.servers[0])
        named = () if server is None else (resource_of(deps.public_url, server),)
    server = require_resource(
        named, agent, catalog=deps.directory.catalog, public_url=deps.public_url
    )
    if server.name not in workload.rule.servers:
        raise InvalidTargetError("this workload gets no token for that server")
    if workload.proof is None and (agent.dpop_required or server.dpop_required):
        raise InvalidDpopProofError("a token for this has to be bound to a key")
    return server


def _asked(
    scope: str | None, workload: _Workload, server: Server, *, deps: OAuthDeps
) -> tuple[ScopeName, ...]:
    """The scopes asked for; without any, what the agent and the rule have of the server's."""
    catalog = deps.directory.catalog
    if scope is not None:
        return require_scopes(scope, server, catalog)
    bounds = [workload.applicant.agent.scopes]
    if workload.rule.scopes:
        bounds.append(workload.rule.scopes)
    held = tuple(
        one
        for one in server.scopes
        if all(any(covers(two, one, catalog.hierarchy) for two in bound) for bound in bounds)
    )
    if not held:
        raise InvalidScopeError("the workload holds no scope of this server")
    return held


def _ruling(
    workload: _Workload, server: Server, asked: tuple[ScopeName, ...], *, deps: OAuthDeps
) -> Ruling:
    """What may be had.

    Raises:
        TokenRefusalError: nothing; `invalid_scope` where another scope might do (RFC 6749 §5.2).
    """
    ruling = rule(
        asked,
        workload.applicant,
        server=server,
        catalog=deps.directory.catalog,
        decisions=deps.decisions,
        now=deps.clock.now(),
    )
    if ruling.refusal is not None:
        narrower = ruling.decision is None and ruling.withheld
        error = (InvalidScopeError if narrower else UnauthorizedClientError)(ruling.refusal)
        known = workload.context.with_(environment=server.environment)
        raise TokenRefusalError(error, context=known, ruling=ruling)
    return ruling


def _grant(
    workload: _Workload,
    server: Server,
    ruling: Ruling,
    *,
    request: TokenRequest,
    deps: OAuthDeps,
) -> Grant:
    """The grant that this request would make: of this workload alone, as its issuer names it."""
    now, resource = deps.clock.now(), resource_of(deps.public_url, server)
    details = require_details(request.form, server, resource=resource)
    require_unexpired(details, now)
    assertion = workload.assertion
    return replace(
        workload_grant(workload.applicant, server, ruling, deps=deps, now=now),
        authorization_details=details_json(details),
        origin=canonical_text([assertion.issuer, assertion.subject]),
    )


def _issue(
    tx: Transaction,
    workload: _Workload,
    wanted: Grant,
    *,
    asked: tuple[ScopeName, ...],
    ruling: Ruling,
    deps: OAuthDeps,
) -> IssuedTokens:
    assertion, now = workload.assertion, deps.clock.now()
    if workload.issuer.require_jti and not remember_once(
        tx, assertion.issuer, assertion.jti or "", assertion.expires_at
    ):
        raise InvalidGrantError("the assertion was used before")
    grant = standing_grant(tx, wanted, deps=deps, now=now)
    ending = grant.expires_at
    if workload.rule.lifetime is not None:
        ending = EpochSeconds(min(ending, now + workload.rule.lifetime))
    signed, token = issue_access_token(
        tx,
        replace(grant, expires_at=ending),
        workload.applicant,
        ruling.scopes,
        deps=deps,
        proof=workload.proof,
    )
    about = about_grant(workload.context, grant)
    record_alerts(tx, ruling, context=about, resource=grant.resource)
    tx.record(
        TokenIssued(
            context=about,
            grant_type=GrantType.JWT_BEARER.value,
            jti_digest=jti_digest(token.jti),
            resource=grant.resource,
            requested=asked,
            granted=token.scopes,
            expires=token.exp,
            rules=ruling.rules,
            policy_version=ruling.policy_version,
            claims=claims_for_log(token),
            jkt=token.jkt,
            authorization_details=token.authorization_details,
            issuer=assertion.issuer,
            subject_digest=digest(assertion.subject),
            rule=workload.rule.name,
            withheld=ruling.cut,
        )
    )
    return IssuedTokens.from_token(signed, token, refresh_token=None)
