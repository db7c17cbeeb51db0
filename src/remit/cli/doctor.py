"""`remit doctor`: everything worth knowing before others rely on it, each with its mend.

It only reads, opens no lock, and works beside a running server as well as without one.
"""

import asyncio
import os
from collections.abc import Iterable
from typing import Any

from remit.cli.checkup import Finding, Level
from remit.cli.checkup.catalog import examine_agents, examine_secrets, examine_servers
from remit.cli.checkup.exposure import examine_settings
from remit.cli.checkup.finding import fine, unsafe
from remit.cli.checkup.stores import examine_database, examine_server
from remit.cli.checkup.surroundings import (
    examine_clock,
    examine_disk,
    examine_folder,
    examine_master_key,
    examine_user,
)
from remit.cli.connection import (
    ManagementRefusedError,
    NotReachableError,
    NotRunningError,
    ask_running,
)
from remit.cli.exits import ExitCode
from remit.cli.options import Where
from remit.cli.terminal import print_findings, print_json
from remit.clock import SystemClock
from remit.documents import DocumentInvalidError
from remit.repository import load_repository
from remit.secrets import resolve_secret
from remit.settings import LoadedSettings, Settings, SettingsInvalidError, load_settings

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
    try:
        loaded = load_settings(flags=where.flags, environ=os.environ, config=where.config)
    except SettingsInvalidError as error:
        for fault in error.faults:
            yield unsafe("settings", f"{fault.origin.place}: {fault.message}", mend=fault.mend)
        return
    yield from _of_machine(loaded)
    status = _status(where)
    yield from examine_server(status)
    yield from _of_repository(loaded.settings, server_runs=status is not None)


def _of_machine(loaded: LoadedSettings) -> Iterable[Finding]:
    settings, clock = loaded.settings, SystemClock()
    yield from examine_settings(settings, loaded.origins)
    yield from examine_user()
    yield from examine_folder(settings.data)
    yield from examine_master_key(settings, os.environ)
    yield from examine_disk(settings.data)
    yield from examine_clock(settings.data, clock)
    yield from examine_database(settings, resolve_secret)


def _of_repository(settings: Settings, *, server_runs: bool) -> Iterable[Finding]:
    try:
        catalog = load_repository(settings.repo).catalog
    except DocumentInvalidError as error:
        yield unsafe(
            "repository",
            f"`{settings.repo}` has {len(error.problems)} mistakes",
            mend=f"remit check --repo {settings.repo}",
        )
        return
    yield fine("repository", f"`{settings.repo}` checks ({catalog.version[:12]})")
    yield from examine_agents(catalog)
    yield from examine_secrets(catalog, resolve_secret, server_runs=server_runs)
    yield from asyncio.run(examine_servers(catalog, SystemClock()))


def _status(where: Where) -> dict[str, Any] | None:
    try:
        return ask_running(where, lambda management: management.get("/v1/status"))
    except (NotRunningError, NotReachableError, ManagementRefusedError):
        return None
