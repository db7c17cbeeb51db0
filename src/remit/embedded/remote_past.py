"""The past as a guard inside a server knows it: not at all, so that it asks Remit, for the calls that depend on it.

Refuses whenever Remit is not reached, or does not say: these calls alone cannot be decided here. Everything else is.

Source: docs/adr/0017-guard-in-process.md; docs/adr/0020-history.md.
"""

import asyncio
import logging

from remit.canonical import Json, JsonObject
from remit.embedded.remit_door import RemitDoor, RemitUnavailableError
from remit.guard.account import PastUnavailableError
from remit.guard.authorization_header import presented_token
from remit.guard.use import Use
from remit.model import HistoryMeasure
from remit.policy.history import History, history_of

__all__ = ["RemotePast"]

_log = logging.getLogger("remit.guard")

_BACK_WITHIN = 2.0
"""Seconds; by then whoever has a use taken back goes on. It counts until it is done."""


class RemotePast:
    """Implements `guard.ports.Past`. Lives in one event loop."""

    def __init__(self, door: RemitDoor, *, back_within: float = _BACK_WITHIN) -> None:
        self._door = door
        self._back_within = back_within
        self._taking_back: set[asyncio.Task[None]] = set()

    async def come_to(self, use: Use) -> History:
        """Have Remit count `use`, and say what its facts come to.

        Raises:
            PastUnavailableError: it does not.
        """
        try:
            answer = await self._door.history(_question(use, "count"))
            history = history_of(_members(answer))
        except RemitUnavailableError as error:
            # It may have been counted, and nobody can tell: it is given back when Remit hears of it.
            self._begin_to_take_back(use)
            raise PastUnavailableError(error.detail, cause=error) from error
        except ValueError as error:
            raise PastUnavailableError("what remit told is no history", cause=error) from error
        if history.keys() != {entry.fact.name for entry in use.entries if entry.told}:
            raise PastUnavailableError("remit told of other facts than were asked about")
        return history

    async def take_back(self, use: Use) -> None:
        """Let `use` count no longer, if Remit can be told; whoever waits goes on after a while."""
        task = self._begin_to_take_back(use)
        _, late = await asyncio.wait({task}, timeout=self._back_within)
        if late:
            _log.warning("a refused call counts until remit has answered")

    def _begin_to_take_back(self, use: Use) -> asyncio.Task[None]:
        task = asyncio.create_task(self._take_back(use))
        self._taking_back.add(task)
        task.add_done_callback(self._taking_back.discard)
        return task

    async def _take_back(self, use: Use) -> None:
        what = "set_aside" if use.comes_again else "take_back"
        try:
            await self._door.history(_question(use, what))
        except RemitUnavailableError as error:
            _log.warning("a refused call counts, for remit could not be told: %s", error.detail)


def _question(use: Use, what: str) -> JsonObject:
    presented = presented_token(use.call.authorization)
    amounts: JsonObject = {
        entry.fact.account: f"{entry.amount:f}"
        for entry in use.entries
        if entry.counted and entry.fact.measure is HistoryMeasure.SUM
    }
    earlier = use.call.earlier if what == "count" else None
    comes_again: JsonObject = {}
    if earlier is not None:
        comes_again["earlier"] = {"use": earlier.decision_id, "at": earlier.at}
    reads: list[Json] = [entry.fact.name for entry in use.entries if entry.told]
    return {
        "do": what,
        "use": use.id,
        "at": use.at,
        "token": "" if presented is None else presented.token,
        "kind": None if use.call.kind is None else use.call.kind.value,
        "name": use.call.name,
        "amounts": amounts,
        "reads": reads,
        "again": use.call.task_of is not None,
        **comes_again,
    }


def _members(answer: JsonObject) -> JsonObject:
    told = answer.get("history")
    if not isinstance(told, dict):
        raise ValueError("no facts")  # noqa: TRY004  a value that came from outside
    return told
