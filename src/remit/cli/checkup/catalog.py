"""Whether what the policy repository names is there: secrets, servers, owners."""

import asyncio
import shutil
import stat
from collections.abc import Callable, Collection, Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from remit.cli.checkup.finding import Finding, down, fine, note, unsafe
from remit.clock import Clock
from remit.errors import Error
from remit.model import Agent, Catalog, HttpUpstream, Server, StdioUpstream
from remit.repository import named_secrets
from remit.settings import is_loopback_host

__all__ = ["examine_agents", "examine_secrets", "examine_servers"]

_PATIENCE = 3.0
_SKEW = 60
_SHORTEST = 16
_GUESSED = frozenset({"changeme", "secret", "password", "admin", "test", "example", "default"})

Resolve = Callable[[str], str]


def examine_agents(catalog: Catalog) -> Iterator[Finding]:
    """Whether somebody answers for every agent, and whether any client is one."""
    unowned = [agent.id for agent in catalog.agents.values() if not agent.owner.strip()]
    if unowned:
        names = ", ".join(f"`{name}`" for name in unowned)
        yield unsafe("agents", f"nobody answers for {names}", mend="give each an `owner`")
    else:
        yield fine("agents", f"{len(catalog.agents)}, each with an owner")
    for agent in catalog.agents.values():
        if not _has_clients(agent):
            yield note(
                "agents",
                f"no client is `{agent.id}`, so it can never act",
                mend=f"list its clients in agents/{agent.id}.yaml",
            )


def examine_secrets(
    catalog: Catalog,
    resolve: Resolve,
    *,
    server_runs: bool,
    stored: Collection[str] | None = None,
) -> Iterator[Finding]:
    """Whether every secret that the repository names is there, private and hard to guess.

    A server that runs has an environment of its own, so what is missing here may be there. `stored` are
    the names of those that are kept in the database, if that is known; what they are is not.
    """
    references = {named.reference: named.holder for named in named_secrets(catalog)}
    good = 0
    for reference, holder in references.items():
        kind, _, name = reference.partition(":")
        if kind == "stored" and stored is None:
            yield note(
                "secrets",
                f"{holder}: whether `{reference}` is stored is not known",
                mend="start remit serve, or see that the database answers",
            )
            continue
        if kind == "stored" and stored is not None:
            if name in stored:
                good += 1
            else:
                mend = f"remit secrets set {name}"
                yield down("secrets", f"{holder}: no secret is stored as `{name}`", mend=mend)
            continue
        try:
            secret = resolve(reference)
        except Error as error:
            if server_runs and reference.startswith("env:"):
                mend = "see that the server has it: the doctor only sees its own environment"
                yield note("secrets", f"{holder}: {error.detail} here", mend=mend)
            else:
                mend = f"provide `{reference}` to remit serve"
                yield down("secrets", f"{holder}: {error.detail}", mend=mend)
            continue
        if secret.casefold() in _GUESSED or len(secret) < _SHORTEST:
            yield unsafe(
                "secrets",
                f"{holder}: `{reference}` can be guessed",
                mend="make one with `openssl rand -base64 32`",
            )
        elif _others_may_read(reference):
            yield unsafe(
                "secrets",
                f"{holder}: others on this machine may read `{reference}`",
                mend=f"chmod 600 {reference.removeprefix('file:')}",
            )
        else:
            good += 1
    if good == len(references):
        yield fine("secrets", f"{good} named by the repository, all there")


async def examine_servers(catalog: Catalog, clock: Clock) -> list[Finding]:
    """Whether every MCP server can be reached, all at once."""
    found = await asyncio.gather(*(_reach(server, clock) for server in catalog.servers.values()))
    return [finding for findings in found for finding in findings]


async def _reach(server: Server, clock: Clock) -> list[Finding]:
    match server.upstream:
        case StdioUpstream(command=command, working_directory=folder):
            return [_command(server.name, command[0], folder)]
        case HttpUpstream(url=url) as upstream:
            findings = [await _ask(server.name, url, clock)]
            parts = urlsplit(url)
            if (
                upstream.presents
                and parts.scheme == "http"
                and not is_loopback_host(parts.hostname or "")
            ):
                findings.append(
                    unsafe(
                        f"server {server.name}",
                        "Remit's credential would go to it over plain http",
                        mend="reach it over https",
                    )
                )
            return findings


def _command(name: str, command: str, folder: str | None) -> Finding:
    about = f"server {name}"
    if folder is not None and not Path(folder).is_dir():
        return down(
            about,
            f"its working directory `{folder}` is not there",
            mend="correct working_directory",
        )
    # A first word `python` means the interpreter that Remit itself runs on.
    if command != "python" and shutil.which(command) is None:
        return down(about, f"`{command}` is not found", mend="install it, or name its whole path")
    return fine(about, f"`{command}` is there")


async def _ask(name: str, url: str, clock: Clock) -> Finding:
    """Whether anything speaks HTTP there; without our credential, so any status will do."""
    about = f"server {name}"
    try:
        async with httpx2.AsyncClient(timeout=_PATIENCE, trust_env=False) as http:
            answer = await http.get(url, headers={"Accept": "text/event-stream"})
    except httpx2.TransportError as error:
        return down(
            about,
            f"`{url}` does not answer ({type(error).__name__})",
            mend=f"start it, or correct its url in servers/{name}.yaml",
        )
    skew = _skew(answer.headers.get("date"), clock)
    if abs(skew) > _SKEW:
        return unsafe(
            about,
            f"answers, but its clock and ours differ by {abs(skew)} s",
            mend="let NTP set both",
        )
    return fine(about, f"`{url}` answers")


def _skew(date: str | None, clock: Clock) -> int:
    try:
        return int(parsedate_to_datetime(date or "").timestamp()) - clock.now()
    except (ValueError, TypeError):
        return 0


def _others_may_read(reference: str) -> bool:
    if not reference.startswith("file:"):
        return False
    return bool(stat.S_IMODE(Path(reference.removeprefix("file:")).stat().st_mode) & 0o077)


def _has_clients(agent: Agent) -> bool:
    clients = agent.clients
    return bool(clients.static or clients.metadata_documents or clients.dynamic_redirect_uris)
