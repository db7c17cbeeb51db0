"""What the name of a scope says: of which system, on what, and whether it reads or changes.

The convention is `system:resource.operation`, with further parts for what is narrower
(`crm:customer.read.basic`). A tenant or an environment may stand in front (`tenant:read:{organization_id}`,
`prod:payments.refund`, `env:prod:execute`). Source: MISSION B2.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from remit.model import Operation

__all__ = [
    "HIGH_RISK",
    "Effect",
    "effect_of",
    "is_conventional",
    "placeholders_of",
    "system_of",
]

HIGH_RISK: Final = frozenset(
    {Operation.DELETE, Operation.EXPORT, Operation.ADMIN, Operation.IMPERSONATE}
)

_READS: Final = frozenset({"read", "list", "get", "view", "search", "lookup", "query"})
_CHANGES: Final = frozenset({
    "write", "create", "update", "edit", "delete", "remove", "export", "admin", "impersonate", "execute", "refund",
    "send", "approve", "pay", "transfer", "manage", "grant", "revoke", "deploy", "cancel", "publish",
})  # fmt: skip
_QUALIFIERS: Final = frozenset({"env", "environment", "tenant", "organization", "org"})
_PARTS: Final = re.compile(r"[:.]")
_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")


class Effect(StrEnum):
    """What a scope lets its holder do, as far as its name says."""

    READS = "reads"
    CHANGES = "changes"
    UNKNOWN = "unknown"


def effect_of(scope: str) -> Effect:
    """What the operation in the name is; the last word that is one counts."""
    for part in reversed(_PARTS.split(scope)[1:]):
        if part in _READS:
            return Effect.READS
        if part in _CHANGES:
            return Effect.CHANGES
    return Effect.UNKNOWN


def system_of(scope: str, environments: Iterable[str]) -> str:
    """The system that `scope` is of; an environment in front of it belongs to the name of none."""
    first, _, rest = scope.partition(":")
    if first in frozenset(environments) and rest:
        return _PARTS.split(rest)[0]
    return first


def is_conventional(scope: str) -> bool:
    """Whether the name says on what, and which operation."""
    parts = scope.split(":")
    if parts[0] in _QUALIFIERS:
        return len(parts) > 2 or "." in parts[-1]
    return "." in parts[-1] or "{" in parts[-1]


def placeholders_of(scope: str) -> frozenset[str]:
    """The claims that fill the name."""
    return frozenset(_PLACEHOLDER.findall(scope))
