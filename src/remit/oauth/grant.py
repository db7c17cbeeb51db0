"""A grant: what one person allowed one client, or what a workload holds by itself.

Everything that is issued descends from a grant and dies with it: its code, its
refresh tokens, its access tokens (claim `sid`). A grant never widens; a wider
request makes another one.

Source: RFC 6749 §1.3; RFC 9700 §4.14.2 (the grant is the family of its refresh tokens).
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from remit.canonical import JsonObject
from remit.clock import EpochSeconds
from remit.ids import AgentId, ClientId, GrantId, ScopeName, TenantId, UserId
from remit.model import Environment
from remit.tokens import Delegate

__all__ = [
    "AuthorizationCode",
    "Grant",
    "GrantFilter",
    "GrantKind",
    "RefreshToken",
    "RevokeReason",
]


class GrantKind(StrEnum):
    """Who stands behind it."""

    USER = "user"
    WORKLOAD = "workload"
    ELEVATION = "elevation"
    """What people allowed of one call, below the grant it was made with; no token comes of it."""


class RevokeReason(StrEnum):
    """Why a grant ended before its time, when Remit itself decided so; operators give their own words."""

    CODE_REUSED = "authorization_code_reused"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"  # noqa: S105  a reason, not a password
    REVOKED_BY_CLIENT = "revoked_by_client"
    PARENT_ENDED = "parent_grant_ended"
    CONNECTION_WITHDRAWN = "connection_withdrawn"
    """The third-party account that the person allowed its server to use was disconnected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One grant as stored. `resource` is the canonical resource indicator of exactly one server."""

    id: GrantId
    kind: GrantKind
    user_id: UserId | None
    client_id: ClientId
    agent_id: AgentId
    tenant: TenantId
    environment: Environment
    resource: str
    scopes: tuple[ScopeName, ...]
    purpose: str
    auth_time: EpochSeconds | None
    acr: str | None
    amr: tuple[str, ...]
    created_at: EpochSeconds
    last_used_at: EpochSeconds
    expires_at: EpochSeconds
    revoked_at: EpochSeconds | None = None
    revoke_reason: str | None = None
    parent_id: GrantId | None = None
    """The grant whose token was exchanged for this one, or whose call this elevation is for; it ends when that one does."""
    actors: tuple[Delegate, ...] = ()
    """Who acts for its subject, the one that acts now first (RFC 8693 §4.1)."""
    authorization_details: tuple[JsonObject, ...] = ()
    """RFC 9396; each was checked. Empty: nothing narrower than the scopes."""
    jkt: str | None = None
    """The key its tokens are bound to, and for a public client its refresh tokens too (RFC 9449 §5)."""
    origin: str | None = None
    """Who vouched for its subject besides us: `iss` and `sub` of the assertion or upstream token, as one line."""

    def is_live(self, now: EpochSeconds) -> bool:
        """Whether tokens may still be issued from it."""
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantFilter:
    """Which grants are meant: those that match everything given. Empty means all."""

    user_id: UserId | None = None
    client_id: ClientId | None = None
    agent_id: AgentId | None = None
    tenant: TenantId | None = None
    live_at: EpochSeconds | None = None
    """Only grants from which tokens may be issued at that instant."""
    resource: str | None = None
    """Only of that server, by its resource indicator."""
    parent_id: GrantId | None = None
    """Only what was exchanged from that grant, and elevations of calls made with it."""
    kind: GrantKind | None = None
    before: tuple[EpochSeconds, GrantId] | None = None
    """Only those that come after it in a list, newest first: an earlier `created_at`, then a smaller `id`."""
    limit: int | None = None
    """At most so many; `None`: all."""

    def live(self, at: EpochSeconds) -> "GrantFilter":
        """The same, of live grants only."""
        return replace(self, live_at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationCode:
    """A code as stored: its digest, and all that it is bound to."""

    digest: str
    grant_id: GrantId
    client_id: ClientId
    redirect_uri: str
    code_challenge: str
    expires_at: EpochSeconds
    consumed_at: EpochSeconds | None = None
    jkt: str | None = None
    """The key that whoever redeems it must prove to have (`dpop_jkt`, RFC 9449 §10)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """A refresh token as stored: its digest and its family, which is the grant."""

    digest: str
    grant_id: GrantId
    issued_at: EpochSeconds
    expires_at: EpochSeconds
    used_at: EpochSeconds | None = None
