"""`remit sinks`: who gets copies of the audit log, and how far behind each is."""

from typing import Annotated, Any

import typer

from remit.cli.asking import call, every
from remit.cli.confirmation import Yes, confirm
from remit.cli.exits import ExitCode
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Reason, Repo, Where

__all__ = ["sinks"]

sinks = typer.Typer(help="Who gets copies of the audit log.", no_args_is_help=True)

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="The sink, as `audit.yaml` calls it.", show_default=False)
]  # fmt: skip
Position = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="PLACE",
        help="`start` (the first record that is kept), `end` (what comes next), or the number of a record.",
        show_default=False,
    ),
]
Log = Annotated[
    str | None,
    typer.Option("--log", metavar="LOG", help="In that log alone, such as `remit/main`."),
]


@sinks.command("list")
def list_sinks(
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List who gets copies, which record each gets next, and how far behind it is."""
    from remit.cli.terminal import Column, print_json, print_table

    found = every(Where(data, repo, config, database_url), "sinks.list", "sinks")
    if as_json:
        print_json(found)
        return
    print_table(
        [
            Column("SINK", "bold"),
            Column("KIND"),
            Column("FORM"),
            Column("LOG"),
            Column("NEXT"),
            Column("BEHIND"),
            Column("STATE"),
        ],
        [
            (
                one["name"],
                one["kind"],
                one["form"],
                one["log"] or "-",
                "-" if one["position"] is None else str(one["position"]),
                _behind(one),
                _state(one),
            )
            for one in found
        ],
        empty="no sinks: declare one in audit.yaml",
    )


@sinks.command("test")
def try_sink(
    name: Name,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Send one record, and say whether it arrived. It is a record of the log that says that this was done."""
    from remit.cli.terminal import say

    tried = call(Where(data, repo, config, database_url), "sinks.test", path={"sink": name})
    if tried["arrived"]:
        say(f"{name} took it")
        return
    say(f"{name} did not take it: {tried['error']}")
    raise typer.Exit(ExitCode.FOUND_WRONG)


@sinks.command("reset")
def reset_sink(
    name: Name,
    to: Position,
    log: Log = None,
    yes: Yes = False,
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Have a sink go on from another record: back, and it gets some twice; forward, and it never gets those between."""
    from remit.cli.terminal import say

    confirm(f"Have {name} go on from {to}?", yes=yes)
    body: dict[str, Any] = {"to": int(to) if to.isdigit() else to, "reason": reason}
    if log is not None:
        body["log"] = log
    where = Where(data, repo, config, database_url)
    moved = call(where, "sinks.reset", path={"sink": name}, body=body)
    for one, before in sorted(moved["before"].items()):
        say(f"{name} in {one}: from {before} to {to}")


def _behind(one: dict[str, Any]) -> str:
    if one["behind"] is None:
        return "-"
    return f"{one['behind']} ({one['seconds']} s)" if one["behind"] else "0"


def _state(one: dict[str, Any]) -> str:
    if one["error"]:
        return str(one["error"])
    if one["log"] is None:
        return "not begun"
    if not one["carried_by"]:
        return "carried by nobody"
    return "ok" if one["lagging_since"] is None else "too far behind"
