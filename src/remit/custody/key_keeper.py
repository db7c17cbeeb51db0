"""Keeps the keys of subjects in the database, beside the calls that are sealed with them.

A stock of keys lies in the database before anybody has one, so that a process that dies loses none; who has which is
written within about a second, and after a crash found in the log. What was destroyed elsewhere is sealed with no more.

Source: AUDIT §1.6; docs/adr/0026-audit-trail.md.
"""

import asyncio
import os
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import structlog

from remit.audit.entry import BadEntryError
from remit.audit.record_seal import RecordKeys, key_of
from remit.audit.source import RecordSource
from remit.audit.subject_keys import KeyOwner, NewKey, SubjectKeys, month_of
from remit.clock import Clock, EpochSeconds
from remit.custody.key_store import (
    Given,
    KeyRow,
    add_keys,
    destroyed_among,
    live_keys,
    lock_custody,
    name_owners,
    remove_unused,
    unowned_keys,
)
from remit.custody.retention import STOCK_FOR
from remit.db import Database, Transaction
from remit.errors import Error
from remit.secrets import SecretBox

__all__ = ["INTERVAL", "STOCK", "KeyKeeper"]

_log = structlog.stdlib.get_logger("remit.custody")

INTERVAL: Final = 1.0
"""Seconds until it is written who has which key."""
STOCK: Final = 64
_LOOKS_FOR_DESTROYED: Final = 15
_AT_ONCE: Final = 4_096


