"""Space that is kept beside the log for the day when its disk is full: enough to take rights away.

A file of that many bytes lies allocated in the log's folder. When there is no other space left, it is given up a slice at
a time: for records that are reserved, and for the database beside the log, which has to commit what they announce.
Whoever else writes to the disk may take what is given up; so it is given up only while such a record waits. As long
as it is not whole, nothing else is written; when there is room again, it is made whole first.

Source: AUDIT §1.5 (reserve, alerts at 80 and 90 %).
"""

import errno
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from remit.audit.context import Actor, ActorType
from remit.audit.disk import Disk, Space
from remit.audit.events import Decided, Event
from remit.model import MANAGEMENT

__all__ = ["RESERVE", "DiskUse", "Reserve", "is_full", "is_reserved", "make_room_in"]

RESERVE: Final = "reserve"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_SLICE: Final = 4 * 1024 * 1024
_ROOM: Final = 4 * 1024 * 1024
"""With less than that the disk counts as full: the database needs some of it to commit."""
_LEVELS: Final = (90, 80)
_CALMED: Final = 3
_GIVEN_BACK: Final = -1
_SELF_TEST: Final = Actor(ActorType.SYSTEM, "self-test")


def is_full(error: OSError) -> bool:
    """Whether `error` says that there is no space, and nothing else is wrong."""
    return error.errno in _FULL


def is_reserved(event: object) -> bool:
    """Whether `event` is written while everything else is refused.

    With it goes the decision that lets an administrator in who wants to revoke something; whatever they want
    else is refused by its own event. And the self-test of a process that starts: what it tries has to be refused, in the log.
    """
    if not isinstance(event, Event):
        return False
    if event.reserved or event.context.actor == _SELF_TEST:
        return True
    return (
        isinstance(event, Decided) and event.outcome == "allow" and event.server == MANAGEMENT.name
    )


class Reserve:
    """The file, and how much of it is there. Used by the log's writer alone, but for `kept`."""

    __slots__ = ("_descriptor", "_disk", "_folder", "_size", "kept")

    def __init__(self, folder: Path, disk: Disk, *, size: int) -> None:
        """Keep `size` bytes in `folder`, or as many as were kept before where there is no room for more.

        Raises:
            OSError: the disk refuses for another reason.
        """
        self._disk = disk
        self._folder = folder
        self._size = size
        self._descriptor = disk.open(folder / RESERVE)
        try:
            self.kept = disk.length(self._descriptor)
            if self.kept > size:
                self._shorten(size)
        except OSError:
            self.close()
            raise
        self.refill()

    @property
    def is_whole(self) -> bool:
        """Whether nothing of it has been given up."""
        return self.kept >= self._size

    def space(self) -> Space:
        """How much of the disk is used, and how much is free.

        Raises:
            OSError: nobody can tell.
        """
        return self._disk.space(self._folder)

    def is_short(self) -> bool:
        """Whether the disk is as good as full."""
        try:
            return self.space().free < _ROOM
        except OSError:
            return False  # whoever writes next will hear what is wrong

    def make_room(self) -> None:
        """See to it that there is some room, as long as something is left to give up."""
        while self.is_short() and self.give_up():
            pass

    def give_up(self) -> bool:
        """Give the disk another slice back; whether there was any."""
        if self.kept == 0:
            return False
        try:
            self._shorten(max(0, self.kept - _SLICE))
        except OSError:
            return False
        return True

    def refill(self) -> bool:
        """Make it whole, if that leaves room; whether it is."""
        if self.is_whole:
            return not self.is_short()
        try:
            if self.space().free < self._size - self.kept + 2 * _ROOM:
                return False
            self._disk.allocate(self._descriptor, self._size)
        except OSError:
            return False
        self.kept = self._size
        return True

    def close(self) -> None:
        """Give the descriptor back, once; the file stays, for a start on a full disk."""
        descriptor, self._descriptor = self._descriptor, _GIVEN_BACK
        if descriptor != _GIVEN_BACK:
            self._disk.close(descriptor)

    def _shorten(self, size: int) -> None:
        self._disk.truncate(self._descriptor, size)
        self.kept = size


def make_room_in(folder: Path, disk: Disk) -> None:
    """On a full disk, give up some of the reserve in `folder`, so that a process can start: a database has to be opened first.

    For whoever holds the folder, and has not opened its log yet.

    Raises:
        OSError: the disk refuses.
    """
    path = folder / RESERVE
    if path.exists():
        reserve = Reserve(folder, disk, size=path.stat().st_size)
        with closing(reserve):
            reserve.make_room()


@dataclass(slots=True)
class DiskUse:
    """Which level of use was told of last: each is told once, and again after it had calmed down."""

    told: int = 0

    def passed(self, space: Space) -> int | None:
        """The level (80 or 90, in percent) that `space` is newly beyond; `None` where there is nothing new."""
        used = space.used_percent
        level = next((one for one in _LEVELS if used >= one), 0)
        if level > self.told:
            self.told = level
            return level
        if used < self.told - _CALMED:
            self.told = level
        return None
