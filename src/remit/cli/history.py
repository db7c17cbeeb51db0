"""`remit history`: what was done before, as the declared facts count it."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from remit.cli.asking import call
from remit.cli.confirmation import Yes, confirm
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Repo, Where

__all__ = ["history", "length", "worth"]

history = typer.Typer(help="What was done before, as policies are told it.", no_args_is_help=True)

Agent = Annotated[
    str | None,
    typer.Option("--agent", metavar="AGENT", help="What this agent did.", show_default=False),
]
User = Annotated[
    str | None,
    typer.Option(
        "--user", metavar="NAME", help="What was done for this person.", show_default=False
    ),
]
Grant = Annotated[
    str | None,
    typer.Option(
        "--grant", metavar="GRANT", help="What this grant was used for.", show_default=False
    ),
]
Tenant = Annotated[
    str | None,
    typer.Option(
        "--tenant",
        metavar="TENANT",
        help="In this organisation; a person's own, when one is named.",
        show_default=False,
    ),
]
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"))


@history.command("show")
def show_history(
    agent: Agent = None,
    user: User = None,
    grant: Grant = None,
    tenant: Tenant = None,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show what every declared fact comes to at present. An agent without --user: what it did for itself."""
    from remit.cli.terminal import Column, print_json, print_table

    whose = _whose(agent, user, grant, tenant)
    found = call(Where(data, repo, config, database_url), "history.show", query=whose)
    if as_json:
        print_json(found)
        return
    print_table(
        [Column("FACT", "bold"), Column("MEASURE"), Column("OF"), Column("WITHIN"),
         Column("COMES TO", folds=True)],
        [
            (one["name"], one["measure"], one["of"], length(one["window"]), worth(one))
            for one in found["facts"]
        ],
        empty="no facts: `history` of remit.yaml declares none",
    )  # fmt: skip


@history.command("forget")
def forget(
    reason: Annotated[
        str,
        typer.Option("--reason", metavar="TEXT", help="Why. The log keeps it.", show_default=False),
    ],
    agent: Agent = None,
    user: User = None,
    grant: Grant = None,
    tenant: Tenant = None,
    facts: Annotated[
        list[str] | None,
        typer.Option(
            "--fact", metavar="NAME", help="Only this fact. May be given again.", show_default=False
        ),
    ] = None,
    yes: Yes = False,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Forget what was counted, so that whoever it was begins anew: for a person who asks for it, or after a mistake.

    Everything that matches all of --agent, --user and --grant.
    """
    from remit.cli.terminal import counted, say

    whose = _whose(agent, user, grant, tenant)
    of = ", ".join(f"{name} {value}" for name, value in whose.items())
    confirm(f"Forget what was done by or for {of}? Limits begin anew.", yes=yes)
    body: dict[str, Any] = {**whose, "facts": facts or [], "reason": reason}
    found = call(Where(data, repo, config, database_url), "history.forget", body=body)
    say(f"{counted(found['uses'], 'use')} forgotten")


def _whose(
    agent: str | None, user: str | None, grant: str | None, tenant: str | None
) -> dict[str, str]:
    named = (("agent", agent), ("user", user), ("grant", grant), ("tenant", tenant))
    whose = {name: value for name, value in named if value is not None}
    if not whose.keys() - {"tenant"}:
        raise typer.BadParameter("say whose: --agent, --user or --grant")
    return whose


def length(seconds: int) -> str:
    """As the repository writes it."""
    for size, unit in _UNITS:
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def worth(fact: Mapping[str, Any]) -> str:
    """The value of a fact as people read it, such as `4,800.00 USD`."""
    value = fact["value"]
    match value:
        case None:
            return "(not said whose)"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(value) or "nothing"
        case str():
            return f"{_grouped(value)} {fact.get('currency') or ''}".rstrip()
        case _:
            return f"{value:,}"


def _grouped(digits: str) -> str:
    """A sum as people write it: `4,800.00`, and what there is of further decimals."""
    whole, _, rest = digits.partition(".")
    return f"{int(whole):,}.{rest.rstrip('0'):0<2}"
