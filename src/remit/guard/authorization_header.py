"""The token in the request, and nowhere else.

Refuses a request with more than one `Authorization` header, or credentials that are no
token. A scheme besides `Bearer` and `DPoP` brings no token: its client is told of ours, as if
it had sent nothing. A token in the query or the body is never looked at.

Source: RFC 6750 §2.1, §3.1 (more than one method; an unsupported method); RFC 9449 §7.1; RFC 9110
§11.4 (schemes ignore case).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

from remit.errors import Error

__all__ = ["MalformedAuthorizationError", "Presented", "presented_token"]

_SCHEME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CREDENTIALS: Final = re.compile(r"[^ ]+ +(?P<token>[A-Za-z0-9._~+/-]+=*)")
_BEARER: Final = "bearer"
_DPOP: Final = "dpop"


class MalformedAuthorizationError(Error):
    """The request authorizes itself in a way that nobody may."""

    code: ClassVar[str] = "malformed_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """A token, and whether it came as one that is bound to a key."""

    token: str = field(repr=False)
    is_dpop: bool = False


def presented_token(values: Sequence[str]) -> Presented | None:
    """The token of the `Authorization` headers `values`; `None` when they bring none.

    Raises:
        MalformedAuthorizationError: several headers, no scheme, or no token after one of ours.
    """
    if not values:
        return None
    if len(values) > 1:
        raise MalformedAuthorizationError("the request has more than one `Authorization` header")
    value = values[0].strip(" \t")
    scheme, _, _ = value.partition(" ")
    known = scheme.lower()
    if known not in {_BEARER, _DPOP}:
        if _SCHEME.fullmatch(scheme) is None:
            raise MalformedAuthorizationError("the `Authorization` header is malformed")
        return None
    credentials = _CREDENTIALS.fullmatch(value)
    if credentials is None:
        raise MalformedAuthorizationError("the `Authorization` header holds no token")
    return Presented(token=credentials["token"], is_dpop=known == _DPOP)
