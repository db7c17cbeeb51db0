"""Is this form sent from a page of ours, in the browser we gave it to?

Each browser holds a random secret in a cookie. A form carries a token made from that
secret and the name of the form: another site can neither read the cookie nor, under
`__Host-`, plant one. Besides, what the browser itself says of the sender
(`Sec-Fetch-Site`, `Origin`) must not speak against us.

Source: RFC 6819 §5.3.5; RFC 9700 §4.7; MCP security best practices (consent page).
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import ClassVar

from starlette.requests import Request
from starlette.responses import Response

from remit.errors import Error
from remit.ids import digest, new_secret
from remit.web.cookies import read_cookie, set_cookie
from remit.web.params import Params
from remit.web.site import Site

__all__ = [
    "CSRF_FIELD",
    "Browser",
    "CrossSiteRequestError",
    "browser_of",
    "check_form_post",
    "csrf_token",
    "remember_browser",
]

CSRF_FIELD = "csrf_token"
_COOKIE = "remit_browser"
_SECRET_LENGTH = 43


class CrossSiteRequestError(Error):
    """The form was not sent from our own page in the same browser (403)."""

    code: ClassVar[str] = "cross_site_request"


@dataclass(frozen=True, slots=True)
class Browser:
    """One browser, known by a secret in its cookie. `digest` may be stored; the secret may not."""

    secret: str = field(repr=False)
    is_new: bool

    @property
    def digest(self) -> str:
        return digest(self.secret)


def browser_of(request: Request, site: Site) -> Browser:
    """The browser that sent `request`; a new one where it has no cookie of ours."""
    secret = read_cookie(request, site, _COOKIE)
    if secret is None or len(secret) != _SECRET_LENGTH:
        return Browser(new_secret(), is_new=True)
    return Browser(secret, is_new=False)


def remember_browser(response: Response, site: Site, browser: Browser) -> None:
    """Give a new browser its cookie; one that has it keeps it."""
    if browser.is_new:
        set_cookie(response, site, _COOKIE, value=browser.secret)


def csrf_token(browser: Browser, form: str) -> str:
    """What the form named `form` carries in its field `csrf_token`."""
    mac = hmac.digest(browser.secret.encode(), f"csrf:{form}".encode(), hashlib.sha256)
    return urlsafe_b64encode(mac).rstrip(b"=").decode()


def check_form_post(
    request: Request, params: Params, *, site: Site, browser: Browser, form: str
) -> None:
    """Return if `request` was sent from our own form `form`, in this very browser.

    Raises:
        CrossSiteRequestError: it was not, or nobody can tell.
        RepeatedParameterError: the token came twice.
    """
    check_same_origin(request, site)
    token = params.one(CSRF_FIELD)
    if browser.is_new:
        raise CrossSiteRequestError("the browser sent no cookie of this site")
    if token is None or not hmac.compare_digest(token.encode(), csrf_token(browser, form).encode()):
        raise CrossSiteRequestError("the form was not sent from its own page")


def check_same_origin(request: Request, site: Site) -> None:
    """Return unless the browser itself says that another site sent `request`.

    Raises:
        CrossSiteRequestError: it does.
    """
    fetch_site = request.headers.get("sec-fetch-site")
    if fetch_site is not None and fetch_site != "same-origin":
        raise CrossSiteRequestError("the form was sent from another site")
    origin = request.headers.get("origin")
    if origin is not None and origin != site.origin:
        raise CrossSiteRequestError("the form was sent from another origin")
