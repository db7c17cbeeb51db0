"""The token in the request, and nowhere else.

Refuses a request with more than one `Authorization` header, or credentials that are no
token. Another scheme brings no token: its client is told of ours, as if it had sent nothing.
A token in the query or the body is never looked at.

Source: RFC 6750 §2.1, §3.1 (more than one method; an unsupported method); RFC 9110 §11.4 (schemes ignore case).
"""

import re
from collections.abc import Sequence
from typing import ClassVar, Final

from remit.errors import Error

__all__ = ["MalformedAuthorizationError", "bearer_token"]

_SCHEME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BEARER: Final = re.compile(r"bearer +(?P<token>[A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)


class MalformedAuthorizationError(Error):
    """The request authorizes itself in a way that nobody may."""

    code: ClassVar[str] = "malformed_request"


def bearer_token(values: Sequence[str]) -> str | None:
    """The bearer token of the `Authorization` headers `values`; `None` when they bring none.

    Raises:
        MalformedAuthorizationError: several headers, no scheme, or no token after `Bearer`.
    """
    if not values:
        return None
    if len(values) > 1:
        raise MalformedAuthorizationError("the request has more than one `Authorization` header")
    value = values[0].strip(" \t")
    scheme, _, _ = value.partition(" ")
    if _SCHEME.fullmatch(scheme) is None:
        raise MalformedAuthorizationError("the `Authorization` header is malformed")
    if scheme.lower() != "bearer":
        return None
    credentials = _BEARER.fullmatch(value)
    if credentials is None:
        raise MalformedAuthorizationError("the `Authorization` header holds no bearer token")
    return credentials["token"]
