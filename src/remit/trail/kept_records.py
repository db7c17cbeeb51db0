"""Records that are handed out, however many: kept in a file that nobody else sees, and read back one after the other.

In memory is where each stands, twenty bytes a record; a hundred thousand of sixteen kilobytes would not be there at all.
"""

from array import array
from collections.abc import Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import Final, overload

from remit.audit.source import Record

__all__ = ["KeptRecords"]

_IN_MEMORY: Final = 4 * 1024 * 1024


class KeptRecords(Sequence[Record]):
    """Records in the order opposite to that in which they were added. Closed by whoever made it; for one thread."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  closed by `close`
        self._ends = array("Q")
        self._numbers = array("Q")
        self._of = array("I")
        self._logs: list[str] = []

    def add(self, record: Record) -> None:
        """Put `record` before all others.

        Raises:
            OSError: there is no room for it.
        """
        if record.log not in self._logs:
            self._logs.append(record.log)
        end = self._ends[-1] if self._ends else 0
        self._file.seek(end)
        self._file.write(record.line)
        self._ends.append(end + len(record.line))
        self._numbers.append(record.sequence)
        self._of.append(self._logs.index(record.log))

    def close(self) -> None:
        """Give the file up."""
        self._file.close()

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | Sequence[Record]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        place = len(self) - 1 - index if index >= 0 else -1 - index
        begin = self._ends[place - 1] if place else 0
        self._file.seek(begin)
        line = self._file.read(self._ends[place] - begin)
        return Record(self._logs[self._of[place]], self._numbers[place], line)

    def __iter__(self) -> Iterator[Record]:
        return (self[index] for index in range(len(self)))
