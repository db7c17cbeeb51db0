"""What is done by the clock: forgetting what has expired, removing clients, recording what was only counted.

A failure is logged and tried again the next time; nothing else depends on it.
Several processes may do it at once. What a clock says that leaps ahead counts once it has said so for an hour: else
a moment of it would forget for good what was done before, and whose token was revoked.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from remit.approvals.upkeep import forget_ended
from remit.audit import AuditUnavailableError, TallyingAuditLog
from remit.audit.flood import WINDOW
from remit.clock import Clock, EpochSeconds, Seconds
from remit.db import Database, Transaction
from remit.db.throttle import purge_attempts
from remit.guard.ports import Directory
from remit.history import trim_history
from remit.identity import purge_sessions, purge_sign_ins
from remit.identity.providers import purge_provider_logins
from remit.oauth import purge_expired, remove_due_clients

__all__ = [
    "INTERVAL",
    "WatchedClock",
    "forget_expired",
    "keep_counts",
    "keep_up",
    "record_counts",
    "remove_clients",
    "trim_pasts",
]

_log = structlog.stdlib.get_logger("remit.upkeep")

INTERVAL = 3_600.0
_DAY = Seconds(86_400)


async def keep_up(
    database: Database, directory: Directory, clock: Clock, *, renew: Callable[[], Awaitable[int]]
) -> None:
    """Forget what has expired, and look again at the documents of clients: once an hour, for ever.

    The root of a task. `renew` is `oauth.renew_documents`.
    """
    watched = WatchedClock(clock)
    while True:
        await asyncio.sleep(INTERVAL)
        try:
            removed = await database.run(lambda tx: forget_expired(tx, watched.now()))
            removed += await trim_pasts(database, directory, watched)
            removed += await remove_clients(database, directory, watched)
            renewed = await renew()
        except Exception as error:  # noqa: BLE001  the root of a task: nothing else depends on it
            _log.error("upkeep_failed", error=type(error).__name__, exc_info=error)
        else:
            _log.info("upkeep", removed=removed, renewed=renewed)
        watched.look()


class WatchedClock:
    """`clock`, but no later than so long after it was looked at last as really went by since."""

    __slots__ = ("_clock", "_looked", "_seen_ms")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.look()

    def look(self) -> None:
        """Believe what the clock says now."""
        self._seen_ms, self._looked = self._clock.now_ms(), self._clock.monotonic()

    def now(self) -> EpochSeconds:
        return EpochSeconds(self.now_ms() // 1_000)

    def now_ms(self) -> int:
        watched = self._seen_ms + int((self._clock.monotonic() - self._looked) * 1_000)
        return min(self._clock.now_ms(), watched)

    def monotonic(self) -> float:
        return self._clock.monotonic()


def forget_expired(tx: Transaction, now: EpochSeconds) -> int:
    """Delete what nobody can use any more; how many rows."""
    yesterday = EpochSeconds(now - _DAY)
    return (
        purge_expired(tx, now)
        + purge_sessions(tx, before=yesterday)
        + purge_sign_ins(tx, before=yesterday)
        + purge_provider_logins(tx, before=yesterday)
        + purge_attempts(tx, before=yesterday)
        + forget_ended(tx, now=now)
    )


async def trim_pasts(database: Database, directory: Directory, clock: Clock) -> int:
    """Delete what no declared fact of history reaches any more; how many rows."""
    declared, now = directory.catalog.history, clock.now()
    return await database.run(lambda tx: trim_history(tx, declared, now=now))


async def remove_clients(database: Database, directory: Directory, clock: Clock) -> int:
    """Remove the clients whose time is over by the repository in force; how many.

    A few in each transaction, since each takes its grants along and is an event.
    """
    removed = 0
    while True:
        registration, now = directory.catalog.registration, clock.now()
        gone = await database.run(
            lambda tx: remove_due_clients(tx, registration, now=now),  # noqa: B023  awaited here
        )
        if not gone:
            return removed
        removed += len(gone)


async def keep_counts(audit: TallyingAuditLog) -> None:
    """Record the refusals that were counted, window after window, for ever. The root of a task."""
    while True:
        await asyncio.sleep(WINDOW)
        await record_counts(audit)


async def record_counts(audit: TallyingAuditLog) -> None:
    """Record the refusals that were counted; what the log cannot take is kept for the next time."""
    try:
        await audit.record_counts()
    except AuditUnavailableError as error:
        _log.error("refusals_not_recorded", error=error.code)
