"""Patterns for the redirect URIs of clients that register themselves.

A pattern is a redirect URI in which the port of a loopback host may be `*`, a host may
begin with `*.` (one label), and the path may end in `/*`. Refused: a `*` anywhere else;
a wildcard beneath a domain where strangers have names; whatever no redirect URI may be.

Source: RFC 9700 §4.1.1 (what patterns have been made of); O21 §2.3.1.
"""

import re
from collections.abc import Collection

from remit.repository.client_uris import redirect_uri_fault
from remit.repository.web_addresses import shared_suffix_fault

__all__ = ["redirect_pattern_fault"]

_LOOPBACK_PORT = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]|localhost)):\*(?=[/?]|$)")
_HOST_WILDCARD = re.compile(r"https://\*\.(?P<suffix>[^/?:]+)")
_PLACES = "`*` as the port of a loopback host, as the first label of a host, or after the last `/` of the path"


def redirect_pattern_fault(pattern: str, schemes: Collection[str]) -> str | None:
    """What keeps `pattern` from being one; `schemes` are the private-use ones admitted by name."""
    concrete = _LOOPBACK_PORT.sub(r"\1", pattern, count=1)
    wildcard = _HOST_WILDCARD.match(concrete)
    if wildcard is not None:
        if fault := shared_suffix_fault(wildcard["suffix"]):
            return fault
        concrete = "https://any." + concrete.removeprefix("https://*.")
    if concrete.endswith("/*") and "?" not in concrete and not concrete.endswith("//*"):
        concrete = concrete[:-1]
    if "*" in concrete:
        return _PLACES
    return redirect_uri_fault(concrete, schemes)
