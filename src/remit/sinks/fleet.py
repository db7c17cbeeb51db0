"""All sinks of a process: those that the repository in force declares, each with its carrier, and which logs are whose.

Of several processes on one database each carries the logs that it took, its own first; what one that died had is
taken over when its time is up. How far behind a sink is, is looked at here, once a second, whatever its carrier waits for.
"""

import asyncio
import math
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

import structlog

from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.errors import Error, NotFoundError
from remit.model import SinkRules
from remit.sinks.carrier import Carrier
from remit.sinks.cursor_store import (
    LEASE,
    Cursor,
    claim,
    list_cursors,
    note_lag,
    note_recovery,
    plant,
    release,
    renew,
)
from remit.sinks.deps import SinkDeps
from remit.sinks.lag import Lag, lag_of

__all__ = ["Fleet"]

_log = structlog.stdlib.get_logger("remit.sinks")

T = TypeVar("T")
_READERS: Final = 2
_PATIENCE: Final = 5.0
_FROM_NOW: Final = "now"
_BEGIN: Final = "begin"
_SET_BACK: Final = "log_set_back"


@dataclass(slots=True)
class _Running:
    carrier: Carrier
    task: "asyncio.Task[None]"


class Fleet:
    """The sinks. Whoever owns it calls `look` again and again, and `close` in the end."""

    def __init__(self, deps: SinkDeps) -> None:
        self._deps = deps
        self._running: dict[str, _Running] = {}
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="sinks")
        self._lags: dict[tuple[str, str], Lag] = {}
        self._looked_at = 0.0
        self._first_seen: dict[tuple[str, str], EpochSeconds] = {}

    @property
    def lags(self) -> tuple[Lag, ...]:
        """How far behind each sink is in each log, as of the last look."""
        return tuple(self._lags.values())

    def seconds_behind(self, sink: str, log: str) -> float:
        """How far behind a sink may be by now, for all that is known: without an end where nothing is."""
        lag = self._lags.get((sink, log))
        if lag is None or lag.is_set_back:
            return math.inf
        if lag.oldest_ms is not None:
            return max(0.0, (self._deps.clock.now_ms() - lag.oldest_ms) / 1_000)
        # It had everything then; what came since has not been looked at.
        return self._deps.clock.monotonic() - self._looked_at

    async def look(self) -> None:
        """Follow what is declared now, take and keep what is to be carried, and see who is behind.

        Raises:
            DatabaseUnavailableError: the database does not answer; what is carried is carried.
        """
        rules = dict(self._deps.rules())
        await self._follow(rules)
        if not rules and not self._lags:
            return
        logs = await self._in_thread(self._deps.source.logs)
        cursors = await self._deps.database.read(list_cursors)
        if await self._plant(rules, logs, cursors):
            cursors = await self._deps.database.read(list_cursors)
        await self._hold(rules, logs, cursors)
        await self._see(rules, cursors)

    async def close(self) -> None:
        """Note how far everything came, and let others carry on."""
        await self._follow({})
        with suppress(Error):
            await self._deps.database.run(partial(release, holder=self._deps.instance))
        self._readers.shutdown(wait=False, cancel_futures=True)

    async def _follow(self, rules: dict[str, SinkRules]) -> None:
        """Begin what is declared anew, and end what is not declared so any more."""
        over = [
            name
            for name, running in self._running.items()
            if rules.get(name) != running.carrier.rules or running.task.done()
        ]
        await asyncio.gather(*(self._end(self._running.pop(name)) for name in over))
        for name, one in rules.items():
            if name not in self._running:
                carrier = Carrier(one, self._deps, self._readers)
                task = asyncio.create_task(carrier.run(), name=f"sink:{name}")
                self._running[name] = _Running(carrier, task)

    @staticmethod
    async def _end(running: _Running) -> None:
        running.task.cancel()
        # Whoever does not let themselves be cancelled keep nobody else waiting.
        await asyncio.wait({running.task}, timeout=_PATIENCE)
        await running.carrier.close()

    async def _plant(
        self, rules: dict[str, SinkRules], logs: tuple[str, ...], cursors: tuple[Cursor, ...]
    ) -> bool:
        """Have sinks that begin with what comes, and got nothing yet, begin there in every log; whether there were any.

        In every log at once, whoever will carry it: of a log that is met later, everything came later.
        """
        known = {one.sink for one in cursors}
        anew = [
            name
            for name, one in rules.items()
            if name not in known and one.options.get(_BEGIN) == _FROM_NOW
        ]
        if not anew:
            return False
        places = {log: await self._in_thread(partial(self._bounds, log)) for log in logs}
        sizes = {log: bounds[1] for log, bounds in places.items()}
        now = self._deps.clock.now()

        def work(tx: Transaction) -> None:
            for name in anew:
                plant(tx, name, sizes, now=now)

        await self._deps.database.run(work)
        return True

    async def _hold(
        self, rules: dict[str, SinkRules], logs: tuple[str, ...], cursors: tuple[Cursor, ...]
    ) -> None:
        """Take what nobody carries, and renew what is ours."""
        known = {(one.sink, one.log): one for one in cursors}
        now = self._deps.clock.now()
        for name in rules:
            carrier = self._running[name].carrier
            for log in logs:
                cursor = known.get((name, log))
                if cursor is None and not self._is_orphan(name, log, now):
                    continue
                if cursor is not None and not self._is_ours(cursor) and cursor.held_until >= now:
                    carrier.leave(log)
                elif cursor is None or not self._is_ours(cursor) or self._is_to_renew(cursor, now):
                    await self._take(carrier, log)
                elif (
                    log not in carrier.tracks
                    or cursor.position != carrier.tracks[log].cursor.position
                ):
                    # Taken in an earlier life of this process, or set by somebody.
                    await self._take(carrier, log)

    def _is_orphan(self, sink: str, log: str, now: EpochSeconds) -> bool:
        """Whether whoever writes `log` had time enough to carry it, or is us."""
        if log == self._deps.own_log:
            return True
        return now - self._first_seen.setdefault((sink, log), now) > LEASE

    def _is_ours(self, cursor: Cursor) -> bool:
        return cursor.holder == self._deps.instance

    @staticmethod
    def _is_to_renew(cursor: Cursor, now: EpochSeconds) -> bool:
        return cursor.held_until - now < LEASE * 2 // 3

    async def _take(self, carrier: Carrier, log: str) -> None:
        # A sink that got nothing of it yet begins with what is kept.
        begin, _ = await self._in_thread(partial(self._bounds, log))
        now, holder, sink = self._deps.clock.now(), self._deps.instance, carrier.rules.name

        def work(tx: Transaction) -> Cursor | None:
            if log in carrier.tracks:
                return renew(tx, sink, log, holder=holder, now=now)
            return claim(tx, sink, log, holder=holder, begin=begin, now=now)

        cursor = await self._deps.database.run(work)
        if cursor is None:
            carrier.leave(log)
        else:
            carrier.take(cursor)

    def _bounds(self, log: str) -> tuple[int, int]:
        try:
            return self._deps.source.bounds(log)
        except NotFoundError:
            return 0, 0

    async def _see(self, rules: dict[str, SinkRules], cursors: Iterable[Cursor]) -> None:
        """Who is how far behind; what is new of it becomes an event."""
        seen: dict[tuple[str, str], Lag] = {}
        looked_at = self._deps.clock.monotonic()
        for cursor in cursors:
            declared = rules.get(cursor.sink)
            if declared is None:
                continue
            track = self._running[cursor.sink].carrier.tracks.get(cursor.log)
            reached = cursor.position if track is None else max(cursor.position, track.reached)
            key = cursor.sink, cursor.log
            lag = await self._in_thread(
                partial(
                    lag_of,
                    self._deps.source,
                    cursor,
                    reached=reached,
                    now_ms=self._deps.clock.now_ms(),
                    before=self._lags.get(key),
                )
            )
            seen[key] = lag
            if track is not None:
                await self._tell(declared, cursor, lag)
        self._lags, self._looked_at = seen, looked_at

    async def _tell(self, rules: SinkRules, cursor: Cursor, lag: Lag) -> None:
        now = self._deps.clock.now()
        error = _SET_BACK if lag.is_set_back else self._running[cursor.sink].carrier.error or ""
        if lag.seconds > rules.alert_after and cursor.lagging_since is None:
            await self._deps.database.run(
                lambda tx: note_lag(
                    tx, cursor, behind=lag.behind, seconds=int(lag.seconds), error=error, now=now
                )
            )
            _log.error("sink_lagging", sink=cursor.sink, log=cursor.log, behind=lag.behind)
        elif lag.seconds * 2 < rules.alert_after and cursor.lagging_since is not None:
            await self._deps.database.run(lambda tx: note_recovery(tx, cursor, now=now))
            _log.warning("sink_recovered", sink=cursor.sink, log=cursor.log)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, work)
