"""What a page of ours may load, and where its forms may lead.

Nothing but our own style sheet and images; no frame, no base. No script but our own files, and
those only where a page needs one: passkeys cannot be reached without. A browser
applies `form-action` to the whole chain of redirects after a form is sent, so the page
that sends an authorization response must also admit the origin of the redirect URI.

Source: CSP Level 3 §6.4.2; RFC 9700 §4.16; MCP security best practices, consent page.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv6Address
from urllib.parse import urlsplit

__all__ = ["content_security_policy", "redirect_source"]

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_SOURCE = re.compile(r"[a-z][a-z0-9+.-]*:(?://[a-z0-9._-]+(?::[0-9]{1,5})?)?")


def content_security_policy(form_action: Sequence[str] = (), *, scripts: bool = False) -> str:
    """The policy of one page; `form_action` are sources admitted besides our own origin.

    Raises:
        ValueError: one of them could be read as anything but one source.
    """
    for source in form_action:
        if not _SOURCE.fullmatch(source):
            raise ValueError("a form-action source is not a scheme or an origin")
    return "; ".join(
        (
            "default-src 'none'",
            *(("script-src 'self'",) if scripts else ()),
            "style-src 'self'",
            "img-src 'self' data:",
            " ".join(("form-action 'self'", *form_action)),
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


def redirect_source(redirect_uri: str) -> str:
    """The narrowest CSP source that admits `redirect_uri`: its origin, or else its scheme.

    Raises:
        ValueError: it is not an absolute URI.
    """
    parts = urlsplit(redirect_uri)
    scheme = parts.scheme
    if not _SCHEME.fullmatch(scheme):
        raise ValueError("the redirect uri is not absolute")
    host = parts.hostname
    if scheme not in {"http", "https"} or not host or _is_ipv6(host):
        return f"{scheme}:"  # CSP has no way to write an IPv6 address
    if not _HOST.fullmatch(host):
        raise ValueError("the host of the redirect uri is not plain ascii")
    return f"{scheme}://{host}" if parts.port is None else f"{scheme}://{host}:{parts.port}"


def _is_ipv6(host: str) -> bool:
    try:
        IPv6Address(host)
    except ValueError:
        return False
    return True
