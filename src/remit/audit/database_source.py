"""The logs in the database as whoever reads them sees them: those of all processes of the installation.

A record is there as soon as its append returned, and not before. Implements `RecordSource`.

Source: AUDIT §1.7.
"""

import errno
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, TypeVar

from remit.audit.log_store import LogRow, find_log, last_checkpoints, list_logs, read_records
from remit.audit.pruning_store import read_hashes
from remit.audit.source import Record
from remit.audit.tiles import HASH_BYTES, TILE_WIDTH
from remit.db import Database, DatabaseUnavailableError, Transaction
from remit.errors import NotFoundError
from remit_audit_verify.tree import leaf_hash

__all__ = ["DatabaseSource"]

T = TypeVar("T")

_CHUNK: Final = 1_000
_TILES: Final = 64


class DatabaseSource:
    """The logs in `database`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def logs(self) -> tuple[str, ...]:
        """As the port says.

        Raises:
            OSError: the database does not answer.
        """
        return tuple(row.name for row in self._read(list_logs))

    def bounds(self, log: str) -> tuple[int, int]:
        row = self._row(log)
        return row.first, row.size

    def read(self, log: str, start: int, *, limit: int) -> Iterator[Record]:
        self._row(log)
        return self._records(log, start, limit)

    def leaves(self, log: str, first: int, last: int) -> Sequence[bytes]:
        row = self._row(log)
        found = self._pruned(log, first, min(last, row.first))
        if first + len(found) == min(last, max(first, row.first)):
            for record in self._records(log, first + len(found), last - first - len(found)):
                if record.sequence != first + len(found):
                    break
                found.append(leaf_hash(record.line))
        return found

    def checkpoint(self, log: str) -> str | None:
        self._row(log)
        found = self._read(lambda tx: last_checkpoints(tx, log, 1))
        return (found[0].witnessed or found[0].note) if found else None

    def _pruned(self, log: str, first: int, last: int) -> list[bytes]:
        """The leaf hashes from number `first` up to `last`, where the records are gone."""
        found: list[bytes] = []
        while (at := first + len(found)) < last:
            tile, place = divmod(at, TILE_WIDTH)
            kept = self._read(partial(read_hashes, log=log, tile=tile, limit=_TILES))
            if not kept or kept[0][0] != tile:
                break
            for number, content in kept:
                if number != tile:
                    break
                some = content[place * HASH_BYTES :]
                found += [some[cut : cut + HASH_BYTES] for cut in range(0, len(some), HASH_BYTES)]
                tile, place = tile + 1, 0
        return found[: max(0, last - first)]

    def _records(self, log: str, start: int, limit: int) -> Iterator[Record]:
        while limit > 0:
            first, most = start, min(limit, _CHUNK)
            chunk = self._read(lambda tx: read_records(tx, log, first, limit=most))  # noqa: B023  called at once
            for sequence, line in chunk:
                yield Record(log, sequence, line)
            if len(chunk) < most:
                return
            start, limit = chunk[-1][0] + 1, limit - len(chunk)

    def _row(self, log: str) -> LogRow:
        row = self._read(lambda tx: find_log(tx, log))
        if row is None:
            raise NotFoundError("there is no such log")
        return row

    def _read(self, work: Callable[[Transaction], T]) -> T:
        try:
            return self._database.read_now(work)
        except DatabaseUnavailableError as error:
            raise OSError(errno.EIO, error.detail) from error
