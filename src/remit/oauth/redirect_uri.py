"""Where an authorization code may be sent.

Decides which redirect URIs a client may register, and whether the one in a
request is one of them: byte for byte, but for the port of a loopback URI.
Nothing is ever normalised. `http://127.1/cb`, `HTTP://…`, `/x/../cb` and `%2e`
are other strings than the ones they stand for, and are refused as such.

Source: O21 §2.3.1, §4.1.1; RFC 8252 §7.1 to §7.3, §8.3, §8.4; RFC 9700 §4.1.3; MCP S26 open redirection.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import quote, urlencode

from remit.oauth.errors import InvalidRedirectUriError

__all__ = [
    "LOOPBACK_HOSTS",
    "UriParts",
    "check_redirect_uri",
    "displayed_host",
    "is_loopback",
    "matches_registered",
    "parts_of",
    "with_parameters",
]

_MAX_LENGTH = 2048
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "[::1]", "localhost"})
# Schemes that a browser runs, reads from disk or rewrites, whatever an allow-list says.
_NEVER = frozenset({
    "about", "blob", "chrome", "chrome-extension", "content", "data", "file", "filesystem", "ftp",
    "http", "https", "intent", "jar", "javascript", "mailto", "moz-extension", "ms-appx", "resource",
    "sms", "tel", "urn", "vbscript", "view-source", "ws", "wss",
})  # fmt: skip

# RFC 3986 §2, without `%` that starts no escape; `#` is left out: fragments are refused.
_URI_TEXT = re.compile(r"(?:[A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=]|%[0-9A-Fa-f]{2})+")
_SCHEME = re.compile(r"([a-z][a-z0-9+.\-]*):(.*)")
_HIERARCHY = re.compile(
    r"//(?P<authority>[^/?]*)(?P<path>/[^?]*)?(?P<query>\?.*)?",
)
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?")
_QUAD = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}")
_DOT_SEGMENT = re.compile(r"/(?:\.|%2[eE]){1,2}(?=[/?]|$)")


@dataclass(frozen=True, slots=True)
class UriParts:
    """A URI cut where RFC 3986 cuts it; every part is the very text that stood there."""

    scheme: str
    host: str
    port: str | None
    path: str
    query: str


def matches_registered(requested: str, registered: Iterable[str]) -> bool:
    """Whether `requested` is one of `registered`: equal as strings, or loopback but for the port."""
    known = tuple(registered)
    if requested in known:
        return True
    wanted = _loopback_parts(requested)
    return wanted is not None and any(
        (found := _loopback_parts(uri)) is not None
        and (found.host, found.path, found.query) == (wanted.host, wanted.path, wanted.query)
        for uri in known
    )


def check_redirect_uri(uri: str, *, schemes: Collection[str] = (), web_only: bool = False) -> None:
    """Return if a client may register `uri`.

    `schemes` are the private-use schemes the operator admits by name. `web_only` is
    for a client that said `application_type: web`: https on a real host (AS-75).

    Raises:
        InvalidRedirectUriError: nobody may register it; `detail` says why.
    """
    _check_text(uri)
    scheme, _, rest = uri.partition(":")
    if scheme in {"https", "http"}:
        parts = parts_of(uri)
        if parts is None:
            raise InvalidRedirectUriError(f"the host of redirect URI `{_shown(uri)}` is malformed")
        _check_web(uri, parts, web_only=web_only)
    else:
        _check_private_use(uri, scheme, rest, schemes=schemes, web_only=web_only)


def is_loopback(uri: str) -> bool:
    """Whether the code stays on the person's own machine; the consent page warns of it (AS-48)."""
    return _loopback_parts(uri) is not None


def displayed_host(uri: str) -> str:
    """What the consent page shows of where the code goes: the host, or the private-use scheme."""
    parts = parts_of(uri)
    return parts.host if parts is not None else uri.partition(":")[0] + ":"


def with_parameters(uri: str, parameters: Mapping[str, str]) -> str:
    """`uri` with `parameters` added to its query; what stood there stays as it was (O21 §4.1.2)."""
    separator = "&" if "?" in uri else "?"
    return uri + separator + urlencode(parameters, quote_via=quote, safe="")


