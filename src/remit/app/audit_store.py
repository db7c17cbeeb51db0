"""Where the audit log of this process is kept, and how it is opened there: in the data folder, or in the database.

A log goes on where it began. Refused: to begin one anew under a name that has records elsewhere, for nobody could tell
a log that was moved from one that was cut off.

What a process before this one left without an outcome is recorded before anything else is.

Source: docs/adr/0026-audit-trail.md; AUDIT §1.5, §1.10 (7).
"""

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.metadata import version as version_of
from pathlib import Path
from typing import ClassVar, Final

from remit.app.data_folder import DataFolder
from remit.audit import DurableAuditLog, FileAuditLog, Producer, StreamSettings
from remit.audit.all_sources import AllSources
from remit.audit.calls_noted import read_noted
from remit.audit.database_log import DatabaseAuditLog
from remit.audit.database_source import DatabaseSource
from remit.audit.disk import PosixDisk
from remit.audit.file_source import FileSource
from remit.audit.log_store import find_log
from remit.audit.reconcile import left_open, outcomes_of
from remit.audit.signing import CheckpointSigner
from remit.audit.source import Record, RecordSource
from remit.db import Database
from remit.errors import ConflictError
from remit.settings import AuditStore, Settings
from remit_audit_verify.stream_files import list_segments

__all__ = [
    "AuditLogElsewhereError",
    "LogPlace",
    "log_place",
    "open_log",
    "source_of",
]

_HOLDER: Final = "holder"
_AT_ONCE: Final = 500


class AuditLogElsewhereError(ConflictError):
    """The log has records somewhere else than the settings say; it is not begun anew here."""

    code: ClassVar[str] = "audit_log_elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPlace:
    """Where the log `name` is kept: in `folder`, or in the database at `url`, where this process is called `holder`."""

    name: str
    folder: Path
    url: str
    in_database: bool
    holder: str


def log_place(settings: Settings, folder: DataFolder, url: str) -> LogPlace:
    """Where the log of this process is, or is to be. `url` is a migrated database.

    Raises:
        AuditLogElsewhereError: it is somewhere else than `audit_store` says, or in both places.
        DatabaseUnavailableError: the database does not answer.
    """
    name, stream = f"remit/{settings.instance}", folder.audit / settings.instance
    on_files = stream.is_dir() and bool(list_segments(stream)[0])
    is_server = not url.startswith("sqlite")
    in_database = is_server and _is_in_database(url, name)
    if on_files and in_database:
        raise AuditLogElsewhereError(
            f"the log `{name}` is both in `{stream}` and in the database; move the one that is not this process's away"
        )
    match settings.audit_store:
        case AuditStore.AUTO:
            chosen = in_database or (is_server and not on_files)
        case AuditStore.FILES:
            if in_database:
                raise AuditLogElsewhereError(
                    f"the log `{name}` is in the database; set audit_store to `database`, or give this process another instance"
                )
            chosen = False
        case AuditStore.DATABASE:
            if on_files:
                raise AuditLogElsewhereError(
                    f"the log `{name}` is in `{stream}`; set audit_store to `files`, or give this process another instance"
                )
            chosen = True
    return LogPlace(
        name=name, folder=stream, url=url, in_database=chosen, holder=_name_of_holder(folder)
    )


@contextmanager
def open_log(
    settings: Settings, place: LogPlace, signer: CheckpointSigner
) -> Iterator[DurableAuditLog]:
    """The log of this process; closed in good order with the context.

    Raises:
        AuditLogLockedError: another process has it.
        AuditLogDamagedError: it is not the log that was written.
        AuditUnavailableError: disk, database or signer refuse.
    """
    producer = Producer(
        instance=settings.instance,
        version=version_of("remit"),
        settings_digest=settings.digest(),
    )
    log: DurableAuditLog
    if place.in_database:
        log = kept = DatabaseAuditLog(
            place.url, signer, origin=place.name, holder=place.holder, producer=producer
        )
        left = kept.left
    else:
        left = _left_on_files(place)
        stream = StreamSettings(
            folder=place.folder,
            origin=place.name,
            reserve_bytes=settings.audit_reserve * 1024 * 1024,
        )
        log = FileAuditLog(stream, signer, producer=producer)
    with closing(log):
        log.limit_unsigned(settings.audit_unsigned)
        outcomes = outcomes_of(left)
        for begin in range(0, len(outcomes), _AT_ONCE):
            log.record(outcomes[begin : begin + _AT_ONCE])
        yield log


def source_of(folder: DataFolder, database: Database, *, is_server: bool) -> RecordSource:
    """All logs that this process can read: those in the database, if it is a server's, and those in its folder."""
    files = FileSource(folder.audit)
    return AllSources([DatabaseSource(database), files]) if is_server else files


def _name_of_holder(folder: DataFolder) -> str:
    """The name by which the data folder holds a log in the database: its own, and no other's.

    Whoever finds it in the database, and has the folder's lock, knows that the process which held the log is gone.
    """
    path = folder.path / _HOLDER
    if not path.exists():
        PosixDisk().replace(path, secrets.token_hex(16).encode())
    return path.read_text(encoding="ascii").strip()


def _left_on_files(place: LogPlace) -> tuple[Record, ...]:
    source = FileSource(place.folder)
    if place.name not in source.logs():
        return ()
    return left_open(source, place.name, noted=read_noted(place.folder))


def _is_in_database(url: str, name: str) -> bool:
    with closing(Database.open(url, pool=1)) as database:
        row = database.read_now(lambda tx: find_log(tx, name))
    return row is not None and row.size > 0
