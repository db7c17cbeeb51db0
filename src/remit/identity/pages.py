"""The log-in page, and logging out.

A refused log-in looks the same whatever the reason; only an address that has tried too
often is told to wait. The password is never shown again, kept or logged. A form without
the token of this browser is refused before anything is counted. Who is logged in already,
but not strongly enough for what waits, is asked for the missing step alone.

Source: MCP security best practices (session, CSRF); RFC 9700 §4.11, §4.12; RFC 9470 §4.
"""

from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from remit.db import Transaction
from remit.identity import account_pages, factor_pages, password_pages, step_pages
from remit.identity.browser_session import SESSION_COOKIE, log_out, session_reader, session_secret
from remit.identity.challenge import TO_LOG_IN, new_challenge
from remit.identity.circumstances import context_of
from remit.identity.deps import IdentityDeps
from remit.identity.form_page import (
    Endpoint,
    Problem,
    View,
    answering,
    read_post,
    show,
    unreadable,
    wait,
)
from remit.identity.login import CheckedPassword, LoginAttempt, LoginRefused, check_password
from remit.identity.passkey_use import recognise, use_passkey
from remit.identity.passkeys import PasskeyRefusedError, passkeys_work_at, request_options
from remit.identity.requirements import meets_policy
from remit.identity.return_to import safe_return_to
from remit.identity.session import AMR_PASSWORD, Session, satisfies
from remit.identity.sign_in import Purpose
from remit.identity.step_pages import LOGIN_FORM, asker_of, go_on
from remit.identity.steps import Proved, advance, session_to_raise
from remit.identity.store import find_user
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
    error_page,
    page,
    parse_query,
    read_form,
    redirect,
)

__all__ = ["routes"]

