"""The past that is kept in the database, as the guard asks for it: counted and told in one transaction.

Refuses when the database does not answer, or not in time. What was begun is never left half done: whoever gives up
waiting is taken back when it is done. What cannot be taken back counts, and is said in the process's own log. Nobody waits
for long until it is: whatever the database does, a call that is over, or refused, is answered, and counts until then.

Source: docs/adr/0020-history.md.
"""

import asyncio

import structlog

from remit.db import Database, DatabaseUnavailableError
from remit.guard.account import PastUnavailableError
from remit.guard.use import Use
from remit.history.values import count_use, uncount_use
from remit.policy.history import History

__all__ = ["DatabasePast"]

_log = structlog.stdlib.get_logger("remit.history")

_PATIENCE = 10.0
"""Seconds; by then a call that waits for what was done before is refused."""
_BACK_WITHIN = 2.0
"""Seconds; by then whoever has a use taken back goes on. It counts until it is done."""


class DatabasePast:
    """Counts and tells. Lives in one event loop."""

    def __init__(
        self,
        database: Database,
        *,
        patience: float = _PATIENCE,
        back_within: float = _BACK_WITHIN,
    ) -> None:
        self._database = database
        self._patience = patience
        self._back_within = back_within
        self._counting: dict[str, asyncio.Task[History]] = {}
        self._taking_back: set[asyncio.Task[None]] = set()

    async def come_to(self, use: Use) -> History:
        """Count `use`, and say what the facts that it is told of come to with it.

        Raises:
            PastUnavailableError: it is not known.
        """
        counting = asyncio.create_task(self._database.run(lambda tx: count_use(tx, use)))
        self._counting[use.id] = counting
        counting.add_done_callback(lambda done: self._counted(use.id, done))
        try:
            async with asyncio.timeout(self._patience):
                return await asyncio.shield(counting)
        except TimeoutError as error:
            await self._give_up(use)
            raise PastUnavailableError(
                "what was done before was not told in time", cause=error
            ) from error
        except DatabaseUnavailableError as error:
            raise PastUnavailableError(error.detail, cause=error) from error

    async def take_back(self, use: Use) -> None:
        """Let `use` count no longer, as soon as it is known whether it does; whoever waits goes on after a while."""
        task = self._begin_to_take_back(use)
        _, late = await asyncio.wait({task}, timeout=self._back_within)
        if late:
            _log.warning("history_taken_back_late", decision=use.id)

    async def close(self) -> None:
        """Wait for what is being taken back, for as long as for any answer of the database."""
        if self._taking_back:
            await asyncio.wait(set(self._taking_back), timeout=self._patience)

    async def _give_up(self, use: Use) -> None:
        """Take `use` back when it is done, without waiting for that."""
        self._begin_to_take_back(use)

    def _begin_to_take_back(self, use: Use) -> asyncio.Task[None]:
        counting = self._counting.get(use.id)
        task = asyncio.create_task(self._take_back(use, counting))
        self._taking_back.add(task)
        task.add_done_callback(self._taking_back.discard)
        return task

    async def _take_back(self, use: Use, counting: "asyncio.Task[History] | None") -> None:
        """The root of a task: nobody could do more about it than it does."""
        if counting is not None:
            await asyncio.wait([counting])
        try:
            await self._database.run(lambda tx: uncount_use(tx, use))
        except Exception as error:  # noqa: BLE001  the root of a task: what cannot be taken back counts
            _log.error("history_not_taken_back", decision=use.id, error=type(error).__name__)

    def _counted(self, use_id: str, counting: "asyncio.Task[History]") -> None:
        self._counting.pop(use_id, None)
        if not counting.cancelled():
            counting.exception()  # whoever waited has heard of it, or is gone
