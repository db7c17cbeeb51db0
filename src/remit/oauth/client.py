"""An OAuth client as every endpoint sees it, however it came to be known.

Decides which credentials a client must show and which grants it may ask for.
Refuses nothing itself: a `Client` can only be built from metadata that passed
`client_metadata`, or from the policy repository.

Source: O21 §2 (client types), RFC 7591 §2 (metadata), CIMD §4.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from remit.canonical import JsonObject, canonical_bytes
from remit.clock import EpochSeconds
from remit.ids import AgentId, ClientId
from remit.model import ClientBounds, ClientKind

__all__ = [
    "AuthMethod",
    "Client",
    "ClientStatus",
    "GrantType",
    "fingerprint_of",
]


class AuthMethod(StrEnum):
    """How a client proves at the token endpoint that it is the one that registered."""

    NONE = "none"
    CLIENT_SECRET_BASIC = "client_secret_basic"  # noqa: S105  the name of a method
    CLIENT_SECRET_POST = "client_secret_post"  # noqa: S105
    PRIVATE_KEY_JWT = "private_key_jwt"

    @property
    def uses_secret(self) -> bool:
        """Whether a shared secret is what proves it."""
        return self in {AuthMethod.CLIENT_SECRET_BASIC, AuthMethod.CLIENT_SECRET_POST}


class GrantType(StrEnum):
    """The grants Remit knows today."""

    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105  the name of a grant
    CLIENT_CREDENTIALS = "client_credentials"
    TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105
    JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class ClientStatus(StrEnum):
    """Whether a client that introduced itself may do anything."""

    ADMITTED = "admitted"
    PENDING = "pending"
    """It waits for an administrator's yes, and may do nothing meanwhile."""
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One client: who it says it is, where its codes may go, and what proves that it is itself.

    `name` and the URIs are the client's own words, never verified. A confidential
    client has exactly one of `secret_digest` (dynamic: SHA-256 of the secret Remit
    made), `secret_reference` (static: `env:NAME` or `file:PATH`), `jwks` and `jwks_uri`
    (`private_key_jwt`: the public keys with which it signs).
    """

    client_id: ClientId
    kind: ClientKind
    agent_id: AgentId
    name: str
    redirect_uris: tuple[str, ...]
    grant_types: tuple[GrantType, ...]
    token_endpoint_auth_method: AuthMethod
    fingerprint: str
    """Digest of what the client says of itself and a person consents to."""
    secret_digest: str | None = None
    secret_reference: str | None = None
    jwks: JsonObject | None = None
    jwks_uri: str | None = None
    client_uri: str | None = None
    logo_uri: str | None = None
    """Kept as text; never fetched and never linked to from a page (CIMD §8.8)."""
    tos_uri: str | None = None
    policy_uri: str | None = None
    dpop_bound_access_tokens: bool = False
    """Whether it gets tokens only with a proof of possession (RFC 9449 §5.2)."""
    status: ClientStatus = ClientStatus.ADMITTED
    owner: str = ""
    """Who answers for it; empty for a client that nobody vouched for."""
    bounds: ClientBounds = ClientBounds()
    expires_at: EpochSeconds | None = None
    """When it is removed, used or not: the rule that admitted it gave it so long."""

    @property
    def is_confidential(self) -> bool:
        """Whether this client must authenticate (O21 §2.1)."""
        return self.token_endpoint_auth_method is not AuthMethod.NONE

    @property
    def consented(self) -> str:
        """Digest of what a person consents to; consent given under another one is asked again.

        Which agent it is belongs to it: the repository may give the client to another one.
        """
        return hashlib.sha256(f"{self.fingerprint} {self.agent_id}".encode()).hexdigest()

    @property
    def host(self) -> str | None:
        """For a metadata document, the host that vouches for it; shown beside the name (CIMD §8.5)."""
        if self.kind is not ClientKind.METADATA_DOCUMENT:
            return None
        return urlsplit(self.client_id).hostname

    def may_use(self, grant_type: GrantType) -> bool:
        """Whether the client registered for this grant (RFC 7591 §2)."""
        return grant_type in self.grant_types


def fingerprint_of(
    name: str,
    redirect_uris: Iterable[str],
    *,
    token_endpoint_auth_method: str,
    jwks: JsonObject | None = None,
    jwks_uri: str | None = None,
) -> str:
    """The SHA-256, in hexadecimal, over what a person consents to (CIMD §8.4).

    The order of redirect URIs does not count: it means nothing.
    """
    consented = {
        "name": name,
        "redirect_uris": sorted(redirect_uris),
        "token_endpoint_auth_method": token_endpoint_auth_method,
        "jwks": jwks,
        "jwks_uri": jwks_uri,
    }
    return hashlib.sha256(canonical_bytes(consented)).hexdigest()
