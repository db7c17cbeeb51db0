"""What the log says of itself. Re-exported by `audit.events`, which is where to import them from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from remit.audit.event import Durability, Event
from remit.canonical import Json

__all__ = [
    "AuditQueried",
    "AuditRecovered",
    "AuditRulesChanged",
    "AuditStarted",
    "AuditStopped",
    "DiskFilling",
    "EffectFailed",
    "RefusalsCounted",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditStarted(Event):
    """A process opened the log. `repaired_bytes`: length of a torn last record that was cut off."""

    kind: ClassVar[str] = "audit.started"
    reserved: ClassVar[bool] = True
    settings_digest: str
    repaired_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditStopped(Event):
    """The process closed the log in good order."""

    kind: ClassVar[str] = "audit.stopped"
    reserved: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecovered(Event):
    """The log takes everything again. `refused` events could not be recorded, so what they announce did not happen."""

    kind: ClassVar[str] = "audit.recovered"
    reserved: ClassVar[bool] = True
    refused: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQueried(Event):
    """Somebody read the log through Remit."""

    kind: ClassVar[str] = "audit.queried"
    durability: ClassVar[Durability] = Durability.ANSWER
    query: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRulesChanged(Event):
    """What the log may hold, how long, or who gets a copy is not what it was: `changed` names the parts of `audit.yaml`.

    `before` and `after` are the digests of the whole of it.
    """

    kind: ClassVar[str] = "audit.rules_changed"
    bundle: str
    changed: tuple[str, ...]
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFilling(Event):
    """The disk that the log is on is used by so many percent: 80, or 90. When it is full, nothing more is allowed."""

    kind: ClassVar[str] = "disk.filling"
    durability: ClassVar[Durability] = Durability.SOON
    reserved: ClassVar[bool] = True
    percent: int
    free_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectFailed(Event):
    """The events named by sequence number were recorded, but their transaction did not commit."""

    kind: ClassVar[str] = "effect.failed"
    reserved: ClassVar[bool] = True
    sequences: tuple[int, ...]
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalsCounted(Event):
    """So many more refusals of callers nobody knows, beyond those that have an event each.

    `where` is `authorize`, `token`, `register`, `gateway`, or `limits`: then the caller is known, and
    asked for more than a limit allows; or `denied`: then they were refused the same thing (`about`) again and again. `network` is an address, an IPv6 /64, `others` when there were too
    many to tell apart, or `any` of a known caller; `first` and `last` are epoch seconds.
    """

    kind: ClassVar[str] = "refusals.counted"
    durability: ClassVar[Durability] = Durability.ANSWER
    where: str
    error: str
    count: int
    first: int
    last: int
    network: str
    about: str = ""
    tokens: int = 0
    """With how many different tokens, of a known caller."""
