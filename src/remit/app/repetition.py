"""What a process does again and again beside its requests: reading what others wrote, counting, looking after a trial.

A failure is logged once, and so is that it is over; meanwhile it is tried again, and what was known last stays in
force. Nothing here allows anything: what must not grow old ages by itself, and then denies.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog

__all__ = ["for_ever"]


async def for_ever(
    work: Callable[[], Awaitable[object]],
    *,
    every: float,
    log: structlog.stdlib.BoundLogger,
    what: str,
    failed: Callable[[], None] | None = None,
) -> NoReturn:
    """Do `work` every `every` seconds. The root of a task, cancelled by whoever owns it.

    `what` names it in the log: `<what>_unreadable`, and `<what>_readable_again`. `failed` is called each time.
    """
    failing = False
    while True:
        await asyncio.sleep(every)
        try:
            await work()
        except Exception as error:
            if failed is not None:
                failed()
            if not failing:
                log.exception(_name(what, "unreadable"), error=type(error).__name__)
            failing = True
        else:
            if failing:
                log.warning(_name(what, "readable_again"))
            failing = False


def _name(what: str, how: str) -> str:
    return f"{what}_{how}"
