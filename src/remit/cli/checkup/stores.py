"""Whether the database answers and what it holds; whether a server runs, and how it does.

While a server runs, it is asked for its own database: only it knows which that is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from remit.cli.checkup.finding import Finding, down, fine, note, unsafe
from remit.cli.checkup.log_database import SYNC_IT, UNSYNCED, examine_log_database
from remit.db import Database
from remit.errors import Error
from remit.identity import list_users
from remit.settings import Settings

__all__ = ["examine_database", "examine_database_of_server", "examine_server"]


def examine_database(settings: Settings, resolve: Callable[[str], str]) -> Iterator[Finding]:
    """Whether it answers, and whether somebody may log in. Nothing is made or migrated."""
    url = settings.effective_database_url
    kind = "SQLite" if settings.is_sqlite else "PostgreSQL"
    path = Path(url.removeprefix("sqlite:///"))
    if settings.is_sqlite and not path.exists():
        yield note("database", f"`{path}` is not there yet", mend="remit serve makes it")
        return
    try:
        url = resolve(url) if url.startswith(("env:", "file:")) else url
        database = Database.open(url, pool=1)
    except Error as error:
        yield down("database", error.detail, mend="correct database_url, or provide what it names")
        return
    try:
        people = database.read_now(list_users)
    except Error as error:
        yield down(
            "database",
            f"{kind}: {error.detail}",
            mend="see that it runs, that the URL is right, and that remit serve has run once",
        )
        return
    finally:
        database.close()
    yield fine("database", f"{kind} answers")
    if not settings.is_sqlite:
        yield from examine_log_database(url)
    yield from _streams(settings)
    yield from _people(sum(user.disabled_at is None for user in people))


def examine_database_of_server(
    settings: Settings, people: Sequence[Mapping[str, Any]]
) -> Iterator[Finding]:
    """As `examine_database`, of a server that runs with `settings` and told who may log in."""
    yield fine("database", f"{'SQLite' if settings.is_sqlite else 'PostgreSQL'}, the server's own")
    yield from _streams(settings)
    yield from _people(sum(user["state"] != "disabled" for user in people))


def _people(active: int) -> Iterator[Finding]:
    if active:
        yield fine("users", f"{active} may log in")
    else:
        yield note(
            "users", "nobody may log in", mend="remit users add NAME --tenant TENANT --role ROLE"
        )


def examine_server(status: "dict[str, object] | None") -> Iterator[Finding]:
    """How the running server does; `status` is what it says of itself, `None` when none runs."""
    if status is None:
        yield note("server", "none runs on this data folder", mend="remit serve")
        return
    yield fine("server", f"version {status['version']} serves {status['public_url']}")
    if status["self_test"] is None:
        yield unsafe(
            "self-test", "the server serves without having tried itself", mend="restart it"
        )
    else:
        yield fine("self-test", f"{status['self_test']} forbidden things were tried and refused")
    if not status["audit_synced"]:
        yield unsafe("database", UNSYNCED, mend=SYNC_IT)
    if status["audit_failure"] is not None or status["guard_closed"]:
        yield unsafe(
            "audit",
            f"the log takes nothing ({status['audit_failure'] or 'an outcome is not recorded'}), "
            "so every call is refused",
            mend="make room on the disk of the data folder, and see that it can be written",
        )
    else:
        yield fine("audit", f"{status['audit_records']} records, and it takes more")


def _streams(settings: Settings) -> Iterator[Finding]:
    """SQLite is one process's; more than one audit stream beside it means that several took turns."""
    audit = settings.data / "audit"
    streams = [path for path in audit.iterdir() if path.is_dir()] if audit.is_dir() else []
    if settings.is_sqlite and len(streams) > 1:
        yield unsafe(
            "database",
            f"{len(streams)} instances have written audit streams beside one SQLite database",
            mend="use PostgreSQL for several processes, or one instance name",
        )
