"""`remit rules`: the rules that were filled in without Cedar, and the Cedar that they are."""

import os
from pathlib import Path
from typing import Annotated

import typer

from remit.cli.options import AsJson

__all__ = ["rules"]

rules = typer.Typer(
    help="The rules in `rules/`, which need no Cedar to write.", no_args_is_help=True
)


@rules.command("show")
def show_rules(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="RULE",
            help="Only this one, such as `rules/office#hours`; all when left out.",
            show_default=False,
        ),
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
            metavar="STAGE",
            help="As they hold in this stage.  [default: REMIT_STAGE]",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show each rule as the Cedar policy that it becomes."""
    from remit.cli.terminal import print_json, say, say_error  # only for this command
    from remit.repository.rule_text import rules_in_cedar

    folder = repo or Path("." if Path("remit.yaml").is_file() else "policy")
    found = rules_in_cedar(folder, stage=stage or os.environ.get("REMIT_STAGE") or None)
    shown = [one for one in found if name in {None, one.id}]
    if name is not None and not shown:
        say_error(f"there is no rule `{name}`", mend="see which there are: remit rules show")
        raise typer.Exit(1)
    if as_json:
        print_json(
            [
                {"id": one.id, "file": one.file, "line": one.line, "cedar": one.cedar}
                for one in shown
            ]
        )
        return
    say("\n\n".join(f"// {one.file}:{one.line}\n{one.cedar}" for one in shown))
