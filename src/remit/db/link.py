"""A way to the database beside `Database`, for the audit log: a connection of its own, and every trouble told as the trouble of a disk.

The log is written while a transaction of the same process waits for it, so it goes through no connection, thread or lock of
that transaction's. On PostgreSQL one connection is kept for the one statement that is all there is to an append; what takes
several goes over a second one. A network that swallows what is sent is given up after `_SILENCE` milliseconds.

Source: AUDIT §1.5; https://www.postgresql.org/docs/current/libpq-connect.html (tcp_user_timeout, keepalives).
"""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from remit.db.engine import create_private_file, postgresql_engine, sqlite_engine
from remit.db.prepared import execute
from remit.db.transaction import Transaction
from remit.db.url import parse_database_url

__all__ = ["DatabaseLink"]

T = TypeVar("T")

_SILENCE: Final = 10_000


class DatabaseLink:
    """Connections for one thread at a time; made when first needed, and anew after each trouble.

    `syncs`: whether the server waits for its disk. One that was told not to (`fsync = off`) keeps no promise of ours.
    """

    def __init__(self, url: str) -> None:
        """Open `url`, a migrated database.

        Raises:
            UnsupportedDatabaseError: the URL names no database that Remit can use.
            OSError: the file of a SQLite database cannot be made.
        """
        parsed = parse_database_url(url)
        self._kept: Connection | None = None
        self.syncs = True
        if parsed.get_backend_name() == "postgresql":
            self._engine: Engine = postgresql_engine(_impatient(parsed), connections=2)
            self._keeps = True
        else:
            create_private_file(str(parsed.database))
            self._engine = sqlite_engine(parsed, connections=1, writes=True)
            self._keeps = False

    def at_once(self, work: Callable[[Transaction], T]) -> T:
        """Do `work`, which is one statement where the database is PostgreSQL; on stable storage when this returns.

        Raises:
            OSError: nobody knows whether it was done.
        """
        if not self._keeps:
            return self.run(work)
        with _as_disk():
            connection, self._kept = self._kept or self._connect(), None
            try:
                result = work(Transaction(connection))
            except BaseException:
                connection.invalidate()
                connection.close()
                raise
            self._kept = connection
            return result

    def run(self, work: Callable[[Transaction], T]) -> T:
        """Do `work` in a transaction, which is on stable storage when this returns.

        Raises:
            OSError: nobody knows whether it was done.
        """
        with _as_disk(), self._engine.begin() as connection:
            tx = Transaction(connection)
            self.syncs = _make_commits_durable(tx)
            return work(tx)

    def close(self) -> None:
        """Give the connections back."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None
        self._engine.dispose()

    def _connect(self) -> Connection:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            self.syncs = _make_commits_durable(Transaction(connection))
        except BaseException:
            connection.close()
            raise
        return connection


def _make_commits_durable(tx: Transaction) -> bool:
    """Have commits of this connection wait for the disk; whether the server syncs its disk at all.

    SQLite's connections are opened so (`db.engine`).
    """
    if tx.connection.dialect.name != "postgresql":
        return True
    if execute(tx.connection, "SHOW synchronous_commit").fetchone()[0] == "off":
        execute(tx.connection, "SET synchronous_commit = on")
    return bool(execute(tx.connection, "SHOW fsync").fetchone()[0] == "on")


def _impatient(url: URL) -> URL:
    """`url` with limits for a network that swallows what is sent, unless it names its own."""
    limits = {
        "tcp_user_timeout": str(_SILENCE),
        "keepalives_idle": "5",
        "keepalives_interval": "2",
        "keepalives_count": "3",
    }
    return url.update_query_dict(
        {name: one for name, one in limits.items() if name not in url.query}
    )


@contextmanager
def _as_disk() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, PoolTimeoutError) as error:
        raise OSError(errno.EIO, "the database does not take it") from error
