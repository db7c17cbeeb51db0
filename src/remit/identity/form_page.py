"""The pages of this room: shown with what every form of ours needs, and answered with care.

A form that was not sent from our own page in the same browser is refused before anything is
done, and so is one that can be read in two ways.

Source: RFC 9700 §4.7; MCP security best practices (session, CSRF).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from remit.clock import Seconds
from remit.errors import ConflictError, Error
from remit.identity.deps import IdentityDeps
from remit.identity.password import BusyError
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
    remember_browser,
)

__all__ = [
    "Endpoint",
    "Problem",
    "View",
    "answering",
    "busy",
    "read_post",
    "show",
    "unreadable",
    "wait",
]

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Problem:
    """What a page says when it is shown again: what is wrong, what to do, with which status."""

    title: str
    advice: str
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A page to show: `form` names what its token is good for, `form_action` where it may lead.

    `browser` is given where something else in the page is bound to it too: one that has no
    cookie yet gets another secret each time it is asked for.
    """

    template: str
    form: str
    values: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    problem: Problem | None = None
    form_action: Sequence[str] = ()
    scripts: bool = False
    browser: Browser | None = None


def show(deps: IdentityDeps, request: Request, view: View) -> Response:
    """`view`, with the token of this browser and the name of the issuer."""
    browser = view.browser or browser_of(request, deps.site)
    response = page(
        f"identity/{view.template}",
        {
            "csrf_token": csrf_token(browser, view.form),
            "issuer": deps.directory.catalog.issuer.name,
            "problem": view.problem,
            **view.values,
        },
        status=200 if view.problem is None else view.problem.status,
        form_action=view.form_action,
        scripts=view.scripts,
    )
    remember_browser(response, deps.site, browser)
    return response


async def read_post(deps: IdentityDeps, request: Request, form: str) -> Params:
    """What our own form `form` sent.

    Raises:
        CrossSiteRequestError: it was not ours, or of another browser.
        MalformedParametersError, UnsupportedMediaTypeError, BodyTooLargeError: it cannot be read.
    """
    params = await read_form(request)
    browser = browser_of(request, deps.site)
    check_form_post(request, params, site=deps.site, browser=browser, form=form)
    return params


def answering(endpoint: Endpoint) -> Endpoint:
    """`endpoint`, its refusals answered with a page that says what to do."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except CrossSiteRequestError as error:
            return error_page(
                403,
                "Nothing was changed",
                message="The request did not come from a page of this site, or from one that is too old.",
                hint="Open the page again and use its button.",
                code=error.code,
            )
        except ConflictError as error:
            return error_page(
                409,
                "Nothing was changed",
                message=f"That cannot be done: {error.detail}.",
                hint="Go back to your account.",
                code=error.code,
            )
        except BusyError as error:
            return busy(error)
        except (MalformedParametersError, UnsupportedMediaTypeError, BodyTooLargeError) as error:
            return unreadable(error)

    return answer


def unreadable(error: Error) -> Response:
    """The page for a request that can be read in two ways, or in none."""
    return error_page(
        400,
        "This request cannot be read",
        message=f"Remit did not understand what the browser sent: {error.detail}.",
        hint="Go back to where you came from and start again.",
        code=error.code,
    )


def busy(error: BusyError) -> Response:
    """The page for a moment at which too many people log in."""
    return _later(
        503, Seconds(5), message="Many people are logging in at this moment.", code=error.code
    )


def wait(seconds: Seconds, code: str) -> Response:
    """The page for who has tried too often."""
    return _later(429, seconds, message="There were too many attempts to log in.", code=code)


def _later(status: int, seconds: Seconds, *, message: str, code: str) -> Response:
    minutes = -(-seconds // 60)
    response = error_page(
        status,
        "Please wait a little",
        message=message,
        hint=f"Try again in {minutes} minute{'s' if minutes > 1 else ''}.",
        code=code,
    )
    response.headers["Retry-After"] = str(seconds)
    return response
