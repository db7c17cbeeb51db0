"""When records in the database have been kept long enough: of the logs that this process answers for, and of those that nobody holds.

The log of this process says what goes before it does, and what a hold covers stays, as with files (`custody.desk`). What fails with
one log does not keep the others.

Source: AUDIT §1.6.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from remit.audit.database_pruning import (
    PrunableRecords,
    logs_to_prune,
    prunable_records,
    remove_blocks,
)
from remit.audit.events import AuditPruned
from remit.audit.pruning import Times
from remit.clock import Clock
from remit.custody.held import StandingHolds
from remit.db import Database, Transaction
from remit.errors import Error

__all__ = ["prune_database"]


async def prune_database(
    database: Database,
    times: Times,
    *,
    own: str,
    standing: Callable[[Transaction], StandingHolds],
    clock: Clock,
) -> int:
    """Remove what was kept for its time, portion after portion; how many records. `own` is the log of this process.

    `standing` says which holds there are.

    Raises:
        Error, OSError: of the last log for which it failed, when the others are done.
    """
    count, failure = 0, None
    for log in await asyncio.to_thread(logs_to_prune, database, own):
        try:
            count += await _prune(database, log, times, standing, clock=clock)
        except (Error, OSError) as error:
            failure = error
    if failure is not None:
        raise failure
    return count


async def _prune(
    database: Database,
    log: str,
    times: Times,
    standing: Callable[[Transaction], StandingHolds],
    *,
    clock: Clock,
) -> int:
    holds = await database.read(standing)
    times = replace(times, held=holds.cover)

    def is_free(tx: Transaction) -> bool:
        return holds.are_all(tx, clock.now())

    count = 0
    while await database.read(is_free):
        meant = await asyncio.to_thread(prunable_records, database, log, times, now=clock.now())
        if meant is None or not await database.run(partial(_say, meant=meant, is_free=is_free)):
            break
        removed = await asyncio.to_thread(remove_blocks, database, meant, allowed=is_free)
        count += removed
        if removed < meant.size - meant.first:
            break
    return count


def _say(
    tx: Transaction, *, meant: PrunableRecords, is_free: Callable[[Transaction], bool]
) -> bool:
    """Whether it may go; then the log has that it does."""
    if not is_free(tx):
        return False
    tx.record(AuditPruned(log=meant.log, size=meant.size, files=0))
    return True
