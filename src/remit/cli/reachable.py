"""`remit who-can` and `remit what-can`: answered from policy, of a running Remit or of a folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from remit.cli.asking import call
from remit.cli.options import AsJson, Config, Data, Where

__all__ = ["what_can", "who_can"]

_Folder = Annotated[
    Path | None,
    typer.Option(
        "--repo", metavar="DIR", show_default=False,
        help="Ask this policy repository, and no Remit: roles stand for people, since there are no accounts.",
    ),
]  # fmt: skip
_Tenant = Annotated[
    str | None,
    typer.Option("--tenant", metavar="ID", help="Only this organisation.", show_default=False),
]
_At = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="TIME", show_default=False,
        help="When, with its offset: 2026-11-23T10:00:00-05:00.  [default: whenever]",
    ),
]  # fmt: skip
_Ip = Annotated[
    str | None,
    typer.Option(
        "--ip", metavar="ADDR", help="From where.  [default: wherever]", show_default=False
    ),
]
_AskEngine = Annotated[
    bool,
    typer.Option(
        "--ask-engine",
        help="Where an external engine permits, ask it: a few questions, for a few seconds. What it says permits nothing.",
    ),
]


def who_can(
    thing: Annotated[
        str,
        typer.Argument(
            metavar="SERVER/THING",
            help="A tool or prompt by its name, or a resource by its URI.",
            show_default=False,
        ),
    ],
    argument: Annotated[
        list[str] | None,
        typer.Option("--argument", metavar="NAME=VALUE", help="What is known of the call."),
    ] = None,
    tenant: _Tenant = None,
    at: _At = None,
    ip: _Ip = None,
    everybody: Annotated[
        bool, typer.Option("--all", help="Show who cannot, too, and why.")
    ] = False,
    ask_engine: _AskEngine = False,
    repo: _Folder = None,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Say who can use a thing. Through which agent, and on what it depends; nothing is called."""
    known = _arguments(argument or [])
    query = {
        "thing": thing, "tenant": tenant, "at": at, "ip": ip,
        "arguments": json.dumps(known) if known else None,
        "ask_engine": "true" if ask_engine else None,
    }  # fmt: skip
    found = _ask("access.who-can", query, repo, Where(data, config=config))
    from remit.cli.reachable_lines import who_can_lines

    _print(found, as_json, lambda: who_can_lines(found, everybody=everybody))


def what_can(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Its id.", show_default=False)],
    user: Annotated[
        str | None,
        typer.Option("--user", metavar="NAME", help="For this person.", show_default=False),
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", metavar="ROLE", help="For somebody with these roles."),
    ] = None,
    tenant: _Tenant = None,
    at: _At = None,
    ip: _Ip = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Show what it cannot use, too, and why.")
    ] = False,
    ask_engine: _AskEngine = False,
    repo: _Folder = None,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Say what an agent can use. For whom, and on what it depends; nothing is called."""
    query = {
        "agent": agent, "user": user, "roles": ",".join(role) if role else None,
        "tenant": tenant, "at": at, "ip": ip, "ask_engine": "true" if ask_engine else None,
    }  # fmt: skip
    found = _ask("access.what-can", query, repo, Where(data, config=config))
    from remit.cli.reachable_lines import what_can_lines

    _print(found, as_json, lambda: what_can_lines(found, everything=everything))


def _ask(
    name: str, query: dict[str, str | None], repo: Path | None, where: Where
) -> dict[str, Any]:
    if repo is None:
        return call(where, name, query=query)
    if query.pop("ask_engine"):
        raise typer.BadParameter("engines are asked by a running Remit: leave out `--repo`")
    from remit.cli.reachable_folder import asked_of_folder  # the API's rooms: only without a server

    return asked_of_folder(name, query, repo, stage=where.named_stage)


def _arguments(given: list[str]) -> dict[str, str]:
    known: dict[str, str] = {}
    for one in given:
        name, separator, value = one.partition("=")
        if not separator or not name or name in known:
            raise typer.BadParameter("give each argument once, as `name=value`")
        known[name] = value
    return known


def _print(found: dict[str, Any], as_json: bool, lines: Callable[[], Any]) -> None:
    from remit.cli.terminal import print_json, print_lines

    if as_json:
        print_json(found)
    else:
        print_lines(lines())