class KeyKeeper:
    """`digest` makes the name that a subject has in the database, of a tenant and the subject."""

    def __init__(
        self,
        database: Database,
        box: SecretBox,
        keys: SubjectKeys,
        *,
        digest: Callable[[str, str], str],
        instance: str,
        clock: Clock,
    ) -> None:
        self._database = database
        self._box = box
        self._keys = keys
        self._digest = digest
        self._instance = instance
        self.process = f"{instance}/{os.urandom(8).hex()}"
        self._clock = clock
        self._stocked_at = clock.now()
        # Whoever erases must not go on while another still writes down whose key it is that has to go.
        self._one_at_a_time = asyncio.Lock()

    async def keep(self) -> None:
        """Write down what was given out, and fill the stock. Whatever was given out before is written when it returns.

        Raises:
            Error: the database does not take it; it is tried again the next time.
        """
        async with self._one_at_a_time:
            await self._keep()

    async def _keep(self) -> None:
        given, old = self._keys.take_given(), self._old_stock()
        fresh = [(os.urandom(16).hex(), os.urandom(32)) for _ in range(STOCK - self._keys.stock)]
        fresh = fresh if len(fresh) > STOCK // 2 else []
        if not given and not fresh and not old:
            return
        rows = [KeyRow(id=one.id, key=one.key) for one in given if not one.is_kept]
        named = [Given(one.id, self._owner(one), one.at) for one in given]
        spare = [KeyRow(id=name, key=key) for name, key in fresh]
        now = self._clock.now()

        def work(tx: Transaction) -> int:
            add_keys(tx, self._box, (*rows, *spare), process=self.process, now=now)
            remove_unused(tx, old)
            if not named:
                return 0
            lock_custody(tx)
            return name_owners(tx, named, process=self.process, now=now)

        is_kept, destroyed = False, 0
        try:
            destroyed = await self._database.run(work)
            is_kept = True
        finally:
            if not is_kept:  # whoever gives up waiting does not know either
                self._keys.give_back(given)
        self._keys.put_in_stock(fresh)
        if fresh:
            self._stocked_at = now
        if destroyed:
            await self.look()

    async def part_with(self, tenant: str, subject: str) -> None:
        """Seal nothing more about `subject` with the key that they have, and write down which that was.

        Raises:
            Error: as `keep`.
        """
        self._keys.part_with(tenant, subject)
        await self.keep()

    def _old_stock(self) -> list[str]:
        """Keys that lie ready for too long, which are given to nobody any more."""
        if self._clock.now() < self._stocked_at + STOCK_FOR // 2:
            return []
        return self._keys.take_stock()

    async def look(self) -> int:
        """Seal no more with what was destroyed, here or elsewhere; how many keys that were."""
        ids = self._keys.ids()
        gone = await self._database.read(lambda tx: destroyed_among(tx, ids))
        self._keys.drop(gone)
        return len(gone)

    async def run(self, source: RecordSource, log: str) -> None:
        """Do so for ever. The root of a task: a failure is logged, and tried again."""
        turns = 0
        is_settled = False
        while True:
            try:
                await self.keep()
                if turns % _LOOKS_FOR_DESTROYED == 0:
                    await self.look()
                if not is_settled:
                    await self.settle(source, log)
                    is_settled = True
            except (Error, OSError) as error:
                _log.error("record_keys_not_kept", error=type(error).__name__)
            turns += 1
            await asyncio.sleep(INTERVAL)

    async def close(self) -> None:
        """Write down what is left, and let go of what nobody has."""
        await self.keep()
        left = self._keys.take_stock()
        await self._database.run(lambda tx: remove_unused(tx, left))

    async def settle(self, source: RecordSource, log: str) -> int:
        """Find in `log` who had the keys that a process before this one left without a word; how many it used."""
        left = dict(
            await self._database.read(
                lambda tx: unowned_keys(tx, instance=self._instance, but=self.process)
            )
        )
        if not left:
            return 0
        since = min(left.values())
        owners = await asyncio.to_thread(_owners, source, log, set(left), since)
        named = [
            Given(
                key_id, KeyOwner(one.tenant, self._digest(one.tenant, one.subject), one.month), at
            )
            for key_id, (one, at) in owners.items()
        ]
        now = self._clock.now()
        unused = [key_id for key_id in left if key_id not in owners]

        def work(tx: Transaction) -> None:
            lock_custody(tx)
            name_owners(tx, named, process="", now=now)  # it was another that sealed
            remove_unused(tx, unused)

        await self._database.run(work)
        return len(named)

    def open_keys(self, secret: bytes, *, tenant: str | None = None) -> RecordKeys:
        """All that opens records now, or all of `tenant`. Blocks: call it in a thread.

        Raises:
            SealBrokenError: one was sealed with another master key.
        """
        found = self._database.read_now(lambda tx: live_keys(tx, self._box, tenant=tenant))
        for one in self._keys.waiting():
            found.setdefault(one.id, one.key)
        return RecordKeys(secret, found)

    def _owner(self, new: NewKey) -> KeyOwner:
        owner = new.owner
        return KeyOwner(owner.tenant, self._digest(owner.tenant, owner.subject), owner.month)


def _owners(
    source: RecordSource, log: str, wanted: set[str], since: EpochSeconds
) -> dict[str, tuple[KeyOwner, EpochSeconds]]:
    """Who is in the records that are sealed with the keys `wanted`, none of which is older than `since`, and since when."""
    found: dict[str, tuple[KeyOwner, EpochSeconds]] = {}
    first, end = source.bounds(log)
    while end > first:
        start = max(first, end - _AT_ONCE)
        oldest = None
        for record in source.read(log, start, limit=end - start):
            try:
                entry: Any = record.entry()
            except BadEntryError:
                continue
            at = EpochSeconds(int(datetime.fromisoformat(entry["observed"]).timestamp()))
            oldest = at if oldest is None else min(oldest, at)
            sealed = entry["body"].get("sealed_arguments")
            key_id = key_of(sealed) if isinstance(sealed, str) else None
            if key_id in wanted and entry["tenant"]:
                subject = entry["user"] or entry["agent"] or ""
                _, before = found.get(key_id, (None, at))
                owner = KeyOwner(entry["tenant"], subject, month_of(at)[0])
                found[key_id] = (owner, min(at, before))
        if oldest is not None and oldest < since - _AT_ONCE:
            break
        end = start
    return found
