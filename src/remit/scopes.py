"""What one scope covers, and what a caller still lacks.

A scope reads `system:resource.operation`, with any number of further `:` or `.`
parts: `crm:accounts.read`, `prod:payments.refund`, `tenant:read:acme`. One
scope covers another when they are equal, or when the hierarchy that the policy
repository declares leads from the one to the other. There is no wildcard and no
implied prefix: what covers what is written down.

A name that begins with an environment (`prod:payments.refund`, `env:prod:execute`) is good in that
environment and in no other, whoever holds it.

Source: RFC 6749 §3.3; MCP 2026-07-28 authorization, step-up (hierarchies).
"""

import re
from collections.abc import Collection, Iterable, Mapping

from remit.ids import ScopeName

__all__ = [
    "Hierarchy",
    "covers",
    "environment_named_by",
    "fill",
    "fill_hierarchy",
    "is_scope_name",
    "is_scope_token",
    "may_become_one",
    "missing",
    "parse_scope_param",
]

Hierarchy = Mapping[ScopeName, frozenset[ScopeName]]
"""Each scope with everything below it, transitively; a scope without an entry covers only itself."""

# RFC 6749 §3.3: %x21 / %x23-5B / %x5D-7E
_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_PART = r"(?:[a-z0-9][a-z0-9_-]*|\{[a-z_]+\})"
_NAME = re.compile(rf"{_PART}(?::{_PART}(?:\.{_PART})*)+")
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_VALUE = re.compile(r"[a-z0-9][a-z0-9_-]*")
_DELIMITER = re.compile(r"([:.])")
_ENVIRONMENT = "env"


def is_scope_token(text: str) -> bool:
    """Whether `text` may stand in a `scope` parameter at all (RFC 6749 §3.3)."""
    return _TOKEN.fullmatch(text) is not None


def is_scope_name(text: str) -> bool:
    """Whether `text` follows Remit's convention `system:resource.operation`."""
    return _NAME.fullmatch(text) is not None


def parse_scope_param(text: str) -> tuple[ScopeName, ...] | None:
    """The scopes of a space-delimited `scope` value, in order and without repeats; `None` if malformed."""
    names = [name for name in text.split(" ") if name]
    if not all(is_scope_token(name) for name in names):
        return None
    return tuple(dict.fromkeys(ScopeName(name) for name in names))


def covers(granted: ScopeName, required: ScopeName, hierarchy: Hierarchy) -> bool:
    """Whether holding `granted` is enough where `required` is asked."""
    return granted == required or required in hierarchy.get(granted, frozenset())


def missing(
    required: Iterable[ScopeName], granted: Iterable[ScopeName], hierarchy: Hierarchy
) -> tuple[ScopeName, ...]:
    """Those of `required` that nothing in `granted` covers, in the order asked."""
    held = frozenset(granted)
    return tuple(
        scope for scope in required if not any(covers(one, scope, hierarchy) for one in held)
    )


def fill(scope: ScopeName, claims: Mapping[str, str]) -> ScopeName | None:
    """`scope` with every `{placeholder}` filled; `None` when a claim is missing or fits no scope name."""
    if "{" not in scope:
        return scope
    for name in _PLACEHOLDER.findall(scope):
        # A value with a `.` or a `:` in it would make another scope of this one.
        if _VALUE.fullmatch(claims.get(name, "")) is None:
            return None
    return ScopeName(_PLACEHOLDER.sub(lambda match: claims[match[1]], scope))


def environment_named_by(scope: str, environments: Collection[str]) -> str | None:
    """The environment that `scope` is good in and in no other; `None` when its name begins with none.

    `environments` are those that are declared. After `env:` any name is that of an environment, so that one
    which nobody declares any more opens nothing.
    """
    first, *rest = scope.split(":")
    if first in environments and rest:
        return first
    return rest[0] if first == _ENVIRONMENT and len(rest) > 1 and "{" not in rest[0] else None


def may_become_one(first: str, second: str) -> bool:
    """Whether claims could fill both to the same name. Then whoever has the one has the other, by what they are called."""
    parts, others = _DELIMITER.split(first), _DELIMITER.split(second)
    return len(parts) == len(others) and all(
        one == other or "{" in one or "{" in other for one, other in zip(parts, others, strict=True)
    )


def fill_hierarchy(hierarchy: Hierarchy, claims: Mapping[str, str]) -> Hierarchy:
    """`hierarchy` as it reads under `claims`; what cannot be filled covers nothing."""
    filled: dict[ScopeName, frozenset[ScopeName]] = {}
    for upper, lower in hierarchy.items():
        name = fill(upper, claims)
        if name is not None:
            below = frozenset(one for scope in lower if (one := fill(scope, claims)) is not None)
            filled[name] = filled.get(name, frozenset()) | below
    return filled
