"""A process of our own that judges pieces of the log, one after the other, until there are no more.

It ends when its parent does, and writes nothing.
"""

import os
import signal
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import ClassVar, Final, Self

from remit.errors import Error
from remit.replay.bench import Bench, Brief
from remit.replay.freight import packed, unpacked
from remit.replay.reading import Piece
from remit.replay.tally import Tally

__all__ = ["ReplayFailedError", "Workers"]

_NICER: Final = 5
_STARTING: Final = 60.0


class ReplayFailedError(Error):
    """A process that judged recorded calls came to an end before its work did."""

    code: ClassVar[str] = "replay_failed"


@dataclass(slots=True)
class _Worker:
    connection: Connection
    piece: Piece | None = None


class Workers:
    """Some processes, each with one piece at a time. Used in a `with`, which ends them."""

    def __init__(self, count: int, brief: Brief) -> None:
        # Spawned, not forked: this process may have threads, and locks that they hold.
        context = get_context("spawn")
        load = packed(brief)
        self._workers: list[_Worker] = []
        self._processes = []
        for _ in range(count):
            mine, theirs = context.Pipe()
            process = context.Process(target=_run, args=(theirs,), daemon=True, name="remit-replay")
            process.start()
            theirs.close()
            mine.send_bytes(load)
            self._workers.append(_Worker(mine))
            self._processes.append(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.connection.close()
        for process in self._processes:
            if kind is not None:
                process.terminate()
            process.join(timeout=10)

    @property
    def has_room(self) -> bool:
        """Whether one of them has nothing to do."""
        return any(worker.piece is None for worker in self._workers)

    @property
    def is_busy(self) -> bool:
        """Whether one of them has something to do."""
        return any(worker.piece is not None for worker in self._workers)

    def give(self, piece: Piece) -> None:
        """Let one that has nothing to do judge `piece`."""
        worker = next(one for one in self._workers if one.piece is None)
        worker.piece = piece
        worker.connection.send_bytes(packed(piece))

    def take(self) -> list[tuple[Piece, Tally]]:
        """What is done, as soon as anything is.

        Raises:
            ReplayFailedError: one of them ended.
        """
        busy = {one.connection: one for one in self._workers if one.piece is not None}
        done: list[tuple[Piece, Tally]] = []
        for ready in wait(list(busy)):
            worker = busy[ready]  # type: ignore[index]  # what was waited for is what was given
            try:
                tally = unpacked(worker.connection.recv_bytes())
            except (EOFError, OSError) as error:
                raise ReplayFailedError(
                    "a process that replayed recorded calls ended before its work did", cause=error
                ) from error
            if worker.piece is not None:
                done.append((worker.piece, tally))
            worker.piece = None
        return done


def _run(connection: Connection) -> None:
    """What a worker does."""
    # Whoever interrupts means the parent; it closes the pipe, and that ends this.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICER)
    bench = Bench(unpacked(connection.recv_bytes()))
    while True:
        try:
            piece = unpacked(connection.recv_bytes())
        except (EOFError, OSError):
            return
        connection.send_bytes(packed(bench.sum_of(piece)))
