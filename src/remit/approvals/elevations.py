"""What people allowed, kept in the database, as the guard finds, spends and asks for it.

Refused when the database does not answer in time: what may have been spent is spent.

Source: docs/adr/0025-cures.md.
"""

from remit.approvals.deps import ApprovalDeps
from remit.guard.elevations import Asked, Elevated, Wanted

__all__ = ["DatabaseElevations"]


class DatabaseElevations:
    """`guard.elevations.Elevations`, over the tables of this room."""

    __slots__ = ("_deps",)

    def __init__(self, deps: ApprovalDeps) -> None:
        self._deps = deps

    async def found(self, wanted: Wanted) -> Elevated | None:
        """The elevation for this very call that can still be spent."""
        raise NotImplementedError

    async def spend(self, elevated: Elevated, wanted: Wanted) -> bool:
        """Spend it for `wanted.decision_id`; whether this was the one that could."""
        raise NotImplementedError

    async def ask(self, wanted: Wanted) -> Asked | None:
        """The request for this very call, made if there is none."""
        raise NotImplementedError
