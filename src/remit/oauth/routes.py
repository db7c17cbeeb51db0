"""Where each endpoint of the authorization server stands.

The pages of people have no CORS; what clients call by script has it, without cookies.

Source: O21 §3; RFC 8414 §3; AS-09.
"""

from starlette.routing import Route

from remit.oauth import (
    authorize,
    consent_answer,
    continuation,
    introspection,
    jwks,
    metadata,
    registration,
    revocation,
    token,
)
from remit.oauth.connections import callback
from remit.oauth.deps import OAuthDeps
from remit.oauth.metadata import (
    AUTHORIZATION_PATH,
    INTROSPECTION_PATH,
    JWKS_PATH,
    REGISTRATION_PATH,
    REVOCATION_PATH,
    TOKEN_PATH,
)
from remit.web import cors_route

__all__ = ["routes"]


def routes(deps: OAuthDeps) -> list[Route]:
    """Every route of the authorization server, to be mounted at the root of its origin."""
    discovery = metadata.endpoint(deps)
    return [
        Route(AUTHORIZATION_PATH, authorize.endpoint(deps), methods=["GET", "POST"]),
        Route("/authorize/continue", continuation.endpoint(deps), methods=["GET"]),
        Route("/authorize/consent", consent_answer.endpoint(deps), methods=["POST"]),
        Route("/connections/{server}/callback", callback.endpoint(deps), methods=["GET"]),
        cors_route(TOKEN_PATH, token.endpoint(deps), methods=["POST"]),
        cors_route(REGISTRATION_PATH, registration.endpoint(deps), methods=["POST"]),
        cors_route(REVOCATION_PATH, revocation.endpoint(deps), methods=["POST"]),
        Route(INTROSPECTION_PATH, introspection.endpoint(deps), methods=["POST"]),
        cors_route(JWKS_PATH, jwks.endpoint(deps), methods=["GET"]),
        *(
            cors_route(path, discovery, methods=["GET"])
            for path in metadata.well_known_paths(deps.public_url)
        ),
    ]
