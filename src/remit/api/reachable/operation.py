"""`access.who-can` and `access.what-can`: what policies would say, of everybody or of one agent.

Nothing is called, recorded as a decision or counted; an external engine is asked only if whoever asks wants that
(`engines.inquiry`). Each sees the organisation of the own token,
and every one only with `remit:tenants.cross`; what is another's is answered like what does not
exist. Names and attributes of people are told to those alone who may read them (`remit:users.read`).

Source: MISSION H3; docs/guides/who-can.md.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from remit.api.administrator import Administrator
from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Nothing, Operation, Shape
from remit.api.reachable.asked import (
    Answered,
    Draft,
    Ground,
    WhatCan,
    WhoCan,
    what_can_asked,
    who_can_asked,
)
from remit.identity import list_users

__all__ = ["REACHABLE_OPERATIONS"]

_ALONE: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reachable")
"""One at a time: who asks for much must not be in the way of those who call."""

Q = TypeVar("Q", bound=Shape)


async def _who_can(deps: ApiDeps, asked: Asked[WhoCan, Nothing]) -> Answered:
    return await _answered(deps, asked.query, asked.by, answer=who_can_asked)


async def _what_can(deps: ApiDeps, asked: Asked[WhatCan, Nothing]) -> Answered:
    return await _answered(deps, asked.query, asked.by, answer=what_can_asked)


async def _answered(
    deps: ApiDeps,
    query: Q,
    by: Administrator,
    *,
    answer: Callable[[Ground, Q, Administrator], Draft],
) -> Answered:
    ground = Ground(
        catalog=deps.directory.catalog,
        sources=deps.policies(),
        standing=deps.directory.standing,
        definitions=deps.directory.definitions,
        users=await deps.database.read(list_users),
        clock=deps.clock,
    )
    loop = asyncio.get_running_loop()
    draft = await loop.run_in_executor(_ALONE, answer, ground, query, by)
    return draft.answered(await deps.engines.ask(draft.questions))


REACHABLE_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="access.who-can", run=_who_can, query=WhoCan, body=Nothing, answer=Answered),
    Operation(name="access.what-can", run=_what_can, query=WhatCan, body=Nothing, answer=Answered),
)
