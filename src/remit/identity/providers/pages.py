"""The two addresses of each provider: where a log-in through it begins, and where it comes back to.

Whatever is refused is in the log by its reason before the page is sent; the page says what the
person can do. Only a code that was redeemed for an ID token that passes every check opens a session,
and it is a new one.

Source: OpenID Connect Core §3.1.2; RFC 9700 §4.4, §4.7, §4.11; AS-56, AS-57.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from remit.audit.events import ProviderLoginRefused
from remit.db import Transaction
from remit.errors import Error
from remit.identity.browser_session import session_reader, session_secret
from remit.identity.circumstances import acting, context_of
from remit.identity.opening import open_session
from remit.identity.providers.arrival import person_arriving, proved_identity, take_login
from remit.identity.providers.departure import Departure, count_tries, depart, provider_named
from remit.identity.providers.deps import ProviderDeps
from remit.identity.providers.linking import LINK_FORM, finish_linking, may_link
from remit.identity.providers.refusal_page import refusal_page
from remit.identity.providers.rejection import ProviderLoginError, Refused
from remit.identity.requirements import FRESH, is_fresh, least_acr
from remit.identity.return_to import safe_return_to
from remit.identity.session import satisfies
from remit.identity.steps import session_to_raise
from remit.identity.user import User
from remit.model import IdentityProvider
from remit.web import (
    BodyTooLargeError,
    CrossSiteRequestError,
    MalformedParametersError,
    UnsupportedMediaTypeError,
    browser_of,
    check_form_post,
    page,
    parse_query,
    read_form,
    redirect,
    remember_browser,
)

__all__ = ["routes"]

_log = structlog.get_logger("remit.identity.providers")


def routes(deps: ProviderDeps) -> list[Route]:
    """The pages of every provider."""
    pages = _Pages(deps)
    return [
        Route("/login/provider/{name}", pages.answering(pages.begin), methods=["GET"]),
        Route("/login/provider/{name}/link", pages.answering(pages.begin_link), methods=["POST"]),
        Route("/login/provider/{name}/callback", pages.answering(pages.come_back), methods=["GET"]),
    ]


class _Pages:
    """The endpoints, over one `ProviderDeps`."""

    def __init__(self, deps: ProviderDeps) -> None:
        self._deps = deps
        self._read_session = session_reader(deps.people)

    def answering(
        self, endpoint: Callable[[Request, IdentityProvider], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """`endpoint`, with everything it refuses recorded and shown."""

        async def answer(request: Request) -> Response:
            name: str = request.path_params["name"]
            title, return_to = "the other site", None
            try:
                await count_tries(self._deps, request)
                provider = provider_named(self._deps, name)
                title = provider.title
                return await endpoint(request, provider)
            except _RefusedOnTheWayError as refused:
                return_to = refused.return_to
                error = refused.error
            except ProviderLoginError as refused:
                error = refused
            except (
                CrossSiteRequestError,
                MalformedParametersError,
                UnsupportedMediaTypeError,
                BodyTooLargeError,
            ) as refused:
                error = ProviderLoginError(Refused.STATE, refused.detail, cause=refused)
            await self._record(request, name, error)
            return refusal_page(error.reason, provider=(name, title), return_to=return_to)

        return answer

    async def begin(self, request: Request, provider: IdentityProvider) -> Response:
        """Send the browser to the provider."""
        people = self._deps.people
        params = parse_query(request.scope["query_string"])
        return_to = safe_return_to(params.one("return_to"), people.return_paths) or ""
        browser = browser_of(request, people.site)
        anew = await self._wants_proof_anew(request, return_to)
        departure = Departure(return_to=return_to, anew=anew)
        try:
            url = await depart(self._deps, provider, browser, departure)
        except ProviderLoginError as error:
            raise _RefusedOnTheWayError(error, return_to) from error
        response = redirect(url)
        remember_browser(response, people.site, browser)
        return response

    async def _wants_proof_anew(self, request: Request, return_to: str) -> bool:
        """Whether who is logged in came for a fresh proof, which the provider's own session is not.

        For a page of the account; or because their session is too weak for what waits, and too old
        to set up the factor that it lacks.
        """
        if return_to.startswith("/account") and await self._read_session(request) is not None:
            return True
        people = self._deps.people
        secret, now = session_secret(request, people), people.clock.now()
        session = await people.database.read(lambda tx: session_to_raise(tx, people, secret))
        if session is None or is_fresh(session, max_age=FRESH, now=now):
            return False
        required = await people.required_acr(return_to) if return_to else None
        return not satisfies(session.acr, least_acr(required, people.directory.catalog.sign_in))

    async def begin_link(self, request: Request, provider: IdentityProvider) -> Response:
        """Let the person who is logged in prove that they are somebody at the provider, too.

        A form, and not an address: else a page elsewhere could link its maker to their account.
        """
        people, browser = self._deps.people, browser_of(request, self._deps.people.site)
        form = await read_form(request)
        check_form_post(request, form, site=people.site, browser=browser, form=LINK_FORM)
        found = await self._read_session(request)
        if found is None or not may_link(found[1], now=people.clock.now()):
            return redirect("/login?return_to=%2Faccount")
        departure = Departure(return_to="/account", user_id=found[0].id)
        url = await depart(self._deps, provider, browser, departure)
        # A form's policy would hold the browser back from the provider; a link does not.
        return page("identity/provider_link.html", {"title": provider.title, "url": url})

    async def come_back(self, request: Request, provider: IdentityProvider) -> Response:
        """Take the provider's answer, and log its person in."""
        people = self._deps.people
        params = parse_query(request.scope["query_string"])
        browser = browser_of(request, people.site)
        login = await take_login(self._deps, provider, browser, params)
        context = context_of(request, people.site)
        try:
            arrival = await proved_identity(self._deps, provider, login, params)
            if login.user_id is not None:
                user = await self._person_linking(request, login.user_id)
                known = acting(context, user)
                await finish_linking(self._deps, provider, arrival, user=user, context=known)
                return redirect("/account")
            user = await person_arriving(self._deps, provider, arrival, context=context)
        except ProviderLoginError as error:
            raise _RefusedOnTheWayError(error, login.return_to) from error
        proof = replace(arrival.proof, provider=provider.name)
        return await open_session(
            people, request, user, proof=proof, return_to=login.return_to or None
        )

    async def _person_linking(self, request: Request, user_id: str) -> User:
        """The person who asked to link, still logged in in this browser."""
        found = await self._read_session(request)
        if found is None or found[0].id != user_id:
            raise ProviderLoginError(Refused.STATE, "the person is logged in no more")
        return found[0]

    async def _record(self, request: Request, name: str, error: ProviderLoginError) -> None:
        reason = error.reason
        cause = error.cause.detail if isinstance(error.cause, Error) else None
        _log.info("provider_login_refused", provider=name, reason=reason, cause=cause)
        if reason in {Refused.TOO_MANY, Refused.UNKNOWN_PROVIDER}:
            return  # a flood must not become a flood of events
        event = ProviderLoginRefused(
            context=context_of(request, self._deps.people.site),
            provider=name,
            reason=reason.value,
            detail=error.detail,
        )

        def record(tx: Transaction) -> None:
            tx.record(event)

        await self._deps.people.database.run(record)


class _RefusedOnTheWayError(Exception):
    """A refusal of a log-in of which it is known where it was to lead."""

    def __init__(self, error: ProviderLoginError, return_to: str) -> None:
        super().__init__(error.detail)
        self.error = error
        self.return_to = return_to or None
