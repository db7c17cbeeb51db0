"""What the things of a server were when they were admitted, as the guard reads it.

A thing whose definition changed, appeared or took another's name since is quarantined: no call
uses it and no list shows it until somebody has reviewed the change. Arguments are held against the
schema that was admitted, and not against the one the server would like today.

Source: MISSION B9; docs/adr/0011-definition-pinning.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from remit.canonical import Json
from remit.ids import ServerName
from remit.policy.evaluation import ResourceKind

__all__ = ["NO_DEFINITIONS", "Definitions", "ThingKey"]

ThingKey = tuple[ServerName, ResourceKind, str]
"""Server, kind, and the name in the catalog."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definitions:
    """A snapshot, replaced whole. `argument_checks` say what is wrong with the arguments of a tool, if anything."""

    quarantined: frozenset[ThingKey] = frozenset()
    unseen: frozenset[ThingKey] = frozenset()
    """Tools and prompts of the catalog whose definition nobody has seen yet: not called, but not hidden."""
    argument_checks: Mapping[ThingKey, Callable[[Json], str | None]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    digests: Mapping[ThingKey, str] = field(default_factory=lambda: MappingProxyType({}))
    """Of each definition that was admitted: its digest, by which another one is told from it."""
    schemas: Mapping[ThingKey, Json] = field(default_factory=lambda: MappingProxyType({}))
    """The `inputSchema` of each tool as it was admitted."""


NO_DEFINITIONS = Definitions()
