"""The stored secrets of this process, kept in step with the database.

Read once a second, like the signing keys, and at once when this process changed one: what another
process stored is used here within a second or two, and what it removed is used no more. While the
database does not answer, what was read last stays; standing ages meanwhile, and then denies.
"""

import asyncio
from typing import NoReturn

import structlog

from remit.app.repetition import for_ever
from remit.db import Database
from remit.secrets import KnownSecrets, SecretBox, sealed_values

__all__ = ["INTERVAL", "SecretRefresh"]

_log = structlog.stdlib.get_logger("remit.secrets")

INTERVAL = 1.0
"""Seconds between two readings."""


class SecretRefresh:
    """Reads the stored secrets in `database` into `known`."""

    def __init__(self, database: Database, box: SecretBox, known: KnownSecrets) -> None:
        self._database = database
        self._box = box
        self._known = known
        self._one_at_a_time = asyncio.Lock()
        self._broken: tuple[str, ...] = ()

    async def now(self) -> None:
        """Read and publish: what was committed before the call is used here afterwards.

        Raises:
            Error: the database does not answer; what was known stays.
        """
        async with self._one_at_a_time:
            broken = self._known.publish(await self._database.read(sealed_values), self._box)
        if broken != self._broken and broken:
            _log.error("secrets_do_not_open", names=list(broken), mend="store them anew")
        self._broken = broken

    async def run(self) -> NoReturn:
        """Do it for ever. The root of a task: a failure is logged once, and tried again."""
        await for_ever(self.now, every=INTERVAL, log=_log, what="secrets")
