"""Engines in other processes that decide instead of the permits of this repository, where it says so."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

__all__ = ["RESERVED_ENGINES", "EngineKind", "ExternalEngine", "Mode"]


RESERVED_ENGINES: Final = frozenset({"cedar", "declaration", "decision-point", "history"})
"""What the log calls whoever decides in this process; no engine elsewhere may have one of these names."""


class EngineKind(StrEnum):
    CERBOS = "cerbos"
    AUTHZEN = "authzen"
    PLUGIN = "plugin"
    """Somebody else's, by the name of its entry point in `remit.policy_engines`."""


class Mode(StrEnum):
    """What becomes of a call that policies refuse."""

    ENFORCE = "enforce"
    OBSERVE = "observe"
    """It goes on, and the log says what would have refused it. What is not policy refuses as ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalEngine:
    """One engine, as `remit.yaml` declares it. It permits; what the repository's policies forbid stays forbidden."""

    name: str
    kind: EngineKind
    url: str = ""
    timeout_ms: int = 250
    """Whoever does not answer within it has refused."""
    secret: str | None = None
    """Names the secret that is sent to it as a bearer token."""
    plugin: str = ""
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
