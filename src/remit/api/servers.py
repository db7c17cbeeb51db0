"""Servers: what the repository declares of each, what they offer, and what waits for review.

What is shared by every organisation is shown to the administrators of each, and reviewed only by
one of all. A server is asked what it offers by this process, with the credential that the
repository names for it; what comes of it is a proposal and changes nothing.

Source: MISSION B9; docs/adr/0011-definition-pinning.md.
"""

import asyncio
from typing import Any, Final

from pydantic import Field

from remit.api.administrator import ForbiddenError
from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Nothing, Operation, Reason, Shape
from remit.api.paging import Page, Paged, page_of
from remit.errors import NotFoundError
from remit.ids import ServerName
from remit.model import HttpUpstream, Pinning, Server
from remit.policy.evaluation import ResourceKind
from remit.registry.definition import declares
from remit.registry.definition_store import DefinitionState, Pinned, every_standing, of_server
from remit.registry.review import Verdict, admit_definition, differences, reject_definition

__all__ = ["SERVER_OPERATIONS"]


class ServerShown(Shape):
    """A server as declared, and how many of its things are in which state."""

    name: str
    title: str
    owner: str
    tenant: str | None
    environment: str
    transport: str
    reached_at: str
    pinning: str
    tools: int
    resources: int
    prompts: int
    admitted: int
    waiting: int
    rejected: int


class ServerPage(Page):
    """Servers by name."""

    servers: list[ServerShown]


class ThingShown(Shape):
    """One thing. `state`: `admitted`, `quarantined`, `rejected`, or `unseen` where nothing was offered yet."""

    thing: str
    name: str
    declared: bool
    state: str
    cause: str | None
    detail: str
    admitted_digest: str | None
    offered_digest: str | None
    first_seen: int | None
    changed_at: int | None
    decided_at: int | None
    decided_by: str | None


class ServerDetail(Shape):
    """A server and every thing of it: what the repository declares, and what else it offered."""

    server: ServerShown
    things: list[ThingShown]


class DifferenceShown(Shape):
    """One member that differs. Its lines begin with `+`, `-` or a blank."""

    member: str
    lines: list[str]


class Waiting(Shape):
    """A thing that waits for review. `digest` is that of what is offered: who decides, names it.

    `seen`: `own` in the list that Remit asked for, `caller` in a caller's alone.
    """

    thing: str
    name: str
    declared: bool
    cause: str
    detail: str
    seen: str
    digest: str
    admitted_digest: str | None
    changed_at: int
    differences: list[DifferenceShown]


class ReviewShown(Shape):
    """What waits on one server."""

    server: str
    waiting: list[Waiting]


class Decision(Shape):
    """Which thing, and the digest of what was seen of it."""

    thing: str = Field(pattern="^(tool|prompt|resource)$")
    name: str = Field(min_length=1, max_length=512)
    digest: str = Field(pattern="^[0-9a-f]{64}$")
    reason: Reason = ""


class Offered(Shape):
    """The entries of each list of a server, by its method, as they came; and how the repository reaches it."""

    server: str
    title: str
    owner: str
    tenant: str | None
    environment: str
    upstream: dict[str, Any]
    lists: dict[str, list[Any]]


async def _list(deps: ApiDeps, asked: Asked[Paged, Nothing]) -> ServerPage:
    every = sorted(deps.directory.catalog.servers.values(), key=lambda one: one.name)
    seen = [one for one in every if one.tenant is None or asked.by.sees(one.tenant)]
    shown, after = page_of(seen, asked.query, place=lambda one: (one.name,))
    rows = await deps.database.read(every_standing)
    return ServerPage(servers=[_shown(one, rows) for one in shown], next=after)


