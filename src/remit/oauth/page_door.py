"""The door of the pages: whatever a page's endpoint refuses is recorded, then shown or sent once.

Source: O21 §4.1.2.1; STYLE (an exception on the enforcement path is a denial).
"""

from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from remit.audit.events import AuthorizationRefused
from remit.errors import Error, UnavailableError
from remit.oauth.authorization_request import UnusableRequestError
from remit.oauth.authorization_response import AuthorizationRefusalError, refuse
from remit.oauth.circumstances import circumstances_of
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import SlowDownError
from remit.oauth.pending_request import NotWaitingError
from remit.oauth.requester import AwaitsApprovalError
from remit.web import (
    BodyTooLargeError,
    CrossSiteRequestError,
    MalformedParametersError,
    UnsupportedMediaTypeError,
    error_page,
)

__all__ = ["page_door"]

Endpoint = Callable[[Request], Awaitable[Response]]

_AGAIN = "Go back to the application and connect again."
_log = structlog.get_logger("remit.oauth")


def page_door(deps: OAuthDeps, endpoint: Endpoint) -> Endpoint:
    """`endpoint`, with everything it raises answered by redirect or page, and recorded."""

    async def answer(request: Request) -> Response:
        try:
            return await _answered(deps, request, endpoint)
        except UnavailableError as error:
            _log.warning("unavailable", path=request.url.path, error=error.code, cause=error.cause)
            return error_page(
                503,
                "Not now",
                message="Remit cannot answer at the moment. Nothing was changed.",
                hint="Try again in a minute.",
                code="temporarily_unavailable",
            )
        except ClientDisconnect:
            raise  # nobody is there to be answered; the outermost door ends it
        except Exception:  # noqa: BLE001  a door: whatever it was, the answer is no
            _log.exception("failed", path=request.url.path)
            return error_page(
                500,
                "Something failed",
                message="The request could not be completed. Nothing was changed.",
                hint=_AGAIN,
                code="server_error",
            )

    return answer


async def _answered(deps: OAuthDeps, request: Request, endpoint: Endpoint) -> Response:
    try:
        try:
            return await endpoint(request)
        except AuthorizationRefusalError as refusal:
            return await refuse(deps, refusal)
    except AwaitsApprovalError as error:
        return await _shown(deps, request, error, status=403, code=error.code)
    except UnusableRequestError as error:
        return await _shown(deps, request, error, status=400, code=error.error)
    except SlowDownError as error:
        page = await _shown(deps, request, error, status=429, code=error.code)
        page.headers["Retry-After"] = str(error.retry_after)
        return page
    except NotWaitingError as error:
        return await _shown(deps, request, error, status=400, code=error.code)
    except CrossSiteRequestError as error:
        return await _shown(deps, request, error, status=403, code=error.code)
    except BodyTooLargeError as error:
        return await _shown(deps, request, error, status=413, code="invalid_request")
    except (MalformedParametersError, UnsupportedMediaTypeError) as error:
        return await _shown(deps, request, error, status=400, code="invalid_request")


async def _shown(
    deps: OAuthDeps, request: Request, error: Error, *, status: int, code: str
) -> Response:
    """A page that says why, after the log does: such a request is answered to nobody else."""
    context = circumstances_of(request, deps.site)
    refused = AuthorizationRefused(context=context, error=code, detail=error.detail)
    if not deps.audit.count_refusal(context, where="authorize", error=code):
        await deps.audit.append(refused)
    if isinstance(error, NotWaitingError):
        return error_page(
            status,
            "This request is no longer open",
            message="It was answered already, it waited too long, or it was opened in another browser.",
            hint=_AGAIN,
            code=code,
        )
    if isinstance(error, AwaitsApprovalError):
        return _waits_for_approval(error, status=status)
    readable = error.detail.replace("`", "'")
    return error_page(
        status,
        "This request cannot be answered",
        message=f"The application sent something Remit does not accept: {readable}.",
        hint="Nothing was shared with it. Whoever makes the application can mend this.",
        code=code,
    )


def _waits_for_approval(error: AwaitsApprovalError, *, status: int) -> Response:
    client = error.requester.client
    return error_page(
        status,
        "This application waits for approval",
        message=f"{client.name} has introduced itself here. Before it may be used, an administrator"
        " of your organisation has to approve it.",
        hint="Nothing was shared with it. Once it is approved, connect again: it need not be set up"
        f" anew. If you ask your administrator, name it by its identifier: {client.client_id}",
        code=error.code,
    )
