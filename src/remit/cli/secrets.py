"""`remit secrets`: what Remit keeps sealed, to prove itself to the servers behind it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from remit.cli.asking import call, every
from remit.cli.confirmation import Yes, confirm
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Reason, Repo, Where
from remit.errors import Error

__all__ = ["secrets"]

_LONGEST = 65_536

secrets = typer.Typer(help="Secrets that Remit keeps sealed in its database.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="What it is called.", show_default=False)]


class SecretInputError(Error):
    """No secret was given, or it cannot be read."""

    code = "secret_input"


@secrets.command("list")
def list_secrets(
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List what is kept: names, and when each was changed. No secret is ever shown."""
    from remit.cli.terminal import Column, instant, print_json, print_table

    found = every(Where(data, repo, config, database_url), "secrets.list", "secrets")
    if as_json:
        print_json(found)
        return
    print_table(
        [Column("SECRET", "bold"), Column("REFERENCE"), Column("CHANGED"), Column("BY")],
        [
            (one["name"], one["reference"], instant(one["changed_at"]), one["changed_by"] or "-")
            for one in found
        ],
        empty="no secrets: remit secrets set NAME",
    )


@secrets.command("set")
def set_secret(
    name: Name,
    from_file: Annotated[
        Path | None,
        typer.Option(
            "--from-file",
            metavar="FILE",
            help="Read the secret from there instead of standard input.",
            show_default=False,
        ),
    ] = None,
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Keep a secret, or replace the one of that name. It is asked for, or read from standard input or a file; never an argument."""
    from remit.cli.terminal import say, say_hint

    body = {"value": _value(from_file), "reason": reason}
    where = Where(data, repo, config, database_url)
    kept = call(where, "secrets.set", path={"secret": name}, body=body)
    say(f"{kept['name']} is kept")
    say_hint(f"name it in the policy repository as {kept['reference']}")


@secrets.command("remove")
def remove_secret(
    name: Name,
    yes: Yes = False,
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Forget a secret. A server that needs it is called no more."""
    from remit.cli.terminal import say

    confirm(f"Forget the secret {name}?", yes=yes)
    where = Where(data, repo, config, database_url)
    call(where, "secrets.remove", path={"secret": name}, body={"reason": reason})
    say(f"{name} is removed")


def _value(from_file: Path | None) -> str:
    """The secret; one line break at its end is not part of it, as in a file that is named by reference."""
    try:
        if from_file is not None:
            with from_file.open(encoding="utf-8", newline="") as file:
                value = file.read(_LONGEST + 3)
        elif sys.stdin.isatty():
            value = typer.prompt("Secret", hide_input=True, confirmation_prompt=True, err=True)
        else:
            value = sys.stdin.read(_LONGEST + 3)
        value = value.removesuffix("\n").removesuffix("\r")
        size = len(value.encode())
    except OSError as error:
        raise SecretInputError(f"`{from_file}` cannot be read", cause=error) from error
    except UnicodeError:
        raise SecretInputError("the secret is no text in UTF-8") from None
    if not value or size > _LONGEST:
        raise SecretInputError("the secret is empty or larger than 64 KiB")
    return value
