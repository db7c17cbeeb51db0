"""Whether the logs in the database are as they were written, and whether the database keeps what it is given.

A log that a process holds at the moment is that process's to look at: it did when it began.
"""

from collections.abc import Iterator
from contextlib import closing
from typing import Final

from remit.audit import AuditLogDamagedError
from remit.audit.database_recovery import recover_from_database
from remit.audit.log_store import LogRow, list_logs
from remit.cli.checkup.finding import Finding, fine, note, unsafe
from remit.db.link import DatabaseLink
from remit_audit_verify.note import BadCheckpointError, VerifierKey

__all__ = ["SYNC_IT", "UNSYNCED", "examine_log_database"]

UNSYNCED: Final = "`fsync` is off: it says that it has stored what a power cut takes"
SYNC_IT: Final = "set fsync = on in postgresql.conf"


def examine_log_database(url: str) -> Iterator[Finding]:
    """The end of each log that nobody writes; older records are for `remit audit verify`, on a copy. Nothing is changed."""
    try:
        with closing(DatabaseLink(url)) as link:
            rows = link.run(list_logs)
            found = [_ending(link, row) for row in rows]
    except OSError as error:
        yield note("audit log", f"in the database: {error.strerror or error}", mend="")
        return
    if not link.syncs:
        yield unsafe("database", UNSYNCED, mend=SYNC_IT)
    yield from found


def _ending(link: DatabaseLink, row: LogRow) -> Finding:
    if row.lease > 0:
        return fine("audit log", f"`{row.name}`: {row.size} records, held by a process")
    try:
        keys = [VerifierKey.parse(line) for line in row.public_keys.splitlines()]
        recover_from_database(link, row, keys)
    except (AuditLogDamagedError, BadCheckpointError) as error:
        return unsafe(
            "audit log",
            f"`{row.name}`: {error.detail}",
            mend="touch nothing, and see what remit audit dump and remit audit verify say",
        )
    return fine("audit log", f"`{row.name}`: {row.size} records, and it ends as it was written")
