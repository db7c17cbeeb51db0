"""What happened to the servers behind, their definitions, their secrets and the guards inside them.

Re-exported by `audit.events`, which is where to import them from.
"""

from dataclasses import dataclass
from typing import ClassVar

from remit.audit.event import Durability, Event

__all__ = [
    "DefinitionAdmitted",
    "DefinitionPinned",
    "DefinitionQuarantined",
    "DefinitionRejected",
    "GuardSeen",
    "SecretRemoved",
    "SecretStored",
    "SelfTestFinished",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionPinned(Event):
    """The definition of a thing was recorded as admitted when it was first seen. `digest`: SHA-256 of its canonical form."""

    kind: ClassVar[str] = "definition.pinned"
    server: str
    thing: str
    name: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionQuarantined(Event):
    """A thing may not be used until it has been reviewed; an alert.

    `cause`: `changed`, `new`, `shadows` or `unreviewed`; `detail` says what differs, or whose name it
    takes, in words that hold nothing of what the server wrote.
    """

    kind: ClassVar[str] = "definition.quarantined"
    reserved: ClassVar[bool] = True
    server: str
    thing: str
    name: str
    cause: str
    digest: str
    admitted_digest: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionAdmitted(Event):
    """Somebody reviewed the definition of a thing and admitted it."""

    kind: ClassVar[str] = "definition.admitted"
    server: str
    thing: str
    name: str
    digest: str
    replaced_digest: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionRejected(Event):
    """Somebody reviewed the definition of a thing and keeps it out."""

    kind: ClassVar[str] = "definition.rejected"
    reserved: ClassVar[bool] = True
    server: str
    thing: str
    name: str
    digest: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretStored(Event):
    """A secret was sealed in the database under `name`, or replaced there. Its value is nowhere."""

    kind: ClassVar[str] = "secret.stored"
    name: str
    replaced: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRemoved(Event):
    """The secret of that name is gone from the database."""

    kind: ClassVar[str] = "secret.removed"
    reserved: ClassVar[bool] = True
    name: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSeen(Event):
    """A guard inside `server` fetched its first snapshot as `instance`, or came back with another version of Remit."""

    kind: ClassVar[str] = "guard.seen"
    durability: ClassVar[Durability] = Durability.ANSWER
    server: str
    instance: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestFinished(Event):
    """At its start the gateway was tried with calls that have to be refused. `failed`: those that were not."""

    kind: ClassVar[str] = "selftest.finished"
    reserved: ClassVar[bool] = True
    tried: int
    failed: tuple[str, ...] = ()
