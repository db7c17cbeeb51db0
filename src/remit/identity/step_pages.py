"""The pages after the first step of a log-in: a second factor, or setting one up.

The name of the log-in stands in their address; it is worth nothing in another browser, and
nothing after ten minutes. Who has no second factor where one is needed sets one up here, and
has no session before that. A step-up of an old session sets up nothing: the person logs in anew.

Source: NIST SP 800-63B §5.2.2, §6.1.2; RFC 9470 §4.
"""

from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from remit.db import Transaction
from remit.errors import ConflictError
from remit.identity import factor_store, store
from remit.identity.browser_session import session_secret
from remit.identity.challenge import new_challenge
from remit.identity.circumstances import acting, context_of
from remit.identity.deps import IdentityDeps
from remit.identity.enrolment import (
    NOT_CONFIRMED,
    NOT_MADE,
    Enrolling,
    confirmed_secret,
    new_key,
    offer_values,
    passkey_name,
)
from remit.identity.factors import Enrolled, enrol_one_time_password, enrol_passkey
from remit.identity.form_page import Problem, View, answering, read_post, show, wait
from remit.identity.login import LoginRefused
from remit.identity.opening import OpenedSession, with_session
from remit.identity.passkey_use import recognise
from remit.identity.passkeys import PasskeyRefusedError, passkeys_work_at, request_options
from remit.identity.return_to import safe_return_to
from remit.identity.second_factor import CodeKind, FactorAttempt, try_second_factor
from remit.identity.session import ACR_PHISHING_RESISTANT
from remit.identity.sign_in import BegunSignIn, SignIn
from remit.identity.sign_in_store import find_sign_in, use_sign_in
from remit.identity.steps import Asker, Choices, Proved, advance, choices_of, was_proved_lately
from remit.identity.user import User
from remit.ids import digest
from remit.web import Params, browser_of, error_page, parse_query, redirect

__all__ = ["LOGIN_FORM", "asker_of", "go_on", "routes"]

LOGIN_FORM = "login"

_WRONG_CODE = Problem(
    "This was not accepted.",
    "A code of the app changes every half minute, and each code is good once. Please try again.",
    403,
)
_NO_PASSKEY = Problem("The passkey was not accepted.", "Try again, or go on another way.", 403)


