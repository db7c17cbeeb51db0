"""What people are told, when it is tried again, and when that is given up.

A notification says that something waits and where to log in. Never in it: an argument, a justification, a token, the name
of a person, a way to answer. Of a resource not even the name, for its URI may say as much as an argument.
What was told twice is told under one id. Nothing waits for its being told: the inbox has it in any case.

Source: docs/adr/0025-cures.md; Standard Webhooks specification 1.0.
"""

import string
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from remit.approvals.request import ACCESS, Request
from remit.canonical import JsonObject
from remit.clock import EpochSeconds, Seconds
from remit.errors import Error
from remit.policy.evaluation import ResourceKind

__all__ = [
    "EMERGENCY_LASTS",
    "NotSentError",
    "Notice",
    "Notification",
    "Occasion",
    "inert",
    "next_attempt",
    "notice_json",
    "notice_of",
    "page_of",
]

EMERGENCY_LASTS: Final = Seconds(24 * 3600)
"""How long it is tried to tell that somebody broke the glass, or that nobody looked at it in time."""

_PAUSES: Final = (15, 30, 60, 120, 300, 600, 1_200, 3_600)
"""Seconds to the next attempt, after each; the last one over and over. None is shorter than an attempt may take."""
_PLAIN: Final = frozenset(f"{string.ascii_letters}{string.digits} _-.,:;/+=%$?")
_LONGEST: Final = 120


class Occasion(StrEnum):
    """What happened, in the words of the webhook's `type`."""

    REQUESTED = "approval.requested"
    ESCALATED = "approval.escalated"
    EMERGENCY = "emergency.taken"
    OVERDUE = "emergency.overdue"

    @property
    def is_emergency(self) -> bool:
        """Whether it is about access that was taken in an emergency."""
        return self in (Occasion.EMERGENCY, Occasion.OVERDUE)


class NotSentError(Error):
    """It did not arrive, or nobody can tell that it did. `told` is a short code without any secret.

    `for_good`: trying again changes nothing. `answered`: somebody was there, and said no to this one.
    """

    code: ClassVar[str] = "notification_not_sent"

    def __init__(
        self,
        told: str,
        *,
        for_good: bool = False,
        answered: bool = False,
        cause: BaseException | None = None,
    ) -> None:
        super().__init__(f"the notification was not sent: `{told}`", cause=cause)
        self.told = told
        self.answered = answered
        self.for_good = for_good


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What happened to which request (`apr_…`) or access (`acc_…`), as far as anybody may be told who is not logged in.

    `kind` is `tool`, `resource`, `prompt`, `access` or `emergency`. After `ends_at` it is worth nothing any more.
    """

    about: str
    occasion: Occasion
    tenant: str
    server: str
    kind: str
    name: str
    environment: str = ""
    agent: str | None = None
    roles: tuple[str, ...] = ()
    at: EpochSeconds
    ends_at: EpochSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A notice on its way to one notifier. `id` (`ntf_…`) stays the same however often it is tried."""

    id: str
    notifier: str
    notice: Notice
    attempts: int
    next_at: EpochSeconds


def next_attempt(attempts: int, *, now: EpochSeconds) -> EpochSeconds:
    """When to try again after so many attempts, the one under way counted in."""
    return EpochSeconds(now + _PAUSES[min(attempts, len(_PAUSES)) - 1])


def page_of(notices: Sequence[Notice], public_url: str) -> str:
    """Where to log in and see them: the page of one, the inbox for several."""
    if all(one.occasion.is_emergency for one in notices):
        return f"{public_url}/emergency"
    if len(notices) > 1:
        return f"{public_url}/approvals"
    return f"{public_url}/approvals/{notices[0].about}"


def inert(name: str) -> str:
    """`name` as it can stand in anybody's markup without becoming a link, a mention or another writing direction.

    Attack: a server whose tool is called `[approve](https://evil.example)` or `<!channel>`.
    """
    shown = "".join(one if one in _PLAIN else "?" for one in name).replace("://", ":??")
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."


def notice_of(request: Request, *, at: EpochSeconds) -> Notice:
    """What people who are not logged in may be told of `request`."""
    escalated = request.escalated_at is not None
    roles = (
        part.escalation.role if escalated and part.escalation is not None else part.role
        for part in request.parts
    )
    return Notice(
        about=request.id,
        occasion=Occasion.ESCALATED if escalated else Occasion.REQUESTED,
        tenant=request.tenant,
        server=request.server,
        kind=ACCESS if request.kind is None else request.kind.value,
        name="" if request.kind is ResourceKind.RESOURCE else request.thing,
        environment=request.environment or "",
        agent=request.agent_id,
        roles=tuple(dict.fromkeys(role for role in roles if role)),
        at=at,
        ends_at=request.expires_at,
    )


def notice_json(notice: Notice) -> JsonObject:
    """What is kept of it until it is delivered."""
    return {
        "about": notice.about,
        "occasion": notice.occasion.value,
        "tenant": notice.tenant,
        "server": notice.server,
        "kind": notice.kind,
        "name": notice.name,
        "environment": notice.environment,
        "agent": notice.agent,
        "roles": list(notice.roles),
        "at": notice.at,
        "ends_at": notice.ends_at,
    }
