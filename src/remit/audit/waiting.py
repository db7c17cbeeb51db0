"""Events on their way to the writer, and how the answer gets back to whoever waits.

A waiter is a coroutine, a thread, or nobody. Coroutines of one loop are woken with one
call into that loop for the whole batch. A waiter that gave up meanwhile, or whose loop is
closed, is passed over: its event is in the log all the same.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeAlias

from remit.audit.entry import Draft
from remit.audit.port import AuditUnavailableError, Receipt
from remit_audit_verify.note import Checkpoint

__all__ = [
    "Answer",
    "LogStatus",
    "Patience",
    "Waiting",
    "answered",
    "receipts_in",
    "settle",
]

Answer: TypeAlias = "list[Receipt] | Checkpoint | OSError"
"""Where the events stand; the checkpoint that was asked for; or what the disk said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStatus:
    """How the log is doing; `failure` says why it takes nothing, or nothing but what is reserved, or is `None`.

    `unsigned_for`: seconds since the signer was lost, or 0. `reserve`: bytes of it that are left; `None`: there is none.
    """

    size: int
    checkpointed: int
    waiting: int
    failure: str | None
    unsigned_for: float = 0.0
    reserve: int | None = None


@dataclass(slots=True)
class Waiting:
    """Drafts that are written together, and who waits for them. Nobody changes it; it is one of every event.

    `retained`: kept for another try when the disk refuses, although somebody waits.
    `checkpoint`: what is asked for is a checkpoint over everything so far.
    `reserved`: written although the log is held.
    """

    drafts: tuple[Draft, ...]
    future: "asyncio.Future[Answer] | Future[Answer] | None" = None
    loop: asyncio.AbstractEventLoop | None = None
    retained: bool = False
    checkpoint: bool = False
    reserved: bool = False


class Patience:
    """How long the coroutines of one loop wait: one timer for all of them, and not one each.

    Used in the loop's own thread. `give_up` is called with whoever has waited too long.
    """

    __slots__ = ("_give_up", "_timer", "_waits", "loop")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        give_up: "Callable[[asyncio.Future[Answer]], None]",
    ) -> None:
        self.loop = loop
        self._give_up = give_up
        self._waits: deque[tuple[float, asyncio.Future[Answer]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, future: "asyncio.Future[Answer]", seconds: float) -> None:
        """Give `future` up in so many seconds, unless it is done by then."""
        waits = self._waits
        while waits and waits[0][1].done():
            waits.popleft()
        waits.append((self.loop.time() + seconds, future))
        if self._timer is None:
            self._timer = self.loop.call_later(seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        now, waits = self.loop.time(), self._waits
        while waits and (waits[0][1].done() or waits[0][0] <= now):
            _, future = waits.popleft()
            if not future.done():
                self._give_up(future)
        if waits:
            self._timer = self.loop.call_at(waits[0][0], self._look)


def receipts_in(answer: Answer) -> list[Receipt]:
    """The receipts of what was written.

    Raises:
        AuditUnavailableError: it was not.
    """
    if isinstance(answer, list):
        return answer
    cause = answer if isinstance(answer, OSError) else None
    raise AuditUnavailableError("the audit log cannot be written", cause=cause)


def answered(
    batch: Iterable[Waiting], receipts: list[Receipt], signed: Answer
) -> list[tuple[Waiting, Answer]]:
    """Each of `batch` with its part of `receipts`, or with `signed` if that is what it asked for."""
    answers: list[tuple[Waiting, Answer]] = []
    begin = 0
    for waiting in batch:
        end = begin + len(waiting.drafts)
        answers.append((waiting, signed if waiting.checkpoint else receipts[begin:end]))
        begin = end
    return answers


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
