"""OAuth clients: listed, those of the repository included, shown, and turned away.

A client belongs where its agent acts. A client id may be a URL, so it stands in the body or
the query, and never in the path.
"""

from typing import Final

from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Nothing, Operation, Reason, Shape, Text
from remit.api.paging import Page, Paged, page_of
from remit.db import Transaction
from remit.errors import NotFoundError
from remit.ids import AgentId, ClientId
from remit.oauth import (
    ClientListing,
    ClientStatus,
    GrantFilter,
    disable_client,
    enable_client,
    list_clients,
    remove_client,
    revoke_grants,
)

__all__ = ["CLIENT_OPERATIONS"]


class ClientShown(Shape):
    """A client: what it says it is, whose it is, and its history."""

    client_id: str
    kind: str
    agent_id: str
    name: str
    redirect_uris: list[str]
    owner: str
    environment: str | None
    rule: str | None
    created_at: int | None
    last_used_at: int | None
    disabled_at: int | None
    removal_at: int | None
    removal_reason: str | None
    state: str


class ClientPage(Page):
    """Clients by identifier."""

    clients: list[ClientShown]


class ClientNamed(Shape):
    """Which client."""

    client_id: Text


class ClientChange(ClientNamed):
    """Which client, and why."""

    reason: Reason = ""


class ClientState(Shape):
    """Whether a client may act."""

    client_id: str
    state: str


class ClientsWanted(Paged):
    """Which clients."""

    agent: Text | None = None


async def _list(deps: ApiDeps, asked: Asked[ClientsWanted, Nothing]) -> ClientPage:
    catalog, wanted = deps.directory.catalog, asked.query
    found = await deps.database.read(lambda tx: list_clients(tx, catalog, now=asked.at))
    seen = [
        one
        for one in found
        if _is_seen(deps, asked, one) and wanted.agent in {None, one.client.agent_id}
    ]
    shown, after = page_of(seen, wanted, place=lambda one: (one.client.client_id,))
    return ClientPage(clients=[_shown(one) for one in shown], next=after)


async def _show(deps: ApiDeps, asked: Asked[ClientNamed, Nothing]) -> ClientShown:
    return _shown(await _one(deps, asked, asked.query.client_id))


async def _disable(deps: ApiDeps, asked: Asked[Nothing, ClientChange]) -> ClientState:
    client_id, reason = asked.body.client_id, asked.body.reason
    catalog, now, context = deps.directory.catalog, asked.at, asked.context
    await _require(deps, asked, client_id)

    def work(tx: Transaction) -> None:
        disable_client(tx, client_id, reason=reason, catalog=catalog, now=now, context=context)
        # What it was granted ends with it; enabling the client does not bring it back.
        its = GrantFilter(client_id=ClientId(client_id))
        revoke_grants(tx, its, reason="client_disabled", at=now, context=context)

    await deps.database.run(work)
    await deps.publish()
    return ClientState(client_id=client_id, state="disabled")


async def _enable(deps: ApiDeps, asked: Asked[Nothing, ClientChange]) -> ClientState:
    client_id, reason = asked.body.client_id, asked.body.reason
    await _require(deps, asked, client_id)
    await deps.database.run(
        lambda tx: enable_client(tx, client_id, reason=reason, context=asked.context)
    )
    await deps.publish()
    return ClientState(client_id=client_id, state="active")


async def _remove(deps: ApiDeps, asked: Asked[Nothing, ClientChange]) -> ClientState:
    client_id, reason = asked.body.client_id, asked.body.reason
    await _require(deps, asked, client_id)
    await deps.database.run(
        lambda tx: remove_client(tx, client_id, reason=reason, now=asked.at, context=asked.context)
    )
    await deps.publish()
    return ClientState(client_id=client_id, state="removed")


_AnyAsked = (
    Asked[ClientsWanted, Nothing] | Asked[ClientNamed, Nothing] | Asked[Nothing, ClientChange]
)


async def _require(deps: ApiDeps, asked: Asked[Nothing, ClientChange], client_id: str) -> None:
    """Pass when the client may be changed. Whoever administers everything may name one that is not listed."""
    if asked.by.tenant is None:
        return
    listing = await _one(deps, asked, client_id)
    catalog = deps.directory.catalog
    asked.by.require_agent(catalog.agents.get(listing.client.agent_id, catalog.unregistered))


async def _one(deps: ApiDeps, asked: _AnyAsked, client_id: str) -> ClientListing:
    catalog = deps.directory.catalog
    for one in await deps.database.read(lambda tx: list_clients(tx, catalog, now=asked.at)):
        if one.client.client_id == client_id and _is_seen(deps, asked, one):
            return one
    raise NotFoundError("there is no such client")


def _is_seen(deps: ApiDeps, asked: _AnyAsked, listing: ClientListing) -> bool:
    catalog = deps.directory.catalog
    agent = catalog.agents.get(AgentId(listing.client.agent_id), catalog.unregistered)
    return asked.by.sees_agent(agent)


def _shown(listing: ClientListing) -> ClientShown:
    client = listing.client
    return ClientShown(
        client_id=client.client_id,
        kind=client.kind.value,
        agent_id=client.agent_id,
        name=client.name,
        redirect_uris=list(client.redirect_uris),
        owner=listing.owner,
        environment=listing.environment,
        rule=listing.rule,
        created_at=listing.created_at,
        last_used_at=listing.last_used_at,
        disabled_at=listing.disabled_at,
        removal_at=listing.removal_at,
        removal_reason=None if listing.removal_reason is None else listing.removal_reason.value,
        state=_state(listing),
    )


def _state(listing: ClientListing) -> str:
    if listing.disabled_at is not None:
        return "disabled"
    match listing.status:
        case ClientStatus.PENDING:
            return "pending"
        case ClientStatus.REJECTED:
            return "rejected"
        case _:
            return "active"


CLIENT_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="clients.list", run=_list, query=ClientsWanted, body=Nothing, answer=ClientPage),
    Operation(name="clients.show", run=_show, query=ClientNamed, body=Nothing, answer=ClientShown),
    Operation(
        name="clients.disable", run=_disable, query=Nothing, body=ClientChange, answer=ClientState
    ),
    Operation(
        name="clients.enable", run=_enable, query=Nothing, body=ClientChange, answer=ClientState
    ),
    Operation(
        name="clients.remove", run=_remove, query=Nothing, body=ClientChange, answer=ClientState
    ),
)
