"""How a connection is opened, and what holds on every one of them.

SQLite: write-ahead log, `synchronous=FULL` (a commit that returned survives a power
cut), foreign keys on, one writer that takes its lock at `BEGIN IMMEDIATE` so that
two writers wait for one another instead of failing half-way, readers that cannot write.
PostgreSQL: read-only transactions see one snapshot, as they do on SQLite; a statement
may take 30 seconds and wait 10 for a lock.

Source: https://www.sqlite.org/wal.html, https://www.sqlite.org/lang_transaction.html.
"""

import os
import sqlite3
import stat
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool

if TYPE_CHECKING:  # only who uses PostgreSQL waits for its driver to load
    import psycopg

__all__ = ["create_private_file", "is_damage", "postgresql_engine", "sqlite_engine"]

_CONNECT_SECONDS = 5
_BUSY_MILLISECONDS = 10_000
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def sqlite_engine(url: URL, *, connections: int, writes: bool, begins: bool = True) -> Engine:
    """An engine over one SQLite file; `writes` says which of the two kinds of connection it opens.

    Without `begins` every statement is a transaction of its own.
    """
    engine = create_engine(
        url,
        hide_parameters=True,  # an error in a log must not show what was to be stored
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": _BUSY_MILLISECONDS / 1000},
    )

    def on_connect(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # SQLAlchemy's own BEGIN, below, is the only one
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "fullfsync=ON", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("PRAGMA trusted_schema=OFF")
        if not writes:
            connection.execute("PRAGMA query_only=ON")

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", on_connect)
    if begins:
        event.listen(engine, "begin", on_begin)
    return engine


def postgresql_engine(url: URL, *, connections: int) -> Engine:
    """An engine over PostgreSQL with at most `connections` connections."""
    engine = create_engine(
        url,
        hide_parameters=True,
        # Whatever the role or the server has as its default: see `history.store.lock_pasts`.
        isolation_level="READ COMMITTED",
        pool_size=connections,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={"connect_timeout": _CONNECT_SECONDS},
    )

    def on_connect(connection: "psycopg.Connection[Any]", _: object) -> None:
        connection.execute("SET statement_timeout = '30s'")
        connection.execute("SET lock_timeout = '10s'")
        connection.execute("SET idle_in_transaction_session_timeout = '60s'")
        connection.commit()

    event.listen(engine, "connect", on_connect)
    return engine


def is_damage(error: DatabaseError) -> bool:
    """Whether SQLite says that its file is damaged, or no database at all.

    It says so in the class of its errors that has no name of its own, like no other trouble.
    """
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGE


def create_private_file(path: str) -> None:
    """Create `path` readable by its owner alone, or close an existing one to others.

    SQLite gives its `-wal` and `-shm` the same mode.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)
