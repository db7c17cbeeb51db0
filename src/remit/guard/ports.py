"""What the guard needs from the rest of Remit: read-only, in memory, never SQL; but for what `Past` counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from remit.audit.redact import Redaction
from remit.audit.ruling import Ruling
from remit.canonical import JsonObject
from remit.clock import EpochSeconds
from remit.guard.definitions import Definitions
from remit.guard.use import Use
from remit.ids import AgentId, ClientId, GrantId, UserId
from remit.model import Catalog
from remit.policy.history import History

__all__ = ["Directory", "Past", "Redactor", "Standing"]


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
        self, arguments: "JsonObject | None", *, tenant: str | None, ruling: Ruling | None = None
    ) -> Redaction:
        """What may be kept of `arguments` by `ruling`, and a keyed digest of all they were."""
        ...

    def seal(
        self, content: bytes, *, decision: str, tenant: str, subject: str | None = None
    ) -> str | None:
        """`content` as it may stand in the record of that decision; `None` where nothing can be sealed, or so much.

        `subject` is whom it is about: whose key it is sealed under.
        """
        ...


class Past(Protocol):
    """What was done before. The one port that writes, and that is waited for."""

    async def come_to(self, use: Use) -> History:
        """Count `use`, and say what the facts that it is told of come to with it, in one step.

        Whoever gives up waiting has left nothing behind that counts, if that can be helped.

        Raises:
            PastUnavailableError: it is not known; it may have been counted all the same.
        """
        ...

    async def take_back(self, use: Use) -> None:
        """Let `use` count no longer. Never raises: what cannot be taken back counts.

        Returns within a few seconds though it is not done by then; it goes on, and the use counts until it is.
        """
        ...
