"""The guard closes when an outcome cannot be recorded, and opens when it has been.

Refuses every call in between: a log that lost an outcome would otherwise go on to
lose more. What it could not take is kept and is what the log is tried with, so
nothing is lost while the process lives.

Source: docs/architecture.md, "what fails closed"; AUDIT §1.5.
"""

import asyncio

from remit.audit.events import Event
from remit.audit.port import AuditLog, AuditUnavailableError, Receipt

__all__ = ["Closing"]


class Closing:
    """The outcomes that are not recorded yet. Closed while there are any."""

    __slots__ = ("_audit", "_pending", "_trying")

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit
        self._pending: list[Event] = []
        self._trying = asyncio.Lock()

    @property
    def closed(self) -> bool:
        """Whether an outcome is not recorded."""
        return bool(self._pending)

    async def record(self, event: Event) -> Receipt | None:
        """Record an outcome, or keep it and close; where it stands, unless others had to be recorded first.

        Raises:
            AuditUnavailableError: it is kept, and not recorded.
        """
        if not self._pending:
            # The usual way takes no lock, so that outcomes share one write to the disk.
            try:
                return await self._audit.append(event)
            except AuditUnavailableError:
                self._pending.append(event)
                raise
        self._pending.append(event)
        await self.settle()
        return None

    async def settle(self) -> None:
        """Record everything that is kept, in order; open when nothing is left.

        Raises:
            AuditUnavailableError: the log does not take it.
        """
        if not self._pending:
            return
        async with self._trying:
            while self._pending:
                await self._audit.append(self._pending[0])
                del self._pending[0]
