"""`remit keys`: what signs access tokens."""

from typing import Annotated

import typer

from remit.cli.actors import STATES
from remit.cli.asking import call
from remit.cli.confirmation import Yes, confirm
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Reason, Repo, Where

__all__ = ["keys"]

keys = typer.Typer(help="The keys that sign access tokens.", no_args_is_help=True)


@keys.command("list")
def list_keys(
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List all keys. Those that are retired verify nothing any more."""
    from remit.cli.terminal import Column, instant, print_json, print_table, styled

    found = call(Where(data, repo, config, database_url), "keys.list")["keys"]
    if as_json:
        print_json(found)
        return
    print_table(
        [Column("KEY", "bold"), Column("ALGORITHM"), Column("MADE"), Column("SIGNS FROM"),
         Column("RETIRES"), Column("STATE")],
        [
            (key["kid"], key["algorithm"], instant(key["created_at"]), instant(key["signs_from"]),
             instant(key["retired_at"] or key["retires_at"]),
             styled(key["state"], STATES[key["state"]]))
            for key in found
        ],
        empty="no keys: remit serve makes the first",
    )  # fmt: skip


@keys.command("rotate")
def rotate_keys(
    now: Annotated[
        bool, typer.Option("--now", help="After a compromise: every token there is ends at once.")
    ] = False,
    yes: Yes = False,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make the next key. It signs when every cache of the published keys has it; the others go on verifying until all they signed has expired."""
    from remit.cli.terminal import instant, print_json, say

    if now:
        confirm("Refuse every access token there is, and sign with a new key?", yes=yes)
    key = call(Where(data, repo, config, database_url), "keys.rotate", body={"now": now})
    if as_json:
        print_json(key)
    elif now:
        say(f"{key['kid']} signs; every other key is retired")
    else:
        say(f"{key['kid']} is published, and signs from {instant(key['signs_from'])}")


@keys.command("retire")
def retire_key(
    key: Annotated[str, typer.Argument(metavar="KEY", help="Key id.", show_default=False)],
    yes: Yes = False,
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Believe nothing that a key signed any more. Its tokens are refused when this returns."""
    from remit.cli.terminal import say

    confirm(f"Refuse every access token that {key} signed?", yes=yes)
    where = Where(data, repo, config, database_url)
    call(where, "keys.retire", path={"key": key}, body={"reason": reason})
    say(f"{key} is retired")
