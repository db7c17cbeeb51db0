"""Stretches of files of records, read ahead by several processes, and handed over in order."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context
from types import TracebackType
from typing import Final, Self

from remit_audit_verify.files import open_file
from remit_audit_verify.record import MAX_RECORD_BYTES
from remit_audit_verify.scan import Scanned, Stretch, scan
from remit_audit_verify.stream_files import Segment

__all__ = ["Ahead", "Readers", "cut"]

_LENGTH: Final = 1024 * 1024
_AHEAD: Final = 8
"""Stretches that are read or wait for each process."""


def cut(segment: Segment, *, full: bool) -> list[Stretch]:
    """The stretches of `segment` as long as it is now; none of an entry bundle, which is always walked through.

    Raises:
        OSError: it cannot be read.
    """
    if segment.bundle:
        return []
    stretches, begin = [], 0
    with open_file(segment.path) as file:
        size = file.seek(0, 2)
        while begin < size:
            end = min(begin + _LENGTH, size)
            if end < size:
                file.seek(end)
                end += len(file.readline(MAX_RECORD_BYTES + 2))
            stretches.append(Stretch(segment.path, begin, end - begin, full))
            begin = end
    return stretches


class Readers:
    """The processes that read ahead; with one, everything is read in this one."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        if self.workers > 1:
            # Not forked: whoever calls may have threads.
            self.pool = ProcessPoolExecutor(self.workers, mp_context=get_context("spawn"))
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        if self.pool is not None:
            self.pool.shutdown(wait=False, cancel_futures=True)


class Ahead:
    """The stretches of one log, in the order in which they will be asked for."""

    def __init__(self, readers: Readers, stretches: Iterable[Stretch]) -> None:
        self._readers = readers
        self._rest: Iterator[Stretch] = iter(stretches)
        self._read: deque[tuple[Stretch, Future[Scanned | None]]] = deque()

    def get(self, stretch: Stretch) -> Scanned | None:
        """What is in `stretch`; those before it that nobody asked for are passed over.

        Raises:
            OSError: it cannot be read.
        """
        pool = self._readers.pool
        if pool is None:
            return scan(stretch)
        with suppress(BrokenProcessPool):
            while True:
                self._go_on(pool)
                held, future = self._read.popleft()
                if held is stretch:
                    return future.result()
                future.cancel()
        return scan(stretch)

    def _go_on(self, pool: ProcessPoolExecutor) -> None:
        while len(self._read) < self._readers.workers * _AHEAD:
            stretch = next(self._rest, None)
            if stretch is None:
                return
            self._read.append((stretch, pool.submit(scan, stretch)))
