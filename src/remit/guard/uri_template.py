"""Which declared resource a URI is: the exact one, else the template that fits it best.

Refuses a URI whose variable parts could mean another path once decoded: a segment
of dots, an encoded slash, backslash, dot or control character.

Source: RFC 6570 §3.2.2 (level 1, simple expansion); RFC 3986 §2.3, §5.2.4.
"""

import re
from collections.abc import Sequence
from typing import Final

from remit.model import Resource

__all__ = ["find_resource"]

_EXPRESSION: Final = re.compile(r"\{[A-Za-z0-9_.%]+\}")
# Unreserved characters, and encodings of anything but `%`, `.`, `/`, `\\`, what does not print,
# and the bytes C0 and C1, which only start an overlong spelling of one of those.
_ENCODED: Final = r"%(?!2[5EFef]|5[Cc]|7[Ff]|[01]|[Cc][01])[0-9A-Fa-f]{2}"
_DOTS: Final = r"\.{1,2}(?![A-Za-z0-9._~%-])"
_VALUE: Final = rf"(?!{_DOTS})(?:[A-Za-z0-9._~-]|{_ENCODED})+"


def find_resource(resources: Sequence[Resource], uri: str) -> Resource | None:
    """The resource that `uri` names. Of several templates that fit, the one with most literal text.

    A template named by its own text, as `completion/complete` does, is that template.
    """
    for resource in resources:
        if resource.uri == uri:
            return resource
    fitting = [
        resource
        for resource in resources
        if resource.is_template and _pattern(resource.uri).fullmatch(uri)
    ]
    return max(fitting, key=lambda one: len(_EXPRESSION.sub("", one.uri)), default=None)


def _pattern(template: str) -> re.Pattern[str]:
    literals = (re.escape(part) for part in _EXPRESSION.split(template))
    return re.compile(_VALUE.join(literals))
