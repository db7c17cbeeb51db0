"""Whether people have answered, as the gateway asks for clients that wait: for many requests at once, in one query.

It says nothing of what they said: that is for policies to be told, when the call comes again.

Source: docs/adr/0025-cures.md.
"""

from remit.approvals.answered_store import waiting_among
from remit.clock import Clock
from remit.db import Database

__all__ = ["DatabaseAnswers"]


class DatabaseAnswers:
    """`gateway.ports.Answers`, over the tables of this room."""

    __slots__ = ("_clock", "_database")

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def answered(self, requests: frozenset[str]) -> frozenset[str]:
        """Those of `requests` that wait no longer, whatever became of them; those that nobody knows are among them.

        Raises:
            DatabaseUnavailableError: it cannot be told at present.
        """
        now = self._clock.now()
        waiting = await self._database.read(lambda tx: waiting_among(tx, requests, now=now))
        return requests - waiting
