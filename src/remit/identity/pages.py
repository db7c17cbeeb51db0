"""The log-in page, and logging out.

A refused log-in looks the same whatever the reason; only an address that has tried too
often is told to wait. The password is never shown again, kept or logged. A form without
the token of this browser is refused before anything is counted.

Source: MCP security best practices (session, CSRF); RFC 9700 §4.11, §4.12.
"""

from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from remit.audit.context import Actor, ActorType, Context, Network, Trace
from remit.clock import Seconds
from remit.errors import Error
from remit.identity.browser_session import SESSION_COOKIE, log_out, session_reader, session_secret
from remit.identity.deps import IdentityDeps
from remit.identity.login import LoginAttempt, LoginRefused, log_in
from remit.identity.password import BusyError
from remit.identity.return_to import safe_return_to
from remit.identity.user import User
from remit.web import (
    BodyTooLargeError,
    CrossSiteRequestError,
    MalformedParametersError,
    Params,
    UnsupportedMediaTypeError,
    browser_of,
    check_form_post,
    clear_cookie,
    csrf_token,
    error_page,
    page,
    parse_query,
    peer_of,
    read_form,
    redirect,
    remember_browser,
    set_cookie,
)

__all__ = ["routes"]

_LOGIN = "login"
_LOGOUT = "logout"


@dataclass(frozen=True, slots=True)
class _Problem:
    """What the form says when it is shown again: what is wrong, what to do, with which status."""

    title: str
    advice: str
    status: int


_WRONG = _Problem(
    "Name and password do not match.",
    "Check both and try again. After several wrong passwords an account rests for a while.",
    403,
)
_INCOMPLETE = _Problem("Something is missing.", "Fill in your user name and your password.", 400)
_STALE = _Problem(
    "This form could not be accepted.",
    "It was opened in another browser or too long ago, or cookies are off. Please try again.",
    403,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """What the log-in form shows."""

    return_to: str | None
    username: str = ""
    problem: _Problem | None = None


def routes(deps: IdentityDeps) -> list[Route]:
    """`/login` and `/logout`."""
    pages = _Pages(deps)
    return [
        Route("/login", pages.show, methods=["GET"]),
        Route("/login", pages.submit, methods=["POST"]),
        Route("/logout", pages.leave, methods=["POST"]),
    ]


class _Pages:
    """The endpoints, over one `IdentityDeps`."""

    def __init__(self, deps: IdentityDeps) -> None:
        self._deps = deps
        self._read_session = session_reader(deps)

    async def show(self, request: Request) -> Response:
        """The log-in form; or, without a place to return to, who is logged in."""
        try:
            return_to = self._return_to(parse_query(request.scope["query_string"]))
        except MalformedParametersError as error:
            return _unreadable(error)
        if return_to is None and (found := await self._read_session(request)) is not None:
            return self._welcome(request, found[0])
        return await self._form(request, _Form(return_to=return_to))

    async def submit(self, request: Request) -> Response:
        """Try to log in; then back to where the person came from."""
        deps, browser = self._deps, browser_of(request, self._deps.site)
        try:
            params = await read_form(request)
            form = _Form(return_to=self._return_to(params), username=params.one("username") or "")
            password = params.one("password")
            check_form_post(request, params, site=deps.site, browser=browser, form=_LOGIN)
        except CrossSiteRequestError:
            return await self._form(request, replace(form, username="", problem=_STALE))
        except (MalformedParametersError, UnsupportedMediaTypeError, BodyTooLargeError) as error:
            return _unreadable(error)
        if not form.username.strip() or password is None:
            return await self._form(request, replace(form, problem=_INCOMPLETE))
        attempt = LoginAttempt(
            username=form.username,
            password=password,
            previous=session_secret(request, deps),
            context=self._context(request),
        )
        return await self._answer(request, form, attempt)

    async def leave(self, request: Request) -> Response:
        """End the session of this browser."""
        deps, browser = self._deps, browser_of(request, self._deps.site)
        try:
            params = await read_form(request)
            check_form_post(request, params, site=deps.site, browser=browser, form=_LOGOUT)
        except CrossSiteRequestError:
            return error_page(
                403,
                "You are still logged in",
                message="The request to log out did not come from a page of this site.",
                hint="Open the log-in page and use its button.",
                code=CrossSiteRequestError.code,
            )
        except (MalformedParametersError, UnsupportedMediaTypeError, BodyTooLargeError) as error:
            return _unreadable(error)
        secret = session_secret(request, deps)
        if secret is not None:
            await log_out(deps, secret, context=self._context(request))
        response = page("identity/logged_out.html", {})
        clear_cookie(response, deps.site, SESSION_COOKIE)
        return response

    async def _answer(self, request: Request, form: _Form, attempt: LoginAttempt) -> Response:
        try:
            result = await log_in(self._deps, attempt)
        except BusyError as error:
            return _wait(503, Seconds(5), error.code)
        if isinstance(result, LoginRefused):
            if result.retry_after is not None:
                return _wait(429, result.retry_after, result.reason)
            return await self._form(request, replace(form, problem=_WRONG))
        response = redirect(form.return_to or "/login")
        set_cookie(response, self._deps.site, SESSION_COOKIE, value=result.secret)
        return response

    async def _form(self, request: Request, form: _Form) -> Response:
        browser = browser_of(request, self._deps.site)
        response = page(
            "identity/login.html",
            {
                "csrf_token": csrf_token(browser, _LOGIN),
                "return_to": form.return_to or "",
                "username": form.username[:64],
                "problem": form.problem,
                "issuer": self._deps.directory.catalog.issuer.name,
            },
            status=200 if form.problem is None else form.problem.status,
            form_action=await self._deps.form_sources(form.return_to) if form.return_to else (),
        )
        remember_browser(response, self._deps.site, browser)
        return response

    def _welcome(self, request: Request, user: User) -> Response:
        browser = browser_of(request, self._deps.site)
        response = page(
            "identity/logged_in.html",
            {"csrf_token": csrf_token(browser, _LOGOUT), "user": user},
        )
        remember_browser(response, self._deps.site, browser)
        return response

    def _return_to(self, params: Params) -> str | None:
        return safe_return_to(params.one("return_to"), self._deps.return_paths)

    def _context(self, request: Request) -> Context:
        peer = peer_of(request.scope, self._deps.site.trusted_proxies)
        return Context(
            actor=Actor(ActorType.ANONYMOUS),
            network=Network(ip=peer.ip, user_agent=peer.user_agent),
            trace=Trace(trace_id=peer.trace_id, span_id=peer.span_id),
        )


def _unreadable(error: Error) -> Response:
    return error_page(
        400,
        "This request cannot be read",
        message=f"Remit did not understand what the browser sent: {error.detail}.",
        hint="Go back to where you came from and start again.",
        code=error.code,
    )


def _wait(status: int, seconds: Seconds, code: str) -> Response:
    minutes = -(-seconds // 60)
    response = error_page(
        status,
        "Please wait a little",
        message="There were too many attempts to log in."
        if status == 429
        else "Many people are logging in at this moment.",
        hint=f"Try again in {minutes} minute{'s' if minutes > 1 else ''}.",
        code=code,
    )
    response.headers["Retry-After"] = str(seconds)
    return response
