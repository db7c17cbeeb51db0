"""`remit audit`: read the audit log, and prove it."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from remit.cli import custody, trail_export, trail_search
from remit.cli.log_dump import dump
from remit.cli.log_key import rotate_key
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Repo, Where

if TYPE_CHECKING:
    from remit.cli.connection import Management

__all__ = ["audit"]

audit = typer.Typer(help="The audit log: what happened, provably.", no_args_is_help=True)
audit.command("dump")(dump)
audit.command("rotate-key")(rotate_key)


def _condition(flag: str, metavar: str, about: str) -> Any:
    """An option that hands its text to the management API unread: it knows what can be asked for."""
    return typer.Option(flag, metavar=metavar, help=about, show_default=False)


@audit.command("tail")
def tail(
    count: Annotated[
        int, typer.Option("-n", "--count", min=1, max=1000, help="How many events.")
    ] = 20,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as events come.")] = False,
    kind: Annotated[
        str | None, _condition("--kind", "KIND", "Only this kind: `decision`, or `grant.*`.")
    ] = None,
    agent: Annotated[str | None, _condition("--agent", "AGENT", "Only this agent's.")] = None,
    user: Annotated[str | None, _condition("--user", "NAME", "Only this person's.")] = None,
    tenant: Annotated[str | None, _condition("--tenant", "TENANT", "Only this tenant's.")] = None,
    client: Annotated[str | None, _condition("--client", "CLIENT", "Only this client's.")] = None,
    grant: Annotated[str | None, _condition("--grant", "GRANT", "Only under this grant.")] = None,
    server: Annotated[str | None, _condition("--server", "SERVER", "Only on this server.")] = None,
    outcome: Annotated[
        str | None,
        _condition(
            "--outcome",
            "OUTCOME",
            "Only those that ended so: `allow`, `deny`, `challenge`, `ok`, `error`, …",
        ),
    ] = None,
    since: Annotated[
        str | None, _condition("--since", "TIME", "From then on; UTC, such as `2026-01-31T12:00`.")
    ] = None,
    until: Annotated[
        str | None, _condition("--until", "TIME", "Up to, but not including, then.")
    ] = None,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show the latest events. That somebody looked is itself recorded.

    With `-f` those to come as well, from a running server; one that is started again is waited for.
    """
    from remit.cli.connection import ask, ask_running  # imports an HTTP client

    query: dict[str, str | int | None] = {
        "count": count, "follow": "true" if follow else None, "kind": kind, "agent": agent,
        "user": user, "tenant": tenant, "client": client, "grant": grant, "server": server,
        "outcome": outcome, "since": since, "until": until,
    }  # fmt: skip

    async def question(management: "Management") -> None:
        from remit.cli.terminal import say_hint

        shown = 0
        async for line in management.lines("audit.tail", **query):
            shown += 1
            _show(line, as_json=as_json)
        if not shown:
            say_hint("no such events among the latest: `remit audit search` looks through all")

    async def following(management: "Management") -> None:
        from remit.cli.trail_follow import Follower

        await Follower(lambda line: _show(line, as_json=as_json)).follow(management, query)

    where = Where(data, repo, config, database_url)
    if follow:
        ask_running(where, following)
    else:
        ask(where, question)


@audit.command("verify")
def verify(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="A stream's folder, the `audit` folder with all streams, or a bundle.",
            show_default=False,
        ),
    ],
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            metavar="KEY",
            show_default=False,
            help="Verifier key that you kept, or a file with it (`log.pub`); may be repeated.",
        ),
    ] = None,
    since: Annotated[
        list[Path] | None,
        typer.Option(
            "--since",
            metavar="FILE",
            show_default=False,
            help="Checkpoint that you kept; the log must continue it. May be repeated.",
        ),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            "--policy",
            metavar="FILE",
            show_default=False,
            help="Which witnesses you believe, and how many of them (tlog-policy).",
        ),
    ] = None,
    receipt: Annotated[
        list[Path] | None,
        typer.Option(
            "--receipt",
            metavar="FILE",
            show_default=False,
            help="Receipts that you kept, as JSON or JSON lines. May be repeated.",
        ),
    ] = None,
    max_age: Annotated[
        str | None,
        typer.Option(
            "--max-age",
            metavar="AGE",
            show_default=False,
            help="How old the newest proof may be: `90`, `15m`, `6h`, `2d`.",
        ),
    ] = None,
    timestamps: Annotated[
        Path | None,
        typer.Option(
            "--timestamps",
            metavar="FILE",
            show_default=False,
            help="Certificates (PEM) of time-stamping authorities that you believe.",
        ),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Parse every record, and not only hash it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Prove that a log is whole and unchanged.

    Needs the files alone: no server and no settings. The same as `remit-audit-verify`, which is there without
    the server, too. Exit status: 0 valid, 1 tampered with, 2 not enough evidence, 3 older than `--max-age`.
    """
    from remit.cli.verification import Brought, verify_folder  # imports cryptography

    brought = Brought(
        keys=key or [],
        since=since or [],
        policy=policy,
        receipts=receipt or [],
        max_age=max_age,
        timestamps=timestamps,
        full=full,
    )
    raise typer.Exit(verify_folder(folder, brought, as_json=as_json))


audit.command("search")(trail_search.search)
audit.command("timeline")(trail_search.timeline)
audit.command("show")(trail_search.show)
audit.command("export")(trail_export.export)
audit.command("report")(trail_export.report)
audit.command("erase")(custody.erase)
audit.command("preview")(custody.preview)
audit.add_typer(custody.hold, name="hold")


def _show(line: str, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        return
    from remit.audit import row
    from remit.cli.terminal import print_event

    print_event(row(json.loads(line)))
