"""The signing keys of this process, kept in step with those that are stored.

Read twice a second, like standing: a key that another process made is published here long
before it signs, and one that it retired is refused here within a second. By the way what is
due is done: keys retire when all they signed has expired, and the next is made when the
newest has signed for as long as the repository says.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import NoReturn

import structlog

from remit.app.repetition import for_ever
from remit.clock import Clock, EpochSeconds, Seconds
from remit.db import Database
from remit.secrets import SecretBox
from remit.tokens import KeySet
from remit.tokens.rotation import keep_keys, reread_keys
from remit.tokens.store import StoredKey

__all__ = ["INTERVAL", "KeyRefresh"]

_log = structlog.stdlib.get_logger("remit.keys")

INTERVAL = 0.5
"""Seconds between two readings."""


class KeyRefresh:
    """Reads the keys in `database` into `keys`; `lifetime` is asked each time, for repositories change."""

    def __init__(
        self,
        database: Database,
        box: SecretBox,
        keys: KeySet,
        *,
        clock: Clock,
        lifetime: Callable[[], Seconds],
    ) -> None:
        self._database = database
        self._box = box
        self._keys = keys
        self._clock = clock
        self._lifetime = lifetime
        self._one_at_a_time = asyncio.Lock()

    async def now(self) -> None:
        """Read, do what is due, and publish: what was committed before the call is in force here afterwards.

        Raises:
            Error: the database does not answer, or a key cannot be opened. What another process
                retired is refused even then, if it could be read.
        """
        async with self._one_at_a_time:
            stored = await reread_keys(self._database, self._box, self._keys)
            now, lifetime = self._clock.now(), self._lifetime()
            if not _something_is_due(stored, lifetime=lifetime, now=now):
                return
            changed = await self._database.run(
                lambda tx: keep_keys(tx, self._box, lifetime=lifetime, now=now)
            )
            if changed:
                await reread_keys(self._database, self._box, self._keys)

    async def run(self) -> NoReturn:
        """Do it for ever. The root of a task: a failure is logged once, and tried again."""
        await for_ever(self.now, every=INTERVAL, log=_log, what="keys")


def _something_is_due(stored: Sequence[StoredKey], *, lifetime: Seconds, now: EpochSeconds) -> bool:
    if any(key.retires_at is not None and key.retires_at <= now for key in stored):
        return True
    newest = max((key.signs_from for key in stored), default=now)
    return bool(lifetime) and newest + lifetime <= now
