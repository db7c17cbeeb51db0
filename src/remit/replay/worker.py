"""Processes of our own that judge pieces of the log, one after the other, until there are no more.

They end when whoever started them does, at the latest with the piece they are at, and write nothing.
"""

import gc
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import ClassVar, Final, NoReturn, Self

from remit.errors import Error
from remit.replay.bench import Bench, Brief
from remit.replay.freight import packed, unpacked
from remit.replay.reading import Piece
from remit.replay.tally import Tally

__all__ = ["ReplayFailedError", "Workers"]

_NICER: Final = 5
_RARELY: Final = 50_000
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
        # Spawned, not forked: this process may have threads, and locks that they hold. The one that is spawned
        # has none, and forks the others: so that what takes longest, to import it all, is done once.
        context = get_context("spawn")
        pipes = [context.Pipe() for _ in range(count)]
        self._workers = [_Worker(mine) for mine, _ in pipes]
        theirs = [one for _, one in pipes]
        self._process = context.Process(
            target=_run, args=(theirs,), daemon=True, name="remit-replay"
        )
        self._process.start()
        load = packed(brief)
        for mine, their in pipes:
            their.close()
            mine.send_bytes(load)

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
        if kind is not None:
            self._process.terminate()
        self._process.join(timeout=10)

    @property
    def idle(self) -> int | None:
        """The number of one that has nothing to do; `None`: there is none."""
        return next((n for n, one in enumerate(self._workers) if one.piece is None), None)

    @property
    def is_busy(self) -> bool:
        """Whether one of them has something to do."""
        return any(worker.piece is not None for worker in self._workers)

    def give(self, number: int, piece: Piece) -> None:
        """Let the one with that `number`, which has nothing to do, judge `piece`."""
        worker = self._workers[number]
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


def _run(connections: list[Connection]) -> None:
    """What the process that is started does: it makes the others, and is one of them."""
    # Whoever interrupts means the parent; it closes the pipes, and that ends all of them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICER)
    others: list[int] = []
    for number in range(1, len(connections)):
        other = os.fork()
        if not other:
            _alone(connections, number)
        others.append(other)
    _judge(connections, 0)
    for other in others:
        os.waitpid(other, 0)


def _alone(connections: Sequence[Connection], number: int) -> NoReturn:
    """All that a forked process does: nothing of the one that it came from is tidied up twice."""
    failed = 1
    try:
        _judge(connections, number)
        failed = 0
    finally:
        os._exit(failed)


def _judge(connections: Sequence[Connection], number: int) -> None:
    """Judge the pieces that come through one pipe, until its other end is closed."""
    connection = connections[number]
    for other in connections:
        if other is not connection:
            other.close()
    try:
        bench = Bench(unpacked(connection.recv_bytes()))
        # What is there now stays, and records come and go: to look through it all again and again finds nothing.
        gc.freeze()
        gc.set_threshold(_RARELY)
        while True:
            piece = unpacked(connection.recv_bytes())
            connection.send_bytes(packed(bench.sum_of(piece)))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
