"""What people were asked, what they said, and what came of it. Re-exported by `audit.events`.

Nothing of a call's arguments stands in any of them: `digest` is keyed, and equal for equal calls alone; `shown` is the
SHA-256 of the words that were on the page.
"""

from dataclasses import dataclass
from typing import ClassVar

from remit.audit.event import Event

__all__ = [
    "AccessEnded",
    "AccessGranted",
    "AccessRequested",
    "ApprovalAnswered",
    "ApprovalEscalated",
    "ApprovalExpired",
    "ApprovalMoved",
    "ApprovalOpened",
    "ApprovalRequested",
    "DeputyNamed",
    "DeputyRemoved",
    "ElevationGiven",
    "ElevationRevoked",
    "ElevationUsed",
    "EmergencyOverdue",
    "EmergencyReviewed",
    "EmergencyTaken",
    "NotificationFailed",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequested(Event):
    """A call waits for people. `needs` is what for, such as `approval:manager` or `confirmation:urn:remit:acr:phr`."""

    kind: ClassVar[str] = "approval.requested"
    approval: str
    server: str
    name: str
    digest: str
    needs: tuple[str, ...]
    rules: tuple[str, ...]
    decision_id: str
    expires_at: int
    justification: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalOpened(Event):
    """Somebody who may answer was shown the call, in the words of that digest."""

    kind: ClassVar[str] = "approval.opened"
    approval: str
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalAnswered(Event):
    """`verdict` is `confirmed`, `approved`, `refused`, or `withdrawn` by its own person; `capacity` is in what role, and for whom as a deputy."""

    kind: ClassVar[str] = "approval.answered"
    approval: str
    verdict: str
    capacity: str
    shown: str
    acr: str
    seconds: int
    """How long the words were in front of them."""
    reason: str = ""
    outstanding: tuple[str, ...] = ()
    """What it waits for still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalExpired(Event):
    """Nobody answered in time, or what it rested on is gone; `reason` says which."""

    kind: ClassVar[str] = "approval.expired"
    approval: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalEscalated(Event):
    """It waited so long that people in `roles` may answer it, too, and are told."""

    kind: ClassVar[str] = "approval.escalated"
    approval: str
    roles: tuple[str, ...]
    told: tuple[str, ...] = ()
    """The notifiers by which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalMoved(Event):
    """What waits, or was allowed and not used yet, counts for the grant that its person gave after it."""

    kind: ClassVar[str] = "approval.moved"
    approval: str
    elevation: str | None
    """What was allowed; `None` where it still waits."""
    former: str
    """The grant that it counted for until then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElevationGiven(Event):
    """A grant for one call, or for a while, came into being below the caller's own."""

    kind: ClassVar[str] = "elevation.given"
    elevation: str
    approval: str
    parent: str
    scopes: tuple[str, ...]
    digest: str
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ElevationUsed(Event):
    """It admitted the call of that decision, and admits no other."""

    kind: ClassVar[str] = "elevation.used"
    elevation: str
    decision_id: str
    given_back: bool = False
    """Whether it was given back for the retry that the server asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElevationRevoked(Event):
    """It ended before it was used."""

    kind: ClassVar[str] = "elevation.revoked"
    reserved: ClassVar[bool] = True
    elevation: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequested(Event):
    """Somebody asked to have more for a while."""

    kind: ClassVar[str] = "access.requested"
    access: str
    offer: str
    holder: str
    seconds: int
    justification: str
    ticket: str = ""
    waits_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessGranted(Event):
    """They have it until then."""

    kind: ClassVar[str] = "access.granted"
    access: str
    offer: str
    holder: str
    role: str | None
    scopes: tuple[str, ...]
    expires_at: int
    approved_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEnded(Event):
    """It is over, with every access token that said something by it. `how`: `expired`, `returned`, `revoked`, `refused`."""

    kind: ClassVar[str] = "access.ended"
    reserved: ClassVar[bool] = True
    access: str
    how: str
    reason: str = ""
    tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyTaken(Event):
    """Somebody broke the glass: what they took, why, and by when it has to be reviewed."""

    kind: ClassVar[str] = "emergency.taken"
    access: str
    name: str
    holder: str
    justification: str
    acr: str
    expires_at: int
    review_by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyOverdue(Event):
    """Nobody reviewed it by then. Its notifiers tell it once more; it has to be reviewed all the same."""

    kind: ClassVar[str] = "emergency.overdue"
    access: str
    name: str
    review_by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyReviewed(Event):
    """Somebody else looked at what was done with it. `verdict`: `justified` or `unjustified`."""

    kind: ClassVar[str] = "emergency.reviewed"
    access: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeputyNamed(Event):
    """Somebody answers in another's place until then."""

    kind: ClassVar[str] = "deputy.named"
    absent: str
    deputy: str
    role: str
    expires_at: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeputyRemoved(Event):
    """They do no longer."""

    kind: ClassVar[str] = "deputy.removed"
    reserved: ClassVar[bool] = True
    absent: str
    deputy: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationFailed(Event):
    """People could not be told that something waits; it waits all the same, and their inbox has it."""

    kind: ClassVar[str] = "notification.failed"
    approval: str
    notifier: str
    attempts: int
    error: str
