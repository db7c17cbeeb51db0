"""`remit init|serve|check|reload|status|doctor|demo|version`: running it."""

import gc
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from remit.cli.options import AsJson, Config, Data, DatabaseUrl, Repo, Where

__all__ = ["operate"]

operate = typer.Typer()

_SECONDS = frozenset({"standing_age", "up_for"})


def _setting(flag: str, about: str, metavar: str) -> Any:
    """An option that hands its text to the settings unread: they say what may stand there."""
    return typer.Option(flag, help=about, metavar=metavar, show_default=False)


@operate.command("init")
def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where; must not exist yet, or be empty.")
    ] = Path("policy"),
    complete: Annotated[
        bool, typer.Option("--complete", help="One with every sort of rule, and not the small one.")
    ] = False,
) -> None:
    """Write an example policy repository. It teaches itself: open its `remit.yaml` and read."""
    from remit.cli.terminal import say, say_hint  # and the repository room: only for this command
    from remit.repository import write_example

    write_example(folder, complete=complete)
    say(f"wrote an example policy repository to {folder}")
    say_hint(f"next: remit check --repo {folder}, then remit serve --repo {folder}")


@operate.command("serve")
def serve(
    repo: Annotated[
        str | None, _setting("--repo", "Policy repository.  [default: policy]", "DIR")
    ] = None,
    stage: Annotated[
        str | None, _setting("--stage", "Which of the stages in remit.yaml this is.", "STAGE")
    ] = None,
    policies: Annotated[
        str | None,
        _setting("--policies", "What decides: auto, folder or bundle.  [default: auto]", "WHICH"),
    ] = None,
    bundle_keys: Annotated[
        str | None,
        _setting(
            "--bundle-keys", "JWK set of the keys that bundles have to be signed with.", "FILE"
        ),
    ] = None,
    data: Annotated[str | None, _setting("--data", "Data folder.  [default: data]", "DIR")] = None,
    host: Annotated[
        str | None, _setting("--host", "Address to listen on.  [default: 127.0.0.1]", "HOST")
    ] = None,
    port: Annotated[
        str | None, _setting("--port", "Port; 0 for a free one.  [default: 8600]", "PORT")
    ] = None,
    public_url: Annotated[
        str | None, _setting("--public-url", "Where clients reach Remit; the issuer.", "URL")
    ] = None,
    database_url: Annotated[
        str | None,
        _setting(
            "--database-url",
            "SQLite or PostgreSQL.  [default: remit.sqlite3 in the data folder]",
            "URL",
        ),
    ] = None,
    database_pool: Annotated[
        str | None, _setting("--database-pool", "Connections to PostgreSQL.  [default: 8]", "N")
    ] = None,
    instance: Annotated[
        str | None,
        _setting("--instance", "Name among several on one database.  [default: main]", "NAME"),
    ] = None,
    audit_store: Annotated[
        str | None,
        _setting(
            "--audit-store", "Where its log is: auto, files or database.  [default: auto]", "WHERE"
        ),
    ] = None,
    audit_signer: Annotated[
        str | None,
        _setting(
            "--audit-signer", "auto, process, inside, or a signer's socket.  [default: auto]", "WHO"
        ),
    ] = None,
    audit_unsigned: Annotated[
        str | None,
        _setting(
            "--audit-unsigned",
            "Seconds that the audit log may grow unsigned.  [default: 60]",
            "N",
        ),
    ] = None,
    audit_reserve: Annotated[
        str | None,
        _setting(
            "--audit-reserve",
            "MiB kept beside the audit log for a full disk.  [default: 64]",
            "N",
        ),
    ] = None,
    log_level: Annotated[
        str | None,
        _setting("--log-level", "debug, info, warning or error.  [default: info]", "LEVEL"),
    ] = None,
    log_format: Annotated[
        str | None, _setting("--log-format", "auto, console or json.  [default: auto]", "FORMAT")
    ] = None,
    trusted_proxies: Annotated[
        str | None,
        _setting("--trusted-proxies", "Reverse proxies, separated by commas.", "NETWORKS"),
    ] = None,
    allowed_origins: Annotated[
        str | None,
        _setting("--allowed-origins", "Further browser origins, separated by commas.", "ORIGINS"),
    ] = None,
    metrics_networks: Annotated[
        str | None,
        _setting("--metrics-networks", "Who may read /metrics.  [default: loopback]", "NETWORKS"),
    ] = None,
    standing_max_age: Annotated[
        str | None,
        _setting(
            "--standing-max-age",
            "Seconds until calls are refused for not knowing who is revoked.  [default: 5]",
            "N",
        ),
    ] = None,
    definitions_interval: Annotated[
        str | None,
        _setting(
            "--definitions-interval",
            "Seconds between two questions to each server what it offers.  [default: 600]",
            "N",
        ),
    ] = None,
    guard_lease: Annotated[
        str | None,
        _setting(
            "--guard-lease",
            "Seconds that guards in servers decide without hearing from Remit.  [default: 30]",
            "N",
        ),
    ] = None,
    shutdown_grace: Annotated[
        str | None,
        _setting("--shutdown-grace", "Seconds for calls in flight at the end.  [default: 10]", "N"),
    ] = None,
    max_request_body: Annotated[
        str | None, _setting("--max-request-body", "Bytes.  [default: 1048576]", "N")
    ] = None,
    max_connections: Annotated[
        str | None, _setting("--max-connections", "At a time.  [default: 2000]", "N")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="Settings file (YAML).", show_default=False),
    ] = None,
) -> None:
    """Serve until told to stop. Authorization server, gateway and management socket, in one process.

    SIGTERM or Ctrl-C stops it in good order; SIGHUP, or `remit reload`, reads the policy repository again.
    """
    given = {name: value for name, value in locals().items() if name != "config"}
    # A second of imports: only when something is served. Nothing that they make dies young, and looking
    # for what did takes a fifth of that second; afterwards all of it is left out of every collection.
    gc.disable()
    from remit.app import serve as serve_forever
    from remit.settings import load_settings

    gc.freeze()
    gc.enable()
    loaded = load_settings(flags=given, environ=os.environ, config=config)
    raise typer.Exit(serve_forever(loaded.settings, environ=os.environ))


