"""What may be done with what the log holds sealed: open it, erase it, hold it, let its time run out.

Everything here is asked for by an administrator, but for the end of its time. Whom something is about is known to the database by a keyed
digest alone.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from remit.audit.context import Context
from remit.audit.events import AuditPruned
from remit.audit.pruning import Prunable, Times, prunable, remove
from remit.audit.record_seal import RecordKeys
from remit.audit.redact import Redactor
from remit.audit.source import RecordSource
from remit.clock import Clock, Seconds
from remit.custody.erasure import erase
from remit.custody.held import StandingHolds, standing_holds
from remit.custody.hold_store import Hold, Word, hold_named, holds_of
from remit.custody.holding import lift_hold, request_hold, request_lift, set_hold
from remit.custody.key_keeper import KeyKeeper
from remit.custody.key_store import is_known, note_erasure
from remit.custody.retention import end_sealed
from remit.db import Database, Transaction

__all__ = ["Custody", "subject_digest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody:
    """What it works on.

    `log` is the log of this process among those of `source`, on files in `folder` (`None`: in the database); `covered` makes its
    tiles safe, and says how many records they cover. `secret` is what records were sealed under before subjects had
    keys, and are where they have none.
    """

    database: Database
    keeper: KeyKeeper
    redactor: Redactor
    source: RecordSource
    log: str
    folder: Path | None
    covered: Callable[[str], int]
    clock: Clock
    secret: bytes = field(repr=False)

    def record_keys(self, tenant: str | None = None) -> RecordKeys:
        """All that opens records, or those of `tenant`. Blocks: call it in a thread."""
        return self.keeper.open_keys(self.secret, tenant=tenant)

    def digest(self, tenant: str, subject: str) -> str:
        """What the database and the log call `subject` of `tenant`."""
        return subject_digest(self.redactor, tenant, subject)

    async def erase(self, *, tenant: str, subject: str, basis: str, context: Context) -> int:
        """Destroy what was sealed about `subject`; how many keys that were.

        Raises:
            HeldError: a hold stands.
        """
        await self.keeper.part_with(tenant, subject)
        name, now = self.digest(tenant, subject), self.clock.now()

        def work(tx: Transaction) -> int:
            count = erase(tx, tenant=tenant, subject=name, basis=basis, now=now, context=context)
            note_erasure(tx, tenant=tenant, subject=name, process=self.keeper.process, now=now)
            return count

        count = await self.database.run(work)
        await self.keeper.look()
        return count

    async def request_hold(
        self, *, tenant: str, subject: str | None, word: Word, context: Context
    ) -> Hold:
        """Ask that nothing about `subject` be destroyed (`None`: about anybody)."""
        await self.keeper.keep()
        name = None if subject is None else self.digest(tenant, subject)
        return await self.database.run(
            lambda tx: request_hold(tx, tenant=tenant, subject=name, word=word, context=context)
        )

    async def is_known(self, *, tenant: str, subject: str) -> bool:
        """Whether anything was ever sealed about `subject`."""
        await self.keeper.keep()
        name = self.digest(tenant, subject)
        return await self.database.read(lambda tx: is_known(tx, tenant=tenant, subject=name))

    async def set_hold(
        self, name: str, *, tenant: str | None, word: Word, context: Context
    ) -> Hold:
        """Agree to a hold. Raises as `holding.set_hold`, and NotFoundError."""
        return await self._change(
            name, tenant, lambda tx, hold: set_hold(tx, hold, word=word, context=context)
        )

    async def request_lift(
        self, name: str, *, tenant: str | None, word: Word, context: Context
    ) -> Hold:
        """Ask that a hold end. Raises as `holding.request_lift`, and NotFoundError."""
        return await self._change(
            name, tenant, lambda tx, hold: request_lift(tx, hold, word=word, context=context)
        )

    async def lift_hold(
        self, name: str, *, tenant: str | None, word: Word, context: Context
    ) -> Hold:
        """Agree to that. Raises as `holding.lift_hold`, and NotFoundError."""
        return await self._change(
            name, tenant, lambda tx, hold: lift_hold(tx, hold, word=word, context=context)
        )

    async def holds(self, *, tenant: str | None, lifted: bool) -> list[Hold]:
        """Those there are, the oldest first."""
        return await self.database.read(lambda tx: holds_of(tx, tenant=tenant, lifted=lifted))

    async def end_sealed(self, kept: Seconds) -> int:
        """Destroy the keys of months that ended longer ago than `kept`; how many. What a hold covers stays."""
        now = self.clock.now()
        count = await self.database.run(lambda tx: end_sealed(tx, kept=kept, now=now))
        if count:
            await self.keeper.look()
        return count

    async def prune(self, times: Times) -> Prunable | None:
        """Remove of this process's log, where it is on files, what was kept for its time; `None`: nothing.

        Nothing goes that a hold covers, nor what comes after it. The log says what goes before it does.

        Raises:
            OSError: a file cannot be read or removed.
        """
        now, folder = self.clock.now(), self.folder
        if folder is None:
            return None

        holds = await self.database.read(self.standing)
        times = replace(times, held=holds.cover)
        safe = await asyncio.to_thread(self.covered, self.log)
        meant = await asyncio.to_thread(prunable, folder, times, covered=safe, now=now)
        if meant is None:
            return None

        def say(tx: Transaction) -> bool:
            if not holds.are_all(tx, now):
                return False
            tx.record(AuditPruned(log=self.log, size=meant.size, files=len(meant.files)))
            return True

        if not await self.database.run(say):
            return None
        await asyncio.to_thread(remove, folder, meant)
        return meant

    def standing(self, tx: Transaction) -> StandingHolds:
        """The holds that stand now, to ask which records they cover."""
        return standing_holds(tx, digest=self.digest, now=self.clock.now())

    async def _change(
        self, name: str, tenant: str | None, change: Callable[[Transaction, Hold], Hold]
    ) -> Hold:
        return await self.database.run(lambda tx: change(tx, hold_named(tx, name, tenant=tenant)))


def subject_digest(redactor: Redactor, tenant: str, subject: str) -> str:
    """The keyed digest that stands for `subject`: the same for the same of one tenant."""
    return redactor.digest(["subject", subject], tenant=tenant)
