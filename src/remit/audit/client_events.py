"""OAuth clients: how each became known, and what became of it. Re-exported by `audit.events`, which is where to import them from."""

from dataclasses import dataclass
from typing import ClassVar

from remit.audit.event import Durability, Event

__all__ = [
    "ClientApproved",
    "ClientDisabled",
    "ClientEnabled",
    "ClientMetadataFetched",
    "ClientQueued",
    "ClientRegistered",
    "ClientRegistrationRefused",
    "ClientRejected",
    "ClientRemoved",
    "ClientUpdated",
    "GuardrailViolated",
    "InitialAccessTokenCreated",
    "InitialAccessTokenRevoked",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRegistered(Event):
    """A client became known. `registration` is `dynamic`, `metadata_document` or `static`."""

    kind: ClassVar[str] = "client.registered"
    registration: str
    client_name: str
    redirect_uris: tuple[str, ...]
    grant_types: tuple[str, ...]
    token_endpoint_auth_method: str
    rule: str | None = None
    """The admission rule that let it in."""
    owner: str = ""
    environment: str | None = None
    expires: int | None = None
    initial_access_token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientUpdated(Event):
    """What a client says of itself changed; `changed` names the fields. Consent is asked again."""

    kind: ClassVar[str] = "client.updated"
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientMetadataFetched(Event):
    kind: ClassVar[str] = "client.cimd_fetched"
    durability: ClassVar[Durability] = Durability.ANSWER
    outcome: str
    document_digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRegistrationRefused(Event):
    kind: ClassVar[str] = "client.refused"
    durability: ClassVar[Durability] = Durability.ANSWER
    error: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientDisabled(Event):
    """An operator turned a client off: no request of its, and no token it holds, is good any more."""

    kind: ClassVar[str] = "client.disabled"
    reserved: ClassVar[bool] = True
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientEnabled(Event):
    kind: ClassVar[str] = "client.enabled"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientQueued(Event):
    """A client introduced itself and waits for an administrator's yes; until then it may do nothing."""

    kind: ClassVar[str] = "client.queued"
    registration: str
    client_name: str
    redirect_uris: tuple[str, ...]
    rule: str | None = None
    owner: str = ""
    environment: str | None = None
    initial_access_token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientApproved(Event):
    kind: ClassVar[str] = "client.approved"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRejected(Event):
    kind: ClassVar[str] = "client.rejected"
    reserved: ClassVar[bool] = True
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRemoved(Event):
    """`reason`: `unused`, `lifetime` or an administrator's words. Its grants ended."""

    kind: ClassVar[str] = "client.removed"
    reserved: ClassVar[bool] = True
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InitialAccessTokenCreated(Event):
    kind: ClassVar[str] = "registration.token_created"
    token_id: str
    owner: str
    environment: str | None
    uses: int
    expires: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InitialAccessTokenRevoked(Event):
    kind: ClassVar[str] = "registration.token_revoked"
    reserved: ClassVar[bool] = True
    token_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailViolated(Event):
    """Something asked for more than a guardrail lets anybody have, and was refused. An alert.

    `guardrail`: `scopes_per_token`, `forbidden_scope`, `region`, `environment`, `tenant`, `delegation_depth`.
    """

    kind: ClassVar[str] = "guardrail.violated"
    durability: ClassVar[Durability] = Durability.ANSWER
    guardrail: str
    detail: str
    resource: str | None = None
    requested: tuple[str, ...] = ()
