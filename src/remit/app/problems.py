"""What the site answers when a room has not: nothing here, not with this method, not now.

A browser gets a page, everybody else RFC 9457. Nothing of the cause is shown.
"""

import structlog
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from remit.errors import UnavailableError
from remit.web import error_page, problem

__all__ = ["with_problems"]

_log = structlog.stdlib.get_logger("remit.http")


def with_problems(application: ASGIApp) -> ASGIApp:
    """`application`, its escaping refusals rendered. What nobody foresaw is the door's to answer."""
    handled = ExceptionMiddleware(
        application, handlers={HTTPException: _not_here, UnavailableError: _not_now}
    )

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        # A router that is in no application answers 404 and 405 itself, in plain text.
        scope["app"] = application
        await handled(scope, receive, send)

    return answer


async def _not_here(request: Request, error: Exception) -> Response:
    found = error.status_code if isinstance(error, HTTPException) else 404
    headers = error.headers if isinstance(error, HTTPException) else None
    if found == 405:
        return problem(405, "method_not_allowed", detail="not with this method", headers=headers)
    if _is_browser(request):
        return error_page(404, "Not found", message="There is nothing at this address.")
    return problem(404, "not_found", detail="there is nothing here")


async def _not_now(request: Request, error: Exception) -> Response:
    code = error.code if isinstance(error, UnavailableError) else UnavailableError.code
    _log.error("unavailable", error=code, exc_info=error)
    headers = {"Retry-After": "5"}
    if _is_browser(request):
        message = "Remit cannot answer at the moment. Nothing was changed; try again shortly."
        return error_page(503, "Not at the moment", message=message)
    return problem(503, code, detail="remit cannot answer at the moment", headers=headers)


def _is_browser(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")
