"""Who keeps what the log holds sealed, put together; and what is done for it by the clock."""

import asyncio
import contextlib
from typing import Final

import structlog

from remit.audit import Redactor
from remit.audit.source import RecordSource
from remit.audit.subject_keys import SubjectKeys
from remit.clock import Clock
from remit.custody import Custody, KeyKeeper, subject_digest
from remit.db import Database
from remit.errors import Error
from remit.guard.ports import Directory
from remit.secrets import SecretBox

__all__ = ["close_custody", "keep_custody", "open_custody"]

_EVERY: Final = 3_600.0
_log = structlog.stdlib.get_logger("remit.custody")


async def open_custody(
    database: Database,
    box: SecretBox,
    redactor: Redactor,
    *,
    source: RecordSource,
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
        source=source,
        log=f"remit/{instance}",
        clock=clock,
        secret=seal.secret,
    )


async def keep_custody(custody: Custody, directory: Directory) -> None:
    """Write down who has which key, and end what has been sealed long enough: for ever. The root of a task."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(custody.keeper.run(custody.source, custody.log))
        while True:
            await asyncio.sleep(_EVERY)
            try:
                ended = await custody.end_sealed(directory.catalog.audit.retention.sealed)
            except Error as error:
                _log.error("sealed_not_ended", error=type(error).__name__)
            else:
                _log.info("sealed_ended", keys=ended)


async def close_custody(custody: Custody) -> None:
    """Write the last of it down; what cannot be is found in the log by the next process."""
    with contextlib.suppress(Error):
        await custody.keeper.close()
