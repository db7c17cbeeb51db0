"""What carries one sink's records: of each log in order, in batches, again and again until the receiver has them.

A receiver that fails is tried again, later and later; nothing is given up meanwhile, for what it has not taken stands in
the log. A record that a receiver does not take as it is, is looked for by halving, and told with nothing but its
place in the log; that it was is an event. A receiver that takes not even that takes nothing, and is waited for.

Source: AUDIT §1.5.
"""

import asyncio
import random
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NoReturn

import structlog

from remit.db import DatabaseUnavailableError, Transaction
from remit.errors import Error, NotFoundError
from remit.model import SinkRules
from remit.sinks.cursor_store import Cursor, advance, note_gap
from remit.sinks.deps import SinkDeps
from remit.sinks.forms.form import FORMS
from remit.sinks.loading import Load, load, load_stub
from remit.sinks.opening import open_sink, settings_of
from remit.sinks.port import AuditSink, SinkDownError, SinkRefusedError
from remit.sinks.receivers.options import SinkMisdeclaredError
from remit.sinks.shipment import Shipment

__all__ = ["Carrier", "Track", "word_of"]

_log = structlog.stdlib.get_logger("remit.sinks")

_IDLE: Final = 0.5
"""Seconds between two looks for what is new."""
_NOTED: Final = 0.5
"""Seconds for which what was taken may stand in memory alone: after a crash it is sent again."""
_LONGEST: Final = 300.0
"""Seconds that a sink may take for one batch, whatever it waits for."""
_PAUSES: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0)


@dataclass(slots=True)
class Track:
    """How far it has come in one log: `cursor` as the database has it, `reached` as the receiver has it."""

    cursor: Cursor
    reached: int
    noted_at: float = 0.0
    gaps: list[tuple[int, int]] = field(default_factory=list)
    refused: set[int] = field(default_factory=set)
    """Records of what goes out next that the receiver does not take as they are."""
    ready: Load | None = None
    """What goes out next, if it was made already: what is tried again is not made again."""


