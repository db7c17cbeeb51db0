"""`remit servers`: what they offer, what waits for review, and a file for a server that has none yet."""

import sys
from typing import Annotated

import typer

from remit.cli.asking import call, every
from remit.cli.exits import ExitCode
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Reason, Repo, Where

__all__ = ["servers"]

servers = typer.Typer(help="MCP servers, and what of them waits for review.", no_args_is_help=True)

Server = Annotated[
    str, typer.Argument(metavar="SERVER", help="Name in the repository.", show_default=False)
]
_THING_HELP = "A tool, prompt or resource by its name, or `tool:name`; again for more."
Admit = Annotated[
    list[str] | None,
    typer.Option("--admit", metavar="THING", help=f"Admit as it is shown. {_THING_HELP}", show_default=False),
]  # fmt: skip
Reject = Annotated[
    list[str] | None,
    typer.Option("--reject", metavar="THING", help=f"Keep out. {_THING_HELP}", show_default=False),
]  # fmt: skip

_STATES = {"admitted": "green", "quarantined": "yellow", "rejected": "red", "unseen": "dim"}


@servers.command("list")
def list_servers(
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List the servers, and how many of their things wait for review."""
    from remit.cli.terminal import Column, print_json, print_table, styled

    found = every(Where(data, repo, config, database_url), "servers.list", "servers")
    if as_json:
        print_json(found)
        return
    print_table(
        [Column("SERVER", "bold"), Column("TITLE"), Column("ENVIRONMENT"), Column("TRANSPORT"),
         Column("PINNING"), Column("TOOLS"), Column("ADMITTED"), Column("WAITING"), Column("REJECTED")],
        [
            (one["name"], one["title"], one["environment"], one["transport"], one["pinning"],
             str(one["tools"]), str(one["admitted"]),
             styled(str(one["waiting"]), "yellow" if one["waiting"] else "dim"), str(one["rejected"]))
            for one in found
        ],
        empty="no servers: declare one in servers/ of the policy repository, then remit reload",
    )  # fmt: skip


@servers.command("show")
def show_server(
    server: Server,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show one server, and the state of each of its tools, resources and prompts."""
    from remit.cli.terminal import (
        NAME_WIDTH,
        Column,
        ago,
        print_fields,
        print_json,
        print_table,
        styled,
        visible,
    )

    where = Where(data, repo, config, database_url)
    found = call(where, "servers.show", path={"server": server})
    if as_json:
        print_json(found)
        return
    print_fields((name.replace("_", " "), str(value)) for name, value in found["server"].items())
    print_table(
        [Column("KIND"), Column("NAME", "bold", widest=NAME_WIDTH), Column("STATE"), Column("WHY", folds=True),
         Column("CHANGED"), Column("BY")],
        [
            (one["thing"], visible(one["name"]), styled(one["state"], _STATES[one["state"]]),
             one["detail"] or one["cause"] or "", ago(one["changed_at"]), one["decided_by"] or "-")
            for one in found["things"]
        ],
        empty="it offers nothing that is known here",
    )  # fmt: skip


@servers.command("discover")
def discover_server(
    server: Annotated[
        str | None,
        typer.Argument(
            metavar="[SERVER]",
            help="Name in the repository; with --url or --stdio, the name it is to have.",
            show_default=False,
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="URL",
            help="MCP endpoint of a server that the repository does not have.",
            show_default=False,
        ),
    ] = None,
    stdio: Annotated[
        str | None,
        typer.Option(
            "--stdio",
            metavar="COMMAND",
            help="Command of such a server, quoted, without a shell.",
            show_default=False,
        ),
    ] = None,
    secret: Annotated[
        str | None,
        typer.Option(
            "--bearer-secret",
            metavar="REFERENCE",
            help="With --url: where the credential is kept, such as env:NAME.",
            show_default=False,
        ),
    ] = None,
    environment: Annotated[
        str | None,
        typer.Option("--environment", metavar="NAME", help="Where it runs.", show_default=False),
    ] = None,
    write: Annotated[
        bool,
        typer.Option("--write", help="Write the file into the repository, unless it is there."),
    ] = False,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Ask a server what it offers, and propose its file `servers/<name>.yaml`. Every guess in it is marked `review`."""
    from remit.cli.discovery import Asked, known_repository, offered, proposed, write_proposal
    from remit.cli.terminal import say_hint

    where = Where(data, repo, config, database_url)
    if (server is None and url is None and stdio is None) or (
        url is not None and stdio is not None
    ):
        raise typer.BadParameter("name a server of the repository, or say --url or --stdio")
    asked = Asked(name=server, url=url, stdio=stdio, secret=secret, environment=environment)
    folder, catalog = known_repository(where)
    proposal = proposed(asked, offered(asked, where), catalog)
    if write:
        for path in write_proposal(folder, proposal):
            say_hint(f"written: {path}")
        say_hint(f"say what is true where it is marked `review`, then: remit check --repo {folder}")
        return
    sys.stdout.write(proposal.text)


@servers.command("review")
def review_server(
    server: Server,
    admit: Admit = None,
    reject: Reject = None,
    admit_all: Annotated[
        bool, typer.Option("--admit-all", help="Admit everything that waits, as it is shown.")
    ] = False,
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show what a server changed, and admit or reject it. Exits with 1 while something waits."""
    from remit.cli.definition_review import Decisions, review

    where = Where(data, repo, config, database_url)
    decisions = Decisions(
        admit=tuple(admit or ()), reject=tuple(reject or ()), admit_all=admit_all, reason=reason
    )
    if review(where, server, decisions, as_json=as_json):
        raise typer.Exit(ExitCode.FOUND_WRONG)
