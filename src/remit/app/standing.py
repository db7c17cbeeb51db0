"""Who may not act, re-read twice a second, and at once when this process changed it.

A failure leaves what is known as it was, and its age growing; beyond the maximal
age the guard refuses every call. So several processes on one database agree within
the interval, and one that is cut off stops.
"""

import asyncio
from collections.abc import Callable
from typing import NoReturn

import structlog

from remit.app.metrics import Metrics
from remit.app.repetition import for_ever
from remit.clock import Clock, EpochSeconds, Seconds
from remit.db import Database, Transaction
from remit.guard import Standing
from remit.identity import disabled_users
from remit.oauth import disabled_clients, revoked, revoked_tokens
from remit.registry import suspended_agents

__all__ = ["INTERVAL", "StandingRefresh", "read_standing"]

_log = structlog.stdlib.get_logger("remit.standing")

INTERVAL = 0.5
"""Seconds between two readings."""

_LONGEST_TOKEN = Seconds(2 * 3_600)
"""No access token lives longer: a repository may say 60 minutes at most, and clocks may differ."""


def read_standing(tx: Transaction, now: EpochSeconds) -> Standing:
    """Who may not act, as the store has it; `now` is taken before anything is read."""
    return Standing(
        as_of=now,
        suspended_agents=suspended_agents(tx),
        disabled_users=disabled_users(tx),
        disabled_clients=disabled_clients(tx),
        revoked_grants=revoked(tx, EpochSeconds(now - _LONGEST_TOKEN)),
        revoked_tokens=revoked_tokens(tx, now),
    )


class StandingRefresh:
    """Reads standing from `database` and hands it to `publish`."""

    def __init__(
        self,
        database: Database,
        publish: Callable[[Standing], None],
        *,
        clock: Clock,
        metrics: Metrics,
        read: Callable[[Transaction, EpochSeconds], Standing] = read_standing,
    ) -> None:
        self._database = database
        self._read = read
        self._publish = publish
        self._clock = clock
        self._metrics = metrics
        self._one_at_a_time = asyncio.Lock()

    async def now(self) -> None:
        """Read and publish. When it returns, what was committed before the call is enforced here.

        Readings do not overtake one another: an older one cannot replace a newer one.

        Raises:
            Error: the database does not answer; what was in force stays, and ages.
        """
        async with self._one_at_a_time:
            now = self._clock.now()
            self._publish(await self._database.read(lambda tx: self._read(tx, now)))

    async def run(self) -> NoReturn:
        """Read for ever. The root of a task: a failure is counted, logged once, and tried again."""
        await for_ever(
            self.now,
            every=INTERVAL,
            log=_log,
            what="standing",
            failed=self._metrics.standing_failed,
        )
