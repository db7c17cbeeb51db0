"""`remit apply`, `promote`, `rollback`: what decides from here on, in every process, within two seconds.

The server checks, judges and decides whether somebody else has to look at it; nothing that is said here changes that.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from remit.cli.asking import call
from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Reason, Where

__all__ = ["apply", "promote", "rollback"]

Source = Annotated[
    Path | None,
    typer.Option(
        "--repo",
        metavar="DIR",
        help="Policy repository to put in force.  [default: REMIT_REPO, or ./policy]",
        show_default=False,
    ),
]
BundleFile = Annotated[
    str | None,
    typer.Option(
        "--bundle",
        metavar="FILE",
        help="A bundle, of `remit bundles build`, instead of a folder; or the digest of one that is kept.",
        show_default=False,
    ),
]
Trial = Annotated[
    int | None,
    typer.Option(
        "--trial",
        metavar="PERCENT",
        min=1,
        max=100,
        help="Try it on so many percent of the agents first.",
        show_default=False,
    ),
]


def apply(
    repo: Source = None,
    bundle: BundleFile = None,
    trial: Trial = None,
    reason: Reason = "",
    data: Data = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Put policies in force, everywhere. Or propose them, where somebody else has to look at them first.

    Its decision tables are run, it is held against what is in force, and the calls that really came are decided
    again. Exit code 4: it waits for approval.
    """
    from remit.cli.bundle_source import bundle_in

    body = bundle_in(repo, bundle) | {"how": "apply", "reason": reason}
    if trial is not None:
        body["trial"] = trial
    # Not `repo`: without a server, what it is held against must not be the very folder that is proposed.
    where = Where(data, None, config, database_url)
    _tell(call(where, "proposals.create", body=body), as_json=as_json)


def promote(
    bundle: Annotated[
        str | None,
        typer.Argument(
            metavar="BUNDLE",
            help="Digest, or enough of it.  [default: what is in force there]",
            show_default=False,
        ),
    ] = None,
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="PLACE",
            help="Where it was in force: URL or data folder of another Remit, or a file of `remit bundles export`.",
            show_default=False,
        ),
    ] = "",
    token_env: Annotated[
        str | None,
        typer.Option(
            "--from-token-env",
            metavar="NAME",
            help="Variable with an access token for the Remit at that URL.",
            show_default=False,
        ),
    ] = None,
    stage: Annotated[
        str | None,
        typer.Option(
            "--stage",
            metavar="STAGE",
            help="Refuse if the Remit that it is proposed to is another stage.",
            show_default=False,
        ),
    ] = None,
    trial: Trial = None,
    reason: Reason = "",
    data: Data = None,
    repo: Annotated[
        Path | None, typer.Option("--repo", metavar="DIR", hidden=True, show_default=False)
    ] = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Bring a bundle from one Remit to another. The same bytes, with what the other says of where it was in force."""
    from remit.cli.bundle_source import fetched

    body: dict[str, Any] = {
        "bundle": fetched(source, bundle, token_env=token_env),
        "how": "promote",
        "reason": reason,
    }
    if stage is not None:
        body["stage"] = stage
    if trial is not None:
        body["trial"] = trial
    where = Where(data, repo, config, database_url)
    _tell(call(where, "proposals.create", body=body), as_json=as_json)


def rollback(
    bundle: Annotated[
        str | None,
        typer.Argument(
            metavar="BUNDLE",
            help="Digest, or enough of it, of a bundle that was in force here.  [default: the one before]",
            show_default=False,
        ),
    ] = None,
    last: Annotated[
        bool,
        typer.Option(
            "--last", help="The bundle before the one in force; what leaving BUNDLE out means."
        ),
    ] = False,
    reason: Reason = "",
    data: Data = None,
    repo: Annotated[
        Path | None, typer.Option("--repo", metavar="DIR", hidden=True, show_default=False)
    ] = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Put an earlier bundle in force again, at once. One person may; where that widens privileged things, another looks at it afterwards."""
    if last and bundle is not None:
        raise typer.BadParameter("name a bundle, or say --last")
    body: dict[str, Any] = {"reason": reason}
    if bundle is not None:
        body["bundle"] = bundle
    where = Where(data, repo, config, database_url)
    _tell(call(where, "bundles.rollback", body=body), as_json=as_json)


def _tell(proposal: dict[str, Any], *, as_json: bool) -> None:
    """Say what became of it; exit 4 when it waits."""
    from remit.cli.exits import ExitCode
    from remit.cli.proposal_view import print_proposal, verdict
    from remit.cli.terminal import print_json, say

    if as_json:
        print_json(proposal)
    elif proposal["state"] in {"waits", "unreviewed"}:
        print_proposal(proposal)
        say("")
        say(verdict(proposal))
    else:
        say(verdict(proposal))
    if proposal["state"] == "waits":
        raise typer.Exit(ExitCode.INCOMPLETE)
