"""`remit audit dump`: the logs that are kept in the database, as files that can be verified.

Reads the database itself and asks no server: whoever has its password may read it anyway, and a copy is
wanted most when no server runs.
"""

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

import typer

from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Repo, Where
from remit.errors import Error

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["dump"]

_LONG = 50_000


class NothingToDumpError(Error):
    """The logs are files already, or there is none of that name."""

    code: ClassVar[str] = "nothing_to_dump"


def dump(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="Where to; each log gets a folder in it. What is there already is gone on with.",
            show_default=False,
        ),
    ],
    log: Annotated[
        str | None,
        typer.Option(
            "--log",
            metavar="NAME",
            show_default=False,
            help="Only this log: the name of its process, or `joined`.",
        ),
    ] = None,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Copy logs out of the database into files, to verify them with `remit audit verify` or remit-audit-verify.

    A copy is gone on with: it never loses what it has, and says so when the log is not what it was.
    """
    from remit.audit.dump import dump_logs  # imports the database
    from remit.cli.terminal import print_json, say
    from remit.db import Database
    from remit.secrets import KnownSecrets
    from remit.settings import load_settings

    where = Where(data, repo, config, database_url)
    settings = load_settings(flags=where.flags, environ=os.environ, config=config).settings
    if settings.is_sqlite:
        raise NothingToDumpError(
            f"the logs are files: copy the folders in `{settings.data / 'audit'}` as they are"
        )
    url = settings.effective_database_url
    if url.startswith(("env:", "file:", "stored:")):
        url = KnownSecrets(env=os.environ)(url)
    only = None if log is None else f"remit/{log.removeprefix('remit/')}"
    with closing(Database.open(url, pool=1)) as database, _Bar() as bar:
        found = dump_logs(database, folder, only=only, progress=bar.show)
    if not found:
        what = "no log" if log is None else f"no log of `{log}`"
        raise NothingToDumpError(f"there is {what} in the database")
    if as_json:
        print_json(
            [
                {"log": one.name, "folder": str(one.folder), "size": one.size, "added": one.added}
                for one in found
            ]
        )
        return
    for one in found:
        say(f"{one.name}: {one.size:,} records, {one.added:,} of them new, in {one.folder}")


class _Bar:
    """How far a long log is copied, on a terminal only."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, done: int, total: int) -> None:
        """Of `total` records, `done` are copied."""
        if total < _LONG or not sys.stderr.isatty():
            return
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Shown

            columns = (
                TextColumn("copying"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
            )
            self._bar = Shown(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("", total=total)
            self._bar.start()
        assert self._task is not None  # noqa: S101  made above
        self._bar.update(self._task, completed=done)
