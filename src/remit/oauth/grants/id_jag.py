"""A token for a person whom their enterprise's identity provider sends, through a client it names.

An ID-JAG (identity assertion authorization grant) takes the place of the consent page: the
enterprise has agreed for its people. Refuses a client that did not authenticate or is not the
one named; a resource that is not ours, a person who never logged in here through that provider;
an issuer that keeps tenants apart by a claim, since our accounts do not; a key other than the one
it is bound to; details of authorization, which it could only have narrowed. What may be had is
requested ∩ assertion ∩ what issuance allows that person now. The grant lives as long as its one
token, and there is no refresh token: the provider is asked again each time.

Source: draft-ietf-oauth-identity-assertion-authz-grant §4.4, §6; MCP extension enterprise-managed
authorization §5, §7; AS-61 to AS-68.
"""

from dataclasses import dataclass
from typing import Final

from remit.audit.context import Context
from remit.audit.events import TokenIssued
from remit.canonical import canonical_text
from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction
from remit.guard.issuance import Applicant, Ruling, rule
from remit.identity import User, find_user, subject_of
from remit.identity.provider_store import find_identity
from remit.ids import GrantId, ScopeName, ServerName, UserId, digest, new_id
from remit.model import PersonTrust, Server, TrustedIssuer
from remit.oauth import grant_store
from remit.oauth.assertion_store import remember_once
from remit.oauth.assertions.assertion import Assertion, text_claim
from remit.oauth.assertions.trusted_issuer import Purpose, believe, trusted_issuer
from remit.oauth.authorization_request import require_scopes
from remit.oauth.client import Client, GrantType
from remit.oauth.client_standing import note_client_use
from remit.oauth.deps import OAuthDeps
from remit.oauth.elevation_grant import move_elevation_grants
from remit.oauth.errors import (
    InvalidClientError,
    InvalidGrantError,
    InvalidScopeError,
    UnauthorizedClientError,
)
from remit.oauth.grant import Grant, GrantKind
from remit.oauth.grant_holder import agent_of, having, is_suspended
from remit.oauth.grant_revocation import about_grant
from remit.oauth.guardrail_alert import record_alerts
from remit.oauth.issued_tokens import IssuedTokens, claims_for_log, issue_access_token
from remit.oauth.key_binding import require_key
from remit.oauth.refusal import TokenRefusalError, refusals_in
from remit.oauth.requested_details import require_details, require_unexpired
from remit.oauth.resource_indicators import require_same_resource, server_at
from remit.oauth.token_request import TokenRequest
from remit.scopes import covers, parse_scope_param
from remit.tokens import jti_digest, resource_of
from remit.tokens.authorization_details import details_json
from remit.tokens.foreign import InvalidForeignJwtError, audiences_of

__all__ = ["issue"]

