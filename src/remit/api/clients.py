"""OAuth clients: listed, those of the repository included, and turned away."""

from starlette.requests import Request
from starlette.routing import Route

from remit.api.deps import ApiDeps
from remit.api.door import Body, administrator, route
from remit.canonical import JsonObject
from remit.db import Transaction
from remit.ids import ClientId
from remit.oauth import (
    ClientListing,
    GrantFilter,
    disable_client,
    enable_client,
    list_clients,
    revoke_grants,
)

__all__ = ["client_routes"]


def client_routes(deps: ApiDeps) -> list[Route]:
    """`/v1/clients`. A client id may be a URL, so it stands in the body and never in the path."""

    async def index(_request: Request) -> JsonObject:
        catalog = deps.directory.catalog
        found = await deps.database.read(lambda tx: list_clients(tx, catalog))
        return {"clients": [_shown(listing) for listing in found]}

    async def disable(request: Request) -> JsonObject:
        client_id, reason = await _whom_and_why(request)
        catalog, now, context = deps.directory.catalog, deps.clock.now(), administrator(request)

        def work(tx: Transaction) -> None:
            disable_client(tx, client_id, reason=reason, catalog=catalog, now=now, context=context)
            # What it was granted ends with it; enabling the client does not bring it back.
            its = GrantFilter(client_id=ClientId(client_id))
            revoke_grants(tx, its, reason="client_disabled", at=now, context=context)

        await deps.database.run(work)
        await deps.publish()
        return {"client_id": client_id, "state": "disabled"}

    async def enable(request: Request) -> JsonObject:
        client_id, reason = await _whom_and_why(request)
        await deps.database.run(
            lambda tx: enable_client(tx, client_id, reason=reason, context=administrator(request))
        )
        await deps.publish()
        return {"client_id": client_id, "state": "active"}

    return [
        route("GET", "/v1/clients", index),
        route("POST", "/v1/clients/disable", disable),
        route("POST", "/v1/clients/enable", enable),
    ]


async def _whom_and_why(request: Request) -> tuple[str, str]:
    body = await Body.read(request)
    client_id, reason = body.text("client_id"), body.text("reason", default="")
    body.finish()
    return client_id, reason


def _shown(listing: ClientListing) -> JsonObject:
    client = listing.client
    return {
        "client_id": client.client_id,
        "kind": client.kind.value,
        "agent_id": client.agent_id,
        "name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "created_at": listing.created_at,
        "last_used_at": listing.last_used_at,
        "disabled_at": listing.disabled_at,
        "state": "active" if listing.disabled_at is None else "disabled",
    }
