"""`remit guards`: the guards inside servers."""

import typer

from remit.cli.asking import call
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Repo, Where

__all__ = ["guards"]

guards = typer.Typer(help="Guards inside servers that protect themselves.", no_args_is_help=True)


@guards.command("list")
def list_guards(
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List the guards that were heard of, and for how long each has been silent. One that is silent for longer than its lease refuses every call."""
    from remit.cli.terminal import Column, instant, print_json, print_table, styled

    found = call(Where(data, repo, config, database_url), "guards.list")
    if as_json:
        print_json(found["guards"])
        return
    print_table(
        [Column("SERVER", "bold"), Column("INSTANCE"), Column("VERSION"), Column("FIRST SEEN"),
         Column("SILENT FOR"), Column("RECORDS UP TO")],
        [
            (one["server"], one["instance"], one["version"], instant(one["first_seen"]),
             styled(f"{one['silent_for']} s", "green" if one["silent_for"] <= found["lease"] else "red"),
             str(one["last_record"]))
            for one in found["guards"]
        ],
        empty="no guards: a server that protects itself has not asked for a snapshot yet",
    )  # fmt: skip
