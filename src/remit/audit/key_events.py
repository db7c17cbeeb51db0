"""Keys, and connections to third parties. Re-exported by `audit.events`, which is where to import them from."""

from dataclasses import dataclass
from typing import ClassVar

from remit.audit.event import Durability, Event

__all__ = [
    "ConnectionMade",
    "ConnectionRefused",
    "ConnectionRemoved",
    "SigningKeyAdded",
    "SigningKeyRetired",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKeyAdded(Event):
    """`signs_from`: when it begins to sign; until then it is published, so that it is known."""

    kind: ClassVar[str] = "key.added"
    key_id: str
    algorithm: str
    signs_from: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKeyRetired(Event):
    """Nothing it signed is believed any more."""

    kind: ClassVar[str] = "key.retired"
    reserved: ClassVar[bool] = True
    key_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionMade(Event):
    """A person let Remit use a third party's API for one server on their behalf."""

    kind: ClassVar[str] = "connection.made"
    server: str
    issuer: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRefused(Event):
    kind: ClassVar[str] = "connection.refused"
    durability: ClassVar[Durability] = Durability.ANSWER
    server: str
    issuer: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRemoved(Event):
    kind: ClassVar[str] = "connection.removed"
    reserved: ClassVar[bool] = True
    server: str
    issuer: str
    reason: str = ""
