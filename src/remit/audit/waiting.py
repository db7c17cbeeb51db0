"""Events on their way to the writer, and how the answer gets back to whoever waits.

A waiter is a coroutine, a thread, or nobody. Coroutines of one loop are woken with one
call into that loop for the whole batch. A waiter that gave up meanwhile, or whose loop is
closed, is passed over: its event is in the log all the same.
"""

import asyncio
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeAlias

from remit.audit.checkpoint import Checkpoint
from remit.audit.entry import Draft
from remit.audit.port import Receipt

__all__ = ["Answer", "Waiting", "settle"]

Answer: TypeAlias = "list[Receipt] | Checkpoint | OSError"
"""Where the events stand; the checkpoint that was asked for; or what the disk said."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Drafts that are written together, and who waits for them.

    `retained`: kept for another try when the disk refuses, although somebody waits.
    `checkpoint`: what is asked for is a checkpoint over everything so far.
    """

    drafts: tuple[Draft, ...]
    future: "asyncio.Future[Answer] | Future[Answer] | None" = None
    loop: asyncio.AbstractEventLoop | None = None
    retained: bool = False
    checkpoint: bool = False


def settle(answers: Iterable[tuple[Waiting, Answer]]) -> None:
    """Give every waiter its answer."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Answer], Answer]]] = {}
    for waiting, answer in answers:
        if isinstance(waiting.future, Future):
            if not waiting.future.done():
                waiting.future.set_result(answer)
        elif waiting.future is not None and waiting.loop is not None:
            loops.setdefault(waiting.loop, []).append((waiting.future, answer))
    for loop, settled in loops.items():
        try:
            loop.call_soon_threadsafe(_wake, settled)
        except RuntimeError:  # the loop is closed, and everybody in it gone
            continue


def _wake(settled: list[tuple["asyncio.Future[Answer]", Answer]]) -> None:
    for future, answer in settled:
        if not future.done():
            future.set_result(answer)
