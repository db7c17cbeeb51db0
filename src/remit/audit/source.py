"""The log as whoever reads it sees it: records by number, wherever they are kept.

Everything that reads the log (queries, sinks, replay, explanations) reads it through this port, and
never knows whether it lies in files or in the database. What is read is not verified. Every method blocks:
call them in a thread.

Source: AUDIT §1.7.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from remit.audit.entry import read_entry
from remit.canonical import JsonObject
from remit_audit_verify.tree import leaf_hash

__all__ = ["Record", "RecordSource"]


@dataclass(frozen=True, slots=True)
class Record:
    """One record: the log it is in, its number there, and its exact bytes without the newline."""

    log: str
    """The log's name, which is also the origin of its checkpoints: `remit/main`."""
    sequence: int
    line: bytes

    @property
    def leaf(self) -> str:
        """Its RFC 6962 leaf hash, in hexadecimal."""
        return leaf_hash(self.line).hex()

    def entry(self) -> JsonObject:
        """What it says.

        Raises:
            BadEntryError: it is not what a log writes.
        """
        return read_entry(self.line)


class RecordSource(Protocol):
    """All logs of an installation that this process can read. Safe for several threads."""

    def logs(self) -> tuple[str, ...]:
        """Their names, sorted. Several processes on one database see each other's; on files, their own."""
        ...

    def bounds(self, log: str) -> tuple[int, int]:
        """The number of the first record that is kept, and how many the log has had.

        Raises:
            NotFoundError: there is no such log.
        """
        ...

    def read(self, log: str, start: int, *, limit: int) -> Iterator[Record]:
        """At most `limit` records from number `start` on, in order; none where there are none.

        Begins in time that does not grow with the log. A record that is still being written is not read.

        Raises:
            OSError: it cannot be read.
        """
        ...

    def leaves(self, log: str, first: int, last: int) -> Sequence[bytes]:
        """The leaf hashes of the records from number `first` up to `last`, of those that were pruned as far as they are kept there.

        Those before a hole and none after it.

        Raises:
            NotFoundError: there is no such log.
            OSError: they cannot be read.
        """
        ...

    def checkpoint(self, log: str) -> str | None:
        """The newest signed note, with what cosignatures there are; `None` before the first."""
        ...
