"""What a call is decided on: the snapshots, each read once, and the second at which they were read.

Every step of a call sees the same world. When the call was waited for, it can be told at a glance whether
another is there by now: nobody changes a snapshot, it is replaced whole.
"""

from dataclasses import dataclass

from remit.clock import Clock, EpochSeconds
from remit.guard.definitions import Definitions
from remit.guard.ports import Directory, Standing
from remit.model import Catalog

__all__ = ["Footing", "footing_of"]


@dataclass(frozen=True, slots=True)
class Footing:
    """INVARIANT: these are the very objects that the steps of the call look at, and `now` is no later than they do."""

    catalog: Catalog
    standing: Standing
    definitions: Definitions
    now: EpochSeconds


def footing_of(directory: Directory, clock: Clock) -> Footing:
    """What a call that comes now is decided on."""
    # The time first: who is held against a snapshot that came later was held against a newer one, and no older.
    now = clock.now()
    return Footing(directory.catalog, directory.standing, directory.definitions, now)
