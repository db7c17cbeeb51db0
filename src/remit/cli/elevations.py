"""`remit elevations`: what people allowed and nobody used yet."""

from typing import Annotated

import typer

from remit.cli.asking import call
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Reason, Repo, Where

__all__ = ["elevations"]

elevations = typer.Typer(help="What people allowed, and nobody used yet.", no_args_is_help=True)


@elevations.command("list")
def list_elevations(
    grant: Annotated[
        str | None,
        typer.Option("--grant", metavar="GRANT", help="Only below that one.", show_default=False),
    ] = None,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List elevations that can still be used, the last first."""
    from remit.cli.terminal import Column, instant, print_json, print_table

    where = Where(data, repo, config, database_url)
    found = call(where, "elevations.list", query={"grant": grant})["elevations"]
    if as_json:
        print_json(found)
        return
    print_table(
        [Column("ELEVATION", "bold"), Column("APPROVAL"), Column("GRANT"), Column("WHAT", folds=True),
         Column("ENDS")],
        [
            (one["id"], one["approval"], one["grant"],
             ", ".join((*one["roles"], *one["scopes"])) or "confirmed", instant(one["expires_at"]))
            for one in found
        ],
        empty="none: what was allowed was used, or is over",
    )  # fmt: skip


@elevations.command("revoke")
def revoke_elevation(
    elevation: Annotated[
        str, typer.Argument(metavar="ELEVATION", help="Its id.", show_default=False)
    ],
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """End it before it is used. The call that it was for is asked about anew."""
    from remit.cli.terminal import print_json, say

    where = Where(data, repo, config, database_url)
    found = call(where, "elevations.revoke", path={"elevation": elevation}, body={"reason": reason})
    if as_json:
        print_json(found)
    else:
        say(f"{found['id']} admits nothing any more")
