"""Which URIs may identify a client: where its codes go, and where its metadata document is.

A redirect URI here is compared byte for byte later, but for the port of a
loopback URI; so what browsers would rewrite is refused where it is written down.

Source: O21 §2.3.1; RFC 8252 §7.1, §7.3; CIMD §3; RFC 9700 §4.1.3.
"""

import re
from collections.abc import Collection
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import urlsplit

__all__ = ["is_on_host", "metadata_document_fault", "redirect_uri_fault", "same_place"]

_MAX_LENGTH = 2048
_LOOPBACK = frozenset({"127.0.0.1", "[::1]", "localhost"})
_TEXT = re.compile(r"(?:[A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=]|%[0-9A-Fa-f]{2})+")
_WEB = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?(?P<path>/[^?]*)?(?P<query>\?.*)?"
)
_PRIVATE = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*):(?P<rest>/[^@]+)")
_DOT_SEGMENT = re.compile(r"(?:^|/)(?:\.|%2[eE]){1,2}(?=/|\?|$)")
# Browsers read a host whose last label is a number as an IPv4 address: `127.1`, `0x7f.1`.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_QUAD = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}")


def redirect_uri_fault(uri: str, schemes: Collection[str]) -> str | None:
    """What keeps `uri` from being a redirect URI; `schemes` are the private-use ones admitted by name."""
    if not uri or len(uri) > _MAX_LENGTH:
        return f"1 to {_MAX_LENGTH} characters"
    if "#" in uri or "*" in uri or not _TEXT.fullmatch(uri):
        return "a URI without a fragment, a wildcard or characters that URIs do not hold"
    if _DOT_SEGMENT.search(uri):
        return "a path without `.` and `..`"
    if uri.startswith(("http:", "https:")):
        return _web_fault(uri)
    private = _PRIVATE.fullmatch(uri)
    if private is None or private["scheme"] not in schemes:
        return "`https`, `http` on loopback, or a scheme listed in `redirect_uri_schemes` of remit.yaml"
    return None if private["rest"].strip("/") else "a place in the app after the scheme"


def metadata_document_fault(url: str) -> str | None:
    """What keeps `url` from being a client identifier that is a metadata document (CIMD §3)."""
    parts = _WEB.fullmatch(url) if _TEXT.fullmatch(url) and len(url) <= _MAX_LENGTH else None
    if parts is None or parts["scheme"] != "https" or not _is_host(parts["host"]):
        return "an `https` URL in the form in which the client sends it"
    if (
        parts["host"].startswith("[")
        or _QUAD.fullmatch(parts["host"])
        or parts["host"] == "localhost"
    ):
        return "a host with a name, which vouches for the client"
    if not parts["path"] or parts["path"] == "/":
        return "a URL with a path"
    return "a path without `.` and `..`" if _DOT_SEGMENT.search(url) else None


def same_place(uri: str) -> str:
    """`uri` as it is compared: without its port when it is a loopback URI (RFC 8252 §7.3)."""
    parts = _WEB.fullmatch(uri)
    if parts is None or parts["scheme"] != "http" or parts["host"] not in _LOOPBACK:
        return uri
    return f"http://{parts['host']}{parts['path'] or ''}{parts['query'] or ''}"


def is_on_host(url: str, host: str) -> bool:
    """Whether the well-formed `url` is on `host`, which may begin with `*.`: then on any host below it."""
    found = urlsplit(url).hostname or ""
    return found.endswith(host[1:]) if host.startswith("*.") else found == host


def _web_fault(uri: str) -> str | None:
    parts = _WEB.fullmatch(uri)
    if parts is None or not _is_host(parts["host"]) or int(parts["port"] or "1") > 65_535:
        return "a host in the form browsers write it: lower case, without a user name"
    if parts["scheme"] == "http" and parts["host"] not in _LOOPBACK:
        return "`https`; `http` is for `127.0.0.1`, `[::1]` and `localhost`"
    return None


def _is_host(host: str) -> bool:
    """A name, a dotted quad or an IPv6 literal, each in the one form in which browsers write it."""
    if host.startswith("["):
        try:
            return f"[{IPv6Address(host[1:-1]).compressed}]" == host
        except AddressValueError:
            return False
    if _QUAD.fullmatch(host):
        return True
    labels = host.split(".")
    return (
        len(host) <= 253
        and all(_LABEL.fullmatch(label) for label in labels)
        and not _NUMBER.fullmatch(labels[-1])
    )
