"""`remit apply`, `promote`, `rollback`: what decides from here on, in every process, within two seconds.

The server checks, judges and decides whether somebody else has to look at it; nothing that is said here changes that.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

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
    """Propose a policy repository. Unless somebody else has to look first, it is in force everywhere at once.

    Remit checks it, runs its decision tables, holds it against what is in force, and decides the calls that really came
    once more. Exit code 4: it waits for approval. Where no server runs, this command does all of that by itself, and
    servers that are started later decide by it.
    """
    from remit.cli.bundle_source import bundle_in

    body = bundle_in(repo, bundle) | {"how": "apply", "reason": reason}
    if trial is not None:
        body["trial"] = trial
    # Not `repo`: without a server, what it is held against must not be the very folder that is proposed.
    where = Where(data, None, config, database_url)
    _tell(*_asked(where, "proposals.create", body), as_json=as_json)


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
    _tell(*_asked(where, "proposals.create", body), as_json=as_json)


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
    _tell(*_asked(where, "bundles.rollback", body), as_json=as_json)


def _asked(where: Where, operation: str, body: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """The answer, and whether a server that runs gave it."""
    from remit.cli.connection import Management, ask  # imports an HTTP client

    async def question(management: Management) -> tuple[dict[str, Any], bool]:
        return await management.call(operation, body=body), management.online

    return ask(where, question)


def _tell(proposal: dict[str, Any], online: bool, *, as_json: bool) -> None:
    """Say what became of it; exit 4 when it waits."""
    from remit.cli.exits import ExitCode
    from remit.cli.proposal_view import print_proposal, verdict
    from remit.cli.terminal import print_json, say, say_hint

    if as_json:
        print_json(proposal)
    elif proposal["state"] in {"waits", "unreviewed"}:
        print_proposal(proposal)
        say("")
        say(verdict(proposal))
    else:
        say(verdict(proposal))
    if not online:
        say_hint(_alone(proposal))
    if proposal["state"] == "waits":
        raise typer.Exit(ExitCode.INCOMPLETE)


def _alone(proposal: dict[str, Any]) -> str:
    """What it means that no server was asked."""
    if proposal["state"] == "waits":
        return "no server runs, so that nobody can approve it here: start one, and let somebody else do so"
    return (
        "no server runs: this command judged it, by the rules of what was in force (before the first bundle, of the folder "
        "that the settings name), and nobody else was asked; servers decide by it from their next start"
    )
