"""What carries one sink's records: of each log in order, in batches, again and again until the receiver has them.

A receiver that fails is tried again, later and later; nothing is given up meanwhile, for what it has not taken stands in
the log. A record that a receiver does not take as it is, is looked for by halving, and told with nothing but its
place in the log; that it was is an event. A receiver that takes not even that takes nothing, and is waited for.

Nothing is sent of a log that this process does not hold any more: whoever was stopped for longer than that (a machine
that slept) sends nothing old behind the back of whoever took over.

Source: AUDIT §1.5.
"""

import asyncio
import random
import re
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import ClassVar, Final, NoReturn

import structlog

from remit.db import DatabaseUnavailableError, Transaction
from remit.errors import Error, NotFoundError
from remit.model import SinkRules
from remit.sinks.cursor_store import Cursor, advance, note_gap
from remit.sinks.deps import SinkDeps
from remit.sinks.forms.form import FORMS
from remit.sinks.loading import Load, load, load_stub
from remit.sinks.opened import OpenSink
from remit.sinks.port import AuditSink, BatchRules, SinkDownError, SinkRefusedError
from remit.sinks.receivers.options import SinkMisdeclaredError
from remit.sinks.shipment import Shipment
from remit.sinks.track import Track

__all__ = ["Carrier", "word_of"]

_log = structlog.stdlib.get_logger("remit.sinks")

_IDLE: Final = 0.5
"""Seconds between two looks for what is new."""
_NOTED: Final = 0.1
"""Seconds for which what was taken may stand in memory alone: after a crash it is sent again."""
_LONGEST: Final = 300.0
"""Seconds that a sink may take for one batch, whatever it waits for; and that a receiver may ask us to wait."""
_PAUSES: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0)
_GAP: Final = "audit.gap"
_WORD: Final = 100
_UNSHOWN: Final = re.compile(r"[^\x20-\x7e]")
_LATE: Final = "timed_out"


class LogUnreadableError(Error):
    """A log cannot be read now; what else there is goes out."""

    code: ClassVar[str] = "log_unreadable"


