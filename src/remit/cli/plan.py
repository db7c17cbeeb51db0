"""`remit plan`: what a policy repository would change, as it declares it and on the calls that really came."""

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remit.cli.exits import ExitCode
from remit.cli.options import Config, Data, DatabaseUrl, Where

if TYPE_CHECKING:
    from remit.replay import Plan

__all__ = ["plan"]


class _Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"


class _Fails(StrEnum):
    WIDENING = "widening"
    PRIVILEGED = "privileged"
    NEWLY_ALLOWED = "newly-allowed"
    NEWLY_REFUSED = "newly-refused"
    ANY = "any"


def plan(
    repo: Annotated[
        Path, typer.Option("--repo", metavar="DIR", help="The policy repository to try.")
    ] = Path("policy"),
    days: Annotated[
        int,
        typer.Option("--days", min=0, max=366, help="How many days of recorded calls; 0: none."),
    ] = 7,
    tenant: Annotated[
        str | None,
        typer.Option(
            "--tenant", metavar="ID", help="Only calls of this organisation.", show_default=False
        ),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--baseline",
            metavar="DIR",
            show_default=False,
            help="Hold it against this policy repository, and ask no Remit.",
        ),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(
            "--log",
            metavar="DIR",
            show_default=False,
            help="With --baseline: the `audit` folder whose calls are decided again.",
        ),
    ] = None,
    stage: Annotated[
        str | None,
        typer.Option(
            "--stage",
            metavar="STAGE",
            show_default=False,
            help="With --baseline: the stage in which both are read.",
        ),
    ] = None,
    form: Annotated[
        _Format, typer.Option("--format", metavar="FORMAT", help="text, json, markdown or html.")
    ] = _Format.TEXT,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write it there.", show_default=False),
    ] = None,
    fail_on: Annotated[
        _Fails | None,
        typer.Option(
            "--fail-on",
            metavar="KIND",
            help="End with exit code 1 if there is such a thing: "
            "widening, privileged, newly-allowed, newly-refused or any.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            "--workers",
            min=0,
            max=64,
            help="With --log: processes that decide; 0: none besides this one.",
        ),
    ] = 2,
    data: Data = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Say what a policy repository would change.

    Which declarations, who could do more and who less, and which of the calls that really came would be decided
    otherwise. Nothing recorded is carried out, and nothing comes into force.
    """
    from remit.cli.plan_made import (  # imports the rooms behind it
        Folders,
        planned_here,
        planned_there,
    )

    if baseline is None and (log is not None or stage is not None):
        raise typer.BadParameter("`--log` and `--stage` go with `--baseline`")
    if baseline is None:
        made = planned_there(
            repo, Where(data, None, config, database_url), days=days, tenant=tenant
        )
    else:
        folders = Folders(repo=repo, baseline=baseline, log=log, data=data, stage=stage)
        made = planned_here(folders, days=days, tenant=tenant, workers=workers)
    _tell(made, form, out)
    if fail_on is not None:
        raise typer.Exit(_judged(made, fail_on.value))


def _judged(made: "Plan", fail_on: str) -> ExitCode:
    from remit.cli.terminal import say_error, say_hint
    from remit.replay import FailOn

    reasons = made.reasons(FailOn(fail_on))
    for reason in reasons:
        say_error(reason)
    if reasons:
        say_hint("  next: read the plan; what is meant is proposed all the same: `remit apply`")
    return ExitCode.FOUND_WRONG if reasons else ExitCode.DONE


def _tell(made: "Plan", form: _Format, out: Path | None) -> None:
    if form is _Format.TEXT and out is None:
        from remit.cli.plan_lines import plan_lines
        from remit.cli.terminal import print_lines

        print_lines(plan_lines(made))
        return
    text = _WRITERS[form](made)
    if out is None:
        sys.stdout.write(text)
        return
    from remit.cli.terminal import say_hint

    out.write_text(text, encoding="utf-8")
    say_hint(f"wrote {out}")


def _as_text(made: "Plan") -> str:
    from remit.cli.plan_lines import plan_lines

    return "".join(f"{line.plain}\n" for line in plan_lines(made))


def _as_json(made: "Plan") -> str:
    import json

    return json.dumps(made.as_json(), indent=2, ensure_ascii=False) + "\n"


def _as_markdown(made: "Plan") -> str:
    from remit.replay.markdown import plan_markdown

    return plan_markdown(made)


def _as_html(made: "Plan") -> str:
    from remit.replay.page import plan_page

    return plan_page(made)


_WRITERS: dict[_Format, Callable[["Plan"], str]] = {
    _Format.TEXT: _as_text,
    _Format.JSON: _as_json,
    _Format.MARKDOWN: _as_markdown,
    _Format.HTML: _as_html,
}