class Carrier:
    """One sink, as it is declared. `tracks` are the logs that this process carries to it, by name."""

    def __init__(self, rules: SinkRules, deps: SinkDeps, readers: Executor) -> None:
        self.rules = rules
        self.tracks: dict[str, Track] = {}
        self.error: str | None = None
        """Why it does not get on, while it does not."""
        self._deps = deps
        self._readers = readers
        self._sink: AuditSink | None = None
        self._failures = 0
        self._moved = asyncio.Event()

    def take(self, cursor: Cursor) -> None:
        """Carry that log, or go on with it where somebody set it."""
        track = self.tracks.get(cursor.log)
        if track is None or track.cursor.position != cursor.position:
            self.tracks[cursor.log] = Track(cursor=cursor, reached=cursor.position)
            self._moved.set()

    def leave(self, log: str) -> None:
        """Carry it no more: somebody else does."""
        self.tracks.pop(log, None)

    async def run(self) -> NoReturn:
        """Carry for ever. The root of a task: whatever fails is tried again."""
        while True:
            try:
                moved = await self._round()
            except DatabaseUnavailableError as error:
                moved = await self._failed(error.code)
            except Exception as error:  # noqa: BLE001  the root of a task: nothing is given up
                moved = await self._failed(word_of(error))
            if not moved:
                await self._rest(_IDLE)

    async def close(self) -> None:
        """Note how far it came, and give up the connection."""
        for track in tuple(self.tracks.values()):
            await self._note(track)
        sink, self._sink = self._sink, None
        if sink is not None:
            await sink.close()

    async def _round(self) -> bool:
        """One batch of each log; whether there was anything."""
        moved = False
        for log in sorted(self.tracks):
            track = self.tracks.get(log)
            if track is not None:
                moved = await self._carry(track) or moved
        return moved

    async def _carry(self, track: Track) -> bool:
        sink = await self._opened()
        found = track.ready or await self._load(track, sink)
        if found.first is not None and found.first > track.reached:
            # They were pruned before they were taken.
            await self._pass_over(track, found.first)
        if found.shipments:
            if not self._is_due(found, sink):
                return False
            track.ready = found
            await self._deliver(sink, found.shipments, track)
            track.ready = None
            track.refused.clear()
            self._deps.counts.sent(self.rules.name, len(found.shipments))
        self._succeeded()
        if found.after == track.reached:
            await self._note(track)
            return False
        track.reached = found.after
        loop = asyncio.get_running_loop()
        if track.gaps or not found.is_full or loop.time() - track.noted_at > _NOTED:
            await self._note(track)
        return found.is_full

    async def _opened(self) -> AuditSink:
        if self._sink is None:
            settings = settings_of(
                self.rules, read_secret=self._deps.read_secret, clock=self._deps.clock
            )
            # In a thread: certificates are read from files.
            opening = partial(open_sink, self.rules.kind, settings)
            self._sink = await asyncio.to_thread(opening)
        return self._sink

    async def _load(self, track: Track, sink: AuditSink) -> Load:
        form = FORMS[self.rules.form]
        work = partial(
            load,
            self._deps.source,
            track.cursor.log,
            track.reached,
            rules=self.rules,
            form=form,
            batch=sink.batch,
        )
        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, work)
        except NotFoundError:
            # A log of another process that has not begun, or is gone: there is nothing of it.
            return Load(shipments=(), first=None, after=track.reached, is_full=False)

    def _is_due(self, found: Load, sink: AuditSink) -> bool:
        """Whether it goes out now, or is kept back until there is more."""
        if found.is_full or not sink.batch.wait:
            return True
        age = self._deps.clock.now_ms() - found.shipments[0].milliseconds
        return not 0 <= age < sink.batch.wait * 1_000

    async def _deliver(self, sink: AuditSink, some: Sequence[Shipment], track: Track) -> None:
        """Return when the receiver has all of them, in order; but for such as it will not take."""
        try:
            async with asyncio.timeout(_LONGEST):
                await sink.send(some)
        except SinkRefusedError as error:
            if len(some) > 1:
                middle = len(some) // 2
                await self._deliver(sink, some[:middle], track)
                await self._deliver(sink, some[middle:], track)
            else:
                await self._deliver_stub(sink, some[0], track, error)

    async def _deliver_stub(
        self, sink: AuditSink, one: Shipment, track: Track, refused: SinkRefusedError
    ) -> None:
        form = FORMS[self.rules.form]
        loop = asyncio.get_running_loop()
        stub = await loop.run_in_executor(
            self._readers, partial(load_stub, self._deps.source, one, form)
        )
        try:
            async with asyncio.timeout(_LONGEST):
                await sink.send((stub,))
        except SinkRefusedError:
            # It takes nothing at all, so it is not the record that is wrong.
            raise SinkDownError(f"takes_nothing_{refused.detail}", cause=refused) from refused
        _log.warning("sink_refused_record", sink=self.rules.name, log=one.log, seq=one.sequence)
        if one.sequence not in track.refused:
            # Of one that is tried again, with those around it, it was said already.
            track.refused.add(one.sequence)
            track.gaps.append((one.sequence, one.sequence))

    async def _pass_over(self, track: Track, first: int) -> None:
        track.gaps.append((track.reached, first - 1))
        track.reached = first
        await self._note(track)

    async def _note(self, track: Track) -> None:
        """Write down how far it came, and what it never gets."""
        cursor, gaps, reached = track.cursor, tuple(track.gaps), track.reached
        if reached == cursor.position and not gaps and cursor.error == self.error:
            return
        now, error = self._deps.clock.now(), self.error

        def work(tx: Transaction) -> bool:
            if not advance(tx, cursor, after=reached, now=now, error=error):
                return False
            for first, last in gaps:
                note_gap(tx, cursor, first=first, last=last)
            return True

        if not await self._deps.database.run(work):
            # Somebody set it, or took it over: what they say counts.
            self.tracks.pop(cursor.log, None)
            return
        del track.gaps[: len(gaps)]
        track.cursor = Cursor(
            sink=cursor.sink,
            log=cursor.log,
            position=reached,
            holder=cursor.holder,
            held_until=cursor.held_until,
            moved_at=now,
            lagging_since=cursor.lagging_since,
            error=error,
        )
        track.noted_at = asyncio.get_running_loop().time()

    def _succeeded(self) -> None:
        if self._failures:
            _log.warning("sink_takes_again", sink=self.rules.name, failures=self._failures)
        self._failures, self.error = 0, None

    async def _failed(self, word: str) -> bool:
        """Say it once, note it, and wait for longer each time."""
        if not self._failures:
            _log.error("sink_failed", sink=self.rules.name, error=word)
        self._failures += 1
        self._deps.counts.failed(self.rules.name, word)
        self.error = word
        # Where the database does not answer either, what is in memory stays there.
        with suppress(Error):
            for track in tuple(self.tracks.values()):
                await self._note(track)
        pause = _PAUSES[min(self._failures, len(_PAUSES)) - 1]
        await self._rest(pause * random.uniform(0.8, 1.2))  # noqa: S311  nothing secret is drawn
        return True

    async def _rest(self, seconds: float) -> None:
        """Wait, unless somebody sets the sink meanwhile."""
        self._moved.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._moved.wait()
        except TimeoutError:
            return


def word_of(error: Exception) -> str:
    """What is shown of a failure: a word of ours, and of others no more than their type."""
    if isinstance(error, SinkDownError | SinkRefusedError):
        return error.detail
    if isinstance(error, SinkMisdeclaredError):
        return f"{error.code}: {error.detail}"
    if isinstance(error, TimeoutError):
        return "timed_out"
    return type(error).__name__
