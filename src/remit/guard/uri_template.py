"""Which declared resource a URI is: the exact one, else the template that fits it best.

Refuses a URI whose variable parts could mean another path once decoded: a segment
of dots, an encoded slash, backslash, dot or control character. Refuses every
spelling of a value but one, so that what a policy compares is what the server
reads: what may stand as it is stands as it is, the rest is UTF-8, encoded in capitals.
Refuses what is too long to be looked at.

Source: RFC 6570 §3.2.2 (level 1, simple expansion); RFC 3986 §2.1, §2.3, §5.2.4,
§6.2.2 (one spelling); RFC 3629 §4 (UTF-8).
"""

import re
from collections.abc import Sequence
from typing import Final

from remit.model import Resource

__all__ = ["MAX_URI", "find_resource", "keeps_values_apart"]

MAX_URI: Final = 2_048
"""How many characters of a URI are compared with templates at most."""

_EXPRESSION: Final = re.compile(r"\{[A-Za-z0-9_.%]+\}")
_UNRESERVED: Final = "[A-Za-z0-9._~-]"
# What prints in ASCII and is neither unreserved nor `%`, `/`, `\\`.
_ASCII: Final = "%(?:2[0-46-9A-C]|3[A-F]|40|5[BDE]|60|7[B-D])"
_TAIL: Final = "%[89AB][0-9A-F]"
_BEYOND_ASCII: Final = (
    f"%(?:C[2-9A-F]|D[0-9A-F]){_TAIL}"
    f"|%(?:E0%[AB][0-9A-F]|ED%[89][0-9A-F]|E[1-9A-CEF]{_TAIL}){_TAIL}"
    f"|%(?:F0%[9AB][0-9A-F]|F4%8[0-9A-F]|F[1-3]{_TAIL}){_TAIL}{_TAIL}"
)
_DOTS: Final = r"\.{1,2}(?![A-Za-z0-9._~%-])"
_VALUE: Final = f"(?!{_DOTS})(?:{_UNRESERVED}|{_ASCII}|{_BEYOND_ASCII})+"
_OUTSIDE_VALUES: Final = re.compile(r"[^A-Za-z0-9._~%-]")


def find_resource(resources: Sequence[Resource], uri: str) -> Resource | None:
    """The resource that `uri` names. Of several templates that fit, the one with most literal text.

    A template named by its own text, as `completion/complete` does, is that template.
    """
    for resource in resources:
        if resource.uri == uri:
            return resource
    if len(uri) > MAX_URI:
        return None
    fitting = [
        resource
        for resource in resources
        if resource.is_template and _pattern(resource.uri).fullmatch(uri)
    ]
    return max(fitting, key=lambda one: len(_EXPRESSION.sub("", one.uri)), default=None)


def keeps_values_apart(template: str) -> bool:
    """Whether something that no value may hold stands between any two expressions.

    INVARIANT: every template in a catalog does. Else one URI could be read in several ways, and
    trying them all takes time that grows with the square of its length, or worse.
    """
    between = _EXPRESSION.split(template)[1:-1]
    return all(_OUTSIDE_VALUES.search(literal) for literal in between)


def _pattern(template: str) -> re.Pattern[str]:
    literals = (re.escape(part) for part in _EXPRESSION.split(template))
    return re.compile(_VALUE.join(literals))