_LONGEST: Final = Seconds(600)
_NOBODY: Final = "the person that the assertion names is not known here"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What is asked for, once the assertion is believed and its client is the one that sends it."""

    issuer: TrustedIssuer
    trust: PersonTrust
    assertion: Assertion
    jti: str
    client: Client
    server: Server
    asked: tuple[ScopeName, ...]
    sent: TokenRequest


async def issue(deps: OAuthDeps, request: TokenRequest, raw: str) -> IssuedTokens:
    """The access token for the person that `raw` names.

    Raises:
        OAuthError, TokenRefusalError: refused; nothing changed, and the assertion is not used up.
    """
    client = request.known_client
    if not client.is_confidential:
        raise InvalidClientError("this grant takes a client that authenticates")
    issuer = trusted_issuer(deps, raw, Purpose.ID_JAG)
    trust = issuer.id_jag
    if trust is None or (trust.clients and client.client_id not in trust.clients):
        raise UnauthorizedClientError("this client may not present assertions of that issuer")
    assertion = await believe(
        deps, raw, issuer, purpose=Purpose.ID_JAG, audiences=(deps.public_url,), longest=_LONGEST
    )
    _check_claims(assertion, client, request)
    if assertion.jti is None or assertion.issued_at is None:
        raise InvalidGrantError("the assertion has no `jti` or no `iat`")
    server = _server(assertion, trust, request, deps=deps)
    asked = _asked(assertion, server, request, deps=deps)
    wanted = _Request(
        issuer=issuer,
        trust=trust,
        assertion=assertion,
        jti=assertion.jti,
        client=client,
        server=server,
        asked=asked,
        sent=request,
    )
    return await deps.database.run(lambda tx: _issue(tx, wanted, deps=deps))


def _check_claims(assertion: Assertion, client: Client, request: TokenRequest) -> None:
    """Pass when the assertion is for this client, and asks for nothing that we would have to pass over."""
    claims = assertion.claims
    if claims.get("client_id") != client.client_id:
        raise InvalidGrantError("the assertion is for another client")
    if "tenant" in claims:
        # AS-68: such an issuer may give one `sub` to two people of two tenants.
        raise InvalidGrantError("the assertion is of an issuer of several tenants")
    if "authorization_details" in claims:
        raise InvalidGrantError("authorization details of an assertion are not understood")
    if "cnf" in claims and (request.jkt is None or claims["cnf"] != {"jkt": request.jkt}):
        raise InvalidGrantError("the assertion is bound to another key")


def _server(
    assertion: Assertion, trust: PersonTrust, request: TokenRequest, *, deps: OAuthDeps
) -> Server:
    """The server of the assertion's `resource`, which is what the token is good for (AS-65)."""
    try:
        named = audiences_of({"aud": assertion.claims.get("resource", [])})
    except InvalidForeignJwtError as error:
        raise InvalidGrantError("the claim `resource` is not of its type", cause=error) from error
    server = None
    if len(named) == 1:
        catalog = deps.directory.catalog
        server = server_at(named[0], catalog=catalog, public_url=deps.public_url)
    if server is None or (trust.servers and ServerName(server.name) not in trust.servers):
        raise InvalidGrantError("the assertion is for no MCP server that it could be for")
    require_same_resource(request.form.all("resource"), resource_of(deps.public_url, server))
    return server


def _asked(
    assertion: Assertion, server: Server, request: TokenRequest, *, deps: OAuthDeps
) -> tuple[ScopeName, ...]:
    """Requested ∩ assertion (AS-66); where one of them names no scope, the other's."""
    catalog, claims = deps.directory.catalog, assertion.claims
    requested = request.form.one("scope")
    if "scope" not in claims:
        return require_scopes(requested, server, catalog)
    try:
        vouched = parse_scope_param(text_claim(claims, "scope"))
    except InvalidForeignJwtError as error:
        raise InvalidGrantError(error.detail, cause=error) from error
    if vouched is None:
        raise InvalidGrantError("the claim `scope` is malformed")
    if requested is None:
        # What it names and we do not know cannot be had; the rest can (IDJ §4.4).
        asked = tuple(one for one in vouched if one in catalog.scopes)
    else:
        asked = tuple(
            one
            for one in require_scopes(requested, server, catalog)
            if any(covers(held, one, catalog.hierarchy) for held in vouched)
        )
    if not asked:
        raise InvalidScopeError("none of the requested scopes is in the assertion")
    return asked


def _issue(tx: Transaction, wanted: _Request, *, deps: OAuthDeps) -> IssuedTokens:
    assertion, now = wanted.assertion, deps.clock.now()
    if not remember_once(tx, assertion.issuer, wanted.jti, assertion.expires_at):
        raise InvalidGrantError("the assertion was used before")
    person = _person(tx, wanted, deps=deps)
    context = wanted.sent.context.with_(
        user_id=person.id, tenant=person.tenant, agent_id=wanted.client.agent_id
    )
    with refusals_in(context):
        applicant, ruling = _ruling(tx, wanted, person, context=context, deps=deps)
        grant = _grant(wanted, applicant, ruling, deps=deps, now=now)
    grant_store.add_grant(tx, grant)
    # Each assertion makes a grant: else nothing that takes people longer than a token lives could be allowed.
    move_elevation_grants(tx, grant, at=now)
    deps.step_ups.rebind(tx, grant)
    note_client_use(tx, wanted.client, now=now)
    signed, token = issue_access_token(
        tx, grant, applicant, ruling.scopes, deps=deps, proof=wanted.sent.proof
    )
    about = about_grant(context, grant)
    record_alerts(tx, ruling, context=about, resource=grant.resource)
    tx.record(
        TokenIssued(
            context=about,
            grant_type=GrantType.JWT_BEARER.value,
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
            issuer=assertion.issuer,
            subject_digest=digest(assertion.subject),
            withheld=ruling.cut,
        )
    )
    return IssuedTokens.from_token(signed, token, refresh_token=None)