class Carrier:
    """One sink, as it is declared. `tracks` are the logs that this process carries to it, by name."""

    def __init__(self, rules: SinkRules, deps: SinkDeps, readers: Executor) -> None:
        self.rules = rules
        self.tracks: dict[str, Track] = {}
        self.error: str | None = None
        """Why it does not get on, while it does not."""
        self._deps = deps
        self._readers = readers
        self._opened = OpenSink(rules, deps)
        self._failures = 0
        self._most: int | None = None
        """Fewer records than it says that it takes: with more it came to no answer in time."""
        self._moved = asyncio.Event()

    def take(self, cursor: Cursor) -> None:
        """Carry that log, for longer, or go on with it where somebody set it."""
        track = self.tracks.get(cursor.log)
        if track is None or track.cursor.position != cursor.position:
            self.tracks[cursor.log] = Track(cursor=cursor, reached=cursor.position)
            self._moved.set()
        else:
            track.renew(cursor)

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
                asked = error.wait if isinstance(error, SinkDownError) else None
                moved = await self._failed(word_of(error), wait=asked)
            if not moved:
                await self._rest(_IDLE)

    async def close(self) -> None:
        """Note how far it came, and give up the connection."""
        for track in tuple(self.tracks.values()):
            with suppress(Error):
                await self._note(track)
        await self._opened.close()

    async def _round(self) -> bool:
        """One batch of each log; whether there was anything."""
        moved, tried, unreadable = False, False, None
        for log in sorted(self.tracks):
            track = self.tracks.get(log)
            if track is None or track.cursor.held_until <= self._deps.clock.now():
                continue
            tried = True
            try:
                moved = await self._carry(track) or moved
            except LogUnreadableError as error:
                unreadable = error
        if unreadable is not None:
            raise unreadable
        if tried:
            self._succeeded()
        return moved

    async def _carry(self, track: Track) -> bool:
        sink = await self._opened.get()
        found = await self._next(track, sink)
        if found.first is not None and found.first > track.reached:
            # They were pruned before they were taken.
            await self._pass_over(track, found.first)
        if found.shipments and not self._is_due(found, sink):
            track.held = found
            return found.more
        track.held = None
        if found.shipments:
            track.keep(found)
            if found.more and not sink.batch.wait:
                track.ahead = self._load(track, found.after, sink.batch)
            await self._deliver(sink, found.shipments, track)
            track.ready = None
            self._grow(sink)
        if found.after == track.reached and not found.shipments:
            await self._note(track)
            return False
        track.reached = found.after
        loop = asyncio.get_running_loop()
        if track.gaps or not found.more or loop.time() - track.noted_at > _NOTED:
            await self._note(track)
        return found.more

    async def _next(self, track: Track, sink: AuditSink) -> Load:
        """What goes out next: what is tried again, what was made ahead, or what is read now."""
        if track.ready is not None:
            return track.ready
        ahead = track.take_ahead()
        try:
            if ahead is not None:
                found = await ahead
                if found.start == track.reached:
                    return found
            held = track.held
            if held is None:
                return await self._load(track, track.reached, sink.batch)
            size = sum(len(one.content) for one in held.shipments)
            room = replace(
                sink.batch,
                records=sink.batch.records - len(held.shipments),
                content=sink.batch.content - size,
            )
            return held.joined(await self._load(track, held.after, room))
        except NotFoundError:
            # A log of another process that has not begun, or is gone: there is nothing of it.
            return Load(start=track.reached, shipments=(), first=None, after=track.reached)
        except OSError as error:
            raise LogUnreadableError("the log cannot be read", cause=error) from error

    def _load(self, track: Track, start: int, batch: BatchRules) -> "asyncio.Future[Load]":
        if self._most is not None:
            batch = replace(batch, records=min(batch.records, self._most))
        form = FORMS[self.rules.form]
        work = partial(
            load, self._deps.source, track.cursor.log, start,
            rules=self.rules, form=form, batch=batch,
        )  # fmt: skip
        loading = asyncio.get_running_loop().run_in_executor(self._readers, work)
        loading.add_done_callback(_look_at)
        return loading

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
                return
            await self._deliver_stub(sink, some[0], track, error)
        # What fails after this one is no reason to send this one again.
        track.reached = some[-1].sequence + 1
        self._deps.counts.sent(self.rules.name, len(some))

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
        if one.kind != _GAP:
            # Of a gap that is not taken no gap is told: it would not be taken either, for ever.
            track.miss(one.sequence, one.sequence)

    async def _pass_over(self, track: Track, first: int) -> None:
        track.miss(track.reached, first - 1)
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

        if await self._deps.database.run(work):
            track.note(replace(cursor, position=reached, moved_at=now, error=error), len(gaps))
        elif self.tracks.get(cursor.log) is track:
            # Somebody set it, or took it over: what they say counts.
            del self.tracks[cursor.log]

    def _succeeded(self) -> None:
        if self._failures:
            _log.warning("sink_takes_again", sink=self.rules.name, failures=self._failures)
        self._failures, self.error = 0, None

    async def _failed(self, word: str, *, wait: float | None = None) -> bool:
        """Say it once, note it, and wait for longer each time; or for as long as the receiver asks."""
        if not self._failures:
            _log.error("sink_failed", sink=self.rules.name, error=word)
        self._failures += 1
        self._deps.counts.failed(self.rules.name, word)
        self.error = word
        self._shrink(word)
        # Where the database does not answer either, what is in memory stays there.
        with suppress(Error):
            for track in tuple(self.tracks.values()):
                await self._note(track)
        pause = _PAUSES[min(self._failures, len(_PAUSES)) - 1]
        if wait is not None and wait > pause:
            pause = min(wait, _LONGEST)
        await self._rest(pause * random.uniform(0.8, 1.2))  # noqa: S311  nothing secret is drawn
        return True

    def _shrink(self, word: str) -> None:
        """Have less go out at once, if so much came to no answer in time; what was taken of it goes out no more."""
        for track in self.tracks.values():
            if track.ready is not None:
                count = len(track.ready.shipments)
                if word == _LATE and self._failures > 1:
                    self._most = max(1, count // 2)
                    track.take_ahead()
                track.keep(track.ready, most=self._most)

    def _grow(self, sink: AuditSink) -> None:
        """What went well is tried with a little more."""
        if self._most is not None:
            self._most += self._most // 8 + 1
            if self._most >= sink.batch.records:
                self._most = None

    async def _rest(self, seconds: float) -> None:
        """Wait, unless somebody sets the sink meanwhile."""
        self._moved.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._moved.wait()
        except TimeoutError:
            return


def _look_at(loading: "asyncio.Future[Load]") -> None:
    """What nobody waits for any more may fail."""
    if not loading.cancelled():
        loading.exception()


def word_of(error: Exception) -> str:
    """What is shown of a failure: a word of ours, and of others no more than their type."""
    if isinstance(error, SinkDownError | SinkRefusedError):
        # A plug-in may have any text there, and of any length.
        return _UNSHOWN.sub("_", error.detail)[:_WORD] or error.code
    if isinstance(error, LogUnreadableError):
        return error.code
    if isinstance(error, SinkMisdeclaredError):
        return f"{error.code}: {error.detail}"
    if isinstance(error, TimeoutError):
        return _LATE
    return type(error).__name__
