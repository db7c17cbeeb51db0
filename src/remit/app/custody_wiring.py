"""Who keeps what the log holds sealed, put together; and what is done for it by the clock."""

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from remit.app.log_folders import folder_of_log
from remit.audit import Redactor
from remit.audit.pruning import Times
from remit.audit.source import RecordSource
from remit.audit.subject_keys import SubjectKeys
from remit.audit.tiled_logs import TiledLogs
from remit.clock import Clock
from remit.custody import Custody, KeyKeeper, subject_digest
from remit.custody.database_retention import prune_database
from remit.db import Database
from remit.errors import Error
from remit.guard.ports import Directory
from remit.secrets import SecretBox

__all__ = ["KeptLogs", "close_custody", "end_what_is_over", "keep_custody", "open_custody"]

_EVERY: Final = 3_600.0
_log = structlog.stdlib.get_logger("remit.custody")


@dataclass(frozen=True, slots=True)
class KeptLogs:
    """The logs that are read here, their tiles, and the data folder."""

    source: RecordSource
    tiled: TiledLogs
    data: Path


async def open_custody(
    database: Database,
    box: SecretBox,
    redactor: Redactor,
    *,
    logs: KeptLogs,
    instance: str,
    clock: Clock,
) -> Custody:
    """From here on the redactor seals under keys of subjects. Whoever opens it closes it.

    Raises:
        DatabaseUnavailableError: the database does not answer.
    """
    seal = redactor.record_seal
    if seal is None:
        raise ValueError("a redactor that seals nothing has nothing to keep")
    keys = SubjectKeys(clock)
    keeper = KeyKeeper(
        database,
        box,
        keys,
        digest=lambda tenant, subject: subject_digest(redactor, tenant, subject),
        instance=instance,
        clock=clock,
    )
    await keeper.keep()
    seal.writers = keys
    return Custody(
        database=database,
        keeper=keeper,
        redactor=redactor,
        source=logs.source,
        folder=folder_of_log(logs.data, f"remit/{instance}"),
        covered=logs.tiled.make_safe,
        log=f"remit/{instance}",
        clock=clock,
        secret=seal.secret,
    )


async def keep_custody(custody: Custody, directory: Directory) -> None:
    """Write down who has which key, and end what has been kept long enough: for ever. The root of a task."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(custody.keeper.run(custody.source, custody.log))
        while True:
            await asyncio.sleep(_EVERY)
            await end_what_is_over(custody, directory)


async def end_what_is_over(custody: Custody, directory: Directory) -> None:
    """One round of that. A failure is logged, and tried again the next time."""
    retention = directory.catalog.audit.retention
    try:
        keys = await custody.end_sealed(retention.sealed)
        times = Times(retention.records, retention.kinds)
        pruned = await custody.prune(times)
        records = await prune_database(
            custody.database,
            times,
            own=custody.log,
            standing=custody.standing,
            clock=custody.clock,
        )
    except (Error, OSError) as error:
        _log.error("retention_failed", error=type(error).__name__)
    else:
        files = 0 if pruned is None else len(pruned.files)
        _log.info("retention", keys=keys, files=files, records=records)


async def close_custody(custody: Custody) -> None:
    """Write the last of it down; what cannot be is found in the log by the next process."""
    with contextlib.suppress(Error):
        await custody.keeper.close()
