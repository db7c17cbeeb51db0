"""Scopes with placeholders, before anybody is known to fill them for.

Whether a requested scope could be one that is declared, and whether one scope could
ever be enough for another. Filling them for a person is `remit.scopes.fill`.

Source: MISSION B2; RFC 6749 §3.3.
"""

import re
from collections.abc import Iterable, Mapping

from remit.ids import ScopeName
from remit.model import ScopeDefinition
from remit.scopes import Hierarchy, covers

__all__ = ["is_declared", "is_elevated", "may_meet"]

_VALUE = r"[a-z0-9][a-z0-9_-]*"
_SPLIT = re.compile(r"\{[a-z_]+\}")


def is_declared(scope: ScopeName, declared: Iterable[ScopeName]) -> bool:
    """Whether `scope` is one of `declared`, literally or with its placeholders filled by anything."""
    return any(scope == name or _fits(scope, name) for name in declared)


def is_elevated(scope: ScopeName, declared: Mapping[ScopeName, ScopeDefinition]) -> bool:
    """Whether `scope` is one of those that no token says, literally or with its placeholders filled by anything."""
    return any(
        one.elevated and (scope == name or _fits(scope, name)) for name, one in declared.items()
    )


def may_meet(held: ScopeName, required: ScopeName, hierarchy: Hierarchy) -> bool:
    """Whether `held` might be enough for `required` for some subject; says nothing about a given one."""
    return covers(held, required, hierarchy) or _fits(held, required) or _fits(required, held)


def _fits(scope: ScopeName, pattern: ScopeName) -> bool:
    if "{" not in pattern:
        return False
    literal = (re.escape(part) for part in _SPLIT.split(pattern))
    return re.fullmatch(_VALUE.join(literal), scope) is not None
