"""What this authorization server tells clients about itself.

One document for RFC 8414 and OpenID Connect discovery, byte for byte the same. It
names only what works: registration only while the repository admits it, assertions only
where it trusts somebody with them, no `offline_access` (refresh tokens do not depend on
it, and clients that see it ask for consent each time), no scope that a guardrail forbids,
that a placeholder leaves open, or that no token says.

Source: RFC 8414 §2, §3; MCP D26, A26; RFC 9207 §3; CIMD §6; RFC 7662 §2; RFC 7009 §2.
"""

import hashlib
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from remit.canonical import Json, JsonObject, canonical_bytes
from remit.clock import Seconds
from remit.identity.session import ACR_VALUES
from remit.model import MANAGEMENT_SCOPES, Catalog, RegistrationMode
from remit.oauth.assertions.client_assertion import SIGNING_ALGORITHMS
from remit.oauth.client import AuthMethod, GrantType
from remit.oauth.deps import OAuthDeps
from remit.tokens.authorization_details import TOOL_CALL
from remit.tokens.dpop import DPOP_ALGORITHMS

__all__ = [
    "AUTHORIZATION_PATH",
    "INTROSPECTION_PATH",
    "JWKS_PATH",
    "REGISTRATION_PATH",
    "REVOCATION_PATH",
    "TOKEN_PATH",
    "cacheable_json",
    "endpoint",
    "server_metadata",
    "well_known_paths",
]

AUTHORIZATION_PATH = "/authorize"
TOKEN_PATH = "/token"  # noqa: S105  a path
REGISTRATION_PATH = "/register"
REVOCATION_PATH = "/revoke"
INTROSPECTION_PATH = "/introspect"
JWKS_PATH = "/jwks"

_WELL_KNOWN = ("oauth-authorization-server", "openid-configuration")
_MAX_AGE = Seconds(300)
_ID_JAG_PROFILE = "urn:ietf:params:oauth:grant-profile:id-jag"

_GRANTS = (
    GrantType.AUTHORIZATION_CODE,
    GrantType.REFRESH_TOKEN,
    GrantType.CLIENT_CREDENTIALS,
    GrantType.TOKEN_EXCHANGE,
)


def endpoint(deps: OAuthDeps) -> Callable[[Request], Awaitable[Response]]:
    """Answers the metadata document at every well-known path."""

    async def answer(request: Request) -> Response:
        document = server_metadata(deps.public_url, deps.directory.catalog)
        return cacheable_json(request, document, max_age=_MAX_AGE)

    return answer


def well_known_paths(public_url: str) -> tuple[str, ...]:
    """Where clients look for the document of this issuer; three places when it has a path (AS-02)."""
    path = urlsplit(public_url).path.rstrip("/")
    inserted = tuple(f"/.well-known/{name}{path}" for name in _WELL_KNOWN)
    return (*inserted, f"{path}/.well-known/openid-configuration") if path else inserted


def server_metadata(public_url: str, catalog: Catalog) -> JsonObject:
    """The document; `issuer` is `public_url` as it stands (AS-03)."""
    secret_methods: list[Json] = [
        AuthMethod.CLIENT_SECRET_BASIC.value,
        AuthMethod.CLIENT_SECRET_POST.value,
    ]
    proofs: list[Json] = [*secret_methods, AuthMethod.PRIVATE_KEY_JWT.value]
    methods: list[Json] = [AuthMethod.NONE.value, *proofs]
    algorithms: list[Json] = list(SIGNING_ALGORITHMS)
    document: dict[str, Json] = {
        "issuer": public_url,
        "authorization_endpoint": public_url + AUTHORIZATION_PATH,
        "token_endpoint": public_url + TOKEN_PATH,
        "jwks_uri": public_url + JWKS_PATH,
        "revocation_endpoint": public_url + REVOCATION_PATH,
        "introspection_endpoint": public_url + INTROSPECTION_PATH,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [grant.value for grant in _grants(catalog)],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": proofs,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "authorization_response_iss_parameter_supported": True,
        "dpop_signing_alg_values_supported": list(DPOP_ALGORITHMS),
        "client_id_metadata_document_supported": catalog.registration.metadata_documents,
        "scopes_supported": _scopes(catalog),
        "acr_values_supported": list(ACR_VALUES),
        "authorization_details_types_supported": [TOOL_CALL],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }
    if catalog.registration.mode is not RegistrationMode.OFF:
        document["registration_endpoint"] = public_url + REGISTRATION_PATH
    if any(issuer.id_jag for issuer in catalog.trust.issuers.values()):
        document["authorization_grant_profiles_supported"] = [_ID_JAG_PROFILE]
    return document


def cacheable_json(request: Request, document: JsonObject, *, max_age: Seconds) -> Response:
    """`document` for caches, or 304 when the one that the client has is still the same."""
    body = canonical_bytes(document)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"Cache-Control": f"public, max-age={max_age}", "ETag": tag}
    known = {entry.strip().removeprefix("W/") for entry in _if_none_match(request)}
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def _grants(catalog: Catalog) -> tuple[GrantType, ...]:
    """The grants that work: assertions do where the repository trusts somebody with them."""
    believed = any(one.workloads or one.id_jag for one in catalog.trust.issuers.values())
    return (*_GRANTS, GrantType.JWT_BEARER) if believed else _GRANTS


def _scopes(catalog: Catalog) -> list[Json]:
    forbidden = frozenset(catalog.guardrails.forbidden_scopes)
    # Those of the management API stand in its own metadata: a client that asks for all it reads
    # here, as some do, would ask every person for the keys to this house.
    return [
        name
        for name, scope in sorted(catalog.scopes.items())
        if not (scope.elevated or name in forbidden or "{" in name or name in MANAGEMENT_SCOPES)
    ]


def _if_none_match(request: Request) -> list[str]:
    return ",".join(request.headers.getlist("if-none-match")).split(",")
