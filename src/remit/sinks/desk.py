"""What people do about sinks: see how far each is, try one, and set one back or forward.

Setting a sink forward leaves records out of it for good, which the log says; setting it back sends them again, under
the ids that they had.
"""

import asyncio
from dataclasses import dataclass
from typing import Final, Literal

from remit.audit.context import Context
from remit.audit.events import SinkTested
from remit.audit.port import AuditLog
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.errors import ConflictError, Error, NotFoundError
from remit.model import SinkRules
from remit.sinks.carrier import word_of
from remit.sinks.cursor_store import Cursor, list_cursors, set_position
from remit.sinks.deps import SinkDeps
from remit.sinks.forms.form import FORMS, shipment_of
from remit.sinks.lag import Lag, lag_of
from remit.sinks.opened import OpenSink
from remit.sinks.shipment import told_of

__all__ = ["Position", "SinkDesk", "SinkState"]

Position = Literal["start", "end"] | int
_PATIENCE: Final = 20.0
"""Seconds: whoever asked waits for no longer than thirty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkState:
    """How far a sink is in one log; `cursor` and `lag` are `None` before it got any log."""

    rules: SinkRules
    cursor: Cursor | None
    lag: Lag | None
    at: EpochSeconds

    @property
    def is_held(self) -> bool:
        """Whether some process carries it."""
        return self.cursor is not None and self.cursor.held_until >= self.at


class SinkDesk:
    """The sinks of the repository in force, as whoever may manage them sees them."""

    def __init__(self, deps: SinkDeps, audit: AuditLog) -> None:
        self._deps = deps
        self._audit = audit

    async def survey(self) -> tuple[SinkState, ...]:
        """Every declared sink with every log that it gets, by name."""
        cursors = await self._deps.database.read(list_cursors)
        return await asyncio.to_thread(self._states, cursors)

    async def test(self, name: str, *, context: Context) -> str | None:
        """Send one record, which says that this was done; `None` when it arrived, else why not.

        Raises:
            NotFoundError: no such sink is declared.
            AuditUnavailableError: it could not be recorded.
        """
        rules = self._declared(name)
        receipt = await self._audit.append(SinkTested(context=context, sink=name))
        try:
            await self._send(rules, receipt.sequence)
        except (Error, OSError, TimeoutError) as error:
            return word_of(error)
        return None

    async def reset(
        self, name: str, log: str | None, *, to: Position, reason: str, context: Context
    ) -> tuple[Cursor, ...]:
        """Have it go on from there, in `log` or in all that it got; where it was.

        Raises:
            NotFoundError: no such sink is declared, or it got nothing of that log.
            ConflictError: the log has no such record.
        """
        self._declared(name)
        cursors = [
            one
            for one in await self._deps.database.read(list_cursors)
            if one.sink == name and log in {None, one.log}
        ]
        if not cursors:
            raise NotFoundError("the sink got nothing of such a log")
        places = [await asyncio.to_thread(self._place, one.log, to) for one in cursors]

        def work(tx: Transaction) -> None:
            for cursor, place in zip(cursors, places, strict=True):
                set_position(tx, cursor, to=place, reason=reason, context=context)

        await self._deps.database.run(work)
        return tuple(cursors)

    def _declared(self, name: str) -> SinkRules:
        found = self._deps.rules().get(name)
        if found is None:
            raise NotFoundError("there is no such sink")
        return found

    def _states(self, cursors: tuple[Cursor, ...]) -> tuple[SinkState, ...]:
        now_ms = self._deps.clock.now_ms()
        now = EpochSeconds(now_ms // 1_000)
        found = []
        for name, rules in sorted(self._deps.rules().items()):
            its = [one for one in cursors if one.sink == name]
            if not its:
                found.append(SinkState(rules=rules, cursor=None, lag=None, at=now))
            for one in its:
                lag = lag_of(
                    self._deps.source, one, reached=one.position, now_ms=now_ms, before=None
                )
                found.append(SinkState(rules=rules, cursor=one, lag=lag, at=now))
        return tuple(found)

    async def _send(self, rules: SinkRules, sequence: int) -> None:
        opened = OpenSink(rules, self._deps)
        try:
            sink = await opened.get()
            records = await asyncio.to_thread(
                lambda: list(self._deps.source.read(self._deps.own_log, sequence, limit=1))
            )
            some = [
                shipment_of(told_of(one), FORMS[rules.form], longest=sink.batch.longest)
                for one in records
            ]
            async with asyncio.timeout(_PATIENCE):
                await sink.send(some)
        finally:
            await opened.close()

    def _place(self, log: str, to: Position) -> int:
        first, size = self._deps.source.bounds(log)
        if to == "start":
            return first
        if to == "end":
            return size
        if not first <= to <= size:
            raise ConflictError(f"the log has the records from {first} to {size - 1}")
        return to
