"""What is running and on what; reading the policy repository again."""

from starlette.requests import Request
from starlette.routing import Route

from remit.api.deps import ApiDeps
from remit.api.door import Body, route
from remit.canonical import JsonObject

__all__ = ["operation_routes"]


def operation_routes(deps: ApiDeps) -> list[Route]:
    """`/v1/status` and `/v1/reload`."""

    async def status(_request: Request) -> JsonObject:
        return await deps.status()

    async def reload(request: Request) -> JsonObject:
        (await Body.read(request)).finish()
        return await deps.reload()

    return [route("GET", "/v1/status", status), route("POST", "/v1/reload", reload)]
