"""Callers of one sort: those whom the steps before policy, and the entities of a question, cannot tell apart.

Two tokens are of one sort if they agree in everything but who the person is, through which client and under which
grant they call, how and when they logged in and to what purpose. Of that, what policies look at is told beside the sort.
A person's attributes are part of it where the repository writes some into its scopes.

INVARIANT: whatever a token says and is not named here as told apart makes it another sort.
"""

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Final

from remit.guard.limits import is_workload
from remit.model import Catalog
from remit.policy.facts import PRINCIPAL, TAGS, Fact
from remit.replay.placeholders import placeholders_of
from remit.tokens.access_token import AccessToken

__all__ = ["FOLLOWING", "Sorts", "read_of_token"]

_APART: Final = frozenset(
    {
        # Who verified it and until when it was good has no part in a decision that is taken again.
        "iss", "aud", "jti", "iat", "exp", "grant_id", "may_act", "authorization_details",
        # What is told where policies look at it; of roles, which ones, in whatever order.
        "sub", "client_id", "attributes", "roles", "purpose", "auth_time", "acr", "amr",
    }
)  # fmt: skip
_MAX_LONG: Final = 2**63 - 1
_MOST: Final = 16_384

_TOLD: Final[Mapping[Fact, Callable[[AccessToken], Hashable]]] = MappingProxyType(
    {
        PRINCIPAL: lambda token: token.sub,
        ("principal", "id"): lambda token: token.sub,
        TAGS: lambda token: frozenset(token.attributes.items()),
        ("context", "token", "client_id"): lambda token: token.client_id,
        ("context", "token", "acr"): lambda token: token.acr,
        ("context", "token", "amr"): lambda token: token.amr,
        ("context", "token", "auth_time"): lambda token: token.auth_time,
        ("context", "token", "purpose"): lambda token: token.purpose,
        ("context", "authentication", "acr"): lambda token: token.acr,
        ("context", "authentication", "amr"): lambda token: token.amr,
        ("context", "authentication", "auth_time"): lambda token: token.auth_time,
        ("context", "authentication", "age_seconds"): lambda token: token.auth_time,
    }
)
_OF_SORT: Final[frozenset[Fact]] = frozenset(
    {
        ("principal", "tenant"), ("principal", "roles"), ("context", "token", "scopes"),
        ("context", "agent", "id"), ("context", "agent", "class"), ("context", "agent", "owner"),
        ("context", "time", "zone"), ("context", "environment"),
    }
)  # fmt: skip
FOLLOWING: Final[frozenset[Fact]] = _OF_SORT | _TOLD.keys()
"""The facts that follow from the token, the thing and the repository; of one's age, from the time besides."""


class Sorts:
    """Numbers the sorts of callers of one repository. For one thread."""

    __slots__ = ("_fields", "_fills_in", "_next", "_numbers", "_tokens")

    def __init__(self, catalog: Catalog) -> None:
        self._fields = tuple(one.name for one in fields(AccessToken) if one.name not in _APART)
        self._fills_in = bool(placeholders_of(catalog))
        self._numbers: dict[Hashable, int] = {}
        self._tokens: dict[int, tuple[AccessToken, int | None]] = {}
        self._next = 0

    def of(self, token: AccessToken) -> int | None:
        """The number of the sort of `token`; never that of another. `None`: it has to be looked at each time."""
        known = self._tokens.get(id(token))
        if known is not None and known[0] is token:
            return known[1]
        if len(self._tokens) >= _MOST:
            self._tokens = {}
        number = self._number(token)
        self._tokens[id(token)] = token, number
        return number

    def _number(self, token: AccessToken) -> int | None:
        attributes, auth_time = token.attributes, token.auth_time
        if token.authorization_details or not all(type(one) is str for one in attributes.values()):
            return None
        try:
            sort = (
                *[getattr(token, name) for name in self._fields],
                frozenset(token.roles),
                is_workload(token),
                auth_time is None or 0 <= auth_time <= _MAX_LONG,
                frozenset(attributes.items()) if self._fills_in else None,
            )
            known = self._numbers.get(sort)
        except TypeError:  # a record of somebody else's making
            return None
        if known is None:
            if len(self._numbers) >= _MOST:
                self._numbers = {}
            # Numbers are not given twice, so that what is forgotten is not taken for another.
            known = self._numbers[sort] = self._next
            self._next += 1
        return known


def read_of_token(facts: Collection[Fact]) -> tuple[Callable[[AccessToken], Hashable], ...]:
    """What tells those of `facts` that a sort does not."""
    return tuple(_TOLD[one] for one in sorted(facts) if one in _TOLD)
