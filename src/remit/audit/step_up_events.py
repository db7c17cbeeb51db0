"""A person who has to prove more than they had. Re-exported by `audit.events`, which is where to import them from.

That is before a client gets a code. What is asked about one call is a request to people: `approval.requested` and what follows it.

Source: RFC 9470 §3 to §5; AUDIT §1.3.
"""

from dataclasses import dataclass
from typing import ClassVar

from remit.audit.event import Durability, Event

__all__ = ["StepUpCompleted", "StepUpExpired", "StepUpFailed", "StepUpRequired"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUpRequired(Event):
    """Somebody who was logged in had to log in again, or more strongly. `cause`: `acr`, `age`."""

    kind: ClassVar[str] = "stepup.required"
    resource: str
    acr: str | None
    """What was asked; `had` is what their log-in was."""
    had: str
    cause: str
    max_age: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUpCompleted(Event):
    """They did, and the client got its code. `got` is what their log-in was then."""

    kind: ClassVar[str] = "stepup.completed"
    resource: str
    acr: str | None
    got: str
    auth_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUpFailed(Event):
    """They logged in anew, and still not as strongly as was asked."""

    kind: ClassVar[str] = "stepup.failed"
    durability: ClassVar[Durability] = Durability.ANSWER
    resource: str
    acr: str | None
    got: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUpExpired(Event):
    """Nobody did in time: the request is gone, and nothing was granted."""

    kind: ClassVar[str] = "stepup.expired"
    resource: str
    acr: str | None
