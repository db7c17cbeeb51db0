"""The grant types a client may have, written short or by their URN.

Source: RFC 7591 §2; RFC 8693 §2.1; RFC 7523 §4.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal

__all__ = ["GrantTypeName", "grant_type_values", "short_grant_type"]

_URNS: Final[Mapping[str, str]] = MappingProxyType({
    "token_exchange": "urn:ietf:params:oauth:grant-type:token-exchange",
    "jwt_bearer": "urn:ietf:params:oauth:grant-type:jwt-bearer",
})  # fmt: skip

GrantTypeName = Literal[
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "token_exchange",
    "jwt_bearer",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
]


def grant_type_values(names: Iterable[str]) -> tuple[str, ...]:
    """`names` as they stand in a token request, each once."""
    return tuple(dict.fromkeys(_URNS.get(name, name) for name in names))


def short_grant_type(name: str) -> str:
    """`name` as people write it: `token_exchange` for its URN."""
    return next((short for short, urn in _URNS.items() if urn == name), name)
