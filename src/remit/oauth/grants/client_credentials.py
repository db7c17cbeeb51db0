"""Tokens for a workload that acts for itself: a job, not a person.

Only a client that the repository declares, that proves itself, and whose agent is a
workload of exactly one organisation. The subject of the token is the agent. Without a
`scope` it is what agent and server have in common. No refresh token: the client can
ask again. Requests for the same scopes of the same server descend from one grant, so
that revoking it ends them all and the list of grants stays short.

Source: O21 §4.2; MCP extension OAuth client credentials; AS-60.
"""

from dataclasses import replace

from remit.audit.context import Context
from remit.audit.events import TokenIssued
from remit.db import Transaction
from remit.guard.issuance import Applicant, Ruling, rule
from remit.ids import ScopeName
from remit.model import Agent, AgentClass, ClientKind, Server
from remit.oauth.authorization_request import require_scopes
from remit.oauth.client import Client, GrantType
from remit.oauth.client_standing import note_client_use
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidScopeError, UnauthorizedClientError
from remit.oauth.grant_holder import agent_of, asked_having, is_suspended, workload_subject
from remit.oauth.grant_revocation import about_grant
from remit.oauth.guardrail_alert import record_alerts
from remit.oauth.issued_tokens import IssuedTokens, claims_for_log, issue_access_token
from remit.oauth.key_binding import require_key
from remit.oauth.refusal import TokenRefusalError
from remit.oauth.requested_details import narrowed_details
from remit.oauth.resource_indicators import require_resource
from remit.oauth.token_request import TokenRequest
from remit.oauth.workload_grant import standing_grant, workload_grant
from remit.scopes import covers
from remit.tokens import jti_digest, resource_of

__all__ = ["issue"]


async def issue(deps: OAuthDeps, request: TokenRequest) -> IssuedTokens:
    """The access token for the workload that `client` is.

    Raises:
        OAuthError, TokenRefusalError: refused; nothing changed.
    """
    client, form, context = request.known_client, request.form, request.context
    applicant = _workload(client, deps, context)
    catalog, now = deps.directory.catalog, deps.clock.now()
    server = require_resource(
        form.all("resource"), applicant.agent, catalog=catalog, public_url=deps.public_url
    )
    asked = _asked(form.one("scope"), applicant.agent, server, deps=deps)
    applicant = await asked_having(applicant, server, deps=deps)
    ruling = rule(
        asked, applicant, server=server, catalog=catalog, decisions=deps.decisions, now=now
    )
    resource = resource_of(deps.public_url, server)
    details = narrowed_details((), form, server, resource=resource, now=now)
    require_key(client, applicant.agent, server, request.jkt)
    known = context.with_(
        agent_id=applicant.agent.id,
        tenant=applicant.subject.tenant,
        environment=server.environment,
    )
    if ruling.refusal is not None:
        raise TokenRefusalError(_refusal(ruling, ruling.refusal), context=known, ruling=ruling)
    wanted = replace(
        workload_grant(applicant, server, ruling, deps=deps, now=now),
        authorization_details=details,
    )

    def grant_and_issue(tx: Transaction) -> IssuedTokens:
        grant = standing_grant(tx, wanted, deps=deps, now=now)
        note_client_use(tx, client, now=now)
        signed, token = issue_access_token(
            tx, grant, applicant, ruling.scopes, deps=deps, proof=request.proof
        )
        about = about_grant(known, grant)
        record_alerts(tx, ruling, context=about, resource=grant.resource)
        tx.record(
            TokenIssued(
                context=about,
                grant_type=GrantType.CLIENT_CREDENTIALS.value,
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
                withheld=ruling.cut,
            )
        )
        return IssuedTokens.from_token(signed, token, refresh_token=None)

    return await deps.database.run(grant_and_issue)


def _workload(client: Client, deps: OAuthDeps, context: Context) -> Applicant:
    """The workload that `client` is.

    Raises:
        UnauthorizedClientError: it is none, or one that may not have tokens of its own.
    """
    if client.kind is not ClientKind.STATIC or not client.is_confidential:
        raise UnauthorizedClientError("only a client of the repository with a secret may do this")
    agent = agent_of(client, deps)
    if agent is None or agent.agent_class is not AgentClass.WORKLOAD:
        raise UnauthorizedClientError("only a workload agent may act for itself")
    subject = workload_subject(agent)
    if subject is None:
        raise UnauthorizedClientError("the workload must belong to exactly one organisation")
    return Applicant(
        subject=subject,
        agent=agent,
        client_id=client.client_id,
        bounds=client.bounds,
        suspended=is_suspended(agent, deps),
        ip=context.network.ip,
    )


def _asked(
    scope: str | None, agent: Agent, server: Server, *, deps: OAuthDeps
) -> tuple[ScopeName, ...]:
    catalog = deps.directory.catalog
    if scope is not None:
        return require_scopes(scope, server, catalog)
    held = tuple(
        one
        for one in server.scopes
        if any(covers(scope, one, catalog.hierarchy) for scope in agent.scopes)
    )
    if not held:
        raise InvalidScopeError("the workload holds no scope of this server")
    return held


def _refusal(ruling: Ruling, words: str) -> InvalidScopeError | UnauthorizedClientError:
    """`invalid_scope` where another scope might do, else `unauthorized_client` (RFC 6749 §5.2)."""
    if ruling.decision is None and ruling.withheld:
        return InvalidScopeError(words)
    return UnauthorizedClientError(words)
