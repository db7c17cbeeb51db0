"""`remit emergency`: what a few named people may take without asking, and the review that it waits for."""

from enum import StrEnum
from typing import Annotated

import typer

from remit.cli.access import Duration, Fields, Ticket, print_access, tell_access, wish_body
from remit.cli.asking import call
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Reason, Repo, Where

__all__ = ["emergency"]

emergency = typer.Typer(
    help="Access that is taken in an emergency.",
    no_args_is_help=True,
)


class Verdict(StrEnum):
    """What a reviewer says."""

    JUSTIFIED = "justified"
    UNJUSTIFIED = "unjustified"


@emergency.command("list")
def list_emergencies(
    unreviewed: Annotated[
        bool, typer.Option("--unreviewed", help="Only what nobody else has looked at yet.")
    ] = False,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List emergency access that was taken, the latest first."""
    where = Where(data, repo, config, database_url)
    query = {"unreviewed": "true"} if unreviewed else {}
    found = call(where, "emergency.list", query=query)
    print_access(found["access"], as_json=as_json)


@emergency.command("take")
def take_emergency(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="As `remit access offers` names it.", show_default=False
        ),
    ],
    duration: Duration = None,
    reason: Reason = "",
    fields: Fields = None,
    ticket: Ticket = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Take it, at once. Everybody is told, and somebody else reviews it. Takes a token of one's own (--url)."""
    body = wish_body(name, duration, None, reason=reason, fields=fields) | {"ticket": ticket}
    found = call(Where(data, repo, config, database_url), "emergency.take", body=body)
    tell_access(found, as_json=as_json)


@emergency.command("review")
def review_emergency(
    named: Annotated[
        str, typer.Argument(metavar="ACCESS", help="Its id, `acc_…`.", show_default=False)
    ],
    verdict: Annotated[
        Verdict,
        typer.Argument(metavar="VERDICT", help="`justified` or `unjustified`.", show_default=False),
    ],
    reason: Annotated[
        str,
        typer.Option("--reason", metavar="TEXT", help="Why. The log keeps it.", show_default=False),
    ],
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Say whether what somebody else did was justified. Takes a token of one's own (--url), or the page."""
    where = Where(data, repo, config, database_url)
    body = {"verdict": verdict.value, "reason": reason}
    found = call(where, "emergency.review", path={"access": named}, body=body)
    tell_access(found, as_json=as_json)
