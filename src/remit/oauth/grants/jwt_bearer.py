"""A token for whom a trusted issuer vouches for: a workload, or a person of an enterprise.

Source: RFC 7523 §2.1.
"""

from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import UnsupportedGrantTypeError
from remit.oauth.issued_tokens import IssuedTokens
from remit.oauth.token_request import TokenRequest

__all__ = ["issue"]


async def issue(deps: OAuthDeps, request: TokenRequest) -> IssuedTokens:  # noqa: ARG001
    """The token.

    Raises:
        OAuthError, TokenRefusalError: refused; nothing changed.
    """
    raise UnsupportedGrantTypeError("`grant_type` is not supported")
