"""PKCE, S256 only, required of every client.

`plain` is refused, and so is a request without a challenge: a code that is not
bound to a secret of the browser's own client can be injected (RFC 9700 §4.5).

Source: RFC 7636 §4.1, §4.2, §4.6; O21 §4.1.1, §4.1.3.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode

from remit.oauth.errors import InvalidGrantError, InvalidRequestError

__all__ = ["challenge_for", "require_challenge", "require_verifier"]

# RFC 7636 §4.2: the base64url of 32 octets without padding; the last of 43 characters carries
# four bits, so only these can end it.
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
# RFC 7636 §4.1: 43*128unreserved
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def require_challenge(code_challenge: str | None, code_challenge_method: str | None) -> str:
    """The challenge of an authorization request.

    Raises:
        InvalidRequestError: it is missing or no SHA-256, or the method is not `S256`.
    """
    if code_challenge is None:
        raise InvalidRequestError("`code_challenge` is required")
    if code_challenge_method is None:
        # An absent method means `plain` (RFC 7636 §4.3), which is prohibited.
        raise InvalidRequestError("`code_challenge_method` is required and must be `S256`")
    if code_challenge_method != "S256":
        raise InvalidRequestError("`code_challenge_method` must be `S256`")
    if _CHALLENGE.fullmatch(code_challenge) is None:
        raise InvalidRequestError("`code_challenge` is not the base64url of a SHA-256")
    return code_challenge


def require_verifier(code_verifier: str | None, code_challenge: str) -> None:
    """Pass only the verifier whose challenge this is, compared in constant time.

    Raises:
        InvalidRequestError: it is missing or not 43 to 128 unreserved characters.
        InvalidGrantError: it is another challenge's.
    """
    if code_verifier is None:
        raise InvalidRequestError("`code_verifier` is required")
    if _VERIFIER.fullmatch(code_verifier) is None:
        raise InvalidRequestError("`code_verifier` is not 43 to 128 unreserved characters")
    if not hmac.compare_digest(challenge_for(code_verifier), code_challenge):
        raise InvalidGrantError("`code_verifier` does not match the request")


def challenge_for(code_verifier: str) -> str:
    """The S256 challenge of a verifier: base64url(SHA-256(ASCII(verifier))), unpadded."""
    hashed = hashlib.sha256(code_verifier.encode("ascii")).digest()
    return urlsafe_b64encode(hashed).rstrip(b"=").decode()
