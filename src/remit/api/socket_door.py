"""The management API at the Unix socket: whoever may open it is an administrator of everything.

The log names the user id that the kernel gives for the other end, which nobody can claim.

Source: docs/adr/0004-management-over-a-unix-socket.md.
"""

from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from remit.api.administrator import Administrator
from remit.api.answering import answer
from remit.api.deps import ApiDeps
from remit.api.openapi import description_route
from remit.api.operation import AnyOperation
from remit.api.problems import not_here
from remit.api.table import Endpoint, routes_of
from remit.audit.context import Actor, ActorType, Context

__all__ = ["administrator_at_socket", "socket_door"]


def socket_door(deps: ApiDeps) -> ASGIApp:
    """Every operation, without a token. What else escapes from it is the outer door's to answer."""

    def endpoint_of(operation: AnyOperation) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            return await answer(operation, deps, request, administrator_at_socket(request))

        return endpoint

    routes = [description_route(deps.site.public_url), *routes_of(endpoint_of)]
    router = Router(routes, redirect_slashes=False)
    handled = ExceptionMiddleware(router, handlers={HTTPException: not_here})

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        # A router that is in no application answers 404 and 405 itself, in plain text.
        scope["app"] = router
        await handled(scope, receive, send)

    return answered


def administrator_at_socket(request: Request) -> Administrator:
    """Who asks: the operating system's user at the other end."""
    uid = request.scope.get("state", {}).get("peer_uid")
    actor = Actor(ActorType.ADMIN, None if uid is None else f"uid:{uid}")
    return Administrator(context=Context(actor=actor))
