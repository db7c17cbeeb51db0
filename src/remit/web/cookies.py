"""Cookies that only this origin can set and only the server can read.

On https the name carries `__Host-`, which a browser accepts from this very host alone,
`Secure`, with path `/` and no domain: a neighbour on the same domain can plant nothing.
On a loopback http site, for trying things out, the plain name is used. A cookie that
comes twice with different values counts as absent: one of the two is not ours.

Source: RFC 6265bis §4.1.3.2; MCP security best practices (consent cookies).
"""

import re
from http.cookies import SimpleCookie

from starlette.requests import HTTPConnection
from starlette.responses import Response

from remit.web.site import Site

__all__ = ["clear_cookie", "cookie_name", "read_cookie", "set_cookie"]

_PLAIN = re.compile(r"[A-Za-z0-9._-]+")


def cookie_name(site: Site, name: str) -> str:
    """The name on the wire of the cookie we call `name`."""
    return f"__Host-{name}" if site.secure else name


def read_cookie(request: HTTPConnection, site: Site, name: str) -> str | None:
    """The value of our cookie `name`, or `None` where there is none, or two that differ."""
    wire_name = cookie_name(site, name)
    values = set()
    for header in request.headers.getlist("cookie"):
        for pair in header.split(";"):
            found, _, value = pair.strip().partition("=")
            if found == wire_name:
                values.add(value)
    return values.pop() if len(values) == 1 else None


def set_cookie(
    response: Response, site: Site, name: str, *, value: str, max_age: int | None = None
) -> None:
    """Give the browser `value` to keep for `max_age` seconds, or until it is closed.

    Raises:
        ValueError: `value` needs quoting; ours are base64url.
    """
    if not _PLAIN.fullmatch(value):
        raise ValueError("a cookie's value must be base64url")
    _write(response, site, name, value=value, max_age=max_age)


def clear_cookie(response: Response, site: Site, name: str) -> None:
    """Make the browser forget our cookie `name`."""
    _write(response, site, name, value="", max_age=0)


def _write(response: Response, site: Site, name: str, *, value: str, max_age: int | None) -> None:
    wire_name = cookie_name(site, name)
    cookie: SimpleCookie = SimpleCookie()
    cookie[wire_name] = value
    morsel = cookie[wire_name]
    morsel["path"] = "/"
    morsel["httponly"] = True
    morsel["samesite"] = "Lax"
    if site.secure:
        morsel["secure"] = True
    if max_age is not None:
        morsel["max-age"] = max_age
    response.headers.append("set-cookie", morsel.OutputString())
