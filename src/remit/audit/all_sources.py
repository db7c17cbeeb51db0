"""Several places with logs, read as one: an installation on a database, and a process of it that goes on with its files.

A log that two places claim to have is read from the first. Implements `RecordSource`.

Source: docs/adr/0026.
"""

from collections.abc import Iterator, Sequence

from remit.audit.source import Record, RecordSource
from remit.errors import NotFoundError

__all__ = ["AllSources"]


class AllSources:
    """The logs of all `sources`."""

    def __init__(self, sources: Sequence[RecordSource]) -> None:
        self._sources = tuple(sources)

    def logs(self) -> tuple[str, ...]:
        return tuple(sorted({log for source in self._sources for log in source.logs()}))

    def bounds(self, log: str) -> tuple[int, int]:
        return self._of(log).bounds(log)

    def read(self, log: str, start: int, *, limit: int) -> Iterator[Record]:
        return self._of(log).read(log, start, limit=limit)

    def leaves(self, log: str, first: int, last: int) -> Sequence[bytes]:
        return self._of(log).leaves(log, first, last)

    def checkpoint(self, log: str) -> str | None:
        return self._of(log).checkpoint(log)

    def _of(self, log: str) -> RecordSource:
        for source in self._sources:
            if log in source.logs():
                return source
        raise NotFoundError("there is no such log")
