"""What a client may say of itself, by registration or in a metadata document.

Decides which metadata Remit takes: what it does not know it leaves out, as both
standards oblige; what contradicts itself or would weaken the client is refused.
Nothing that a URI in the metadata names is ever fetched.

Source: RFC 7591 §2, §2.1; CIMD §4, §4.1; O21 §2.3; MCP R26 (`application_type`).
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from remit.canonical import Json, JsonObject
from remit.oauth.client import AuthMethod, GrantType, fingerprint_of
from remit.oauth.errors import InvalidClientMetadataError, InvalidRedirectUriError
from remit.oauth.redirect_uri import check_redirect_uri

__all__ = [
    "ClientMetadata",
    "metadata_of_json",
    "metadata_to_json",
    "parse_document",
    "parse_registration",
]

_MAX_REDIRECT_URIS = 20
_MAX_LIST = 32
_MAX_NAME = 200
_MAX_URI = 2048
_OFFERED = (
    GrantType.AUTHORIZATION_CODE,
    GrantType.REFRESH_TOKEN,
    GrantType.TOKEN_EXCHANGE,
    GrantType.JWT_BEARER,
)
"""What a client that introduces itself may have at most; `client_credentials` takes the repository (AS-60)."""
_PRIVATE_JWK_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_WEB_URI = re.compile(r"https?://[A-Za-z0-9\[][A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*")
_JOINERS = frozenset("\u200c\u200d")  # part of ordinary words in several scripts


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientMetadata:
    """The metadata that was taken, in the standard's own terms. `client_name` may be empty."""

    client_name: str
    redirect_uris: tuple[str, ...]
    grant_types: tuple[GrantType, ...]
    token_endpoint_auth_method: AuthMethod
    application_type: str
    jwks: JsonObject | None = None
    jwks_uri: str | None = None
    client_uri: str | None = None
    logo_uri: str | None = None
    tos_uri: str | None = None
    policy_uri: str | None = None
    software_id: str | None = None
    software_version: str | None = None
    dpop_bound_access_tokens: bool = False

    @property
    def fingerprint(self) -> str:
        """The digest of what a person consents to."""
        return fingerprint_of(
            self.client_name,
            self.redirect_uris,
            token_endpoint_auth_method=self.token_endpoint_auth_method.value,
            jwks=self.jwks,
            jwks_uri=self.jwks_uri,
        )

    @property
    def binding(self) -> JsonObject:
        """Where codes go and what proves the client: what no grant outlives a change of (CIMD §8.4)."""
        return {
            "redirect_uris": list[Json](sorted(self.redirect_uris)),
            "token_endpoint_auth_method": self.token_endpoint_auth_method.value,
            "jwks": self.jwks,
            "jwks_uri": self.jwks_uri,
            "dpop_bound_access_tokens": self.dpop_bound_access_tokens,
        }


def parse_registration(document: JsonObject, *, schemes: Collection[str]) -> ClientMetadata:
    """The metadata of a registration request. `schemes` are the private-use schemes admitted.

    Raises:
        InvalidRedirectUriError: a redirect URI that nobody may register.
        InvalidClientMetadataError: anything else that is not taken.
    """
    method = _text(document, "token_endpoint_auth_method", limit=64)
    # RFC 7591 §2: omitted means `client_secret_basic`; the Python SDK counts on it.
    return _parse(
        document,
        schemes=schemes,
        method=_auth_method(method) if method else AuthMethod.CLIENT_SECRET_BASIC,
    )


def parse_document(document: JsonObject, *, schemes: Collection[str]) -> ClientMetadata:
    """The metadata of a client metadata document: no secrets, no private keys, a name (CIMD §4.1).

    Raises:
        InvalidRedirectUriError: a redirect URI that nobody may register.
        InvalidClientMetadataError: anything else that is not taken.
    """
    for name in ("client_secret", "client_secret_expires_at"):
        if name in document:
            raise InvalidClientMetadataError(f"a metadata document may not hold `{name}`")
    method = _text(document, "token_endpoint_auth_method", limit=64)
    if method is not None and method.startswith("client_secret"):
        raise InvalidClientMetadataError(
            f"a metadata document may not declare `{_shown(method)}`: everyone can read it"
        )
    if method is None and (document.get("jwks") or document.get("jwks_uri")):
        # INVARIANT: a client with keys is never taken for one without (AS-50).
        raise InvalidClientMetadataError("keys are declared without `token_endpoint_auth_method`")
    metadata = _parse(
        document,
        schemes=schemes,
        method=AuthMethod.NONE if method is None else _auth_method(method),
    )
    if not metadata.client_name:
        raise InvalidClientMetadataError("`client_name` is required")
    return metadata


