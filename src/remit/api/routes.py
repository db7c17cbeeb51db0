"""The management API as one application. Source: docs/adr/0004."""

from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from remit.api.agents import agent_routes
from remit.api.clients import client_routes
from remit.api.deps import ApiDeps
from remit.api.grants import grant_routes
from remit.api.operations import operation_routes
from remit.api.trail import trail_routes
from remit.api.users import user_routes
from remit.web import problem

__all__ = ["management_app"]


def management_app(deps: ApiDeps) -> ASGIApp:
    """Everything below `/v1`. What else escapes from it is the door's to answer."""
    router = Router(
        [
            *user_routes(deps),
            *agent_routes(deps),
            *client_routes(deps),
            *grant_routes(deps),
            *trail_routes(deps),
            *operation_routes(deps),
        ],
        redirect_slashes=False,
    )
    handled = ExceptionMiddleware(router, handlers={HTTPException: _not_here})

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        # A router that is in no application answers 404 and 405 itself, in plain text.
        scope["app"] = router
        await handled(scope, receive, send)

    return answer


async def _not_here(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    if status == 405:
        return problem(405, "method_not_allowed", detail="not with this method", headers=headers)
    return problem(404, "not_found", detail="there is nothing here")
