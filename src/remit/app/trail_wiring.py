"""The index of the log: in a file of its own beside SQLite, which has one writer, and else in the database."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

from remit.app.data_folder import DataFolder
from remit.app.log_folders import folder_of_log
from remit.audit import Redactor
from remit.audit.log_store import list_logs
from remit.audit.source import Record, RecordSource
from remit.audit.tiled_logs import TiledLogs
from remit.audit.tiles import MissingHashError
from remit.clock import Clock
from remit.db import Database
from remit.trail import Trail, TrailIndex, open_index_file, renew_index_file
from remit_audit_verify.note import BadCheckpointError, parse_checkpoint
from remit_audit_verify.proof import Proof
from remit_audit_verify.stream_files import KEYS

__all__ = ["LogProofsOf", "TrailPlace", "open_trail"]

_FILE: Final = "trail.sqlite3"
_PATIENCE: Final = 15
_PAUSE: Final = 0.1


class LogProofsOf:
    """What shows that records are in the logs of `source`. Implements `trail.bundle.Proofs`."""

    def __init__(
        self, source: RecordSource, tiled: TiledLogs, database: Database, data: Path
    ) -> None:
        self._source = source
        self._tiled = tiled
        self._database = database
        self._data = data
        self._waited: dict[str, int] = {}

    def proof(self, record: Record) -> str | None:
        note = self._note_over(record)
        if note is None:
            return None
        size = parse_checkpoint(note).checkpoint.size
        try:
            path = self._tiled.tiles(record.log).inclusion(record.sequence, size)
        except (MissingHashError, ValueError):
            return None
        return str(Proof(record.sequence, tuple(path), note, record.line))

    def keys(self, log: str) -> str:
        folder = folder_of_log(self._data, log)
        if folder is not None:
            try:
                return (folder / KEYS).read_text(encoding="ascii")
            except (OSError, UnicodeDecodeError):
                return ""
        rows = self._database.read_now(list_logs)
        return next((row.public_keys for row in rows if row.name == log), "")

    def _note_over(self, record: Record) -> str | None:
        """The newest note of its log; waited for, once, where the record is younger than a second."""
        for attempt in range(_PATIENCE):
            note = self._source.checkpoint(record.log)
            try:
                size = 0 if note is None else parse_checkpoint(note).checkpoint.size
            except BadCheckpointError:
                return None
            if size > record.sequence:
                return note
            if self._waited.get(record.log) == size or attempt == _PATIENCE - 1:
                break
            time.sleep(_PAUSE)
        self._waited[record.log] = size
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailPlace:
    """What the log is asked with. The index is in `database` if that is a server, and else in a file of its own."""

    database: Database
    is_server: bool
    folder: DataFolder
    source: RecordSource
    tiled: TiledLogs
    redactor: Redactor
    own: str
    clock: Clock


@contextmanager
def open_trail(place: TrailPlace) -> Iterator[Trail]:
    """Where the logs are asked.

    Raises:
        DatabaseUnavailableError: the file of the index cannot be made.
    """
    with ExitStack() as stack:
        kept, anew, path = place.database, None, place.folder.path / _FILE
        if not place.is_server:
            kept, anew = open_index_file(path), partial(renew_index_file, path)
        index = TrailIndex(kept, place.source, clock=place.clock, own=place.own, anew=anew)
        if not place.is_server:
            stack.callback(index.close)
        yield Trail(
            index=index,
            proofs=LogProofsOf(place.source, place.tiled, place.database, place.folder.path),
            producer=f"remit {version('remit')}",
            tokens_of=lambda value, tenant: place.redactor.tokens(value, tenant=tenant),
        )
