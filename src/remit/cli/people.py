"""`remit users`: who may log in."""

import sys
from typing import Annotated, Any

import typer

from remit.cli.asking import call, every
from remit.cli.confirmation import Yes, confirm
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Reason, Repo, Where
from remit.errors import Error

__all__ = ["users"]

users = typer.Typer(help="People who may log in.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="User name.", show_default=False)]


class PasswordInputError(Error):
    """No password was given, or the two do not agree."""

    code = "password_input"


@users.command("add")
def add(
    name: Name,
    tenant: Annotated[
        str, typer.Option("--tenant", metavar="TENANT", help="Organisation.", show_default=False)
    ],
    role: Annotated[
        list[str] | None,
        typer.Option("--role", metavar="ROLE", help="Role; may be repeated.", show_default=False),
    ] = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option(
            "--attribute",
            metavar="KEY=VALUE",
            help="Attribute; may be repeated.",
            show_default=False,
        ),
    ] = None,
    display_name: Annotated[
        str | None,
        typer.Option("--display-name", metavar="TEXT", help="Name to show.", show_default=False),
    ] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Add a person. The password is asked for, or read from standard input; never an argument."""
    from remit.cli.terminal import print_json, say

    body: dict[str, Any] = {
        "username": name,
        "tenant": tenant,
        "roles": list(role or ()),
        "attributes": _attributes(attribute or []),
        "display_name": display_name or name,
        "password": _password(from_stdin=password_stdin),
    }

    user = call(Where(data, repo, config, database_url), "users.add", body=body, may_begin=True)
    if as_json:
        print_json(user)
        return
    roles = ", ".join(user["roles"]) or "no role yet"
    say(f"{user['username']} may log in ({user['tenant']}; {roles})")


@users.command("change")
def change(
    name: Name,
    role: Annotated[
        list[str] | None,
        typer.Option(
            "--role", metavar="ROLE", help="Role to give; may be repeated.", show_default=False
        ),
    ] = None,
    no_role: Annotated[
        list[str] | None,
        typer.Option(
            "--no-role",
            metavar="ROLE",
            help="Role to take away; may be repeated.",
            show_default=False,
        ),
    ] = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option(
            "--attribute",
            metavar="KEY=VALUE",
            help="Attribute to set; may be repeated.",
            show_default=False,
        ),
    ] = None,
    no_attribute: Annotated[
        list[str] | None,
        typer.Option(
            "--no-attribute",
            metavar="KEY",
            help="Attribute to take away; may be repeated.",
            show_default=False,
        ),
    ] = None,
    display_name: Annotated[
        str | None,
        typer.Option("--display-name", metavar="TEXT", help="Name to show.", show_default=False),
    ] = None,
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Give a person other roles, attributes or another name to show. It counts from the next token on."""
    from remit.cli.terminal import print_json, say

    given = _attributes(attribute or [])
    both = given.keys() & set(no_attribute or ())
    if both:
        raise typer.BadParameter(f"`{min(both)}` is both set and taken away")
    body: dict[str, Any] = {
        "add_roles": list(role or ()),
        "remove_roles": list(no_role or ()),
        "attributes": {**given, **dict.fromkeys(no_attribute or ())},
        "display_name": display_name,
        "reason": reason,
    }
    where = Where(data, repo, config, database_url)
    user = call(where, "users.change", path={"user": name}, body=body)
    if as_json:
        print_json(user)
        return
    attributes = ", ".join(f"{key}={value}" for key, value in sorted(user["attributes"].items()))
    facts = (user["display_name"], ", ".join(user["roles"]) or "no role", attributes)
    say(f"{user['username']} is changed ({'; '.join(one for one in facts if one)})")


@users.command("list")
def show(
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List everybody."""
    from remit.cli.terminal import Column, ago, print_json, print_table, styled

    found = every(Where(data, repo, config, database_url), "users.list", "users")
    if as_json:
        print_json(found)
        return
    states = {"active": "green", "disabled": "red", "locked": "yellow"}
    print_table(
        [Column("NAME", "bold"), Column("TENANT"), Column("ROLES", folds=True), Column("STATE"),
         Column("ADDED"), Column("ID", "dim")],
        [
            (
                user["username"],
                user["tenant"],
                ", ".join(user["roles"]) or "-",
                styled(user["state"], states.get(user["state"], "")),
                ago(user["created_at"]),
                user["id"],
            )
            for user in found
        ],
        empty="nobody can log in yet: remit users add NAME --tenant TENANT --role ROLE",
    )  # fmt: skip


@users.command("disable")
def disable(
    name: Name,
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Lock a person out. Sessions end, and agents acting for them are refused at once."""
    _change(name, "disable", {"reason": reason}, Where(data, repo, config, database_url))


@users.command("enable")
def enable(
    name: Name,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Let a person in again."""
    _change(name, "enable", {}, Where(data, repo, config, database_url))


@users.command("reset-password")
def reset_password(
    name: Name,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Give a person a new password, and end their sessions."""
    from remit.cli.terminal import say

    where = Where(data, repo, config, database_url)
    body = {"password": _password(from_stdin=password_stdin)}
    user = call(where, "users.reset-password", path={"user": name}, body=body)
    say(f"{user['username']} has a new password")


@users.command("reset-factors")
def reset_factors(
    name: Name,
    yes: Yes = False,
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Take a person's passkeys, one-time passwords and recovery codes away. Make sure first, by other means, who asks."""
    from remit.cli.terminal import say

    confirm(f"Take every second factor of {name} away?", yes=yes)
    where = Where(data, repo, config, database_url)
    user = call(where, "users.reset-factors", path={"user": name}, body={"reason": reason})
    say(f"{user['username']} has no second factor")


def _change(name: str, verb: str, body: dict[str, Any], where: Where) -> None:
    from remit.cli.terminal import say

    user = call(where, f"users.{verb}", path={"user": name}, body=body)
    say(f"{user['username']} is {user['state']}")


def _attributes(pairs: list[str]) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or not key or key in attributes:
            raise typer.BadParameter(f"`{pair}` is not KEY=VALUE, or is given twice")
        attributes[key] = value
    return attributes


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        raise PasswordInputError(
            "standard input is no terminal; add --password-stdin to read it from there"
        )
    if not password:
        raise PasswordInputError("the password is empty")
    return password
