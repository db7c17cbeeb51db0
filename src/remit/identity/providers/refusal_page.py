"""What a person sees of a log-in that was refused, and what they can do about it.

The words depend on what can be done, and not on which check failed; the one word for an administrator
is the same for all checks, so that whoever tries forged answers learns nothing.
"""

from typing import Final
from urllib.parse import quote

from starlette.responses import Response

from remit.identity.providers.rejection import PROVIDER_DOWN, UNWELCOME, Refused
from remit.web import page

__all__ = ["provider_path", "refusal_page"]

_NOT_ADMITTED: Final = (
    "{title} knows you, but nothing here is set up for you."
    " Ask the administrator of this site to let you in."
)
_OTHER_TENANT: Final = (
    "{title} now says that you belong to another organisation than your account here."
    " An administrator has to make you a new account."
)
_NOT_COMPLETED: Final = (
    "It took too long, was begun in another browser, or the answer was not the one"
    " that was asked for. Nothing was changed."
)


def provider_path(name: str, return_to: str | None) -> str:
    """Where a log-in through the provider of that name begins: the address of its button."""
    path = f"/login/provider/{quote(name, safe='')}"
    return path if return_to is None else f"{path}?return_to={quote(return_to, safe='')}"


def refusal_page(reason: Refused, *, provider: tuple[str, str], return_to: str | None) -> Response:
    """The page for `reason`; `provider` is its name and title."""
    name, title = provider
    status, heading, message = _words(reason, title)
    query = "" if return_to is None else f"?return_to={quote(return_to, safe='')}"
    again = reason not in UNWELCOME and reason is not Refused.UNKNOWN_PROVIDER
    return page(
        "identity/provider_refused.html",
        {
            "heading": heading,
            "message": message,
            "title": title,
            "again": provider_path(name, return_to) if again else None,
            "login": f"/login{query}",
            "code": _code(reason),
        },
        status=status,
        headers={"Retry-After": "30"} if status in {429, 503} else None,
    )


def _code(reason: Refused) -> str:
    """The word for an administrator: one for all failed checks, so that a forger learns nothing."""
    if reason in PROVIDER_DOWN:
        return Refused.UNAVAILABLE.value
    if reason in UNWELCOME:
        return "not_admitted"
    known = {
        Refused.CANCELLED,
        Refused.TOO_MANY,
        Refused.UNKNOWN_PROVIDER,
        Refused.OTHER_TENANT,
        Refused.LINKED_ELSEWHERE,
    }
    return reason.value if reason in known else "login_not_completed"


def _words(reason: Refused, title: str) -> tuple[int, str, str]:
    """Status, heading and message."""
    if reason in PROVIDER_DOWN:
        return (
            503,
            f"{title} cannot be asked",
            f"{title} does not answer as it should. Other ways to log in are not affected.",
        )
    if reason in UNWELCOME:
        return (
            403,
            "You cannot log in here",
            _NOT_ADMITTED.format(title=title),
        )
    match reason:
        case Refused.CANCELLED:
            return 403, "You are not logged in", f"{title} says that the log-in was not allowed."
        case Refused.OTHER_TENANT:
            return (
                403,
                "Your organisation has changed",
                _OTHER_TENANT.format(title=title),
            )
        case Refused.LINKED_ELSEWHERE:
            return 409, "Already in use", "This identity belongs to an account here already."
        case Refused.TOO_MANY:
            return 429, "Please wait a little", "There were too many attempts to log in."
        case Refused.UNKNOWN_PROVIDER:
            return 404, "No such way to log in", "This site does not offer it."
        case _:
            return (
                400,
                "The log-in was not completed",
                _NOT_COMPLETED,
            )
