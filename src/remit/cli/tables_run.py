"""One run of decision tables from the command line, or one after another as files change."""

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from remit.casebook import Report, Status, Table, run_tables, run_tables_live, tables_of
from remit.casebook.junit import junit_xml
from remit.casebook.running import Progress
from remit.casebook.selection import Selection, selection_of
from remit.casebook.told import report_as_json
from remit.cli.exits import ExitCode
from remit.cli.report import report_error
from remit.cli.tables_text import Dots, say_coverage, say_failures, say_summary
from remit.cli.terminal import print_json, say_error, say_hint
from remit.errors import Error
from remit.repository import (
    LoadedRepository,
    RepositoryInvalidError,
    check_repository,
    load_repository,
)

__all__ = ["Wanted", "run_once", "run_watching"]

_POLL: Final = 0.4
_CLEAR: Final = "\x1b[2J\x1b[H"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asks for."""

    repo: Path
    stage: str | None = None
    paths: tuple[str, ...] = ()
    expression: str = ""
    junit: Path | None = None
    as_json: bool = False
    coverage: bool = False
    min_coverage: float | None = None
    live: bool = False


def run_once(wanted: Wanted) -> ExitCode:
    """Run the tables once and say what came of it.

    Raises:
        Error: the repository, a table or the choice of cases cannot be used.
    """
    problems = check_repository(wanted.repo).problems
    if problems:
        raise RepositoryInvalidError(problems)
    loaded = load_repository(wanted.repo, stage=wanted.stage)
    tables = _chosen(tables_of(loaded.contents), wanted)
    if tables is None:
        return ExitCode.USAGE
    selection = selection_of(wanted.expression) if wanted.expression.strip() else None
    dots = None if wanted.as_json else Dots()
    progress = None if dots is None else dots.show
    if wanted.live:
        report = asyncio.run(_run_live(loaded, tables, selection, progress))
    else:
        report = run_tables(loaded, tables, selection=selection, progress=progress)
    if dots is not None:
        dots.end()
    if wanted.junit is not None:
        wanted.junit.write_bytes(junit_xml(report))
    if wanted.as_json:
        print_json(report_as_json(report))
    else:
        say_failures(report)
        if wanted.coverage:
            say_coverage(report.coverage)
        some = bool(wanted.paths or selection is not None)
        say_summary(report, wanted.min_coverage, partial=some and not wanted.coverage)
    return _exit_code(report, wanted)


def run_watching(wanted: Wanted) -> ExitCode:
    """Run the tables now and after every change, until the keyboard says stop."""
    code = ExitCode.DONE
    try:
        while True:
            seen = _look(wanted.repo)
            if sys.stdout.isatty() and not wanted.as_json:
                sys.stdout.write(_CLEAR)
            try:
                code = run_once(wanted)
            except Error as error:
                code = report_error(error)
            say_hint(f"watching {wanted.repo}; Ctrl-C ends")
            sys.stdout.flush()
            _wait_for_change(wanted.repo, seen)
    except KeyboardInterrupt:
        say_hint("stopped")
        return code


async def _run_live(
    loaded: LoadedRepository,
    tables: tuple[Table, ...],
    selection: Selection | None,
    progress: Progress | None,
) -> Report:
    """With engines elsewhere; their secrets are read from where they are, but what is `stored:` only a server can."""
    from remit.engines import (
        EngineConnections,  # and what reads secrets: only when engines are asked
    )
    from remit.secrets import resolve_secret

    engines = EngineConnections(resolve_secret)
    try:
        return await run_tables_live(
            loaded, tables, engines, selection=selection, progress=progress
        )
    finally:
        await engines.close()


def _chosen(tables: tuple[Table, ...], wanted: Wanted) -> tuple[Table, ...] | None:
    """The tables in the files and folders that were named; `None`, and said, when one names none."""
    if not wanted.paths:
        return tables
    kept: dict[str, Table] = {}
    for path in wanted.paths:
        name = _inside(path, wanted.repo)
        found = [one for one in tables if one.file == name or one.file.startswith(f"{name}/")]
        if not found:
            say_error(
                f"no decision tables in `{path}`", mend="name a file or folder below `tests/`"
            )
            return None
        kept.update({one.file: one for one in found})
    return tuple(one for one in tables if one.file in kept)


def _inside(path: str, repo: Path) -> str:
    """The path within the repository: as it was given from here, or from there."""
    here = Path(path).resolve()
    root = repo.resolve()
    if here.is_relative_to(root):
        return here.relative_to(root).as_posix()
    return Path(path).as_posix().rstrip("/")


def _exit_code(report: Report, wanted: Wanted) -> ExitCode:
    if report.of(Status.FAILED):
        return ExitCode.FOUND_WRONG
    if wanted.min_coverage is not None and report.coverage.percent < wanted.min_coverage:
        return ExitCode.FOUND_WRONG
    return ExitCode.DONE if report.passed else ExitCode.INCOMPLETE


def _look(folder: Path) -> frozenset[tuple[str, int, int]]:
    """What files there are, when each was written, and how long it is. What cannot be looked at is not there."""
    seen = set()
    for path in folder.rglob("*"):
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        try:
            found = path.stat()
        except OSError:
            continue
        seen.add((str(path), found.st_mtime_ns, found.st_size))
    return frozenset(seen)


def _wait_for_change(
    folder: Path,
    seen: frozenset[tuple[str, int, int]],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return when the folder is not as it was, and has been at rest for a moment: editors write in steps."""
    while (now := _look(folder)) == seen:
        sleep(_POLL)
    before = seen
    while now != before:
        sleep(_POLL / 2)
        before, now = now, _look(folder)
