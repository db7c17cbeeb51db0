"""An elevation as it is kept: what people said yes to, for one call, once, for minutes.

Source: docs/adr/0025-cures.md.
"""

from dataclasses import dataclass

from remit.clock import EpochSeconds
from remit.ids import GrantId, ScopeName

__all__ = ["Elevation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Elevation:
    """One row. It can be used while `is_live`; of what was used, only by the retry of that very decision."""

    id: str
    approval: str
    grant_id: GrantId
    """The caller's own grant, below which it is."""
    own_grant: GrantId
    """The elevation as a grant."""
    digest: str
    roles: tuple[str, ...]
    acr: str | None
    confirmed_at: EpochSeconds | None
    scopes: tuple[ScopeName, ...]
    uses_left: int
    given_at: EpochSeconds
    expires_at: EpochSeconds
    used_at: EpochSeconds | None = None
    used_for: str | None = None
    """The decision that it admitted."""
    revoked_at: EpochSeconds | None = None

    def is_live(self, now: EpochSeconds) -> bool:
        """Whether it can still be spent, as far as its row says."""
        return self.uses_left > 0 and self.revoked_at is None and now < self.expires_at
