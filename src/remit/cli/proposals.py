"""`remit proposals`: what waits to come into force, and the word of somebody else."""

from typing import Annotated, Any

import typer

from remit.cli.asking import call
from remit.cli.confirmation import Yes, confirm
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Reason, Repo, Where

__all__ = ["proposals"]

proposals = typer.Typer(
    help="Proposed policies, and what was found about them.", no_args_is_help=True
)

Named = Annotated[
    str, typer.Argument(metavar="PROPOSAL", help="Its id, `prp_…`.", show_default=False)
]


@proposals.command("list")
def list_proposals(
    state: Annotated[
        str | None,
        typer.Option(
            "--state", metavar="STATE", help="Only these, such as `waits`.", show_default=False
        ),
    ] = None,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List proposals, the last first."""
    from remit.cli.proposal_view import STATE_COLOURS, short
    from remit.cli.terminal import Column, instant, print_json, print_table, styled

    found = call(Where(data, repo, config, database_url), "proposals.list", query={"state": state})
    if as_json:
        print_json(found["proposals"])
        return
    print_table(
        [Column("PROPOSAL", "bold"), Column("BUNDLE"), Column("HOW"), Column("STATE"), Column("BY"),
         Column("WHEN"), Column("REASON", widest=40)],
        [
            (one["id"], short(one["bundle"]), one["how"],
             styled(one["state"], STATE_COLOURS.get(one["state"], "")), one["proposed_by"],
             instant(one["proposed_at"]), one["reason"])
            for one in found["proposals"]
        ],
        empty="no proposals: remit apply makes one",
    )  # fmt: skip


@proposals.command("show")
def show_proposal(
    proposal: Named,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show a proposal: what it changes, how its tests and the replay came out, what it waits for."""
    from remit.cli.proposal_view import print_proposal
    from remit.cli.terminal import print_json

    found = call(
        Where(data, repo, config, database_url), "proposals.show", path={"proposal": proposal}
    )
    if as_json:
        print_json(found)
    else:
        print_proposal(found)


@proposals.command("approve")
def approve_proposal(
    proposal: Named,
    report: Annotated[
        str | None,
        typer.Option(
            "--report",
            metavar="DIGEST",
            help="The report that was read, as `proposals show` names it; it is not shown again then.",
            show_default=False,
        ),
    ] = None,
    yes: Yes = False,
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Say yes to what was found about somebody else's proposal. It is in force, or on trial, when this returns."""
    where = Where(data, repo, config, database_url)
    digest = report or _read(where, proposal, yes=yes)
    body = {"report_digest": digest, "reason": reason}
    _tell(where, "proposals.approve", proposal, body=body, as_json=as_json)


@proposals.command("reject")
def reject_proposal(
    proposal: Named,
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Say no to a proposal that waits, or end its trial."""
    where = Where(data, repo, config, database_url)
    _tell(where, "proposals.reject", proposal, body={"reason": reason}, as_json=as_json)


@proposals.command("withdraw")
def withdraw_proposal(
    proposal: Named,
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Take one's own proposal back."""
    where = Where(data, repo, config, database_url)
    _tell(where, "proposals.withdraw", proposal, body={"reason": reason}, as_json=as_json)


def _read(where: Where, proposal: str, *, yes: bool) -> str:
    """Show the report, ask, and return its digest: that is what is approved, and no later one."""
    from remit.cli.proposal_view import print_proposal

    found = call(where, "proposals.show", path={"proposal": proposal})
    print_proposal(found)
    confirm("Approve this?", yes=yes)
    return str(found["report_digest"])


def _tell(
    where: Where, operation: str, proposal: str, *, body: dict[str, Any], as_json: bool
) -> None:
    from remit.cli.proposal_view import verdict
    from remit.cli.terminal import print_json, say

    found = call(where, operation, path={"proposal": proposal}, body=body)
    if as_json:
        print_json(found)
    else:
        say(verdict(found))
