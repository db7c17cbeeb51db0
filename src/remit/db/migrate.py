"""Bring a database to the schema of this version of Remit, forward only.

Several processes may start at once: the first takes a lock, the others wait and find
the work done. Refused: a database that a newer Remit has migrated. A database that
is up to date is recognised by one query, before the migration tool is even imported.
"""

from pathlib import Path
from typing import ClassVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DatabaseError, OperationalError, ProgrammingError

from remit.db.engine import create_private_file, is_damage, postgresql_engine, sqlite_engine
from remit.db.url import parse_database_url
from remit.errors import Error

__all__ = ["HEAD", "LOCK", "MIGRATIONS", "MigrationError", "migrate"]

HEAD = "0012"
"""The newest migration; a test keeps it in step with `migrations/versions`."""

MIGRATIONS = Path(__file__).parent / "migrations"

LOCK = 7_305_808_872_401
"""The key of the advisory lock: any number that nothing else uses."""


class MigrationError(Error):
    """The database cannot be brought to this version's schema, or cannot be reached."""

    code: ClassVar[str] = "migration_failed"


def migrate(url: str) -> None:
    """Create or upgrade the schema at `url`; return at once when it is up to date.

    Raises:
        UnsupportedDatabaseError: the URL names no database that Remit can use.
        MigrationError: the database cannot be reached, or is damaged, or is of a newer Remit.
    """
    parsed = parse_database_url(url)
    if parsed.get_backend_name() == "postgresql":
        engine = postgresql_engine(parsed, connections=1)
    else:
        try:
            create_private_file(str(parsed.database))
        except OSError as error:
            raise MigrationError(
                "the database file cannot be opened or made", cause=error
            ) from error
        engine = sqlite_engine(parsed, connections=1, writes=True)
    try:
        if _version(engine) != HEAD:
            _upgrade(engine)
    except OperationalError as error:
        raise MigrationError("the database cannot be reached", cause=error) from error
    except DatabaseError as error:
        if not is_damage(error):
            raise
        raise MigrationError("the database is damaged", cause=error) from error
    finally:
        engine.dispose()


def _version(engine: Engine) -> str | None:
    with engine.connect() as connection:
        try:
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        except (OperationalError, ProgrammingError):
            return None  # the table does not exist yet; anything worse shows in the upgrade
    return None if found is None else str(found)


def _upgrade(engine: Engine) -> None:
    # 100 ms that an up-to-date database need not pay at every start.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        _take_lock(connection)
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise MigrationError(
                "this version of remit does not know the schema of the database", cause=error
            ) from error


def _take_lock(connection: Connection) -> None:
    """Wait until no other process migrates; SQLite's `BEGIN IMMEDIATE` has done that already."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout = '5min'"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
