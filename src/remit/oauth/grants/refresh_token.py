"""A refresh token turned into the next one and a fresh access token.

Every use rotates. Refuses a token that is unknown, expired, another client's, bound to
another key, or of a grant that has ended, and a wider scope than was granted; each of
these leaves the token as it was. One that was used before ends its grant, without grace
for a second sender. What may be had is asked anew each time, and so is whoever vouched for the
person.

Source: O21 §4.3, §4.3.1, §4.3.3; RFC 9700 §4.14.2; RFC 8707 §2.2; RFC 9449 §5.
"""

from remit.audit.events import TokenRefreshed
from remit.db import Transaction
from remit.ids import ScopeName
from remit.oauth import credential_store
from remit.oauth.deps import OAuthDeps
from remit.oauth.grant import Grant, RefreshToken, RevokeReason
from remit.oauth.grant_issuance import narrowed
from remit.oauth.grants.redemption import Credential, Redemption, redeem
from remit.oauth.issued_tokens import IssuedTokens, claims_for_log
from remit.oauth.key_binding import require_family_key
from remit.oauth.person_anew import confirm_person
from remit.oauth.token_request import TokenRequest
from remit.tokens import jti_digest

__all__ = ["issue"]


async def issue(deps: OAuthDeps, request: TokenRequest) -> IssuedTokens:
    """The tokens for the refresh token in `form`.

    Raises:
        OAuthError, TokenRefusalError: refused; nothing changed.
        ReuseDetectedError: the token was used before; its grant has ended.
    """
    await confirm_person(deps, request)
    return await redeem(deps, request, _REFRESH_TOKEN)


def _check(
    tx: Transaction,  # noqa: ARG001
    token: RefreshToken,  # noqa: ARG001
    grant: Grant,
    request: TokenRequest,
) -> Grant:
    require_family_key(grant, request.known_client, request.jkt)
    return grant


def _asked(grant: Grant, request: TokenRequest, deps: OAuthDeps) -> tuple[ScopeName, ...]:
    return narrowed(request.form.one("scope"), grant, deps)


def _event(made: Redemption) -> TokenRefreshed:
    token = made.token
    return TokenRefreshed(
        context=made.request.context,
        jti_digest=jti_digest(token.jti),
        resource=token.aud,
        granted=token.scopes,
        expires=token.exp,
        rules=made.ruling.rules,
        policy_version=made.ruling.policy_version,
        claims=claims_for_log(token),
        jkt=token.jkt,
        authorization_details=token.authorization_details,
        withheld=made.ruling.cut,
    )


_REFRESH_TOKEN = Credential(
    parameter="refresh_token",
    title="refresh token",
    reuse=RevokeReason.REFRESH_TOKEN_REUSED,
    spend=credential_store.use_refresh_token,
    find=credential_store.find_refresh_token,
    check=_check,
    asked=_asked,
    event=_event,
)