async def _show(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> ServerDetail:
    server = _server(deps, asked)
    rows = await deps.database.read(lambda tx: of_server(tx, server.name))
    known = {(row.thing, row.name): row for row in rows}
    declared = [
        *((ResourceKind.TOOL, name) for name in server.tools),
        *((ResourceKind.RESOURCE, one.uri) for one in server.resources),
        *((ResourceKind.PROMPT, name) for name in server.prompts),
    ]
    others = [key for key in known if key not in set(declared)]
    things = [
        _thing(kind, name, known.get((kind, name)), server=server)
        for kind, name in (*declared, *others)
    ]
    return ServerDetail(server=_shown(server, rows), things=things)


async def _review(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> ReviewShown:
    server = _server(deps, asked)
    rows = await deps.database.read(lambda tx: of_server(tx, server.name))
    # A hostile server may have written thousands of lines.
    waiting = await asyncio.to_thread(lambda: [_waiting(row, server) for row in rows if row.waits])
    return ReviewShown(server=server.name, waiting=waiting)


async def _admit(deps: ApiDeps, asked: Asked[Nothing, Decision]) -> ThingShown:
    server = _own_server(deps, asked)
    verdict = _verdict(server, asked.body)
    row = await deps.database.run(
        lambda tx: admit_definition(tx, verdict, now=asked.at, context=asked.context)
    )
    await deps.publish()
    return _thing(row.thing, row.name, row, server=server)


async def _reject(deps: ApiDeps, asked: Asked[Nothing, Decision]) -> ThingShown:
    server = _own_server(deps, asked)
    verdict = _verdict(server, asked.body)
    row = await deps.database.run(
        lambda tx: reject_definition(tx, verdict, now=asked.at, context=asked.context)
    )
    await deps.publish()
    return _thing(row.thing, row.name, row, server=server)


async def _discover(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> Offered:
    server = _own_server(deps, asked)
    return Offered(
        server=server.name,
        title=server.title,
        owner=server.owner,
        tenant=server.tenant,
        environment=server.environment,
        upstream=_reached(server),
        lists=dict(await deps.list_server(server)),
    )


def _server(deps: ApiDeps, asked: Asked[Nothing, Any]) -> Server:
    server = deps.directory.catalog.servers.get(ServerName(asked.path["server"]))
    if server is None or not (server.tenant is None or asked.by.sees(server.tenant)):
        raise NotFoundError("there is no such server in the repository")
    return server


def _own_server(deps: ApiDeps, asked: Asked[Nothing, Any]) -> Server:
    server = _server(deps, asked)
    if asked.by.tenant is not None and server.tenant is None:
        raise ForbiddenError("the server is shared with other organisations")
    return server


def _reached(server: Server) -> dict[str, Any]:
    """The section `upstream`, as far as it holds no value that might be a secret itself."""
    upstream = server.upstream
    if isinstance(upstream, HttpUpstream):
        bearer = upstream.bearer_secret
        return {"http": {"url": upstream.url} | ({"bearer_secret": bearer} if bearer else {})}
    references = {
        name: value
        for name, value in upstream.environment.items()
        if value.startswith(("env:", "file:", "stored:"))
    }
    reached: dict[str, Any] = {"command": list(upstream.command)}
    return {"stdio": reached | ({"environment": references} if references else {})}


def _verdict(server: Server, body: Decision) -> Verdict:
    return Verdict(
        server=server.name,
        thing=ResourceKind(body.thing),
        name=body.name,
        digest=body.digest,
        reason=body.reason,
    )


def _shown(server: Server, rows: tuple[Pinned, ...]) -> ServerShown:
    upstream = server.upstream
    states = [row.state for row in rows if row.server == server.name]
    is_http = isinstance(upstream, HttpUpstream)
    return ServerShown(
        name=server.name,
        title=server.title,
        owner=server.owner,
        tenant=server.tenant,
        environment=server.environment,
        transport="http" if is_http else "stdio",
        reached_at=upstream.url if isinstance(upstream, HttpUpstream) else upstream.command[0],
        pinning=server.pinning.value,
        tools=len(server.tools),
        resources=len(server.resources),
        prompts=len(server.prompts),
        admitted=states.count(DefinitionState.ADMITTED),
        waiting=0 if server.pinning is Pinning.OFF else states.count(DefinitionState.QUARANTINED),
        rejected=states.count(DefinitionState.REJECTED),
    )


def _thing(kind: ResourceKind, name: str, row: Pinned | None, *, server: Server) -> ThingShown:
    return ThingShown(
        thing=kind.value,
        name=name,
        declared=declares(server, kind, name),
        state="unseen" if row is None else row.state.value,
        cause=None if row is None or row.cause is None else row.cause.value,
        detail="" if row is None else row.detail,
        admitted_digest=None if row is None else row.admitted_digest,
        offered_digest=None if row is None else row.offered_digest,
        first_seen=None if row is None else row.first_seen,
        changed_at=None if row is None else row.changed_at,
        decided_at=None if row is None else row.decided_at,
        decided_by=None if row is None else row.decided_by,
    )


def _waiting(row: Pinned, server: Server) -> Waiting:
    return Waiting(
        thing=row.thing.value,
        name=row.name,
        declared=declares(server, row.thing, row.name),
        cause="" if row.cause is None else row.cause.value,
        detail=row.detail,
        seen=row.seen.value,
        digest=row.offered_digest or row.admitted_digest or "",
        admitted_digest=row.admitted_digest,
        changed_at=row.changed_at,
        differences=[
            DifferenceShown(member=one.member, lines=list(one.lines)) for one in differences(row)
        ],
    )


SERVER_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="servers.list", run=_list, query=Paged, body=Nothing, answer=ServerPage),
    Operation(name="servers.show", run=_show, query=Nothing, body=Nothing, answer=ServerDetail),
    Operation(name="servers.review", run=_review, query=Nothing, body=Nothing, answer=ReviewShown),
    Operation(name="servers.admit", run=_admit, query=Nothing, body=Decision, answer=ThingShown),
    Operation(name="servers.reject", run=_reject, query=Nothing, body=Decision, answer=ThingShown),
    Operation(name="servers.discover", run=_discover, query=Nothing, body=Nothing, answer=Offered),
)
