"""Whether a redirect URI fits a pattern that an operator wrote for clients that introduce themselves.

A pattern is a redirect URI in which the port of a loopback host may be `*` (any port, or
none), the host of an https URI may begin with `*.` (exactly one label), and the path may end
in `/*` (whatever lies below). Everything else is compared byte for byte, and nothing is ever
normalised: upper case, userinfo and percent-escapes are other strings than the ones they
stand for. What `/*` stands for may hold no escape, no dot segment and no empty segment:
servers do not agree on where those lead. A pattern that is none of this fits nothing.

Source: RFC 9700 §4.1.1, §4.1.3 (what patterns have been made of); O21 §2.3.1; RFC 8252 §7.3.
"""

import re

from remit.oauth.redirect_uri import LOOPBACK_HOSTS, UriParts, parts_of

__all__ = ["fits_pattern"]

_WEB = re.compile(
    r"(?P<scheme>https?)://(?P<label>\*\.)?(?P<host>[a-z0-9.\-]+|\[[0-9a-f:.]+\])(?::(?P<port>\*|[0-9]+))?"
    r"(?P<path>(?:/[^?*]*)?)(?P<below>/\*)?(?P<query>(?:\?[^*]*)?)"
)
_PRIVATE_USE = re.compile(
    r"(?!https?:)(?P<place>[a-z][a-z0-9+.\-]*:(?://[^/?*]+)?(?:/[^?*]*)?)(?<!/)/\*"
)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?")
_BELOW = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()+,=:@]+(?:/|$))*")
_DOTS = re.compile(r"(?:^|/)\.{1,2}(?:/|$)")


def fits_pattern(uri: str, pattern: str) -> bool:
    """Whether `uri`, which `check_redirect_uri` let pass, is among those `pattern` stands for."""
    if "*" not in pattern:
        return uri == pattern
    wanted = _WEB.fullmatch(pattern)
    if wanted is not None:
        parts = parts_of(uri)
        return parts is not None and _fits_web(parts, wanted)
    private_use = _PRIVATE_USE.fullmatch(pattern)
    if private_use is None:
        return False
    place = private_use["place"] + "/"
    return uri.startswith(place) and _is_below(uri.removeprefix(place))


def _fits_web(parts: UriParts, wanted: re.Match[str]) -> bool:
    return (
        parts.scheme == wanted["scheme"]
        and _fits_host(parts, wanted)
        and _fits_port(parts, wanted)
        and _fits_path(parts, wanted)
        and parts.query == wanted["query"]
    )


def _fits_host(parts: UriParts, wanted: re.Match[str]) -> bool:
    if wanted["label"] is None:
        return parts.host == wanted["host"]
    label, _, rest = parts.host.partition(".")
    # A dotted quad has no labels, whatever it looks like.
    is_name = not parts.host.rpartition(".")[2].isdigit()
    return (
        parts.scheme == "https"
        and is_name
        and rest == wanted["host"]
        and _LABEL.fullmatch(label) is not None
    )


def _fits_port(parts: UriParts, wanted: re.Match[str]) -> bool:
    if wanted["port"] == "*":
        return parts.scheme == "http" and parts.host in LOOPBACK_HOSTS
    return parts.port == wanted["port"]


def _fits_path(parts: UriParts, wanted: re.Match[str]) -> bool:
    if wanted["below"] is None:
        return parts.path == wanted["path"]
    place = wanted["path"] + "/"
    return parts.path.startswith(place) and _is_below(parts.path.removeprefix(place))


def _is_below(rest: str) -> bool:
    """Whether every server reads `rest` as a place below, and none as a place beside or above."""
    return _BELOW.fullmatch(rest) is not None and _DOTS.search(rest) is None