def metadata_to_json(metadata: ClientMetadata) -> JsonObject:
    """`metadata` as RFC 7591 names it: what is stored and echoed. Absent members stay absent."""
    document: dict[str, Json] = {
        "redirect_uris": list(metadata.redirect_uris),
        "grant_types": [grant.value for grant in metadata.grant_types],
        "response_types": ["code"],
        "token_endpoint_auth_method": metadata.token_endpoint_auth_method.value,
        "application_type": metadata.application_type,
    }
    optional: Mapping[str, Json] = {
        "client_name": metadata.client_name or None,
        "jwks": metadata.jwks,
        "jwks_uri": metadata.jwks_uri,
        "client_uri": metadata.client_uri,
        "logo_uri": metadata.logo_uri,
        "tos_uri": metadata.tos_uri,
        "policy_uri": metadata.policy_uri,
        "software_id": metadata.software_id,
        "software_version": metadata.software_version,
        "dpop_bound_access_tokens": metadata.dpop_bound_access_tokens or None,
    }
    document.update({name: value for name, value in optional.items() if value is not None})
    return document


def metadata_of_json(document: JsonObject) -> ClientMetadata:
    """What `metadata_to_json` wrote; for our own store only, since nothing is checked again."""
    jwks = document.get("jwks")
    return ClientMetadata(
        client_name=_text(document, "client_name", limit=_MAX_NAME) or "",
        redirect_uris=tuple(_texts(document, "redirect_uris") or ()),
        grant_types=tuple(GrantType(name) for name in _texts(document, "grant_types") or ()),
        token_endpoint_auth_method=AuthMethod(str(document["token_endpoint_auth_method"])),
        application_type=_text(document, "application_type", limit=16) or "native",
        jwks=jwks if isinstance(jwks, dict) else None,
        jwks_uri=_text(document, "jwks_uri", limit=_MAX_URI),
        client_uri=_text(document, "client_uri", limit=_MAX_URI),
        logo_uri=_text(document, "logo_uri", limit=_MAX_URI),
        tos_uri=_text(document, "tos_uri", limit=_MAX_URI),
        policy_uri=_text(document, "policy_uri", limit=_MAX_URI),
        software_id=_text(document, "software_id", limit=_MAX_NAME),
        software_version=_text(document, "software_version", limit=_MAX_NAME),
        dpop_bound_access_tokens=document.get("dpop_bound_access_tokens") is True,
    )


def _parse(document: JsonObject, *, schemes: Collection[str], method: AuthMethod) -> ClientMetadata:
    application_type = _application_type(document)
    jwks, jwks_uri = _keys(document)
    if method is AuthMethod.PRIVATE_KEY_JWT and not (jwks_uri or (jwks and jwks["keys"])):
        raise InvalidClientMetadataError("`private_key_jwt` takes `jwks` or `jwks_uri`")
    return ClientMetadata(
        client_name=_label(document, "client_name") or "",
        redirect_uris=_redirect_uris(document, schemes=schemes, web_only=application_type == "web"),
        grant_types=_grant_types(document),
        token_endpoint_auth_method=method,
        application_type=application_type,
        jwks=jwks,
        jwks_uri=jwks_uri,
        client_uri=_web_uri(document, "client_uri"),
        logo_uri=_web_uri(document, "logo_uri"),
        tos_uri=_web_uri(document, "tos_uri"),
        policy_uri=_web_uri(document, "policy_uri"),
        software_id=_label(document, "software_id"),
        software_version=_label(document, "software_version"),
        dpop_bound_access_tokens=_flag(document, "dpop_bound_access_tokens"),
    )


def _auth_method(method: str) -> AuthMethod:
    try:
        return AuthMethod(method)
    except ValueError:
        raise InvalidClientMetadataError(
            f"token_endpoint_auth_method `{_shown(method)}` is not supported yet"
        ) from None


