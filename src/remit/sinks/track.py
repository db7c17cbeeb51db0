"""How far one sink has come in one log, as whoever carries it there knows.

What the receiver has is known at once, and written down a little later: after a crash what lies between is sent again,
under the same ids. What it never gets is kept here until the log says so.
"""

import asyncio
from dataclasses import dataclass, field, replace

from remit.sinks.cursor_store import Cursor
from remit.sinks.loading import Load

__all__ = ["Track"]


@dataclass(slots=True)
class Track:
    """`cursor` as the database has it, `reached` as the receiver has it."""

    cursor: Cursor
    reached: int
    noted_at: float = 0.0
    gaps: list[tuple[int, int]] = field(default_factory=list)
    """What the receiver never gets, from the first to the last, while the log does not say so."""
    ready: Load | None = None
    """What goes out next as it is: what is tried again is not made again."""
    held: Load | None = None
    """What is kept back until there is more of it."""
    ahead: "asyncio.Future[Load] | None" = None
    """What goes out after that, while it is being made."""

    def miss(self, first: int, last: int) -> None:
        """The receiver never gets these. What follows at once on another gap is one with it."""
        if self.gaps and self.gaps[-1][1] + 1 == first:
            first = self.gaps.pop()[0]
        self.gaps.append((first, last))

    def keep(self, found: Load, *, most: int | None = None) -> None:
        """Have what is left of `found` go out next, at most so many of it."""
        left = tuple(one for one in found.shipments if one.sequence >= self.reached)
        if most is not None and len(left) > most:
            left = left[:most]
            found = replace(found, after=left[-1].sequence + 1, more=True)
        self.ready = replace(found, shipments=left) if left else None

    def take_ahead(self) -> "asyncio.Future[Load] | None":
        """What was made ahead, if anything was."""
        ahead, self.ahead = self.ahead, None
        return ahead

    def renew(self, cursor: Cursor) -> None:
        """It is held for longer."""
        self.cursor = replace(self.cursor, held_until=cursor.held_until)

    def note(self, cursor: Cursor, gaps: int) -> None:
        """The database has it so, and the log says so of the first `gaps`."""
        del self.gaps[:gaps]
        self.cursor = replace(cursor, held_until=self.cursor.held_until)
        self.noted_at = asyncio.get_running_loop().time()
