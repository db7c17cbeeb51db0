"""`remit doctor`: everything worth knowing before others rely on it, each with its mend.

It only reads and opens no lock. Of a server that runs it takes the server's own word for its
settings and its database; without one it looks at what a server started here would have.
"""

import asyncio
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from remit.cli.checkup import Finding, Level
from remit.cli.checkup.catalog import examine_agents, examine_secrets, examine_servers
from remit.cli.checkup.engines import examine_engines
from remit.cli.checkup.evidence import examine_evidence
from remit.cli.checkup.exposure import examine_settings
from remit.cli.checkup.finding import down, fine, note, unsafe
from remit.cli.checkup.issuers import examine_issuers
from remit.cli.checkup.standing import (
    Standing,
    examine_standing,
    standing_of_database,
    standing_of_server,
)
from remit.cli.checkup.stores import (
    examine_database,
    examine_database_of_server,
    examine_server,
)
from remit.cli.checkup.surroundings import (
    examine_clock,
    examine_disk,
    examine_folder,
    examine_master_key,
    examine_user,
)
from remit.cli.checkup.trail import examine_log
from remit.cli.connection import (
    Management,
    ManagementRefusedError,
    NoInstallationError,
    NotReachableError,
    NotRunningError,
    ask_running,
)
from remit.cli.exits import ExitCode
from remit.cli.options import Where
from remit.cli.terminal import counted, print_findings, print_json
from remit.clock import SystemClock
from remit.documents import DocumentInvalidError
from remit.repository import RepositoryMissingError, load_repository
from remit.secrets import resolve_secret
from remit.settings import Origin, Settings, SettingsInvalidError, load_settings

__all__ = ["examine"]


def examine(where: Where, *, as_json: bool) -> ExitCode:
    """Look at everything, say what was found, and exit 1 if anything is unsafe."""
    findings = list(_findings(where))
    if as_json:
        print_json(
            [
                {"level": one.level.value, "about": one.about, "text": one.text, "mend": one.mend}
                for one in findings
            ]
        )
    else:
        print_findings(findings)
    wrong = any(one.level is Level.UNSAFE for one in findings)
    return ExitCode.FOUND_WRONG if wrong else ExitCode.DONE


def _findings(where: Where) -> Iterable[Finding]:
    """A running server's own word for its settings; else what a server started here would have."""
    try:
        told = ask_running(where, _tell)
    except (NoInstallationError, NotRunningError):
        yield from _without_server(where)
    except (NotReachableError, ManagementRefusedError) as error:
        yield down("server", error.detail, mend="look at its log")
        yield from _without_server(where)
    else:
        yield from _with_server(told, where)


@dataclass(frozen=True, slots=True)
class _Told:
    """What a running server says of itself."""

    status: dict[str, Any]
    people: list[dict[str, Any]]
    standing: Standing


async def _tell(management: Management) -> _Told:
    keys: Any = (await management.call("keys.list"))["keys"]
    return _Told(
        dict(await management.call("status")),
        await management.every("users.list", "users"),
        standing_of_server(
            keys,
            await management.every("registrations.list", "registrations"),
            await management.every("clients.list", "clients"),
            await management.every("secrets.list", "secrets"),
        ),
    )


def _with_server(told: _Told, where: Where) -> Iterable[Finding]:
    settings = Settings.model_validate(told.status["settings"])
    yield fine("settings", "those of the server that runs")
    if where.repo is not None and where.repo.absolute() != settings.repo:
        mend = f"remit check --repo {where.repo}"
        yield note("repository", f"the server that runs does not use `{where.repo}`", mend=mend)
    yield from _of_machine(settings, {}, server_runs=True)
    yield from examine_database_of_server(settings, told.people)
    yield from examine_server(told.status)
    yield from _of_repository(settings, told.standing, signer=str(told.status["audit_signer"]))


def _without_server(where: Where) -> Iterable[Finding]:
    try:
        loaded = load_settings(flags=where.flags, environ=os.environ, config=where.config)
    except SettingsInvalidError as error:
        for fault in error.faults:
            yield unsafe("settings", f"{fault.origin.place}: {fault.message}", mend=fault.mend)
        return
    yield fine("settings", f"{len(loaded.origins)} set, the rest at their defaults")
    yield from _of_machine(loaded.settings, loaded.origins, server_runs=False)
    yield from examine_database(loaded.settings, resolve_secret)
    yield from examine_server(None)
    yield from _of_repository(loaded.settings, None)


def _of_machine(
    settings: Settings, origins: Mapping[str, Origin], *, server_runs: bool
) -> Iterable[Finding]:
    clock = SystemClock()
    yield from examine_settings(settings, origins)
    yield from examine_user()
    yield from examine_folder(settings.data)
    yield from examine_master_key(settings, os.environ, server_runs=server_runs)
    yield from examine_disk(settings.data)
    yield from examine_clock(settings.data, clock)
    yield from examine_log(settings.data)


def _of_repository(
    settings: Settings, told: Standing | None, *, signer: str | None = None
) -> Iterable[Finding]:
    """What the repository names, and what time made of it; `told` by the server that runs, if one does."""
    clock = SystemClock()
    in_stage = f" --stage {settings.stage}" if settings.stage else ""
    try:
        catalog = load_repository(settings.repo, stage=settings.stage).catalog
    except RepositoryMissingError as error:
        mend = "name one with --repo, or write one: remit init policy"
        yield down("repository", error.detail, mend=mend)
        return
    except DocumentInvalidError as error:
        yield unsafe(
            "repository",
            f"`{settings.repo}` has {counted(len(error.problems), 'mistake')}",
            mend=f"remit check --repo {settings.repo}{in_stage}",
        )
        return
    where = f" in stage `{settings.stage}`" if settings.stage else ""
    yield fine("repository", f"`{settings.repo}` checks{where} ({catalog.version[:12]})")
    yield from examine_agents(catalog)
    yield from examine_evidence(catalog.audit, settings, signer=signer)
    now = clock.now()
    standing = told or standing_of_database(settings, catalog, resolve=resolve_secret, now=now)
    stored = None if standing is None else standing.secrets
    yield from examine_secrets(catalog, resolve_secret, server_runs=told is not None, stored=stored)
    if standing is not None:
        yield from examine_standing(standing, catalog, now=now)
    yield from asyncio.run(examine_servers(catalog, clock))
    yield from asyncio.run(examine_engines(catalog))
    yield from asyncio.run(examine_issuers(catalog, clock))
