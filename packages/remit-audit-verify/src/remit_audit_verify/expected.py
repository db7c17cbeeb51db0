"""What a log is held to, in order of size: its own checkpoints, those kept elsewhere, and what other logs say of it."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from operator import attrgetter

__all__ = ["Expectations", "Expected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """At `size` records the log hashes to `root`."""

    size: int
    root: bytes
    source: str
    """Who says so, as the report names it: `the checkpoint`, `a checkpoint that was kept`."""
    signed: bool = True
    """Whether the log itself said so, with its own key."""
    elsewhere: bool = False
    """Whether it was kept where whoever has the log's key cannot change it."""
    time: int | None = None
    """When enough witnesses, or a time-stamping authority, saw it (seconds); records after it are not older."""
    stamp: bool = False
    """Whether it was such an authority, and no witness."""
    by: tuple[str, ...] = ()
    """The witnesses who did."""
    keys: tuple[str, ...] = ()
    """The log's keys that signed it."""


class Expectations:
    """All that is expected, each source in order of size; read as far as the walk has come."""

    __slots__ = ("_ahead", "_rest")

    def __init__(self, *sources: Iterable[Expected]) -> None:
        self._rest: Iterator[Expected] = merge(*sources, key=attrgetter("size"))
        self._ahead: deque[Expected] = deque()

    @property
    def due(self) -> Expected | None:
        """The next; `None` after the last."""
        if not self._ahead:
            self._ahead.extend(one for one in [next(self._rest, None)] if one is not None)
        return self._ahead[0] if self._ahead else None

    def advance(self) -> None:
        """Go on to what is due after `due`."""
        if self.due is not None:
            self._ahead.popleft()

    def take(self, size: int) -> list[Expected]:
        """All that is due up to `size`, which are then done with."""
        taken = []
        while (due := self.due) is not None and due.size <= size:
            taken.append(due)
            self.advance()
        return taken

    def put_back(self, taken: list[Expected]) -> None:
        """Not done with after all."""
        self._ahead.extendleft(reversed(taken))
