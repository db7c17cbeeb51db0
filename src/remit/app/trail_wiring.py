"""The index of the log: in a file of its own beside SQLite, which has one writer, and else in the database."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from remit.app.data_folder import DataFolder
from remit.audit import Redactor
from remit.audit.source import RecordSource
from remit.clock import Clock
from remit.db import Database
from remit.trail import Trail, TrailIndex, open_index_file

__all__ = ["open_trail"]

_FILE: Final = "trail.sqlite3"


@contextmanager
def open_trail(
    database: Database | None,
    folder: DataFolder,
    source: RecordSource,
    *,
    redactor: Redactor,
    own: str,
    clock: Clock,
) -> Iterator[Trail]:
    """Where the logs of `source` are asked; `database` is where the index is kept, if not in a file.

    Raises:
        DatabaseUnavailableError: the file cannot be made.
    """
    with ExitStack() as stack:
        if database is None:
            database = open_index_file(folder.path / _FILE)
            stack.callback(database.close)
        yield Trail(
            index=TrailIndex(database, source, clock=clock, own=own),
            tokens_of=lambda value, tenant: redactor.tokens(value, tenant=tenant),
        )
