"""The public keys that verify our access tokens, for whoever verifies them elsewhere.

Caches may keep the set for a few minutes; a new key is published before it signs.

Source: RFC 7517 §5; RFC 8414 §2 (`jwks_uri`); RFC 9068 §4.
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from remit.oauth.deps import OAuthDeps
from remit.oauth.metadata import cacheable_json
from remit.tokens.rotation import JWKS_LIFETIME

__all__ = ["endpoint"]


def endpoint(deps: OAuthDeps) -> Callable[[Request], Awaitable[Response]]:
    """Answers the JWK set in force."""

    async def answer(request: Request) -> Response:
        return cacheable_json(request, deps.keys.public_jwks(), max_age=JWKS_LIFETIME)

    return answer
