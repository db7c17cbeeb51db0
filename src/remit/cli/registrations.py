"""`remit registrations` and `remit registration-tokens`: who asks to come in, and who may let others in."""

from typing import Annotated

import typer

from remit.cli.actors import STATES
from remit.cli.asking import call, every
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Reason, Repo, Where

__all__ = ["registration_tokens", "registrations"]

registrations = typer.Typer(help="Clients that wait for approval.", no_args_is_help=True)
registration_tokens = typer.Typer(
    help="Tokens that let somebody register clients.", no_args_is_help=True
)

Client = Annotated[str, typer.Argument(metavar="CLIENT", help="Client id.", show_default=False)]


@registrations.command("list")
def list_registrations(
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List the clients that wait, the longest first. What they say of themselves is nobody else's word."""
    from remit.cli.terminal import NAME_WIDTH, Column, ago, print_json, print_table

    where = Where(data, repo, config, database_url)
    found = every(where, "registrations.list", "registrations")
    if as_json:
        print_json(found)
        return
    print_table(
        [Column("CLIENT", "bold", folds=True), Column("NAME", widest=NAME_WIDTH), Column("KIND"),
         Column("REDIRECTS TO", folds=True), Column("OWNER"), Column("WAITS")],
        [
            (one["client_id"], one["name"] or "-", one["kind"], " ".join(one["redirect_uris"]),
             one["owner"] or "-", ago(one["waits_since"] or one["created_at"]))
            for one in found
        ],
        empty="nobody waits: `registration` in remit.yaml says who has to",
    )  # fmt: skip


@registrations.command("approve")
def approve(
    client: Client,
    fingerprint: Annotated[
        str | None,
        typer.Option(
            "--fingerprint",
            metavar="TEXT",
            help="Only if it is still what was read.",
            show_default=False,
        ),
    ] = None,
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Let a client that waits in."""
    from remit.cli.terminal import say

    body = {"client_id": client, "fingerprint": fingerprint, "reason": reason}
    call(Where(data, repo, config, database_url), "registrations.approve", body=body)
    say(f"{client} is approved")


@registrations.command("reject")
def reject(
    client: Client,
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Turn a client that waits away."""
    from remit.cli.terminal import say

    body = {"client_id": client, "reason": reason}
    call(Where(data, repo, config, database_url), "registrations.reject", body=body)
    say(f"{client} is rejected")


@registration_tokens.command("create")
def create_token(
    owner: Annotated[
        str,
        typer.Option(
            "--owner", metavar="TEXT", help="Who answers for the clients.", show_default=False
        ),
    ],
    environment: Annotated[
        str | None,
        typer.Option(
            "--environment",
            metavar="NAME",
            help="The only one they may act in.",
            show_default=False,
        ),
    ] = None,
    uses: Annotated[int, typer.Option("--uses", metavar="N", help="How many clients.")] = 1,
    hours: Annotated[int, typer.Option("--hours", metavar="N", help="Good for so long.")] = 24,
    note: Annotated[
        str, typer.Option("--note", metavar="TEXT", help="What it is for.", show_default=False)
    ] = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make a token. It is shown now and never again."""
    from remit.cli.terminal import print_json, say, say_hint

    body = {
        "owner": owner, "environment": environment, "uses": uses, "lifetime": hours * 3_600, "note": note,
    }  # fmt: skip
    where = Where(data, repo, config, database_url)
    made = call(where, "registration-tokens.create", body=body)
    if as_json:
        print_json(made)
        return
    say(made["token"])
    say_hint("it is not shown again; it goes into the Authorization header of the registration")


@registration_tokens.command("list")
def list_tokens(
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List the tokens, good or not."""
    from remit.cli.terminal import NAME_WIDTH, Column, instant, print_json, print_table, styled

    where = Where(data, repo, config, database_url)
    found = every(where, "registration-tokens.list", "tokens")
    if as_json:
        print_json(found)
        return
    print_table(
        [Column("TOKEN", "bold"), Column("OWNER", widest=NAME_WIDTH), Column("NOTE", widest=NAME_WIDTH),
         Column("USES LEFT"), Column("UNTIL"), Column("STATE")],
        [
            (one["id"], one["owner"], one["note"] or "-", str(one["uses_left"]),
             instant(one["expires_at"]), styled(one["state"], STATES[one["state"]]))
            for one in found
        ],
        empty="no tokens: remit registration-tokens create --owner TEXT",
    )  # fmt: skip


@registration_tokens.command("revoke")
def revoke_token(
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="Its id.", show_default=False)],
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """End a token. The clients it registered stay."""
    from remit.cli.terminal import say

    where = Where(data, repo, config, database_url)
    call(where, "registration-tokens.revoke", path={"token": token}, body={"reason": reason})
    say(f"{token} is revoked")