_WRONG = Problem(
    "Name and password do not match.",
    "Check both and try again. After several wrong passwords an account rests for a while.",
    403,
)
_INCOMPLETE = Problem("Something is missing.", "Fill in your user name and your password.", 400)
_STALE = Problem(
    "This form could not be accepted.",
    "It was opened in another browser or too long ago, or cookies are off. Please try again.",
    403,
)
_NO_PASSKEY = Problem(
    "The passkey was not accepted.",
    "Try again, or log in another way. A page that was open for long asks for it once more.",
    403,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """What the log-in form shows."""

    return_to: str | None
    username: str = ""
    problem: Problem | None = None


def routes(deps: IdentityDeps) -> list[Route]:
    """`/login` with its further steps, `/logout`, and `/account` with all below it."""
    pages = _Pages(deps)

    def post(path: str, endpoint: Endpoint) -> Route:
        return Route(path, answering(endpoint), methods=["POST"])

    return [
        Route("/login", pages.show, methods=["GET"]),
        post("/login", pages.submit),
        post("/login/passkey", pages.submit_passkey),
        post("/logout", pages.leave),
        *step_pages.routes(deps),
        *account_pages.routes(deps),
        *factor_pages.routes(deps),
        *password_pages.routes(deps),
    ]


class _Pages:
    """The endpoints, over one `IdentityDeps`."""

    def __init__(self, deps: IdentityDeps) -> None:
        self._deps = deps
        self._read_session = session_reader(deps)

    async def show(self, request: Request) -> Response:
        """The log-in form; or the step that is missing; or, with nothing to do, the account page."""
        try:
            params = parse_query(request.scope["query_string"])
            return_to, other = self._return_to(params), params.one("other") is not None
        except MalformedParametersError as error:
            return unreadable(error)
        found = await self._read_session(request)
        if found is None:
            weak = None if other else await self._too_weak(request)
            if weak is not None:
                return await self._step_up(request, weak, return_to)
            return await self._form(request, _Form(return_to=return_to))
        if return_to is None:
            return redirect("/account")
        if not other and await self._lacks_a_step(found[1], return_to):
            return await self._step_up(request, found[0], return_to)
        username = "" if other or found[1].provider else found[0].username
        return await self._form(request, _Form(return_to=return_to, username=username))

    async def submit(self, request: Request) -> Response:
        """Try name and password; then the next step, or back to where the person came from."""
        deps, form = self._deps, _Form(return_to=None)
        params = await read_form(request)
        form = _Form(return_to=self._return_to(params), username=params.one("username") or "")
        password = params.one("password")
        if not deps.directory.catalog.sign_in.passwords:
            return _no_passwords()
        if not self._is_ours(request, params):
            return await self._form(request, _Form(return_to=form.return_to, problem=_STALE))
        if not form.username.strip() or password is None:
            return await self._again(request, form, _INCOMPLETE)
        attempt = LoginAttempt(
            username=form.username, password=password, context=context_of(request, deps.site)
        )
        result = await check_password(deps, attempt)
        if isinstance(result, LoginRefused):
            if result.retry_after is not None:
                return wait(result.retry_after, result.reason)
            return await self._again(request, form, _WRONG)
        return await self._advance(request, result, AMR_PASSWORD, return_to=form.return_to)

    async def submit_passkey(self, request: Request) -> Response:
        """Log in whoever's passkey it was: it is a name and two factors in one."""
        deps, browser = self._deps, browser_of(request, self._deps.site)
        params = await read_form(request)
        form = _Form(return_to=self._return_to(params))
        if not self._is_ours(request, params):
            return await self._again(request, form, _STALE)
        try:
            recognised = recognise(
                deps, params.one("credential"), purpose=TO_LOG_IN, browser=browser
            )
        except PasskeyRefusedError:
            return await self._again(request, form, _NO_PASSKEY)
        context = context_of(request, deps.site)
        used = await deps.database.run(
            lambda tx: use_passkey(tx, deps, recognised, user=None, context=context)
        )
        if isinstance(used, LoginRefused):
            if used.retry_after is not None:
                return wait(used.retry_after, used.reason)
            return await self._again(request, form, _NO_PASSKEY)
        return await self._advance(request, used.user, used.amr, return_to=form.return_to)

    async def leave(self, request: Request) -> Response:
        """End the session of this browser."""
        deps = self._deps
        try:
            await read_post(deps, request, "logout")
        except CrossSiteRequestError:
            return error_page(
                403,
                "You are still logged in",
                message="The request to log out did not come from a page of this site.",
                hint="Open your account page and use its button.",
                code=CrossSiteRequestError.code,
            )
        except (MalformedParametersError, UnsupportedMediaTypeError, BodyTooLargeError) as error:
            return unreadable(error)
        secret = session_secret(request, deps)
        if secret is not None:
            await log_out(deps, secret, context=context_of(request, deps.site))
        response = page("identity/logged_out.html", {"issuer": deps.directory.catalog.issuer.name})
        clear_cookie(response, deps.site, SESSION_COOKIE)
        return response

    async def _lacks_a_step(self, session: Session, return_to: str) -> bool:
        required = await self._deps.required_acr(return_to)
        return required is not None and not satisfies(session.acr, required)

    async def _too_weak(self, request: Request) -> User | None:
        """Whose session is open, and weaker than the policy asks."""
        deps, secret = self._deps, session_secret(request, self._deps)

        def find(tx: Transaction) -> User | None:
            session = session_to_raise(tx, deps, secret)
            if session is None or meets_policy(session, deps.directory.catalog.sign_in):
                return None
            user = find_user(tx, session.user_id)
            return None if user is None or user.disabled_at is not None else user

        return await deps.database.read(find)

    async def _step_up(self, request: Request, user: User, return_to: str | None) -> Response:
        proved = Proved(user=user, amr=(), purpose=Purpose.STEP_UP, return_to=return_to)
        return await self._go_on(request, proved)

    async def _advance(
        self,
        request: Request,
        who: User | CheckedPassword,
        amr: tuple[str, ...],
        *,
        return_to: str | None,
    ) -> Response:
        proved = Proved(
            user=who.user if isinstance(who, CheckedPassword) else who,
            amr=amr,
            purpose=Purpose.LOG_IN,
            return_to=return_to,
            password_hash=who.password_hash if isinstance(who, CheckedPassword) else None,
        )
        return await self._go_on(request, proved)

    async def _go_on(self, request: Request, proved: Proved) -> Response:
        deps = self._deps
        asker = await asker_of(deps, request, return_to=proved.return_to)
        outcome = await deps.database.run(lambda tx: advance(tx, deps, proved, asker=asker))
        if outcome is None:
            form = _Form(return_to=proved.return_to, username=proved.user.username)
            return await self._again(request, form, _WRONG)
        return go_on(deps, outcome, return_to=proved.return_to)

    async def _again(self, request: Request, form: _Form, problem: Problem) -> Response:
        return await self._form(
            request, _Form(return_to=form.return_to, username=form.username, problem=problem)
        )

    async def _form(self, request: Request, form: _Form) -> Response:
        deps, sign_in = self._deps, self._deps.directory.catalog.sign_in
        works, options = passkeys_work_at(deps.site), ""
        browser = browser_of(request, deps.site)
        if works:
            challenge = new_challenge(deps.box, TO_LOG_IN, browser=browser, now=deps.clock.now())
            options = request_options(deps.site, challenge=challenge)
        query = f"?return_to={quote(form.return_to, safe='')}" if form.return_to else ""
        values = {
            "return_to": form.return_to or "",
            "username": form.username[:64],
            "passwords": sign_in.passwords,
            "passkeys": works,
            "options": options,
            "providers": [
                {"title": one.title, "path": f"/login/provider/{quote(one.name)}{query}"}
                for one in sign_in.providers.values()
            ],
        }
        sources = await deps.form_sources(form.return_to) if form.return_to else ()
        view = View(
            template="login.html",
            form=LOGIN_FORM,
            values=values,
            problem=form.problem,
            form_action=sources,
            scripts=works,
            browser=browser,
        )
        return show(deps, request, view)

    def _is_ours(self, request: Request, params: Params) -> bool:
        deps, browser = self._deps, browser_of(request, self._deps.site)
        try:
            check_form_post(request, params, site=deps.site, browser=browser, form=LOGIN_FORM)
        except CrossSiteRequestError:
            return False
        return True

    def _return_to(self, params: Params) -> str | None:
        return safe_return_to(params.one("return_to"), self._deps.return_paths)


def _no_passwords() -> Response:
    return error_page(
        403,
        "Passwords are not used here",
        message="People log in with a passkey or through an identity provider.",
        hint="Open the log-in page again.",
        code="passwords_off",
    )