def _application_type(document: JsonObject) -> str:
    """AS-75: absent means `native`, since MCP clients mostly run on the person's machine."""
    application_type = _text(document, "application_type", limit=64) or "native"
    if application_type not in {"native", "web"}:
        raise InvalidClientMetadataError("`application_type` is `native` or `web`")
    return application_type


def _redirect_uris(
    document: JsonObject, *, schemes: Collection[str], web_only: bool
) -> tuple[str, ...]:
    uris = _texts(document, "redirect_uris")
    if not uris:
        raise InvalidRedirectUriError("`redirect_uris` is required")
    if len(uris) > _MAX_REDIRECT_URIS:
        raise InvalidRedirectUriError(f"more than {_MAX_REDIRECT_URIS} redirect URIs")
    for uri in uris:
        check_redirect_uri(uri, schemes=schemes, web_only=web_only)
    return tuple(dict.fromkeys(uris))


def _grant_types(document: JsonObject) -> tuple[GrantType, ...]:
    """Those of the client's grants that it can have; it must have a use for the code flow.

    RFC 7591 §2 lets us replace values. Clients in the field list grants in the
    hope of them (VS Code: the device flow), so what is not offered is left out.
    """
    requested = _texts(document, "grant_types")
    asked = ["authorization_code"] if requested is None else requested
    responses = _texts(document, "response_types")
    grants = tuple(grant for grant in _OFFERED if grant.value in asked)
    if GrantType.AUTHORIZATION_CODE not in grants:
        raise InvalidClientMetadataError("`grant_types` must hold `authorization_code`")
    if responses is not None and "code" not in responses:
        raise InvalidClientMetadataError("`response_types` must hold `code`")
    return grants


def _keys(document: JsonObject) -> tuple[JsonObject | None, str | None]:
    jwks = document.get("jwks")
    jwks_uri = _text(document, "jwks_uri", limit=_MAX_URI)
    if jwks is not None and jwks_uri is not None:
        raise InvalidClientMetadataError("`jwks` and `jwks_uri` exclude each other")
    if jwks_uri is not None and not jwks_uri.startswith("https://"):
        raise InvalidClientMetadataError("`jwks_uri` must be an https URL")
    if jwks is None:
        return None, jwks_uri
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(jwks, dict) or not isinstance(keys, list) or len(keys) > _MAX_LIST:
        raise InvalidClientMetadataError("`jwks` is not a JWK set")
    for key in keys:
        if not isinstance(key, dict) or _PRIVATE_JWK_MEMBERS & key.keys():
            raise InvalidClientMetadataError("`jwks` holds something other than public keys")
    return {"keys": keys}, None


def _web_uri(document: JsonObject, name: str) -> str | None:
    value = _text(document, name, limit=_MAX_URI)
    if value is not None and _WEB_URI.fullmatch(value) is None:
        raise InvalidClientMetadataError(f"`{name}` is not a web address")
    return value


def _label(document: JsonObject, name: str) -> str | None:
    """A text that people see: no control characters, nothing that turns the text around it."""
    value = _text(document, name, limit=_MAX_NAME)
    if value is not None and any(
        unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
        and character not in _JOINERS
        for character in value
    ):
        raise InvalidClientMetadataError(f"`{name}` holds a character that is not text")
    return None if value is None else value.strip() or None


def _flag(document: JsonObject, name: str) -> bool:
    value = document.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidClientMetadataError(f"`{name}` is not true or false")
    return value is True


def _text(document: JsonObject, name: str, *, limit: int) -> str | None:
    """A member that is a text; null and empty count as absent, as SDKs mean them."""
    value = document.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise InvalidClientMetadataError(f"`{name}` is not a string")
    if len(value) > limit:
        raise InvalidClientMetadataError(f"`{name}` has more than {limit} characters")
    return value


def _texts(document: JsonObject, name: str) -> list[str] | None:
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, list):
        raise _malformed(name)
    texts = [item for item in value if isinstance(item, str)]
    if len(texts) != len(value) or len(value) > _MAX_LIST:
        raise _malformed(name)
    return texts


def _malformed(name: str) -> InvalidClientMetadataError | InvalidRedirectUriError:
    error = InvalidRedirectUriError if name == "redirect_uris" else InvalidClientMetadataError
    return error(f"`{name}` is not a list of at most {_MAX_LIST} strings")


def _shown(text: str) -> str:
    return "".join(character if " " < character <= "~" else "?" for character in text[:64])
