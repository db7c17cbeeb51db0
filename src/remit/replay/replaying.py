"""Recorded decisions, decided again by the repository in force and by another.

The log is cut into pieces; each is read and judged by itself, here or in another process, and what they
come to is added up. Of several processes each begins with a share of every piece, so that what one finds out need not be
found out by another. No process holds more than a few pieces, and no sum more than so many groups.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Final

from remit.audit.record_seal import RecordKeys
from remit.replay.bench import Bench, Brief
from remit.replay.reading import Piece, pieces_of, shared_out
from remit.replay.records import Records
from remit.replay.report import ReplayReport
from remit.replay.tally import Tally
from remit.replay.worker import Workers
from remit.repository import LoadedRepository

__all__ = ["Progress", "replay"]

Progress = Callable[[int, int, int], None]
"""Hears how many bytes of the log are done, how many there are, and how many decisions were decided so far."""

_MOST_SHARES: Final = 4
"""To find one's share of a piece costs a little for every line in it."""
_SHORT: Final = 2 * 1024 * 1024
"""Bytes of log that are judged sooner than a process starts."""


def replay(
    records: Records,
    old: LoadedRepository,
    new: LoadedRepository,
    *,
    record_key: bytes | RecordKeys | None = None,
    workers: int = 0,
    progress: Progress | None = None,
) -> ReplayReport:
    """Decide `records` again under `old`, which is in force, and under `new`, and tell where they differ.

    Blocks for as long as it takes: call it in a thread. `workers` is in how many processes besides this
    one, where there is enough to do; 0: in this one. Nothing recorded is carried out, and nobody
    outside is asked. `record_key` is what records were sealed under; without it, what is sealed
    counts as not recorded.

    Raises:
        PolicyInvalidError: the policies of one do not check against its catalog.
        ReplayFailedError: a process ended before its work did.
        OSError: the log cannot be read.
    """
    brief = Brief(records=records, old=old, new=new, record_key=record_key)
    pieces = pieces_of(records)
    count = workers if sum(piece.size for piece in pieces) > _SHORT else 0
    shares = shared_out(pieces, min(count, _MOST_SHARES) or 1)
    total = sum(piece.size for share in shares for piece in share)
    done, whole = 0, Tally()
    for piece, tally in _judged(shares, brief, count):
        whole.merge(tally)
        done += piece.size
        if progress is not None:
            progress(done, total, whole.decided)
    return whole.report(records)


def _judged(
    shares: Sequence[Sequence[Piece]], brief: Brief, workers: int
) -> Iterator[tuple[Piece, Tally]]:
    if not workers:
        bench = Bench(brief)
        for piece in chain.from_iterable(shares):
            yield piece, bench.sum_of(piece)
        return
    waiting = [deque(share) for share in shares]
    with Workers(workers, brief) as pool:
        while True:
            while (idle := pool.idle) is not None and (left := _share_for(idle, waiting)):
                pool.give(idle, left.popleft())
            if not pool.is_busy:
                return
            yield from pool.take()


def _share_for(worker: int, waiting: Sequence[deque[Piece]]) -> deque[Piece]:
    """The worker's own share; once that is done, the one of which most is left."""
    own = waiting[worker % len(waiting)]
    return own or max(waiting, key=len)
