"""`remit audit erase`, `remit audit hold` and `remit audit preview`: what the log holds about somebody, and for how long."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import typer

from remit.cli.asking import call
from remit.cli.confirmation import Yes, confirm
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Repo, Where

__all__ = ["erase", "hold", "preview"]

hold = typer.Typer(
    help="Holds: nothing they cover is erased or ends. Two people set one, and two lift it.",
    no_args_is_help=True,
)

User = Annotated[
    str | None,
    typer.Option("--user", metavar="NAME", help="About this person.", show_default=False),
]
Agent = Annotated[
    str | None,
    typer.Option(
        "--agent",
        metavar="AGENT",
        help="About this agent, which acts for nobody.",
        show_default=False,
    ),
]
Tenant = Annotated[
    str | None,
    typer.Option("--tenant", metavar="TENANT", help="In this organisation.", show_default=False),
]
HoldId = Annotated[str, typer.Argument(metavar="HOLD", help="Its id.", show_default=False)]
_SAID: Mapping[str, str] = MappingProxyType(
    {
        "requested": "asked for, and holds for three days; for good when somebody else sets it",
        "set": "set",
        "lift_requested": "holds until somebody else lifts it",
        "lifted": "lifted",
    }
)

Why = Annotated[
    str,
    typer.Option("--reason", metavar="TEXT", help="Why. The log keeps it.", show_default=False),
]


def erase(
    basis: Annotated[
        str,
        typer.Option(
            "--basis", metavar="TEXT", help="On what basis. The log keeps it.", show_default=False
        ),
    ],
    user: User = None,
    agent: Agent = None,
    tenant: Tenant = None,
    yes: Yes = False,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make unreadable, for good, what records hold sealed about somebody. The records themselves stay, and stay provable."""
    from remit.cli.terminal import counted, print_json, say

    whom = _whom(user, agent, tenant)
    if not whom.keys() - {"tenant"}:
        raise typer.BadParameter("say whose: --user or --agent")
    confirm(
        f"Destroy the keys of everything sealed about {user or agent}? Nobody can undo it.", yes=yes
    )
    found = call(
        Where(data, repo, config, database_url), "custody.erase", body={**whom, "basis": basis}
    )
    if as_json:
        print_json(found)
        return
    say(f"{counted(found['keys'], 'key')} destroyed")


@hold.command("list")
def list_holds(
    tenant: Tenant = None,
    lifted: Annotated[bool, typer.Option("--lifted", help="Those that were lifted, too.")] = False,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show the holds that stand or are asked for."""
    from remit.cli.terminal import Column, print_json, print_table, say

    query: dict[str, str | int | None] = {"tenant": tenant, "lifted": "true" if lifted else None}
    found = call(Where(data, repo, config, database_url), "holds.list", query=query)
    if as_json:
        print_json(found)
        return
    print_table(
        [Column("HOLD", "bold"), Column("TENANT"), Column("STATE"), Column("ABOUT"), Column("ASKED BY"),
         Column("REASON", folds=True)],
        [
            (one["id"], one["tenant"], one["state"], (one["subject_digest"] or "everybody")[:12],
             one["requested_by"], one["reason"])
            for one in found["holds"]
        ],
        empty="no holds",
    )  # fmt: skip
    if any(one["state"] != "lifted" for one in found["holds"]):
        say(
            "Sealed values they are about are neither erased nor end. Of each log, records are removed from its beginning and in"
            " whole segments: from the first record that a hold covers on, all stay."
        )


@hold.command("request")
def request(
    reason: Why,
    user: User = None,
    agent: Agent = None,
    tenant: Tenant = None,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Ask for a hold; it holds for three days, and for good once somebody else agrees. Nobody named: about everybody."""
    body = {**_whom(user, agent, tenant), "reason": reason}
    found = call(Where(data, repo, config, database_url), "holds.request", body=body)
    _say(found, as_json=as_json)


@hold.command("set")
def agree(
    named: HoldId,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Agree to a hold that somebody else asked for."""
    where = Where(data, repo, config, database_url)
    _say(call(where, "holds.set", path={"hold": named}), as_json=as_json)


@hold.command("request-lift")
def request_lift(
    named: HoldId,
    reason: Why,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Ask that a hold end. It stands until somebody else agrees."""
    where = Where(data, repo, config, database_url)
    found = call(where, "holds.request-lift", path={"hold": named}, body={"reason": reason})
    _say(found, as_json=as_json)


@hold.command("lift")
def lift(
    named: HoldId,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Agree that a hold ends."""
    where = Where(data, repo, config, database_url)
    _say(call(where, "holds.lift", path={"hold": named}), as_json=as_json)


def preview(
    tool: Annotated[
        str,
        typer.Argument(
            metavar="SERVER/TOOL", help="Such as `crm/get_account`.", show_default=False
        ),
    ],
    arguments: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="The call's arguments as JSON; `-`: from standard input.",
            show_default=False,
        ),
    ] = None,
    tenant: Tenant = None,
    justification: Annotated[
        str | None,
        typer.Option(
            "--justification",
            metavar="TEXT",
            help="Why the call would be made.",
            show_default=False,
        ),
    ] = None,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show what the log would keep of a call, and why. Nothing is called, and nothing recorded.

    Tokens are shown as they would look; none is one of the log's.
    """
    from remit.cli.terminal import Column, print_json, print_table, say

    server, _, name = tool.partition("/")
    more = {"tenant": tenant, "justification": justification}
    body: dict[str, Any] = {"server": server, "tool": name, "arguments": _read(arguments)}
    body |= {member: value for member, value in more.items() if value is not None}
    found = call(Where(data, repo, config, database_url), "audit.preview", body=body)
    if as_json:
        print_json(found)
        return
    say(json.dumps(found["input"], indent=2, ensure_ascii=False))
    if found["justification"] is not None:
        say(f"justification: {found['justification']}")
    sealed = set(found["sealed"])
    print_table(
        [Column("PLACE", "bold"), Column("KEPT"), Column("CLASS"), Column("SEALED"), Column("BECAUSE"),
         Column("FOUND IN IT", folds=True)],
        [
            (one["pointer"], one["treatment"], one["sort"] or "", "yes" if one["pointer"] in sealed else "",
             one["why"], ", ".join(one["found"]))
            for one in found["values"]
        ],
        empty="a call without arguments",
    )  # fmt: skip


def _read(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        found = json.loads(text)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"`{path}` cannot be read as JSON") from error
    if not isinstance(found, dict):
        raise typer.BadParameter("arguments are a JSON object")
    return found


def _whom(user: str | None, agent: str | None, tenant: str | None) -> dict[str, str]:
    named = (("user", user), ("agent", agent), ("tenant", tenant))
    return {name: value for name, value in named if value is not None}


def _say(found: dict[str, Any], *, as_json: bool) -> None:
    from remit.cli.terminal import print_json, say

    if as_json:
        print_json(found)
        return
    say(f"{found['id']}: {_SAID.get(found['state'], found['state'])}")
