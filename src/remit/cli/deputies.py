"""`remit deputies`: who answers in whose place."""

from typing import Annotated, Any

import typer

from remit.cli.access import instant_of
from remit.cli.asking import call
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Reason, Repo, Where

__all__ = ["deputies"]

deputies = typer.Typer(
    help="Who answers in somebody's place while they are away.", no_args_is_help=True
)

Person = Annotated[
    str | None,
    typer.Option(
        "--for",
        metavar="USER",
        help="In whose place. At the socket alone; with --url it is whoever the token is of.",
        show_default=False,
    ),
]
Deputy = Annotated[
    str, typer.Argument(metavar="USER", help="Who answers instead.", show_default=False)
]
Role = Annotated[
    str,
    typer.Option("--role", metavar="ROLE", help="Where that role is asked.", show_default=False),
]
Until = Annotated[
    str,
    typer.Option(
        "--until",
        metavar="INSTANT",
        help="Until when, such as `2026-12-01` or `2026-12-01T17:00:00Z`.",
        show_default=False,
    ),
]


@deputies.command("list")
def list_deputies(
    person: Person = None,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List who answers in somebody's place, and in whose place they answer."""
    where = Where(data, repo, config, database_url)
    found = call(where, "deputies.list", query={"person": person})["deputies"]
    _print(found, as_json=as_json)


@deputies.command("name")
def name_deputy(
    deputy: Deputy,
    role: Role,
    until: Until,
    person: Person = None,
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Have somebody answer in another's place until then. They never answer what the absent one's agent asks."""
    body: dict[str, Any] = {
        "deputy": deputy,
        "role": role,
        "expires_at": instant_of(until),
        "reason": reason,
    } | ({} if person is None else {"person": person})
    found = call(Where(data, repo, config, database_url), "deputies.name", body=body)
    _print([found], as_json=as_json)


@deputies.command("remove")
def remove_deputy(
    deputy: Deputy,
    role: Role,
    person: Person = None,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Have them do so no longer."""
    body = {"deputy": deputy, "role": role} | ({} if person is None else {"person": person})
    where = Where(data, repo, config, database_url)
    _print(call(where, "deputies.remove", body=body)["deputies"], as_json=as_json)


def _print(found: list[Any], *, as_json: bool) -> None:
    from remit.cli.terminal import Column, instant, print_json, print_table

    if as_json:
        print_json(found)
        return
    print_table(
        [Column("IN PLACE OF", "bold"), Column("ANSWERS"), Column("ROLE"), Column("UNTIL")],
        [(one["absent"], one["deputy"], one["role"], instant(one["expires_at"])) for one in found],
        empty="nobody answers for anybody else",
    )
