"""An authorization code turned into tokens, once.

Refuses a code that is unknown, expired, another client's, sent to another redirect
URI, or without the verifier of its challenge; each of these leaves the code to its
owner. A code that was spent before ends its grant.

Source: O21 §4.1.3; RFC 7636 §4.6; RFC 8707 §2.2; RFC 9700 §4.5.
"""

from remit.audit.context import Context
from remit.audit.events import TokenIssued
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.ids import digest
from remit.oauth import credential_store, grant_store, pkce
from remit.oauth.client import Client, GrantType
from remit.oauth.client_standing import note_client_use
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidGrantError, InvalidRequestError
from remit.oauth.grant import AuthorizationCode, Grant, RevokeReason
from remit.oauth.grant_issuance import rule_on_grant
from remit.oauth.grant_revocation import about_grant
from remit.oauth.issued_tokens import (
    IssuedTokens,
    claims_for_log,
    issue_access_token,
    issue_refresh_token,
)
from remit.oauth.refusal import ReuseDetectedError, refusals_in
from remit.oauth.resource_indicators import require_same_resource
from remit.oauth.reuse import end_reused
from remit.oauth.token_request import TokenRequest
from remit.tokens import jti_digest
from remit.web import Params

__all__ = ["issue"]

_UNUSABLE = "the authorization code is unknown, expired or spent"


async def issue(deps: OAuthDeps, request: TokenRequest) -> IssuedTokens:
    """The tokens for the code in `form`.

    Raises:
        OAuthError, TokenRefusalError: refused; nothing changed.
        ReuseDetectedError: the code was spent before; its grant has ended.
    """
    client, form, context = request.known_client, request.form, request.context
    code = form.one("code")
    if code is None:
        raise InvalidRequestError("`code` is required")
    presented, now = digest(code), deps.clock.now()

    def redeem(tx: Transaction) -> IssuedTokens | None:
        spent = credential_store.consume_authorization_code(tx, presented, now=now)
        if spent is None:
            _end_if_reused(tx, presented, now=now, context=context)
            return None
        with refusals_in(context.with_(grant_id=spent.grant_id)):
            _check_binding(spent, client, form, now=now)
            grant = _live_grant(tx, spent, now=now)
        with refusals_in(about_grant(context, grant)):
            require_same_resource(form.all("resource"), grant.resource)
            return _issue_from(tx, grant, client, deps=deps, context=about_grant(context, grant))

    issued = await deps.database.run(redeem)
    if issued is None:
        await deps.publish()
        raise ReuseDetectedError(InvalidGrantError(_UNUSABLE))
    return issued


def _end_if_reused(tx: Transaction, presented: str, *, now: EpochSeconds, context: Context) -> None:
    """End the grant of a code that was spent before; refuse one that never was."""
    known = credential_store.find_authorization_code(tx, presented)
    if known is None:
        raise InvalidGrantError(_UNUSABLE)
    end_reused(tx, known.grant_id, reason=RevokeReason.CODE_REUSED, at=now, context=context)


def _check_binding(
    code: AuthorizationCode, client: Client, form: Params, *, now: EpochSeconds
) -> None:
    """What the code is bound to is what the request says (O21 §4.1.3)."""
    if code.expires_at <= now:
        raise InvalidGrantError(_UNUSABLE)
    if code.client_id != client.client_id:
        raise InvalidGrantError("the authorization code was issued to another client")
    redirect_uri = form.one("redirect_uri")
    # O21 dropped the parameter, every client still sends it: checked if there (PROTOCOL §5.2).
    if redirect_uri is not None and redirect_uri != code.redirect_uri:
        raise InvalidGrantError("`redirect_uri` is not the one the code was sent to")
    pkce.require_verifier(form.one("code_verifier"), code.code_challenge)


def _live_grant(tx: Transaction, code: AuthorizationCode, *, now: EpochSeconds) -> Grant:
    grant = grant_store.use_grant(tx, code.grant_id, now=now)
    if grant is None:
        raise InvalidGrantError("what was granted has ended")
    return grant


def _issue_from(
    tx: Transaction, grant: Grant, client: Client, *, deps: OAuthDeps, context: Context
) -> IssuedTokens:
    applicant, ruling = rule_on_grant(
        tx, grant, client, asked=grant.scopes, deps=deps, context=context
    )
    now = deps.clock.now()
    signed, token = issue_access_token(grant, applicant, ruling.scopes, deps=deps, now=now)
    note_client_use(tx, client, now=now)
    refresh_token = issue_refresh_token(tx, grant, client, deps=deps, now=now)
    tx.record(
        TokenIssued(
            context=context,
            grant_type=GrantType.AUTHORIZATION_CODE.value,
            jti_digest=jti_digest(token.jti),
            resource=grant.resource,
            requested=grant.scopes,
            granted=token.scopes,
            expires=token.exp,
            rules=ruling.rules,
            policy_version=ruling.policy_version,
            claims=claims_for_log(token),
        )
    )
    return IssuedTokens.from_token(signed, token, refresh_token=refresh_token)
