"""OAuth clients: listed, those of the repository included, and turned away."""

from starlette.requests import Request
from starlette.routing import Route

from remit.api.deps import ApiDeps
from remit.api.door import Body, administrator, route
from remit.canonical import JsonObject
from remit.oauth import ClientListing, disable_client, enable_client, list_clients

__all__ = ["client_routes"]


def client_routes(deps: ApiDeps) -> list[Route]:
    """`/v1/clients`. A client id may be a URL, so it stands in the body and never in the path."""

    async def index(_request: Request) -> JsonObject:
        catalog = deps.directory.catalog
        found = await deps.database.read(lambda tx: list_clients(tx, catalog))
        return {"clients": [_shown(listing) for listing in found]}

    async def disable(request: Request) -> JsonObject:
        client_id, reason = await _whom_and_why(request)
        await deps.database.run(
            lambda tx: disable_client(
                tx,
                client_id,
                reason=reason,
                catalog=deps.directory.catalog,
                now=deps.clock.now(),
                context=administrator(request),
            )
        )
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
