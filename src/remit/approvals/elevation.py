"""An elevation as it is kept: what people said yes to, for one call, once, for minutes.

Source: docs/adr/0025-cures.md.
"""

from dataclasses import dataclass, replace

from remit.clock import EpochSeconds
from remit.ids import GrantId, ScopeName

__all__ = ["Elevation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Elevation:
    """One row. It can be used while `is_live`; of what was used, only by the retry of that very decision."""

    id: str
    """Also the id of it as a grant."""
    approval: str
    grant_id: GrantId
    """The caller's own grant, below which it is."""
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

    @property
    def grant(self) -> GrantId:
        """The elevation as a grant of its own."""
        return GrantId(self.id)

    def joined(self, held: "Elevation") -> "Elevation":
        """This one, and what people had said before of the same call. Who confirmed last counts, as they were then."""
        confirmed = self if self.confirmed_at is not None else held
        return replace(
            self,
            roles=tuple(dict.fromkeys((*held.roles, *self.roles))),
            acr=confirmed.acr,
            confirmed_at=confirmed.confirmed_at,
            scopes=tuple(dict.fromkeys((*held.scopes, *self.scopes))),
        )
