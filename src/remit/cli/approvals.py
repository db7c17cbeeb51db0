"""`remit approvals`: what waits for people, and a person's own yes or no.

A yes is given by somebody who read what it is to: on a terminal, to what was just shown there, with a token of their own from
a log-in later than the request. There is no flag that says yes for them.
"""

from typing import Annotated, Any

import typer

from remit.cli.asking import call, every
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Reason, Repo, Where

__all__ = ["approvals"]

approvals = typer.Typer(help="Calls that wait for people, and what they say.", no_args_is_help=True)

Named = Annotated[
    str, typer.Argument(metavar="APPROVAL", help="Its id, `apr_…`.", show_default=False)
]


@approvals.command("list")
def list_approvals(
    state: Annotated[
        str | None,
        typer.Option(
            "--state", metavar="STATE", help="Only these, such as `waiting`.", show_default=False
        ),
    ] = None,
    mine: Annotated[
        bool, typer.Option("--mine", help="Only what waits for one's own word. Takes --url.")
    ] = False,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List requests to people, the last first."""
    from remit.cli.approval_view import print_approvals
    from remit.cli.terminal import print_json

    where = Where(data, repo, config, database_url)
    if mine:
        found = call(where, "approvals.inbox")["approvals"]
    else:
        found = every(where, "approvals.list", "approvals", {"state": state})
    if as_json:
        print_json(found)
    else:
        print_approvals(found)


@approvals.command("show")
def show_approval(
    approval: Named,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show a request: who asks for what, who has to say yes, who did. Arguments are shown to whom they are asked of."""
    from remit.cli.approval_view import print_approval
    from remit.cli.terminal import print_json

    where = Where(data, repo, config, database_url)
    found = call(where, "approvals.show", path={"approval": approval})
    if as_json:
        print_json(found)
    else:
        print_approval(found)


@approvals.command("approve")
def approve(
    approval: Named,
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Look at a request, and say yes to what was shown. Takes a terminal, and a token of one's own (--url)."""
    from remit.cli.confirmation import confirm

    where = Where(data, repo, config, database_url)
    seen = _look(where, approval)
    confirm("Approve this very call?", yes=False)
    _answer(where, "approvals.approve", seen, reason)


@approvals.command("refuse")
def refuse(
    approval: Named,
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Look at a request, and say no. Takes a token of one's own (--url)."""
    where = Where(data, repo, config, database_url)
    _answer(where, "approvals.refuse", _look(where, approval), reason)


@approvals.command("withdraw")
def withdraw(
    approval: Named,
    reason: Reason = "",
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Take back what one's own agent asked. Takes a token of one's own (--url)."""
    from remit.cli.terminal import say

    where = Where(data, repo, config, database_url)
    body = {"reason": reason}
    found = call(where, "approvals.withdraw", path={"approval": approval}, body=body)
    say(f"{found['id']} is {found['state']}")


@approvals.command("stats")
def stats(
    days: Annotated[
        int, typer.Option("--days", metavar="N", min=1, max=3_650, help="How far back.")
    ] = 30,
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Say how people answer: how many, how fast, and how often sooner than anybody reads."""
    from remit.cli.approval_view import print_figures
    from remit.cli.terminal import print_json

    found = call(Where(data, repo, config, database_url), "approvals.stats", query={"days": days})
    if as_json:
        print_json(found)
    else:
        print_figures(found["figures"])


def _look(where: Where, approval: str) -> dict[str, Any]:
    """What is asked, shown on the terminal: that is what is answered."""
    from remit.cli.approval_view import print_seen

    seen = call(where, "approvals.look", path={"approval": approval})
    print_seen(seen)
    return seen


def _answer(where: Where, operation: str, seen: dict[str, Any], reason: str) -> None:
    from remit.cli.terminal import say

    body = {"shown": seen["shown"], "reason": reason}
    found = call(where, operation, path={"approval": seen["id"]}, body=body)
    waits = ", and waits for others" if found["state"] == "waiting" else ""
    say(f"{found['id']} is {found['state']}{waits}")
