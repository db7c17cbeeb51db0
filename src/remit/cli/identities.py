"""`remit identities`: as whom people log in elsewhere."""

from typing import Annotated, Any

import typer

from remit.cli.asking import call
from remit.cli.confirmation import Yes, confirm
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Repo, Where

__all__ = ["identities"]

identities = typer.Typer(help="As whom people log in elsewhere.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="User name.", show_default=False)]
Provider = Annotated[
    str,
    typer.Argument(
        metavar="PROVIDER", help="Identity provider, as people.yaml names it.", show_default=False
    ),
]
Subject = Annotated[
    str,
    typer.Argument(
        metavar="SUBJECT",
        help="The `sub` it knows the person by; never an e-mail address.",
        show_default=False,
    ),
]


@identities.command("list")
def list_identities(
    name: Name,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List the identities that a person logs in with."""
    from remit.cli.terminal import NAME_WIDTH, Column, ago, print_json, print_table

    where = Where(data, repo, config, database_url)
    found = call(where, "identities.list", path={"user": name})["identities"]
    if as_json:
        print_json(found)
        return
    print_table(
        [Column("PROVIDER", "bold"), Column("SUBJECT", widest=NAME_WIDTH), Column("GIVES", folds=True),
         Column("LINKED"), Column("LAST LOG-IN")],
        [
            (one["provider"], one["subject"], _gives(one), ago(one["created_at"]),
             "-" if one["last_login_at"] is None else ago(one["last_login_at"]))
            for one in found
        ],
        empty=f"{name} logs in nowhere but here",
    )  # fmt: skip


@identities.command("link")
def link(
    name: Name,
    provider: Provider,
    subject: Subject,
    yes: Yes = False,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Let an identity at a provider log in as a person. Whoever has it there is that person here."""
    from remit.cli.terminal import say

    confirm(f"Let {subject} at {provider} log in as {name}?", yes=yes)
    where, body = (
        Where(data, repo, config, database_url),
        {"provider": provider, "subject": subject},
    )
    call(where, "identities.link", path={"user": name}, body=body)
    say(f"{subject} at {provider} is {name}")


@identities.command("unlink")
def unlink(
    name: Name,
    provider: Provider,
    subject: Subject,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Let an identity log in as a person no more. The roles that its claims gave go with it."""
    from remit.cli.terminal import say

    where, body = (
        Where(data, repo, config, database_url),
        {"provider": provider, "subject": subject},
    )
    call(where, "identities.unlink", path={"user": name}, body=body)
    say(f"{subject} at {provider} is {name} no more")


def _gives(identity: dict[str, Any]) -> str:
    pairs = (f"{key}={value}" for key, value in sorted(identity["attributes"].items()))
    return ", ".join((*identity["roles"], *pairs)) or "-"
