"""An authorization code turned into tokens, once.

Refuses a code that is unknown, expired, another client's, sent to another redirect
URI, asked for with another key, or without the verifier of its challenge; each of these
leaves the code to its owner. A code that was spent before ends its grant.

Source: O21 §4.1.3; RFC 7636 §4.6; RFC 8707 §2.2; RFC 9449 §10; RFC 9700 §4.5.
"""

from dataclasses import replace

from remit.audit.events import TokenIssued
from remit.db import Transaction
from remit.ids import ScopeName
from remit.oauth import credential_store, family_store, pkce
from remit.oauth.client import GrantType
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidGrantError
from remit.oauth.grant import AuthorizationCode, Grant, RevokeReason
from remit.oauth.grants.redemption import Credential, Redemption, redeem
from remit.oauth.issued_tokens import IssuedTokens, claims_for_log
from remit.oauth.key_binding import key_of_family, require_code_key
from remit.oauth.token_request import TokenRequest
from remit.tokens import jti_digest

__all__ = ["issue"]


async def issue(deps: OAuthDeps, request: TokenRequest) -> IssuedTokens:
    """The tokens for the code in `form`.

    Raises:
        OAuthError, TokenRefusalError: refused; nothing changed.
        ReuseDetectedError: the code was spent before; its grant has ended.
    """
    return await redeem(deps, request, _CODE)


def _check(tx: Transaction, code: AuthorizationCode, grant: Grant, request: TokenRequest) -> Grant:
    """What the code is bound to is what the request says (O21 §4.1.3); so are its refresh tokens then."""
    redirect_uri = request.form.one("redirect_uri")
    # O21 dropped the parameter, every client still sends it: checked if there (PROTOCOL §5.2).
    if redirect_uri is not None and redirect_uri != code.redirect_uri:
        raise InvalidGrantError("`redirect_uri` is not the one the code was sent to")
    pkce.require_verifier(request.form.one("code_verifier"), code.code_challenge)
    require_code_key(code.jkt, request.jkt)
    jkt = key_of_family(request.known_client, request.jkt)
    if jkt is not None:
        family_store.bind_grant(tx, grant.id, jkt=jkt)
    return replace(grant, jkt=jkt)


def _asked(grant: Grant, request: TokenRequest, deps: OAuthDeps) -> tuple[ScopeName, ...]:  # noqa: ARG001
    """All that was consented to: a code request has no `scope` (O21 §4.1.3)."""
    return grant.scopes


def _event(made: Redemption) -> TokenIssued:
    token = made.token
    return TokenIssued(
        context=made.request.context,
        grant_type=GrantType.AUTHORIZATION_CODE.value,
        jti_digest=jti_digest(token.jti),
        resource=token.aud,
        requested=made.grant.scopes,
        granted=token.scopes,
        expires=token.exp,
        rules=made.ruling.rules,
        policy_version=made.ruling.policy_version,
        claims=claims_for_log(token),
        jkt=token.jkt,
        authorization_details=token.authorization_details,
        withheld=made.ruling.cut,
    )


_CODE = Credential(
    parameter="code",
    title="authorization code",
    reuse=RevokeReason.CODE_REUSED,
    spend=credential_store.consume_authorization_code,
    find=credential_store.find_authorization_code,
    check=_check,
    asked=_asked,
    event=_event,
)
