"""Where another authorization server has its endpoints, by its own word, and nobody else's.

The document is looked for under the issuer identifier, and believed only when it names that very
issuer, byte for byte. Refused: an endpoint that may not be asked within reach, and a document
that lacks what the flow needs. An OpenID provider is looked up by OpenID discovery alone; an OAuth
server by RFC 8414 first.

Source: OpenID Connect Discovery §3, §4; RFC 8414 §3; RFC 9207 §2.4; MCP 2026-07-28 authorization server discovery.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from remit.canonical import JsonObject
from remit.tokens.foreign_keys import ASYMMETRIC_ALGORITHMS
from remit.tokens.published import IssuerUnavailableError, Published
from remit.web.fetch import FetchRefusedError, Reach
from remit.web.reach import destination_of

__all__ = ["IssuerMetadata", "discover_authorization_server", "discover_openid_provider"]

_ISSUER = re.compile(r"https?://[^?#\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerMetadata:
    """What the document of `issuer` says, as far as we use it. Every URL may be asked within reach."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str | None
    userinfo_endpoint: str | None
    revocation_endpoint: str | None
    end_session_endpoint: str | None
    authentication_methods: tuple[str, ...]
    """How a client may authenticate at the token endpoint."""
    revocation_methods: tuple[str, ...]
    signing_algorithms: tuple[str, ...]
    """Asymmetric ones that its ID tokens may be signed with."""
    sends_iss: bool
    """Whether every authorization response of it carries `iss` (RFC 9207 §3)."""


async def discover_openid_provider(
    published: Published, issuer: str, *, reach: Reach
) -> IssuerMetadata:
    """The metadata of an OpenID provider.

    Raises:
        IssuerUnavailableError: it cannot be had, or is not that issuer's.
    """
    url = f"{_checked(issuer).removesuffix('/')}/.well-known/openid-configuration"
    found = _metadata(await published.document(url, reach=reach), issuer, reach)
    if found.jwks_uri is None:
        raise IssuerUnavailableError("the metadata of the issuer lacks `jwks_uri`")
    return found


async def discover_authorization_server(
    published: Published, issuer: str, *, reach: Reach
) -> IssuerMetadata:
    """The metadata of an OAuth authorization server: by RFC 8414, else by OpenID discovery.

    Raises:
        IssuerUnavailableError: it cannot be had, or is not that issuer's.
    """
    parts = urlsplit(_checked(issuer))
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.removesuffix("/")
    places = (
        f"{origin}/.well-known/oauth-authorization-server{path}",
        f"{issuer.removesuffix('/')}/.well-known/openid-configuration",
    )
    try:
        document = await published.document(places[0], reach=reach)
    except IssuerUnavailableError:
        document = await published.document(places[1], reach=reach)
    return _metadata(document, issuer, reach)


def _checked(issuer: str) -> str:
    if _ISSUER.fullmatch(issuer) is None:
        raise IssuerUnavailableError("the issuer is not a URL without query and fragment")
    return issuer


def _metadata(document: JsonObject, issuer: str, reach: Reach) -> IssuerMetadata:
    if document.get("issuer") != issuer:
        # Another's document at this place: its endpoints would get the code (mix-up).
        raise IssuerUnavailableError("the metadata found there is of another issuer")
    methods = _texts(document, "token_endpoint_auth_methods_supported", ("client_secret_basic",))
    algorithms = _texts(document, "id_token_signing_alg_values_supported", ("RS256",))
    return IssuerMetadata(
        issuer=issuer,
        authorization_endpoint=_required(document, "authorization_endpoint", reach),
        token_endpoint=_required(document, "token_endpoint", reach),
        jwks_uri=_url(document, "jwks_uri", reach),
        userinfo_endpoint=_url(document, "userinfo_endpoint", reach),
        revocation_endpoint=_url(document, "revocation_endpoint", reach),
        end_session_endpoint=_url(document, "end_session_endpoint", reach),
        authentication_methods=methods,
        revocation_methods=_texts(
            document, "revocation_endpoint_auth_methods_supported", ("client_secret_basic",)
        ),
        signing_algorithms=tuple(one for one in algorithms if one in ASYMMETRIC_ALGORITHMS),
        sends_iss=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _required(document: JsonObject, name: str, reach: Reach) -> str:
    url = _url(document, name, reach)
    if url is None:
        raise IssuerUnavailableError(f"the metadata of the issuer lacks `{name}`")
    return url


def _url(document: JsonObject, name: str, reach: Reach) -> str | None:
    value = document.get(name)
    if value is None:
        return None
    try:
        destination_of(value if isinstance(value, str) else "", reach)
    except FetchRefusedError as error:
        raise IssuerUnavailableError(
            f"`{name}` in the metadata of the issuer is not a URL within reach", cause=error
        ) from error
    return str(value)


def _texts(document: JsonObject, name: str, usual: tuple[str, ...]) -> tuple[str, ...]:
    value = document.get(name)
    if not isinstance(value, list):
        return usual
    return tuple(one for one in value if isinstance(one, str))
