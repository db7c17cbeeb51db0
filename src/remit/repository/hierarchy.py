"""Which scopes a scope covers, all the way down, and which cover themselves. Source: MISSION B2."""

from collections.abc import Iterable, Mapping

from remit.ids import ScopeName
from remit.scopes import Hierarchy

__all__ = ["close", "find_cycles"]


def close(covers: Mapping[ScopeName, Iterable[ScopeName]]) -> Hierarchy:
    """Each scope with everything below it. Scopes that cover nothing have no entry."""
    return {scope: below for scope in covers if (below := frozenset(_reachable(scope, covers)))}


def find_cycles(covers: Mapping[ScopeName, Iterable[ScopeName]]) -> list[tuple[ScopeName, ...]]:
    """Each ring of scopes that cover one another, once: the scopes on the way from the first back to it."""
    seen: set[ScopeName] = set()
    cycles: list[tuple[ScopeName, ...]] = []
    for scope in covers:
        below = _reachable(scope, covers)
        if scope in seen or scope not in below:
            continue
        ring = _way(scope, below)
        cycles.append(ring)
        seen.update(ring)
    return cycles


def _reachable(
    start: ScopeName, covers: Mapping[ScopeName, Iterable[ScopeName]]
) -> dict[ScopeName, ScopeName]:
    """Every scope below `start`, with the one above it on a shortest way."""
    above: dict[ScopeName, ScopeName] = {}
    front = [start]
    while front:
        following: list[ScopeName] = []
        for scope in front:
            for lower in covers.get(scope, ()):
                if lower not in above:
                    above[lower] = scope
                    following.append(lower)
        front = following
    return above


def _way(scope: ScopeName, above: Mapping[ScopeName, ScopeName]) -> tuple[ScopeName, ...]:
    way = [above[scope]]
    while way[-1] != scope:
        way.append(above[way[-1]])
    return tuple(reversed(way))
