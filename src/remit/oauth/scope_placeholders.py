"""Scopes that bind a claim: `tenant:read:{organization_id}` becomes `tenant:read:acme`.

A placeholder is filled from what Remit itself knows of the subject, never from the
request. What cannot be filled, or would be filled with something that is no part of
a scope name, is not granted.

Source: MISSION B2; RFC 6749 §3.3.
"""

import re
from collections.abc import Iterable, Mapping

from remit.ids import ScopeName
from remit.scopes import Hierarchy, covers

__all__ = ["fill", "fill_hierarchy", "is_declared", "may_meet"]

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_VALUE = re.compile(r"[a-z0-9][a-z0-9_-]*")
_SPLIT = re.compile(r"\{[a-z_]+\}")


def fill(scope: ScopeName, claims: Mapping[str, str]) -> ScopeName | None:
    """`scope` with every placeholder filled; `None` when a claim is missing or fits no scope name."""
    for name in _PLACEHOLDER.findall(scope):
        if _VALUE.fullmatch(claims.get(name, "")) is None:
            return None
    return ScopeName(_PLACEHOLDER.sub(lambda match: claims[match[1]], scope))


def fill_hierarchy(hierarchy: Hierarchy, claims: Mapping[str, str]) -> Hierarchy:
    """`hierarchy` as it reads for this subject; entries that cannot be filled are left out."""
    filled: dict[ScopeName, frozenset[ScopeName]] = {}
    for upper, lower in hierarchy.items():
        name = fill(upper, claims)
        if name is not None:
            below = frozenset(one for scope in lower if (one := fill(scope, claims)) is not None)
            filled[name] = filled.get(name, frozenset()) | below
    return filled


def is_declared(scope: ScopeName, declared: Iterable[ScopeName]) -> bool:
    """Whether `scope` is one of `declared`, literally or with its placeholders filled by anything."""
    return any(scope == name or _fits(scope, name) for name in declared)


def may_meet(held: ScopeName, required: ScopeName, hierarchy: Hierarchy) -> bool:
    """Whether `held` might be enough for `required` for some subject; says nothing about a given one."""
    return covers(held, required, hierarchy) or _fits(held, required) or _fits(required, held)


def _fits(scope: ScopeName, pattern: ScopeName) -> bool:
    if "{" not in pattern:
        return False
    literal = (re.escape(part) for part in _SPLIT.split(pattern))
    return re.fullmatch(_VALUE.pattern.join(literal), scope) is not None
