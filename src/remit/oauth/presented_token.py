"""Which of our tokens somebody shows us, to ask about it or to end it.

Recognises access tokens by their signature and refresh tokens by their digest.
Nothing else is known: not a token of another issuer, not one that has expired.

Source: RFC 7009 §2.1; RFC 7662 §2.1 (a hint is a hint: the other kind is tried too).
"""

import re
from base64 import urlsafe_b64decode

from remit.canonical import MalformedJsonError, parse_object
from remit.db import Transaction
from remit.ids import digest
from remit.oauth import credential_store
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import InvalidRequestError
from remit.oauth.grant import RefreshToken
from remit.tokens import AccessToken, InvalidTokenError
from remit.web import Params

__all__ = ["access_token_shown", "refresh_token_shown", "required_token"]

_COMPACT = re.compile(r"[A-Za-z0-9_\-]+\.([A-Za-z0-9_\-]+)\.[A-Za-z0-9_\-]+")
_MAX_LENGTH = 8_192


def required_token(form: Params) -> str:
    """The parameter `token`.

    Raises:
        InvalidRequestError: it is missing.
    """
    token = form.one("token")
    if token is None:
        raise InvalidRequestError("`token` is required")
    return token


def access_token_shown(deps: OAuthDeps, token: str) -> AccessToken | None:
    """The access token, if it is one of ours and has not expired, whatever resource it is for."""
    audience = _claimed_audience(token)
    if audience is None:
        return None
    try:
        # The audience is the token's own claim, so this asks for signature, issuer and times.
        return deps.verifier.verify(token, audience=audience)
    except InvalidTokenError:
        return None


def refresh_token_shown(tx: Transaction, token: str) -> RefreshToken | None:
    """The refresh token, spent or not, if it is one of ours."""
    return credential_store.find_refresh_token(tx, digest(token))


def _claimed_audience(token: str) -> str | None:
    match = _COMPACT.fullmatch(token) if len(token) <= _MAX_LENGTH else None
    if match is None or len(match[1]) % 4 == 1:
        return None
    try:
        claims = parse_object(urlsafe_b64decode(match[1] + "=" * (-len(match[1]) % 4)))
    except (MalformedJsonError, ValueError):
        return None
    audience = claims.get("aud")
    return audience if isinstance(audience, str) else None
