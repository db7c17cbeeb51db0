"""The token in the request, and nowhere else.

Refuses a request with more than one `Authorization` header, another scheme, or
credentials that are no token. A token in the query or the body is never looked at.

Source: RFC 6750 §2.1; RFC 9110 §11.4 (schemes ignore case); RFC 6750 §3.1 (more than one method).
"""

import re
from collections.abc import Sequence
from typing import ClassVar, Final

from remit.errors import Error

__all__ = ["MalformedAuthorizationError", "bearer_token"]

_CREDENTIALS: Final = re.compile(
    r"(?P<scheme>[!#$%&'*+.^_`|~0-9A-Za-z-]+) +(?P<token>[A-Za-z0-9._~+/-]+=*)"
)


class MalformedAuthorizationError(Error):
    """The request authorizes itself in a way that nobody may."""

    code: ClassVar[str] = "malformed_request"


def bearer_token(values: Sequence[str]) -> str | None:
    """The bearer token of the `Authorization` headers `values`; `None` when there is no header.

    Raises:
        MalformedAuthorizationError: several headers, another scheme, or no token after it.
    """
    if not values:
        return None
    if len(values) > 1:
        raise MalformedAuthorizationError("the request has more than one `Authorization` header")
    credentials = _CREDENTIALS.fullmatch(values[0].strip(" \t"))
    if credentials is None:
        raise MalformedAuthorizationError("the `Authorization` header is malformed")
    if credentials["scheme"].lower() != "bearer":
        raise MalformedAuthorizationError(
            "the `Authorization` header is of another scheme than `Bearer`"
        )
    return credentials["token"]
