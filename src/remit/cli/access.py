"""`remit access`: what may be had for a while, asking for it, giving it back, taking it away."""

from typing import Annotated, Any

import typer

from remit.cli.asking import call
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Reason, Repo, Where

__all__ = [
    "Duration",
    "Fields",
    "Holder",
    "Ticket",
    "access",
    "instant_of",
    "print_access",
    "tell_access",
    "wish_body",
]

access = typer.Typer(help="Roles and scopes that are had for a while.", no_args_is_help=True)

Named = Annotated[
    str, typer.Argument(metavar="ACCESS", help="Its id, `acc_…`.", show_default=False)
]
Holder = Annotated[
    str | None,
    typer.Option(
        "--for",
        metavar="WHO",
        help="At the socket alone: a person's name, or `agent:` and an agent's id.",
        show_default=False,
    ),
]
Duration = Annotated[
    str | None,
    typer.Option(
        "--duration", metavar="LENGTH", help="How long, such as `10m`.", show_default=False
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--until",
        metavar="INSTANT",
        help="Until when instead, such as `2026-12-01` or `2026-12-01T17:00:00Z`.",
        show_default=False,
    ),
]
Fields = Annotated[
    list[str] | None,
    typer.Option(
        "--tell",
        metavar="NAME=TEXT",
        help="Something else that has to be told. May be given again.",
        show_default=False,
    ),
]
Ticket = Annotated[
    str,
    typer.Option("--ticket", metavar="TICKET", help="The ticket it is for.", show_default=False),
]


