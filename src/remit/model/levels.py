"""The words that catalog, policies and tokens grade things by."""

from enum import StrEnum
from types import MappingProxyType
from typing import NewType

__all__ = [
    "AgentClass",
    "ArgumentType",
    "AuditTreatment",
    "ClientKind",
    "Environment",
    "Operation",
    "Pinning",
    "Sensitivity",
]

Environment = NewType("Environment", str)
"""A name declared under `environments` in `remit.yaml`, such as `prod`."""


class Operation(StrEnum):
    """What a tool does to the world; policies and guardrails speak of these."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"
    EXPORT = "export"
    EXECUTE = "execute"
    ADMIN = "admin"
    IMPERSONATE = "impersonate"


class Sensitivity(StrEnum):
    """How much harm one call can do, least first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for `low` to 3 for `critical`, for comparison."""
        return _RANKS[self]


_RANKS = MappingProxyType({level: rank for rank, level in enumerate(Sensitivity)})


class ArgumentType(StrEnum):
    """How a tool's argument reaches a policy."""

    STRING = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DECIMAL = "decimal"
    MONEY = "money"
    STRINGS = "strings"


class AuditTreatment(StrEnum):
    """What the audit log keeps of one argument."""

    TOKEN = "token"  # noqa: S105  a keyed pseudonym, not a password
    KEEP = "keep"
    DROP = "drop"
    LAST4 = "last4"
    SEAL = "seal"
    """A token, and the value sealed under a key that can be destroyed."""


class AgentClass(StrEnum):
    """What sort of software acts."""

    ASSISTANT = "assistant"
    IDE = "ide"
    AUTONOMOUS = "autonomous"
    WORKLOAD = "workload"
    UNREGISTERED = "unregistered"


class ClientKind(StrEnum):
    """How a client came to be known."""

    STATIC = "static"
    METADATA_DOCUMENT = "metadata_document"
    DYNAMIC = "dynamic"


class Pinning(StrEnum):
    """When the definition of a tool, resource or prompt counts as admitted."""

    FIRST_USE = "first_use"
    """As it was when the gateway first saw it; a later change waits for review."""
    REVIEWED = "reviewed"
    """Once an administrator has admitted it; until then it is quarantined."""
    OFF = "off"
    """Whatever the server says counts."""
