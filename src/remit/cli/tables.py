"""`remit test`: the decision tables of a policy repository, run over what it declares."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["run_decision_tables"]


class Format(StrEnum):
    """How results are printed."""

    TEXT = "text"
    JSON = "json"


class Engines(StrEnum):
    """What becomes of cases that an engine outside of Remit decides."""

    OFF = "off"
    LIVE = "live"


def run_decision_tables(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH...", help="Files or folders of tables; all when left out."),
    ] = None,
    repo: Annotated[
        Path | None,
        typer.Option(
            "--repo",
            metavar="DIR",
            help="Policy repository.  [default: this folder if it is one, else policy]",
            show_default=False,
        ),
    ] = None,
    stage: Annotated[
        str | None,
        typer.Option(
            "--stage",
            metavar="NAME",
            help="As it holds in that stage.  [default: REMIT_STAGE]",
            show_default=False,
        ),
    ] = None,
    expression: Annotated[
        str,
        typer.Option(
            "-k", metavar="EXPR", help="Only cases whose title fits: `refund and not ledger`."
        ),
    ] = "",
    watch: Annotated[
        bool, typer.Option("--watch", help="Run again whenever a file changes, until Ctrl-C.")
    ] = False,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML there, for CI.")
    ] = None,
    form: Annotated[
        Format, typer.Option("--format", metavar="FORMAT", help="text or json.")
    ] = Format.TEXT,
    coverage: Annotated[
        bool,
        typer.Option("--coverage", help="Show which policies and tools the cases put to the test."),
    ] = False,
    min_coverage: Annotated[
        float | None,
        typer.Option(
            "--min-coverage", metavar="N", min=0, max=100, help="Fail below so many per cent."
        ),
    ] = None,
    engines: Annotated[
        Engines,
        typer.Option(
            "--engines",
            metavar="WHEN",
            help="live: ask external engines where they decide; off: leave their cases out.",
        ),
    ] = Engines.OFF,
) -> None:
    """Run the decision tables in `tests/`. Who, through which agent, calls what; and what is to be decided.

    Exits with 0 when every case came out as expected, with 1 when one did not or the coverage is too low, and
    with 4 when none failed but some could not be run, or there was none.
    """
    from remit.cli.tables_run import (  # the engine: only for this command
        Wanted,
        run_once,
        run_watching,
    )

    wanted = Wanted(
        repo=repo or Path("." if Path("remit.yaml").is_file() else "policy"),
        stage=stage or os.environ.get("REMIT_STAGE") or None,
        paths=tuple(paths or ()),
        expression=expression,
        junit=junit,
        as_json=form is Format.JSON,
        coverage=coverage,
        min_coverage=min_coverage,
        live=engines is Engines.LIVE,
    )
    raise typer.Exit(run_watching(wanted) if watch else run_once(wanted))
