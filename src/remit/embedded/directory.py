"""What was last heard from Remit, as the guard reads it, for as long as the lease lasts.

Time is taken twice. By the clock on the wall the guard sees how old the standing is, as it does in Remit
itself; by the clock that only goes forwards it is seen here that the lease is over, though somebody set the
other one back. Either way every call is refused, and what is under way ends: nobody knows who may still act.
"""

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

from remit.canonical import parse_json
from remit.clock import Clock, EpochSeconds, Seconds
from remit.guard import Standing
from remit.guard.definitions import Definitions
from remit.guard.snapshot import Snapshot
from remit.ids import GrantId
from remit.model import Catalog
from remit.policy import ResourceKind

__all__ = ["Heard", "HeardDirectory"]


class _Everything(frozenset[GrantId]):
    """Every grant there is: what is revoked when nobody can be asked."""

    __slots__ = ()

    def __contains__(self, item: object) -> bool:
        return True


_NOBODY = Standing(as_of=EpochSeconds(0), revoked_grants=_Everything())


class Heard:
    """When Remit was last heard: by both clocks, of the moment at which it was asked, less what it was late itself."""

    __slots__ = ("monotonic", "wall")

    def __init__(self, clock: Clock) -> None:
        self.wall = clock.now()
        self.monotonic = clock.monotonic()

    def less(self, age: Seconds) -> "Heard":
        """The moment `age` before this one."""
        self.wall = EpochSeconds(self.wall - age)
        self.monotonic -= age
        return self


class HeardDirectory:
    """Implements `guard.ports.Directory`."""

    def __init__(self, snapshot: Snapshot, heard: Heard, clock: Clock) -> None:
        self._clock = clock
        self._told: list[Callable[[], None]] = []
        self._over = False
        self._definitions = _definitions(snapshot)
        self._put(snapshot, heard)

    @property
    def catalog(self) -> Catalog:
        return self._snapshot.catalog

    @property
    def standing(self) -> Standing:
        return _NOBODY if self._is_over() else self._standing

    @property
    def definitions(self) -> Definitions:
        return self._definitions

    def subscribe(self, told: Callable[[], None]) -> None:
        """Call `told` whenever who may act may have changed."""
        self._told.append(told)

    def replace(self, snapshot: Snapshot, heard: Heard) -> None:
        """Put another snapshot in force."""
        self._definitions = _definitions(snapshot)
        self._put(snapshot, heard)
        self._tell()

    def renew(self, heard: Heard) -> None:
        """What is in force was still so when `heard`."""
        self._put(self._snapshot, heard)

    def look_at_the_clock(self) -> None:
        """End what is under way, once, when the lease is over; to be called about every second."""
        if self._is_over() and not self._over:
            self._over = True
            self._tell()

    def _put(self, snapshot: Snapshot, heard: Heard) -> None:
        self._snapshot = snapshot
        self._heard = heard.monotonic
        self._over = False
        self._standing = replace(snapshot.standing, as_of=heard.wall)

    def _is_over(self) -> bool:
        lease = self._snapshot.lease
        past = self._clock.monotonic() - self._heard > lease
        # A machine that slept knows it by the other clock alone.
        return past or abs(self._clock.now() - self._standing.as_of) > lease

    def _tell(self) -> None:
        for told in self._told:
            told()


def _definitions(snapshot: Snapshot) -> Definitions:
    """What a snapshot says of them: what is quarantined, and what schemas let the log keep."""
    return Definitions(
        quarantined=snapshot.quarantined,
        schemas=MappingProxyType(
            {
                (snapshot.server, ResourceKind.TOOL, name): parse_json(text.encode())
                for name, text in snapshot.schemas.items()
            }
        ),
    )