def _check_text(uri: str) -> None:
    """Refuse what two readers could take for different places."""
    if not uri or len(uri) > _MAX_LENGTH:
        raise InvalidRedirectUriError(f"a redirect URI has 1 to {_MAX_LENGTH} characters")
    if "#" in uri:
        raise InvalidRedirectUriError(f"redirect URI `{_shown(uri)}` has a fragment")
    if "*" in uri:
        raise InvalidRedirectUriError(f"redirect URI `{_shown(uri)}` has a wildcard")
    if _DOT_SEGMENT.search(uri):
        raise InvalidRedirectUriError(f"redirect URI `{_shown(uri)}` has a dot segment")
    if _URI_TEXT.fullmatch(uri) is None:
        raise InvalidRedirectUriError(f"redirect URI `{_shown(uri)}` has a character no URI holds")
    if _SCHEME.fullmatch(uri) is None:
        raise InvalidRedirectUriError(
            f"redirect URI `{_shown(uri)}` does not start with a scheme in lower case"
        )


def _check_web(uri: str, parts: UriParts, *, web_only: bool) -> None:
    loopback = parts.host in LOOPBACK_HOSTS
    if parts.scheme == "http" and not loopback:
        raise InvalidRedirectUriError(
            f"redirect URI `{_shown(uri)}` is http; only `127.0.0.1`, `[::1]` and `localhost` may be"
        )
    if web_only and (parts.scheme != "https" or loopback):
        raise InvalidRedirectUriError(
            f"redirect URI `{_shown(uri)}` does not suit application_type `web`"
        )


def _check_private_use(
    uri: str, scheme: str, rest: str, *, schemes: Collection[str], web_only: bool
) -> None:
    """RFC 8252 §7.1, narrowed: an app's own scheme, only if the operator named it."""
    if scheme in _NEVER or scheme not in schemes:
        raise InvalidRedirectUriError(f"the scheme of redirect URI `{_shown(uri)}` is not admitted")
    if web_only:
        raise InvalidRedirectUriError(
            f"redirect URI `{_shown(uri)}` does not suit application_type `web`"
        )
    if not rest.startswith("/") or "@" in rest or not rest.strip("/"):
        raise InvalidRedirectUriError(f"redirect URI `{_shown(uri)}` names no place in the app")


def _loopback_parts(uri: str) -> UriParts | None:
    parts = parts_of(uri)
    if parts is None or parts.scheme != "http" or parts.host not in LOOPBACK_HOSTS:
        return None
    return parts


def parts_of(uri: str) -> UriParts | None:
    """The parts of an http or https URI; `None` when it is not one that every reader cuts alike."""
    if len(uri) > _MAX_LENGTH or _URI_TEXT.fullmatch(uri) is None:
        return None
    scheme = _SCHEME.fullmatch(uri)
    if scheme is None or scheme[1] not in {"https", "http"}:
        return None
    hierarchy = _HIERARCHY.fullmatch(scheme[2])
    if hierarchy is None:
        return None
    host, port = _split_authority(hierarchy["authority"])
    if not _is_host(host) or (port is not None and not _is_port(port)):
        return None
    return UriParts(scheme[1], host, port, hierarchy["path"] or "", hierarchy["query"] or "")


def _split_authority(authority: str) -> tuple[str, str | None]:
    """Host and port; a userinfo stays in the host, which then is none."""
    if authority.startswith("["):
        literal, bracket, tail = authority.partition("]")
        host = literal + bracket
        return (host, None) if not tail else (host, tail[1:] if tail[0] == ":" else "")
    host, colon, port = authority.partition(":")
    return host, port if colon else None


def _is_port(port: str) -> bool:
    return _PORT.fullmatch(port) is not None and int(port) <= 65535


def _is_host(host: str) -> bool:
    """A name in lower case, a dotted quad, or an IPv6 literal: each in the form browsers write it.

    A name whose last label is a number is read as an IPv4 address by browsers
    (`127.1`, `0x7f.1`), so anything of that form but a plain dotted quad is refused.
    """
    if host.startswith("["):
        return _is_ipv6_literal(host)
    if _QUAD.fullmatch(host):
        return True
    labels = host.split(".")
    last = labels[-1]
    is_number = last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last) is not None
    return (
        len(host) <= 253
        and not is_number
        and all(_LABEL.fullmatch(label) is not None for label in labels)
    )


def _is_ipv6_literal(host: str) -> bool:
    try:
        return "%" not in host and f"[{IPv6Address(host[1:-1]).compressed}]" == host
    except AddressValueError:
        return False


def _shown(uri: str) -> str:
    """`uri` for a message: printable, and cut."""
    return "".join(character if "!" <= character <= "~" else "?" for character in uri[:120])
