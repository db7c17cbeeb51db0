"""The door of the pages where people answer: who is logged in, and what is said to whoever may not.

Anybody else logs in first and comes back. A request that is not theirs reads like one that does not exist, and says
as whom they are logged in: the link may have been meant for somebody else. A form that was not sent from our own page
in the same browser changes nothing.

Source: RFC 9700 §4.7, §4.16; RFC 9470 §4.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from remit.approvals.errors import NotAskedError, NotYoursError
from remit.approvals.page_deps import PageDeps
from remit.approvals.page_login import login_path
from remit.approvals.person import Person, person_of
from remit.audit.context import Context
from remit.errors import ConflictError, UnavailableError
from remit.identity import Session, User
from remit.identity.circumstances import acting, context_of
from remit.web import (
    BodyTooLargeError,
    Browser,
    CrossSiteRequestError,
    MalformedParametersError,
    Params,
    UnsupportedMediaTypeError,
    browser_of,
    check_form_post,
    csrf_token,
    error_page,
    page,
    read_form,
    redirect,
    remember_browser,
)

__all__ = ["Endpoint", "View", "Visit", "page_door", "read_post", "show"]

Endpoint = Callable[[Request], Awaitable[Response]]

_log = structlog.get_logger("remit.approvals")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody who is logged in, at a page."""

    request: Request
    user: User
    person: Person
    browser: Browser
    context: Context


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A page to show; `form` names what its token is good for."""

    template: str
    form: str
    values: Mapping[str, object]
    status: int = 200
    form_action: Sequence[str] = ()


def page_door(
    deps: PageDeps, endpoint: Callable[[Visit], Awaitable[Response]], *, back: str | None = None
) -> Endpoint:
    """`endpoint` for whoever is logged in. `back`: where a form's sender comes back to after logging in."""

    async def answer(request: Request) -> Response:
        try:
            found = await deps.read_session(request)
            if found is None:
                return redirect(login_path(_path(request) if back is None else back))
            visit = _visit(deps, request, *found)
            return await _answered(endpoint, visit)
        except UnavailableError as error:
            _log.warning("unavailable", path=request.url.path, error=error.code, cause=error.cause)
            return error_page(
                503,
                "Not now",
                message="Remit cannot answer at the moment. Nothing was changed.",
                hint="Try again in a minute. What waits for you goes on waiting.",
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
                hint="Open the page again.",
                code="server_error",
            )

    return answer


def show(deps: PageDeps, visit: Visit, view: View) -> Response:
    """`view`, with the token of this browser, and who is logged in."""
    response = page(
        f"approvals/{view.template}",
        {
            "csrf_token": csrf_token(visit.browser, view.form),
            "issuer": deps.directory.catalog.issuer.name,
            "display_name": visit.user.display_name,
            "urgent": (),
            **view.values,
        },
        status=view.status,
        form_action=view.form_action,
    )
    remember_browser(response, deps.site, visit.browser)
    return response


async def read_post(deps: PageDeps, visit: Visit, form: str) -> Params:
    """What our own form `form` sent.

    Raises:
        CrossSiteRequestError: it was not ours, or of another browser.
        MalformedParametersError, UnsupportedMediaTypeError, BodyTooLargeError: it cannot be read.
    """
    params = await read_form(visit.request)
    check_form_post(visit.request, params, site=deps.site, browser=visit.browser, form=form)
    return params


def _visit(deps: PageDeps, request: Request, user: User, session: Session) -> Visit:
    return Visit(
        request=request,
        user=user,
        person=person_of(user, session, deps.directory.catalog),
        browser=browser_of(request, deps.site),
        context=acting(context_of(request, deps.site), user),
    )


async def _answered(endpoint: Callable[[Visit], Awaitable[Response]], visit: Visit) -> Response:
    try:
        return await endpoint(visit)
    except NotYoursError as error:
        return error_page(
            404,
            "Nothing here for you",
            message=f"You are logged in as {visit.user.username}, and no such request waits for you.",
            hint="It may be over, or meant for somebody else. Answer only what you were asked"
            " yourself: a link from somebody else is not one of them.",
            code=error.code,
        )
    except NotAskedError as error:
        return error_page(
            403,
            "Somebody else answers this",
            message=f"You may look at this, but it is not for you to say: {error.detail}.",
            hint="Nothing was changed.",
            code=error.code,
        )
    except CrossSiteRequestError as error:
        return error_page(
            403,
            "Nothing was changed",
            message="The answer did not come from a page of this site, or from one that is too old.",
            hint="Open the page again and use its buttons.",
            code=error.code,
        )
    except ConflictError as error:
        return error_page(
            409,
            "Nothing was changed",
            message=f"That cannot be done any more: {error.detail}.",
            hint="Open the page again to see how it stands.",
            code=error.code,
        )
    except (MalformedParametersError, UnsupportedMediaTypeError, BodyTooLargeError) as error:
        return error_page(
            400,
            "This request cannot be read",
            message=f"Remit did not understand what the browser sent: {error.detail}.",
            hint="Open the page again.",
            code=error.code,
        )


def _path(request: Request) -> str:
    """Where the browser is: the path and what it says, as it came."""
    query = request.scope["query_string"].decode("latin-1")
    return f"{request.url.path}?{query}" if query else request.url.path
