"""The answer to the consent page: allow these scopes, or refuse.

Refuses an answer from another browser, another site, another person, or to other words
than are true now: then the page is shown again. What is granted is what was ticked and
could be offered; ticking nothing is no answer.

Source: SBP26 consent; MCP S26; O21 §7.9; RFC 9700 §4.7; AS-54.
"""

import hmac

from starlette.requests import Request
from starlette.responses import Response

from remit.audit.events import ConsentDenied
from remit.db import Transaction
from remit.guard.issuance import Ruling
from remit.ids import ScopeName
from remit.oauth import request_store
from remit.oauth.authorization_response import denial_response
from remit.oauth.circumstances import circumstances_of
from remit.oauth.code_issuance import Assent
from remit.oauth.connections.forward import connect_or_issue
from remit.oauth.consent import ConsentView
from remit.oauth.consent_page import (
    Again,
    consent_form,
    consent_page,
    record_presented,
    view_of,
)
from remit.oauth.continuation import continue_path
from remit.oauth.deps import OAuthDeps
from remit.oauth.errors import AccessDeniedError, Endpoint
from remit.oauth.guardrail_alert import raise_alerts
from remit.oauth.page_door import page_door
from remit.oauth.pending_request import NotWaitingError
from remit.oauth.waiting_request import (
    Person,
    Waiting,
    find_waiting,
    must_log_in,
    person_answering,
    rule_on_request,
)
from remit.tokens import resource_of
from remit.web import Params, browser_of, check_form_post, read_form, redirect

__all__ = ["endpoint"]

_CHANGED = "What may be granted has changed since this page was opened. Please read it again."
_UNDECIDED = "Nothing was decided yet. Allow, or refuse."
_NOTHING_TICKED = "Nothing is ticked. Tick at least one permission, or refuse."


def endpoint(deps: OAuthDeps) -> Endpoint:
    """`POST /authorize/consent`."""

    async def answer_consent(request: Request) -> Response:
        form = await read_form(request)
        browser = browser_of(request, deps.site)
        context = circumstances_of(request, deps.site)
        name = form.one("request") or ""
        waiting = await find_waiting(deps, name, browser=browser, context=context)
        found = await deps.read_session(request)
        if found is None or must_log_in(waiting, found[1]):
            return redirect(continue_path(name))
        person = await person_answering(waiting, found, deps=deps, context=context)
        check_form_post(
            request, form, site=deps.site, browser=browser, form=consent_form(waiting, person)
        )
        ruling = rule_on_request(waiting, person, scopes=waiting.request.scopes, deps=deps)
        view = view_of(deps, waiting, person, ruling=ruling)
        problem = _problem(form, view)
        if problem is not None:
            again = Again(problem, _ticked(form, view))
            await record_presented(deps, waiting, person, view=view, ruling=ruling)
            return consent_page(
                deps, waiting, person, view=view, asked_in=(browser, name), again=again
            )
        if form.one("decision") == "refuse":
            return await _deny(deps, waiting, person, view=view, ruling=ruling)
        allowed = rule_on_request(waiting, person, scopes=_ticked(form, view), deps=deps)
        assent = Assent(
            person=person, scopes=allowed.scopes, shown_digest=view.shown_digest, ruling=ruling
        )
        return await connect_or_issue(deps, waiting, assent, name=name)

    return page_door(deps, answer_consent)


def _problem(form: Params, view: ConsentView) -> str | None:
    """Why this answer is none yet."""
    if not hmac.compare_digest((form.one("shown") or "").encode(), view.shown_digest.encode()):
        return _CHANGED
    decision = form.one("decision")
    if decision not in {"allow", "refuse"}:
        return _UNDECIDED
    if decision == "allow" and not _ticked(form, view):
        return _NOTHING_TICKED
    return None


def _ticked(form: Params, view: ConsentView) -> tuple[ScopeName, ...]:
    """What was ticked, of what was offered: a form cannot add to the page it came from."""
    ticked = frozenset(form.all("scope"))
    return tuple(scope for scope in view.scopes if scope in ticked)


async def _deny(
    deps: OAuthDeps, waiting: Waiting, person: Person, *, view: ConsentView, ruling: Ruling
) -> Response:
    resource = resource_of(deps.public_url, waiting.request.server)

    def record(tx: Transaction) -> None:
        if not request_store.finish_request(tx, waiting.pending.digest, now=deps.clock.now()):
            raise NotWaitingError
        tx.record(
            ConsentDenied(
                context=person.context,
                resource=resource,
                requested=waiting.request.scopes,
                shown_digest=view.shown_digest,
            )
        )

    await deps.database.run(record)
    await raise_alerts(deps, ruling, context=person.context, resource=resource)
    return denial_response(deps, AccessDeniedError("the person refused"), waiting.requester)