@operate.command("check")
def check(
    repo: Annotated[
        Path | None,
        typer.Option(
            "--repo",
            metavar="DIR",
            help="Policy repository.  [default: this folder if it is one, else policy]",
            show_default=False,
        ),
    ] = None,
    stage: Annotated[
        str | None,
        _setting("--stage", "Check it as it holds in this stage.  [default: REMIT_STAGE]", "STAGE"),
    ] = None,
    all_stages: Annotated[
        bool, typer.Option("--all-stages", help="Check it without a stage and in each.")
    ] = False,
    shape: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="text, json or sarif.")
    ] = "text",
    fix: Annotated[
        bool, typer.Option("--fix", help="Mend what changes nothing that is permitted.")
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Show what --fix would change, and change nothing.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail as mistakes do.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check a policy repository. Every mistake at once, with file, line, column and what was expected.

    Beside mistakes it names what is wider than it needs to be, never used or never reached, each with why and what
    to do. Exits 1 for a mistake, or with `--strict` for a warning; 0 otherwise.
    """
    # YAML and Cedar: only for this command
    from remit.cli.repository_check import CheckFormat, CheckRequest, check_repository

    wanted = "json" if as_json else shape
    if wanted not in set(CheckFormat):
        raise typer.BadParameter("text, json or sarif", param_hint="--format")
    if stage is not None and all_stages:
        raise typer.BadParameter("one of --stage and --all-stages", param_hint="--stage")
    if diff and wanted != CheckFormat.TEXT:
        raise typer.BadParameter(
            f"a difference is no {wanted}: ask for one of them", param_hint="--diff"
        )
    asked = CheckRequest(
        repo=repo or Path("." if Path("remit.yaml").is_file() else "policy"),
        stage=None if all_stages else stage or os.environ.get("REMIT_STAGE") or None,
        all_stages=all_stages,
        shape=CheckFormat(wanted),
        fix=fix,
        diff=diff,
        strict=strict,
    )
    raise typer.Exit(check_repository(asked))


@operate.command("reload")
def reload(
    data: Data = None,
    config: Config = None,
) -> None:
    """Read the policy repository again. The running server does; a broken one changes nothing."""
    from remit.cli.connection import Management, ask_running  # imports an HTTP client
    from remit.cli.terminal import say

    async def question(management: Management) -> dict[str, Any]:
        return await management.call("reload")

    found = ask_running(Where(data, config=config), question)
    verb = "in force" if found["changed"] else "unchanged, still in force"
    say(f"policy repository {found['catalog_version'][:12]} is {verb} ({found['servers']} servers)")


@operate.command("status")
def status(
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show what is running, and on what."""
    from remit.cli.connection import Management, ask  # imports an HTTP client
    from remit.cli.terminal import print_fields, print_json

    async def question(management: Management) -> dict[str, Any]:
        found = await management.call("status")
        return {"running": management.online, **found}

    found = ask(Where(data, repo, config, database_url), question)
    if as_json:
        print_json(found)
        return
    # All settings are for machines; those that people ask for stand among the rest.
    del found["settings"]
    print_fields((name.replace("_", " "), _shown(name, value)) for name, value in found.items())


@operate.command("doctor")
def doctor(
    data: Data = None,
    repo: Repo = None,
    config: Config = None,
    database_url: DatabaseUrl = None,
    stage: Annotated[
        str | None,
        _setting("--stage", "Its stage, while no server runs.  [default: REMIT_STAGE]", "STAGE"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what is unsafe or out of reach. With what is configured, and the mend for each."""
    from remit.cli.doctor import examine  # settings, database, repository: only for this command

    raise typer.Exit(examine(Where(data, repo, config, database_url, stage), as_json=as_json))


@operate.command("demo")
def demo(
    interactive: Annotated[
        bool, typer.Option("--interactive", help="Your own browser opens, and you are the person.")
    ] = False,
    stay: Annotated[
        bool, typer.Option("--stay", help="Leave everything running at the end, to play with.")
    ] = False,
) -> None:
    """Watch it work in this terminal. An agent discovers, asks, calls, is refused; the log proves it."""
    from remit.demo.main import run_demo  # an MCP client and servers: only for this command

    raise typer.Exit(run_demo(interactive=interactive, stay=stay))


@operate.command("version")
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as version_of  # 20 ms that `--help` need not pay

    sys.stdout.write(f"remit {version_of('remit')}\n")


def _shown(name: str, value: object) -> str:
    if name in _SECONDS and isinstance(value, int):
        return f"{value} s"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)
