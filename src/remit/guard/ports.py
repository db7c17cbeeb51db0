"""What the guard needs from the rest of Remit: read-only, in memory, never SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from remit.audit.redact import Redaction
from remit.canonical import JsonObject
from remit.clock import EpochSeconds
from remit.guard.definitions import Definitions
from remit.ids import AgentId, ClientId, GrantId, UserId
from remit.model import Argument, Catalog

__all__ = ["Directory", "Redactor", "Standing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Who may not act at the moment, however good their token looks.

    A snapshot, replaced whole. `as_of` is when the store was last known to agree
    with it; beyond a maximal age every call is refused.
    Revoked grants and tokens are kept until the longest access token issued
    before their revocation has expired.
    """

    as_of: EpochSeconds
    suspended_agents: frozenset[AgentId] = frozenset()
    disabled_users: frozenset[UserId] = frozenset()
    disabled_clients: frozenset[ClientId] = frozenset()
    revoked_grants: frozenset[GrantId] = frozenset()
    revoked_tokens: Mapping[str, EpochSeconds] = field(default_factory=lambda: MappingProxyType({}))
    """`jti` to the expiry of the token."""


class Directory(Protocol):
    """The snapshots a decision reads."""

    @property
    def catalog(self) -> Catalog:
        """What the policy repository in force declares."""
        ...

    @property
    def standing(self) -> Standing:
        """Who may not act at the moment."""
        ...

    @property
    def definitions(self) -> Definitions:
        """What was admitted of the servers' things, and what waits for review."""
        ...


class Redactor(Protocol):
    """What the log may keep of arguments; `audit.redact.Redactor` is one."""

    def redact(
        self, arguments: "JsonObject | None", *, tenant: str | None, rules: Sequence[Argument] = ()
    ) -> Redaction:
        """What may be kept of `arguments`, and a keyed digest of all they were."""
        ...
