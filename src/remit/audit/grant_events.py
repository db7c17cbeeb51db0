"""What the authorization server granted, refused and took back. Re-exported by `audit.events`, which is where to import them from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from remit.audit.event import Durability, Event
from remit.canonical import Json

__all__ = [
    "AuthorizationCodeIssued",
    "AuthorizationRefused",
    "ConsentDenied",
    "ConsentGranted",
    "ConsentPresented",
    "GrantRevoked",
    "RefreshTokenReused",
    "TokenIssued",
    "TokenRefreshed",
    "TokenRefused",
    "TokenRevoked",
]

_NOTHING: Mapping[str, Json] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRefused(Event):
    """An authorization request was refused, on a page or by redirect."""

    kind: ClassVar[str] = "authorization.refused"
    durability: ClassVar[Durability] = Durability.ANSWER
    error: str
    detail: str
    resource: str | None = None
    requested: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    policy_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGranted(Event):
    """`shown_digest` is the SHA-256 of the text of the page the person said yes to."""

    kind: ClassVar[str] = "consent.granted"
    resource: str
    requested: tuple[str, ...]
    granted: tuple[str, ...]
    shown_digest: str
    locale: str = "en"
    authorization_details: tuple[Mapping[str, Json], ...] = ()
    withheld: tuple[str, ...] = ()
    """What was asked and could not be had: the scope and, in brackets, why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentDenied(Event):
    kind: ClassVar[str] = "consent.denied"
    resource: str
    requested: tuple[str, ...]
    shown_digest: str
    locale: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentPresented(Event):
    """A person was shown what a client asks of them. `shown_digest` is the SHA-256 of those words.

    `offered` is what they may tick; `withheld` what was asked and cannot be had: the scope and, in brackets, why.
    """

    kind: ClassVar[str] = "consent.presented"
    durability: ClassVar[Durability] = Durability.ANSWER
    resource: str
    requested: tuple[str, ...]
    offered: tuple[str, ...]
    withheld: tuple[str, ...]
    shown_digest: str
    locale: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationCodeIssued(Event):
    kind: ClassVar[str] = "code.issued"
    resource: str
    scopes: tuple[str, ...]
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenIssued(Event):
    """An access token was minted. `jti_digest` lets a token be matched without being kept."""

    kind: ClassVar[str] = "token.issued"
    grant_type: str
    jti_digest: str
    resource: str
    requested: tuple[str, ...]
    granted: tuple[str, ...]
    expires: int
    rules: tuple[str, ...] = ()
    policy_version: str | None = None
    claims: Mapping[str, Json] = field(default_factory=lambda: _NOTHING)
    jkt: str | None = None
    authorization_details: tuple[Mapping[str, Json], ...] = ()
    parent_grant_id: str | None = None
    """The grant whose token was exchanged for this one."""
    actors: tuple[str, ...] = ()
    issuer: str | None = None
    """Who vouched for the subject, when it was not us; `subject_digest` is whom it named."""
    subject_digest: str | None = None
    rule: str | None = None
    """The trust rule that matched."""
    withheld: tuple[str, ...] = ()
    """What was asked and could not be had: the scope and, in brackets, why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRefreshed(Event):
    """A refresh token was turned into the next one, and an access token minted with it."""

    kind: ClassVar[str] = "token.refreshed"
    jti_digest: str
    resource: str
    granted: tuple[str, ...]
    expires: int
    rules: tuple[str, ...] = ()
    policy_version: str | None = None
    claims: Mapping[str, Json] = field(default_factory=lambda: _NOTHING)
    jkt: str | None = None
    authorization_details: tuple[Mapping[str, Json], ...] = ()
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRefused(Event):
    """The token endpoint refused: `error` is the standard's code, `detail` what was said."""

    kind: ClassVar[str] = "token.refused"
    durability: ClassVar[Durability] = Durability.ANSWER
    grant_type: str | None
    error: str
    detail: str
    rules: tuple[str, ...] = ()
    policy_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRevoked(Event):
    """One token was revoked by its holder. A refresh token takes its grant with it: `grant.revoked`."""

    kind: ClassVar[str] = "token.revoked"
    reserved: ClassVar[bool] = True
    token_type: str
    jti_digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshTokenReused(Event):
    """A refresh token or code came a second time: stolen, or a client in error. Its grant is revoked."""

    kind: ClassVar[str] = "token.reuse_detected"
    reserved: ClassVar[bool] = True
    credential: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRevoked(Event):
    """A grant and everything that descends from it ended."""

    kind: ClassVar[str] = "grant.revoked"
    reserved: ClassVar[bool] = True
    reason: str
