"""The consent page as a response: the words of `consent`, in a form only this browser can send.

The form's token names the request and the person, so that what one person is shown
cannot be sent as another's answer.

Source: SBP26 consent (CSRF, framing); MCP S26; AS-54.
"""

from dataclasses import dataclass

from starlette.responses import Response

from remit.audit.events import ConsentPresented
from remit.guard.issuance import Ruling
from remit.ids import ScopeName
from remit.oauth.consent import ConsentView, consent_view
from remit.oauth.deps import OAuthDeps
from remit.oauth.waiting_request import Person, Waiting
from remit.tokens import resource_of
from remit.web import Browser, csrf_token, page, redirect_source, remember_browser

__all__ = ["Again", "consent_form", "consent_page", "record_presented", "view_of"]


@dataclass(frozen=True, slots=True)
class Again:
    """Why the page is shown once more, and what was ticked."""

    problem: str
    ticked: tuple[ScopeName, ...]


def view_of(deps: OAuthDeps, waiting: Waiting, person: Person, *, ruling: Ruling) -> ConsentView:
    """What this person is to be shown of this request, at this moment."""
    return consent_view(
        waiting.request,
        waiting.requester.client,
        person.applicant,
        ruling=ruling,
        catalog=deps.directory.catalog,
    )


async def record_presented(
    deps: OAuthDeps, waiting: Waiting, person: Person, *, view: ConsentView, ruling: Ruling
) -> None:
    """Say in the log what this person is about to be shown.

    Raises:
        AuditUnavailableError: it cannot be said, so nothing is shown.
    """
    await deps.audit.append(
        ConsentPresented(
            context=person.context,
            resource=resource_of(deps.public_url, waiting.request.server),
            requested=waiting.request.scopes,
            offered=view.scopes,
            withheld=ruling.cut,
            shown_digest=view.shown_digest,
        )
    )


def consent_form(waiting: Waiting, person: Person) -> str:
    """The name of the form, for its CSRF token: this request, this person."""
    return f"consent:{waiting.pending.digest}:{person.user.id}"


def consent_page(
    deps: OAuthDeps,
    waiting: Waiting,
    person: Person,
    *,
    view: ConsentView,
    asked_in: tuple[Browser, str],
    again: Again | None = None,
) -> Response:
    """The page. `asked_in` is the browser and its name for the request."""
    browser, name = asked_in
    response = page(
        "oauth/consent.html",
        {
            "view": view,
            "shown": view.shown_digest,
            "request": name,
            "csrf_token": csrf_token(browser, consent_form(waiting, person)),
            "issuer": deps.directory.catalog.issuer.name,
            "display_name": person.user.display_name,
            "problem": None if again is None else again.problem,
            "ticked": view.scopes if again is None else again.ticked,
        },
        status=200 if again is None else 400,
        # A browser applies form-action to the redirect that follows the form as well.
        form_action=[redirect_source(waiting.requester.back.redirect_uri), *waiting.onward],
    )
    remember_browser(response, deps.site, browser)
    return response