_Passkeys = tuple[factor_store.Passkey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """A log-in under way, as its pages need it."""

    name: str
    sign_in: SignIn
    user: User
    choices: Choices
    passkeys: _Passkeys
    offers_code: bool
    """Whether one-time passwords may be set up, and would be enough."""


def routes(deps: IdentityDeps) -> list[Route]:
    """`/login/step` and `/login/set-up`."""
    pages = _StepPages(deps)
    return [
        Route("/login/step", answering(pages.show_step), methods=["GET"]),
        Route("/login/step", answering(pages.submit_step), methods=["POST"]),
        Route("/login/set-up", answering(pages.show_set_up), methods=["GET"]),
        Route("/login/set-up/code", answering(pages.submit_code), methods=["POST"]),
        Route("/login/set-up/passkey", answering(pages.submit_passkey), methods=["POST"]),
    ]


async def asker_of(deps: IdentityDeps, request: Request, *, return_to: str | None) -> Asker:
    """Where a step comes from, and what waits at `return_to`."""
    return Asker(
        browser=browser_of(request, deps.site),
        context=context_of(request, deps.site),
        required=await deps.required_acr(return_to) if return_to else None,
        previous=session_secret(request, deps),
    )


def go_on(
    deps: IdentityDeps, outcome: OpenedSession | BegunSignIn, *, return_to: str | None
) -> Response:
    """To the next step, or logged in to where the person came from."""
    if isinstance(outcome, BegunSignIn):
        return redirect(_path("/login/step", outcome.name))
    target = safe_return_to(return_to, deps.return_paths) or "/account"
    return with_session(redirect(target), deps, outcome)


class _StepPages:
    """The endpoints, over one `IdentityDeps`."""

    def __init__(self, deps: IdentityDeps) -> None:
        self._deps = deps

    async def show_step(self, request: Request) -> Response:
        """Ask for a second factor; where there is none to ask for, go and set one up."""
        step = await self._step(request, parse_query(request.scope["query_string"]))
        if step is None:
            return _over()
        if step.choices.none:
            return _anew(step)
        if step.choices.only_set_up:
            return redirect(_path("/login/set-up", step.name))
        return await self._show_step(request, step)

    async def submit_step(self, request: Request) -> Response:
        """Try what was given."""
        deps = self._deps
        params = await read_post(deps, request, LOGIN_FORM)
        step = await self._step(request, params)
        if step is None:
            return _over()
        asker = await asker_of(deps, request, return_to=step.sign_in.return_to)
        try:
            attempt = _attempt(deps, params, step, asker)
        except PasskeyRefusedError:
            return await self._show_step(request, step, problem=_NO_PASSKEY)
        outcome = await deps.database.run(
            lambda tx: try_second_factor(tx, deps, step.sign_in.digest, attempt, asker=asker)
        )
        if outcome is None:
            return _over()
        if isinstance(outcome, LoginRefused):
            if outcome.retry_after is not None:
                return wait(outcome.retry_after, outcome.reason)
            problem = _WRONG_CODE if attempt.passkey is None else _NO_PASSKEY
            return await self._show_step(request, step, problem=problem)
        return go_on(deps, outcome, return_to=step.sign_in.return_to)

    async def show_set_up(self, request: Request) -> Response:
        """Offer to set up a factor, where this log-in may."""
        step = await self._step(request, parse_query(request.scope["query_string"]))
        if step is None or not step.choices.set_up:
            return _anew(step)
        return await self._show_set_up(request, step)

    async def submit_code(self, request: Request) -> Response:
        """Set up one-time passwords; their first code is the second factor of this log-in."""
        deps, now = self._deps, self._deps.clock.now()
        params = await read_post(deps, request, LOGIN_FORM)
        step = await self._step(request, params)
        if step is None or not (step.choices.set_up and step.offers_code):
            return _anew(step)
        asker = await asker_of(deps, request, return_to=step.sign_in.return_to)
        confirmed = await confirmed_secret(deps, params, step.user, context=asker.context)
        if isinstance(confirmed, LoginRefused):
            if confirmed.retry_after is not None:
                return wait(confirmed.retry_after, confirmed.reason)
            return await self._show_set_up(
                request, step, offer=params.one("offer"), problem=NOT_CONFIRMED
            )

        def keep(tx: Transaction) -> tuple[Enrolled, OpenedSession | BegunSignIn | None] | None:
            if not _may_set_up(tx, deps, step, asker=asker):
                return None
            context = acting(asker.context, step.user)
            enrolled = enrol_one_time_password(tx, step.user, confirmed, now=now, context=context)
            return enrolled, advance(tx, deps, _proved(step, ("otp", "mfa")), asker=asker)

        return self._enrolled(request, step, await deps.database.run(keep))

    async def submit_passkey(self, request: Request) -> Response:
        """Keep a new passkey; the next step is to use it."""
        deps, now = self._deps, self._deps.clock.now()
        params = await read_post(deps, request, LOGIN_FORM)
        step = await self._step(request, params)
        if step is None or not step.choices.set_up:
            return _anew(step)
        asker = await asker_of(deps, request, return_to=step.sign_in.return_to)
        try:
            made = new_key(deps, params, step.user, browser=asker.browser)
        except PasskeyRefusedError:
            return await self._show_set_up(request, step, problem=NOT_MADE)

        def keep(tx: Transaction) -> tuple[Enrolled, OpenedSession | BegunSignIn | None] | None:
            if not _may_set_up(tx, deps, step, asker=asker):
                return None
            made.spend(tx)
            context = acting(asker.context, step.user)
            enrolled = enrol_passkey(
                tx, step.user, made.key, name=passkey_name(params), now=now, context=context
            )
            return enrolled, advance(tx, deps, _proved(step, ()), asker=asker)

        return self._enrolled(request, step, await deps.database.run(keep))

    def _enrolled(
        self,
        request: Request,
        step: _Step,
        kept: tuple[Enrolled, OpenedSession | BegunSignIn | None] | None,
    ) -> Response:
        """Show the recovery codes, if there are new ones, before going on."""
        deps = self._deps
        enrolled, outcome = (None, None) if kept is None else kept
        if enrolled is None or outcome is None:
            return _over()
        onward = go_on(deps, outcome, return_to=step.sign_in.return_to)
        if not enrolled.recovery_codes:
            return onward
        values = {
            "codes": enrolled.recovery_codes,
            "onward": onward.headers["location"],
            "is_log_in": True,
        }
        view = View(template="recovery_codes.html", form=LOGIN_FORM, values=values)
        response = show(deps, request, view)
        if isinstance(outcome, OpenedSession):
            with_session(response, deps, outcome)
        return response

    async def _step(self, request: Request, params: Params) -> _Step | None:
        deps, name = self._deps, params.one("sign_in")
        browser, secret = browser_of(request, deps.site), session_secret(request, deps)
        if name is None or browser.is_new:
            return None
        now = deps.clock.now()

        def find(
            tx: Transaction,
        ) -> tuple[tuple[SignIn, User, bool], factor_store.Factors, _Passkeys] | None:
            sign_in = find_sign_in(tx, digest(name), browser_digest=browser.digest, now=now)
            user = None if sign_in is None else store.find_user(tx, sign_in.user_id)
            if sign_in is None or user is None:
                return None
            factors = factor_store.factors_of(tx, user.id)
            lately = was_proved_lately(tx, deps, sign_in, secret=secret)
            return (sign_in, user, lately), factors, factor_store.list_passkeys(tx, user.id)

        found = await deps.database.read(find)
        if found is None:
            return None
        (sign_in, user, lately), factors, passkeys = found
        required = await deps.required_acr(sign_in.return_to) if sign_in.return_to else None
        choices = choices_of(
            factors,
            sign_in,
            required=required,
            passkeys_work=passkeys_work_at(deps.site),
            lately=lately,
        )
        has_code = factors.one_time_password_since is not None
        return _Step(
            name=name,
            sign_in=sign_in,
            user=user,
            choices=choices,
            passkeys=passkeys,
            offers_code=not has_code and required != ACR_PHISHING_RESISTANT,
        )

    async def _show_step(
        self, request: Request, step: _Step, *, problem: Problem | None = None
    ) -> Response:
        deps, options = self._deps, ""
        if step.choices.passkey:
            browser = browser_of(request, deps.site)
            challenge = new_challenge(
                deps.box, _use_purpose(step), browser=browser, now=deps.clock.now()
            )
            options = request_options(deps.site, challenge=challenge, known=step.passkeys)
        values = {"choices": step.choices, "options": options}
        return await self._show(request, step, "second_factor.html", values, problem=problem)

    async def _show_set_up(
        self,
        request: Request,
        step: _Step,
        *,
        offer: str | None = None,
        problem: Problem | None = None,
    ) -> Response:
        enrolling = Enrolling(
            user=step.user, browser=browser_of(request, self._deps.site), known=step.passkeys
        )
        values = offer_values(self._deps, enrolling, offer=offer)
        return await self._show(request, step, "set_up.html", values, problem=problem)

    async def _show(
        self,
        request: Request,
        step: _Step,
        template: str,
        values: dict[str, object],
        *,
        problem: Problem | None,
    ) -> Response:
        deps, return_to = self._deps, step.sign_in.return_to
        view = View(
            template=template,
            form=LOGIN_FORM,
            values={
                **values,
                "sign_in": step.name,
                "user": step.user,
                "offers_code": step.offers_code,
                "return_to": quote(return_to, safe=""),
            },
            problem=problem,
            form_action=await deps.form_sources(return_to) if return_to else (),
            scripts=passkeys_work_at(deps.site),
        )
        return show(deps, request, view)


def _attempt(deps: IdentityDeps, params: Params, step: _Step, asker: Asker) -> FactorAttempt:
    """What was given, of what may be.

    Raises:
        PasskeyRefusedError: it is an answer of a passkey, and not to our challenge.
    """
    choices, code = step.choices, params.one("code") or ""
    match params.one("kind"):
        case "one_time_password" if choices.one_time_password:
            return FactorAttempt(kind=CodeKind.ONE_TIME_PASSWORD, code=code)
        case "recovery" if choices.recovery_code:
            return FactorAttempt(kind=CodeKind.RECOVERY, code=code)
        case "passkey" if choices.passkey:
            recognised = recognise(
                deps, params.one("credential"), purpose=_use_purpose(step), browser=asker.browser
            )
            return FactorAttempt(passkey=recognised)
        case _:
            raise ConflictError("this account has no such second factor")


def _may_set_up(tx: Transaction, deps: IdentityDeps, step: _Step, *, asker: Asker) -> bool:
    """Spend the log-in; `False` where somebody else did, or the session it was to raise has ended."""
    return use_sign_in(tx, step.sign_in.digest, at=deps.clock.now()) and was_proved_lately(
        tx, deps, step.sign_in, secret=asker.previous
    )


def _use_purpose(step: _Step) -> str:
    return f"step:{step.sign_in.digest}"


def _proved(step: _Step, amr: tuple[str, ...]) -> Proved:
    return Proved(
        user=step.user,
        amr=tuple(dict.fromkeys((*step.sign_in.amr, *amr))),
        purpose=step.sign_in.purpose,
        return_to=step.sign_in.return_to or None,
    )


def _path(path: str, name: str) -> str:
    return f"{path}?sign_in={quote(name, safe='')}"


def _anew(step: _Step | None) -> Response:
    """To the log-in form, where this log-in leads nowhere; else there is nothing to be had so."""
    if step is None or not step.choices.none:
        return _over()
    return_to = quote(step.sign_in.return_to, safe="")
    return redirect(f"/login?other=1&return_to={return_to}" if return_to else "/login?other=1")


def _over() -> Response:
    return error_page(
        403,
        "This log-in is over",
        message="It took too long, was finished already, or began in another browser.",
        hint="Go back to where you came from and log in again.",
        code="log_in_over",
    )
