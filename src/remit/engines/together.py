"""Several questions at once: all their answers, or the first failure, after which nobody waits for the others."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import TypeVar

__all__ = ["all_answers"]

T = TypeVar("T")


async def all_answers(questions: Sequence[Coroutine[object, object, T]]) -> list[T]:
    """What each comes to, in the order given. Raises what the first that fails raises."""
    if len(questions) == 1:
        return [await questions[0]]
    try:
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(one) for one in questions]
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from failed
    return [task.result() for task in asked]
