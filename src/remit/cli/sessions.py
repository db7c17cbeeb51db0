"""`remit sessions`: who is logged in."""

from typing import Annotated

import typer

from remit.cli.asking import call
from remit.cli.confirmation import Yes, confirm
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Reason, Repo, Where

__all__ = ["sessions"]

sessions = typer.Typer(help="Who is logged in.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="User name.", show_default=False)]


@sessions.command("list")
def list_sessions(
    name: Name,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List the sessions of a person that may still be used."""
    from remit.cli.terminal import NAME_WIDTH, Column, ago, print_json, print_table

    where = Where(data, repo, config, database_url)
    found = call(where, "sessions.list", path={"user": name})["sessions"]
    if as_json:
        print_json(found)
        return
    print_table(
        [Column("SESSION", "bold"), Column("HOW"), Column("FROM"), Column("WITH", widest=NAME_WIDTH),
         Column("BEGUN"), Column("LAST SEEN")],
        [
            (one["id"], "+".join(one["amr"]), one["ip"] or "-", one["user_agent"] or "-",
             ago(one["created_at"]), ago(one["last_seen_at"]))
            for one in found
        ],
        empty=f"{name} is logged in nowhere",
    )  # fmt: skip


@sessions.command("end")
def end_sessions(
    name: Name,
    session: Annotated[
        str | None, typer.Argument(metavar="[SESSION]", help="Only this one.", show_default=False)
    ] = None,
    yes: Yes = False,
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Sign a person out, everywhere or of one session. What agents were granted stays."""
    from remit.cli.terminal import counted, say

    where, body = Where(data, repo, config, database_url), {"reason": reason}
    if session is None:
        confirm(f"Sign {name} out everywhere?", yes=yes)
        found = call(where, "sessions.end-all", path={"user": name}, body=body)
    else:
        whose = {"user": name, "session": session}
        found = call(where, "sessions.end", path=whose, body=body)
    say(f"{counted(found['ended'], 'session')} ended")
