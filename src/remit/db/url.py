"""Which databases Remit stands on: SQLite in a file, and PostgreSQL.

Refused: every other database, SQLite in memory (a second connection would see
another database), and a URL that does not parse. A message never shows a password.
"""

from typing import ClassVar

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from remit.errors import Error

__all__ = ["UnsupportedDatabaseError", "parse_database_url"]


class UnsupportedDatabaseError(Error):
    """The URL names no database that Remit can use."""

    code: ClassVar[str] = "unsupported_database"


def parse_database_url(text: str) -> URL:
    """The URL with its driver: `sqlite+pysqlite` with a path, or `postgresql+psycopg`.

    Raises:
        UnsupportedDatabaseError: neither `sqlite:///path` nor `postgresql://…`.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise UnsupportedDatabaseError("the database url cannot be parsed") from error
    if url.drivername == "sqlite":
        if url.database in {None, "", ":memory:"}:
            raise UnsupportedDatabaseError("sqlite needs a path: `sqlite:///path/to/file`")
        return url.set(drivername="sqlite+pysqlite")
    if url.drivername in {"postgresql", "postgresql+psycopg"}:
        return url.set(drivername="postgresql+psycopg")
    raise UnsupportedDatabaseError(
        f"`{url.drivername}` is not supported; use `sqlite:///path` or `postgresql://…`"
    )
