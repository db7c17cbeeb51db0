"""Which calls a log on files has the beginning of and not the end, noted beside it: for a start after a crash.

So it need not read all that the process before wrote.

A cache that nothing waits for and nothing trusts: a note says of how many records it was made, and of which record is
the last of them; without one that fits, the log is read. (In the database it stands with each checkpoint.)

Source: AUDIT §1.10 (4: a restart within seconds; 7).
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from remit.audit.disk import Disk, PosixDisk
from remit.audit.open_calls import MOST_LISTED, CallsUnderWay
from remit.audit.source import RecordSource
from remit.canonical import Json, MalformedJsonError, canonical_bytes, parse_object

__all__ = ["NOTE", "CallsNoted", "Noted", "read_noted"]

NOTE: Final = "calls.json"
_EVERY: Final = 8_192
_AT_A_TIME: Final = 4_096


@dataclass(frozen=True, slots=True)
class Noted:
    """Of the first `size` records, the last of which has the leaf hash `leaf`, those of calls that had not ended."""

    size: int
    leaf: str
    calls: tuple[int, ...]

    def fits(self, source: RecordSource, log: str, *, end: int) -> bool:
        """Whether it is of this log, as it is before record `end`.

        Raises:
            NotFoundError, OSError: the log cannot be read.
        """
        if not source.bounds(log)[0] < self.size <= end:
            return False
        return [leaf.hex() for leaf in source.leaves(log, self.size - 1, self.size)] == [self.leaf]


def read_noted(folder: Path) -> Noted | None:
    """The note in the folder of a log; `None` where there is none that can be read."""
    try:
        data = parse_object((folder / NOTE).read_bytes())
    except (OSError, MalformedJsonError):
        return None
    size, leaf, calls = data.get("size"), data.get("leaf"), data.get("calls")
    if type(size) is not int or not isinstance(leaf, str) or not isinstance(calls, list):
        return None
    numbers = tuple(one for one in calls if type(one) is int and 0 <= one < size)
    return Noted(size, leaf, numbers) if len(numbers) == len(calls) else None


class CallsNoted:
    """Follows `log`, and notes in `folder`. One thread at a time; every call blocks.

    `begin` is the record with which this process began: what others left before it, it has told of.
    """

    def __init__(
        self,
        source: RecordSource,
        log: str,
        *,
        folder: Path,
        begin: int,
        disk: Disk | None = None,
    ) -> None:
        self._source = source
        self._log = log
        self._folder = folder
        self._disk = disk or PosixDisk()
        self._next = begin
        self._noted = begin
        self._calls = CallsUnderWay()

    def advance(self) -> bool:
        """Take in a portion of what was written since; whether there is more.

        Raises:
            NotFoundError, OSError: the log cannot be read.
        """
        count, leaf = 0, ""
        for record in self._source.read(self._log, self._next, limit=_AT_A_TIME):
            self._calls.see(record.sequence, record.line)
            self._next, leaf, count = record.sequence + 1, record.leaf, count + 1
        numbers = self._calls.sequences()
        if self._next - self._noted >= _EVERY and leaf and len(numbers) <= MOST_LISTED:
            self._noted = self._next
            calls: list[Json] = list(numbers)
            said = canonical_bytes({"calls": calls, "leaf": leaf, "size": self._next, "v": 1})
            with contextlib.suppress(OSError):
                self._disk.replace(self._folder / NOTE, said)
        return count == _AT_A_TIME
