"""A refresh token turned into the next one and a fresh access token.

Every use rotates. Refuses a token that is unknown, expired, another client's, or of
a grant that has ended, and a wider scope than was granted; each of these leaves the
token as it was. One that was used before ends its grant, without grace for a second
sender. What may be had is asked anew each time.

Source: O21 §4.3, §4.3.1, §4.3.3; RFC 9700 §4.14.2; RFC 8707 §2.2.
"""

from remit.audit.context import Context
from remit.audit.events import TokenRefreshed
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.ids import digest
from remit.oauth import credential_store, grant_store
from remit.oauth.client import Client
from remit.oauth.client_standing import note_client_use
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidGrantError, InvalidRequestError
from remit.oauth.grant import Grant, RefreshToken, RevokeReason
from remit.oauth.grant_issuance import narrowed, rule_on_grant
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

_UNUSABLE = "the refresh token is unknown, expired or spent"


async def issue(deps: OAuthDeps, request: TokenRequest) -> IssuedTokens:
    """The tokens for the refresh token in `form`.

    Raises:
        OAuthError, TokenRefusalError: refused; nothing changed.
        ReuseDetectedError: the token was used before; its grant has ended.
    """
    client, form, context = request.known_client, request.form, request.context
    refresh_token = form.one("refresh_token")
    if refresh_token is None:
        raise InvalidRequestError("`refresh_token` is required")
    presented, now = digest(refresh_token), deps.clock.now()

    def rotate(tx: Transaction) -> IssuedTokens | None:
        spent = credential_store.use_refresh_token(tx, presented, now=now)
        if spent is None:
            _end_if_reused(tx, presented, now=now, context=context)
            return None
        with refusals_in(context.with_(grant_id=spent.grant_id)):
            grant = _live_grant(tx, spent, client, now=now)
        known = about_grant(context, grant)
        with refusals_in(known):
            require_same_resource(form.all("resource"), grant.resource)
            return _issue_from(tx, grant, client, form=form, deps=deps, context=known)

    issued = await deps.database.run(rotate)
    if issued is None:
        await deps.publish()
        raise ReuseDetectedError(InvalidGrantError(_UNUSABLE))
    return issued


def _end_if_reused(tx: Transaction, presented: str, *, now: EpochSeconds, context: Context) -> None:
    """End the grant of a token that was used before; refuse one that never was."""
    known = credential_store.find_refresh_token(tx, presented)
    if known is None:
        raise InvalidGrantError(_UNUSABLE)
    end_reused(
        tx, known.grant_id, reason=RevokeReason.REFRESH_TOKEN_REUSED, at=now, context=context
    )


def _live_grant(
    tx: Transaction, token: RefreshToken, client: Client, *, now: EpochSeconds
) -> Grant:
    """The grant of a token that still holds, and is this client's."""
    if token.expires_at <= now:
        raise InvalidGrantError(_UNUSABLE)
    grant = grant_store.use_grant(tx, token.grant_id, now=now)
    if grant is None:
        raise InvalidGrantError("what was granted has ended")
    if grant.client_id != client.client_id:
        raise InvalidGrantError("the refresh token was issued to another client")
    return grant


def _issue_from(
    tx: Transaction,
    grant: Grant,
    client: Client,
    *,
    form: Params,
    deps: OAuthDeps,
    context: Context,
) -> IssuedTokens:
    asked = narrowed(form.one("scope"), grant, deps)
    applicant, ruling = rule_on_grant(tx, grant, client, asked=asked, deps=deps, context=context)
    now = deps.clock.now()
    signed, token = issue_access_token(grant, applicant, ruling.scopes, deps=deps, now=now)
    note_client_use(tx, client, now=now)
    refresh_token = issue_refresh_token(tx, grant, client, deps=deps, now=now)
    tx.record(
        TokenRefreshed(
            context=context,
            jti_digest=jti_digest(token.jti),
            resource=grant.resource,
            granted=token.scopes,
            expires=token.exp,
            rules=ruling.rules,
            policy_version=ruling.policy_version,
            claims=claims_for_log(token),
        )
    )
    return IssuedTokens.from_token(signed, token, refresh_token=refresh_token)