@access.command("offers")
def list_offers(
    holder: Holder = None,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List what one may ask for; at the socket without --for, all that there is."""
    from remit.cli.history import length
    from remit.cli.terminal import Column, print_json, print_table

    where = Where(data, repo, config, database_url)
    found = call(where, "access-offers.list", query={"holder": holder})["offers"]
    if as_json:
        print_json(found)
        return
    print_table(
        [Column("NAME", "bold"), Column("KIND"), Column("WHAT", folds=True), Column("LONGEST"),
         Column("WHO SAYS YES"), Column("TELL")],
        [
            (one["name"], one["kind"], one["role"] or ", ".join(one["scopes"]), length(one["longest"]),
             one["approver"] or (f"review: {one['reviewer']}" if one["reviewer"] else "at once"),
             ", ".join(one["justification"]))
            for one in found
        ],
        empty="nothing: `access` of approvals.yaml offers none",
    )  # fmt: skip


@access.command("list")
def list_access(
    holder: Annotated[
        str | None,
        typer.Option("--holder", metavar="ID", help="Only of them.", show_default=False),
    ] = None,
    state: Annotated[
        str | None,
        typer.Option("--state", metavar="STATE", help="Such as `active`.", show_default=False),
    ] = None,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List who asked for what, has it, and had it, the latest first."""
    query = {"holder": holder, "state": state}
    found = call(Where(data, repo, config, database_url), "access.list", query=query)
    print_access(found["access"], as_json=as_json)


@access.command("mine")
def list_mine(
    holder: Holder = None,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List what one asked for oneself, has and had."""
    where = Where(data, repo, config, database_url)
    found = call(where, "access.mine", query={"holder": holder})
    print_access(found["access"], as_json=as_json)


@access.command("request")
def request_access(
    offer: Annotated[
        str,
        typer.Argument(
            metavar="OFFER", help="As `remit access offers` names it.", show_default=False
        ),
    ],
    duration: Duration = None,
    until: Until = None,
    reason: Reason = "",
    fields: Fields = None,
    ticket: Ticket = "",
    holder: Holder = None,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Ask for it: it is had when this returns, or waits for somebody's approval."""
    body = wish_body(offer, duration, until, reason=reason, fields=fields)
    body |= {"ticket": ticket} | ({} if holder is None else {"holder": holder})
    where = Where(data, repo, config, database_url)
    tell_access(call(where, "access.request", body=body), as_json=as_json)


@access.command("show")
def show_access(
    named: Named,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show one: what, for whom, why, and until when."""
    from remit.cli.terminal import instant, print_fields, print_json

    found = call(Where(data, repo, config, database_url), "access.show", path={"access": named})
    if as_json:
        print_json(found)
        return
    told = "; ".join(f"{name}: {text}" for name, text in sorted(found["justification"].items()))
    print_fields([
        ("access", found["id"]),
        ("offer", f"{found['offer']} ({found['kind']})"),
        ("what", found["role"] or ", ".join(found["scopes"])),
        ("holder", f"{found['holder_kind']}:{found['holder']}"),
        ("through", found["agent"] or "any agent of theirs"),
        ("state", _state(found)),
        ("ends", instant(found["expires_at"])),
        ("told", told),
        ("ticket", found["ticket"]),
        ("approved by", ", ".join(found["approved_by"])),
        ("reviewed", f"{found['verdict']} by {found['reviewed_by']}" if found["verdict"] else ""),
    ])  # fmt: skip


@access.command("return")
def return_access(
    named: Named,
    reason: Reason = "",
    holder: Holder = None,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Give back one's own before its time. Every token that rests on it is revoked when this returns."""
    body = {"reason": reason} | ({} if holder is None else {"holder": holder})
    where = Where(data, repo, config, database_url)
    found = call(where, "access.return", path={"access": named}, body=body)
    tell_access(found, as_json=as_json)


@access.command("end")
def end_access(
    named: Named,
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Take away what somebody has. Every token that rests on it is revoked when this returns."""
    where = Where(data, repo, config, database_url)
    found = call(where, "access.end", path={"access": named}, body={"reason": reason})
    tell_access(found, as_json=as_json)


def wish_body(
    offer: str, duration: str | None, until: str | None, *, reason: str, fields: list[str] | None
) -> dict[str, Any]:
    """What to ask for, as the management API takes it."""
    if (duration is None) == (until is None):
        raise typer.BadParameter("say either --duration or --until")
    told = {"reason": reason} if reason else {}
    for one in fields or []:
        name, equals, text = one.partition("=")
        if not equals or not name or name in told:
            raise typer.BadParameter("--tell takes NAME=TEXT, each name once")
        told[name] = text
    body: dict[str, Any] = {"offer": offer, "justification": told}
    return body | (
        {"seconds": _seconds(duration)} if duration else {"until": instant_of(until or "")}
    )


def print_access(found: list[Any], *, as_json: bool) -> None:
    """One line each."""
    from remit.cli.terminal import Column, instant, print_json, print_table

    if as_json:
        print_json(found)
        return
    print_table(
        [Column("ACCESS", "bold"), Column("OFFER"), Column("HOLDER"), Column("STATE"), Column("ENDS"),
         Column("WHY", widest=40)],
        [
            (one["id"], one["offer"], f"{one['holder_kind']}:{one['holder']}", _state(one),
             instant(one["expires_at"]), "; ".join(one["justification"].values()))
            for one in found
        ],
        empty="none",
    )  # fmt: skip


def tell_access(found: dict[str, Any], *, as_json: bool) -> None:
    """What became of it."""
    from remit.cli.terminal import instant, print_json, say

    if as_json:
        print_json(found)
        return
    words = {
        "active": f"active until {instant(found['expires_at'])}",
        "waiting": f"waits for approval ({found['approval']})",
    }.get(found["state"], str(found["how"] or found["state"]))
    say(f"{found['id']} {found['offer']}: {words}")


def _state(found: dict[str, Any]) -> str:
    if found["review_by"] is not None and found["reviewed_at"] is None:
        return f"{found['state']}, {'review overdue' if found['overdue'] else 'unreviewed'}"
    return str(found["state"])


def _seconds(text: str) -> int:
    from remit.documents import parse_duration

    try:
        return int(parse_duration(text))
    except ValueError as error:
        raise typer.BadParameter("--duration is a length such as `10m` or `2h`") from error


def instant_of(text: str) -> int:
    """The instant that `--until` says, in seconds of the epoch; without an offset it is UTC."""
    from datetime import UTC, datetime

    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("--until is a date or an instant (ISO 8601)") from error
    return int((at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp())
