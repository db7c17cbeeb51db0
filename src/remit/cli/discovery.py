"""Asking a server what it offers, and writing down what its file could be.

A server of the repository is asked by Remit, with the credential that it has for it; any other
by this command itself. What is written is new files and new lines: nothing is replaced.
"""

import asyncio
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from remit.cli.asking import call
from remit.cli.options import Where
from remit.errors import ConflictError, Error, NotFoundError
from remit.gateway import Listing, Roster, list_everything
from remit.ids import ServerName
from remit.model import Catalog, Environment, HttpUpstream, Server, StdioUpstream
from remit.repository import load_repository
from remit.repository.proposal import Frame, propose
from remit.secrets import resolve_secret
from remit.settings import load_settings

__all__ = ["Asked", "Proposed", "known_repository", "offered", "proposed", "write_proposal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was said on the command line."""

    name: str | None
    url: str | None = None
    stdio: str | None = None
    secret: str | None = None
    environment: str | None = None

    @property
    def is_new(self) -> bool:
        """Whether the server is not one of the repository's."""
        return self.url is not None or self.stdio is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """A file for a server, and the scopes that the repository lacks for it."""

    name: str
    server: str
    scopes: str

    @property
    def text(self) -> str:
        """Both, as one text to be read: the scopes as a remark."""
        if not self.scopes:
            return self.server
        remark = "\n".join(f"# {line}".rstrip() for line in self.scopes.rstrip().split("\n"))
        return f"{self.server}\n# and in scopes.yaml:\n#\n{remark}\n"


def known_repository(where: Where) -> tuple[Path, Catalog | None]:
    """The folder of the policy repository, and what it declares in its stage if it can be read."""
    if where.repo is not None:
        folder, stage = where.repo, where.named_stage
    else:
        loaded = load_settings(flags=where.flags, environ=os.environ, config=where.config)
        folder, stage = loaded.settings.repo, loaded.settings.stage
    try:
        return folder, load_repository(folder, stage=stage).catalog
    except Error:
        return folder, None


def offered(asked: Asked, where: Where) -> dict[str, Any]:
    """What the server offers, and what is known of it.

    Raises:
        Error: it cannot be asked.
    """
    if not asked.is_new:
        return call(where, "servers.discover", path={"server": asked.name or ""})
    server = _server(asked)
    lists = asyncio.run(_ask(server))
    upstream: dict[str, Any] = {"stdio": {"command": shlex.split(asked.stdio or "")}}
    if asked.url is not None:
        upstream = {
            "http": {"url": asked.url} | ({"bearer_secret": asked.secret} if asked.secret else {})
        }
    return {"server": server.name, "upstream": upstream, "lists": lists}


def proposed(asked: Asked, offer: dict[str, Any], catalog: Catalog | None) -> Proposed:
    """The file for what was offered."""
    environments = ("prod",) if catalog is None else catalog.environments
    frame = Frame(
        name=offer["server"],
        upstream=offer["upstream"],
        environment=asked.environment or offer.get("environment") or environments[0],
        title=offer.get("title", ""),
        owner=offer.get("owner", ""),
        tenant=offer.get("tenant"),
        scopes=frozenset() if catalog is None else frozenset(catalog.scopes),
    )
    proposal = propose(offer["lists"], frame)
    return Proposed(name=frame.name, server=proposal.server, scopes=proposal.scopes)


def write_proposal(folder: Path, proposal: Proposed) -> tuple[Path, ...]:
    """Write the file, and add its scopes to `scopes.yaml`; what was written.

    Raises:
        ConflictError: the file is there.
        NotFoundError: the folder is no policy repository.
    """
    if not (folder / "remit.yaml").is_file():
        raise NotFoundError(f"`{folder}` is no policy repository")
    path, scopes = folder / "servers" / f"{proposal.name}.yaml", folder / "scopes.yaml"
    path.parent.mkdir(exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(proposal.server)
    except FileExistsError:
        raise ConflictError(f"`{path}` is there already") from None
    if not proposal.scopes:
        return (path,)
    before = scopes.read_text(encoding="utf-8") if scopes.exists() else ""
    scopes.write_text(f"{before.rstrip()}\n\n{proposal.scopes.rstrip()}\n", encoding="utf-8")
    return path, scopes


async def _ask(server: Server) -> Listing:
    roster = Roster(lambda reference: resolve_secret(reference, env=os.environ))
    try:
        return await list_everything(roster.of(server))
    finally:
        await roster.close()


def _server(asked: Asked) -> Server:
    words = shlex.split(asked.stdio or "")
    host = "" if asked.url is None else urlsplit(asked.url).hostname or ""
    guessed = host.split(".")[0] if host and not host[0].isdigit() else "new-server"
    if words:
        guessed = Path(words[-1]).stem.rpartition(".")[2]
    name = re.sub(r"[^a-z0-9-]+", "-", (asked.name or guessed).lower()).strip("-")[:63]
    upstream = (
        StdioUpstream(command=tuple(words))
        if asked.url is None
        else HttpUpstream(url=asked.url, bearer_secret=asked.secret)
    )
    return Server(
        name=ServerName(name or "new-server"), title=name, owner="", tenant=None,
        environment=Environment(asked.environment or "prod"), upstream=upstream, tools={},
    )  # fmt: skip
