"""The words of the index: every field of a record with its value as one number, and which of them a question asks.

A number is eight bytes of a hash. Two values may share one, and that costs a look at a record and no more:
every record is asked itself before it is shown.

Source: AUDIT §1.7.
"""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from remit.audit import Event, Query, events
from remit.audit.facets import Facet

__all__ = ["EVERY", "KINDS", "Condition", "conditions_of", "term_of", "terms_of"]

EVERY: Final = ("*", "")
"""The facet that every record has."""

Condition = frozenset[Facet]
"""Met by a record that has one of these facets."""

KINDS: Final = frozenset(
    one.kind
    for name in events.__all__
    if isinstance(one := getattr(events, name), type)
    and issubclass(one, Event)
    and one is not Event
)
"""Every kind of event there is."""

# What few records share comes first: a search begins there.
_RAREST_FIRST: Final = (
    "decision", "jti", "elevation", "caused_by", "approval", "access", "trace", "flow", "token", "session", "parent",
    "grant", "about", "user", "actor", "ip", "client", "rule", "agent", "scope", "reason", "name", "server", "policy",
    "kind", "outcome", "environment",
)  # fmt: skip
_RANK: Final = {field: rank for rank, field in enumerate(_RAREST_FIRST)}


@lru_cache(maxsize=65_536)
def term_of(facet: Facet) -> int:
    """The number of one facet, from -2^63 on and below 2^63."""
    field, value = facet
    digest = blake2b(f"{field}\0{value}".encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def terms_of(facets: Iterable[Facet]) -> list[int]:
    """Their numbers."""
    return [term_of(facet) for facet in facets]


def conditions_of(query: Query) -> list[Condition]:
    """What the index is asked for `query`, the rarest first.

    Never more than `query` asks: what it says of time, of words and of a record's id is asked of the record.
    """
    found: list[Condition] = [frozenset({facet}) for facet in query.facets()]
    if query.tokens is not None:
        found.append(frozenset(("token", one) for one in query.tokens))
    if query.kind is not None and query.kind.endswith("*"):
        found.append(frozenset(("kind", one) for one in KINDS if one.startswith(query.kind[:-1])))
    return sorted(found, key=_rank)


def _rank(condition: Condition) -> int:
    return min((_RANK.get(field, len(_RANK)) for field, _ in condition), default=-1)