def _person(tx: Transaction, wanted: _Request, *, deps: OAuthDeps) -> User:
    """Who logged in through the provider with that `sub`; nobody is made an account of here."""
    provider = deps.directory.catalog.sign_in.providers.get(wanted.trust.provider)
    if provider is None:
        raise InvalidGrantError(_NOBODY)
    identity = find_identity(tx, issuer=provider.issuer, subject=wanted.assertion.subject)
    if identity is None or identity.provider != provider.name:
        raise InvalidGrantError(_NOBODY)
    person = find_user(tx, identity.user_id)
    if person is None or person.disabled_at is not None:
        raise InvalidGrantError(_NOBODY)
    return person


def _ruling(
    tx: Transaction, wanted: _Request, person: User, *, context: Context, deps: OAuthDeps
) -> tuple[Applicant, Ruling]:
    """Who asks, and what may be had.

    Raises:
        InvalidDpopProofError: a key is required here, and none was proved.
        TokenRefusalError: nothing may be had.
    """
    catalog, client = deps.directory.catalog, wanted.client
    agent = agent_of(client, deps)
    if agent is None:
        raise UnauthorizedClientError("the client is no agent")
    require_key(client, agent, wanted.server, wanted.sent.jkt)
    holder = Applicant(
        subject=subject_of(person, catalog),
        agent=agent,
        client_id=client.client_id,
        bounds=client.bounds,
        suspended=is_suspended(agent, deps),
        ip=context.network.ip,
    )
    applicant = having(tx, holder, wanted.server, deps=deps)
    ruling = rule(
        wanted.asked,
        applicant,
        server=wanted.server,
        catalog=catalog,
        decisions=deps.decisions,
        now=deps.clock.now(),
    )
    if ruling.refusal is not None:
        narrower = ruling.decision is None and ruling.withheld
        error = (InvalidScopeError if narrower else InvalidGrantError)(ruling.refusal)
        known = context.with_(environment=wanted.server.environment)
        raise TokenRefusalError(error, context=known, ruling=ruling)
    return applicant, ruling


def _grant(
    wanted: _Request, applicant: Applicant, ruling: Ruling, *, deps: OAuthDeps, now: EpochSeconds
) -> Grant:
    """What the provider grants in the person's place, for as long as its token lives."""
    server, assertion = wanted.server, wanted.assertion
    resource = resource_of(deps.public_url, server)
    details = require_details(wanted.sent.form, server, resource=resource)
    require_unexpired(details, now)
    lifetime = deps.directory.catalog.issuer.access_token_lifetime
    return Grant(
        id=GrantId(new_id("grt")),
        kind=GrantKind.USER,
        user_id=UserId(applicant.subject.id),
        client_id=applicant.client_id,
        agent_id=applicant.agent.id,
        tenant=applicant.subject.tenant,
        environment=server.environment,
        resource=resource,
        scopes=tuple(sorted(ruling.scopes)),
        purpose=applicant.agent.purpose,
        auth_time=None,
        acr=None,
        amr=(),
        created_at=now,
        last_used_at=now,
        expires_at=EpochSeconds(now + lifetime),
        authorization_details=details_json(details),
        origin=canonical_text([assertion.issuer, assertion.subject]),
    )
