"""`remit consents` and `remit connections`: what people allowed, and taking it back for them."""

from typing import Annotated

import typer

from remit.cli.asking import call
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Reason, Repo, Where

__all__ = ["connections", "consents"]

consents = typer.Typer(help="What people allowed clients.", no_args_is_help=True)
connections = typer.Typer(
    help="Third parties that people are connected with.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="User name.", show_default=False)]
Client = Annotated[str, typer.Argument(metavar="CLIENT", help="Client.", show_default=False)]
Resource = Annotated[
    str | None,
    typer.Argument(
        metavar="[RESOURCE]", help="Only on this server; its URL, as listed.", show_default=False
    ),
]
Server = Annotated[
    str,
    typer.Argument(metavar="SERVER", help="Server that the connection is for.", show_default=False),
]


@consents.command("list")
def list_consents(
    name: Name,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List what a person allowed and is not asked again."""
    from remit.cli.terminal import NAME_WIDTH, Column, ago, print_json, print_table

    where = Where(data, repo, config, database_url)
    found = call(where, "consents.list", path={"user": name})["consents"]
    if as_json:
        print_json(found)
        return
    print_table(
        [Column("CLIENT", "bold", widest=NAME_WIDTH), Column("RESOURCE"),
         Column("SCOPES", folds=True), Column("GIVEN")],
        [
            (one["client_id"], one["resource"], " ".join(one["scopes"]), ago(one["granted_at"]))
            for one in found
        ],
        empty=f"{name} has allowed no client anything",
    )  # fmt: skip


@consents.command("withdraw")
def withdraw_consents(
    name: Name,
    client: Client,
    resource: Resource = None,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Take back what a person allowed a client. Grants under it end, and the person is asked anew."""
    from remit.cli.terminal import counted, say

    where = Where(data, repo, config, database_url)
    body = {"client_id": client, "resource": resource}
    done = call(where, "consents.withdraw", path={"user": name}, body=body)
    say(
        f"{counted(done['withdrawn'], 'consent')} withdrawn, {counted(done['grants'], 'grant')} ended"
    )


@connections.command("list")
def list_connections(
    name: Name,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List the third parties that a person is connected with. Their tokens are never shown."""
    from remit.cli.terminal import Column, ago, print_json, print_table

    where = Where(data, repo, config, database_url)
    found = call(where, "connections.list", path={"user": name})["connections"]
    if as_json:
        print_json(found)
        return
    print_table(
        [Column("SERVER", "bold"), Column("THIRD PARTY"), Column("SCOPES", folds=True),
         Column("CONNECTED"), Column("RENEWED")],
        [
            (one["server"], one["issuer"], " ".join(one["scopes"]) or "-", ago(one["created_at"]),
             ago(one["updated_at"]))
            for one in found
        ],
        empty=f"{name} is connected with nobody",
    )  # fmt: skip


@connections.command("withdraw")
def withdraw_connection(
    name: Name,
    server: Server,
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Forget what a third party issued for a person, and tell it so. Grants for the server end with it."""
    from remit.cli.terminal import say

    where, whose = Where(data, repo, config, database_url), {"user": name, "server": server}
    call(where, "connections.withdraw", path=whose, body={"reason": reason})
    say(f"{name} is not connected for {server} any more")
