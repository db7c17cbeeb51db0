"""What happens next to a request that waits: log in, be asked, or be answered.

A GET that grants anything grants only what this person allowed this client before.
Everything else takes a button on the consent page.

Source: O21 §4.1.1, §7.9; OpenID Connect Core §3.1.2.1, §3.1.2.6.
"""

from collections.abc import Sequence
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from remit.clock import Clock, EpochSeconds
from remit.db import Database
from remit.guard.issuance import Ruling
from remit.identity import FormSources, RequiredAcr, Session
from remit.ids import digest
from remit.oauth import request_store
from remit.oauth.authentication_strength import meets, required_acr
from remit.oauth.authorization_request import Prompt
from remit.oauth.circumstances import circumstances_of
from remit.oauth.code_issuance import Assent, issue_code
from remit.oauth.connections.standing import is_connected
from remit.oauth.consent import consent_is_needed
from remit.oauth.consent_page import consent_page, record_presented, view_of
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import (
    ConsentRequiredError,
    Endpoint,
    InteractionRequiredError,
    LoginRequiredError,
    UnmetAuthenticationRequirementsError,
)
from remit.oauth.page_door import page_door
from remit.oauth.pending_request import PendingRequest
from remit.oauth.stepping_up import ask_to_step_up
from remit.oauth.waiting_request import (
    Person,
    Waiting,
    find_waiting,
    is_stale,
    must_log_in,
    person_answering,
    refusal_of,
    rule_on_request,
)
from remit.tokens import resource_of
from remit.web import (
    MalformedParametersError,
    browser_of,
    error_page,
    parse_query,
    redirect,
    redirect_source,
)

__all__ = ["continue_path", "endpoint", "login_form_sources", "login_requirements"]


def continue_path(name: str, *, after: str | None = None) -> str:
    """Where a browser answers the request it knows by `name`; `after` its person was led through that other one."""
    path = f"/authorize/continue?request={quote(name, safe='')}"
    return path if after is None else f"{path}&after={quote(after, safe='')}"


def endpoint(deps: OAuthDeps) -> Endpoint:
    """`GET /authorize/continue`."""

    async def continue_(request: Request) -> Response:
        if request.method != "GET":
            return error_page(405, "Only GET", message="This page answers GET alone.")
        query = parse_query(request.scope["query_string"])
        name = query.one("request") or ""
        browser = browser_of(request, deps.site)
        context = circumstances_of(request, deps.site)
        waiting = await find_waiting(deps, name, browser=browser, context=context)
        found = await deps.read_session(request)
        if found is None or must_log_in(waiting, found[1]):
            if Prompt.NONE in waiting.request.prompt:
                required = LoginRequiredError("somebody would have to log in")
                raise refusal_of(waiting, required, context=context)
            if found is not None:
                await ask_to_step_up(deps, waiting, found, context=context)
            return redirect(_login_path(waiting, found and found[1], name))
        person = await person_answering(waiting, found, deps=deps, context=context)
        ruling = rule_on_request(waiting, person, scopes=waiting.request.scopes, deps=deps)
        stepping_up = await _step_up(deps, waiting, person, name=name, after=query.one("after"))
        if stepping_up is not None:
            return stepping_up
        if not await _must_ask(deps, waiting, person, ruling):
            assent = Assent(person=person, scopes=ruling.scopes, shown_digest=None, ruling=ruling)
            return await issue_code(deps, waiting, assent)
        if Prompt.NONE in waiting.request.prompt:
            error = ConsentRequiredError("consent would have to be asked")
            raise refusal_of(waiting, error, context=person.context)
        view = view_of(deps, waiting, person, ruling=ruling)
        await record_presented(deps, waiting, person, view=view, ruling=ruling)
        return consent_page(deps, waiting, person, view=view, asked_in=(browser, name))

    return page_door(deps, continue_)


def _login_path(waiting: Waiting, session: Session | None, name: str) -> str:
    """Where to log in; anew, and not by one more factor, where the log-in itself is too old."""
    path = f"/login?return_to={quote(continue_path(name), safe='')}"
    if session is None or meets(session.acr, waiting.request.acr):
        return path
    return f"{path}&other=1" if is_stale(waiting, session) else path


def login_form_sources(database: Database, clock: Clock) -> FormSources:
    """Where the log-in form may lead besides here, for `identity.IdentityDeps.form_sources`.

    A remembered consent, or a refusal, follows a log-in with a redirect to the client
    at once, and a browser applies the form's policy to it.
    """

    async def sources(return_to: str) -> Sequence[str]:
        pending = await _pending_at(return_to, database, now=clock.now())
        return () if pending is None else (redirect_source(pending.redirect_uri),)

    return sources


def login_requirements(database: Database, clock: Clock) -> RequiredAcr:
    """How strongly a person must log in for what waits there, for `identity.IdentityDeps.required_acr`.

    It is read from the request as it was stored, so that nobody can soften it in the
    address of the log-in page.
    """

    async def required(return_to: str) -> str | None:
        pending = await _pending_at(return_to, database, now=clock.now())
        if pending is None:
            return None
        try:
            asked = parse_query(pending.query.encode()).one("acr_values") or ""
            return required_acr(asked.split())
        except (MalformedParametersError, UnmetAuthenticationRequirementsError):
            return None  # the request itself will be refused

    return required


async def _pending_at(
    return_to: str, database: Database, *, now: EpochSeconds
) -> PendingRequest | None:
    """The request that waits at the path `return_to`, if one does."""
    try:
        name = parse_query(urlsplit(return_to).query.encode()).one("request")
    except MalformedParametersError:
        return None
    if name is None:
        return None
    return await database.read(lambda tx: request_store.find_request(tx, digest(name), now=now))


async def _step_up(
    deps: OAuthDeps, waiting: Waiting, person: Person, *, name: str, after: str | None
) -> Response | None:
    """First the page of a call of this client that waits for this person, whatever the client says it came for.

    `after` is one they were led through already: whoever left its page without an answer goes on, and whoever makes
    it up goes without being elevated.
    """
    asked = await deps.step_ups.waiting_for(
        waiting.requester.client.client_id,
        person.user.id,
        resource_of(deps.public_url, waiting.request.server),
    )
    if asked is None or asked.id == after:
        return None
    if Prompt.NONE in waiting.request.prompt:
        error = InteractionRequiredError("a call waits for the person")
        raise refusal_of(waiting, error, context=person.context)
    back = quote(continue_path(name, after=asked.id), safe="")
    return redirect(f"{asked.url}?return_to={back}")


async def _must_ask(deps: OAuthDeps, waiting: Waiting, person: Person, ruling: Ruling) -> bool:
    client = waiting.requester.client
    if not await is_connected(deps, waiting.request.server, person.user.id):
        return True  # nobody is sent to a third party who was not asked for this client just now
    resource = resource_of(deps.public_url, waiting.request.server)
    remembered = await deps.database.glance(
        lambda tx: request_store.find_consent(
            tx, user_id=person.user.id, client_id=client.client_id, resource=resource
        )
    )
    return consent_is_needed(remembered, waiting.request, client, offered=ruling.scopes)
