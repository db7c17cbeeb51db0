"""What may be had for a while: who may ask for what, for how long, and who looks at it afterwards.

Pure rules. Refused, and told apart from what does not exist by nobody: an offer that is not for whoever asks. Refused
with a reason: more time than the policy repository allows, a justification that is not as it must be, proof of who
one is that is too weak, a role that one has already, and access that one has or has asked for already: there is no
renewal, only another request once the first is over.

An access counts only as far as the offer still says what it said when it was given, and only while its holder may
still have it: what is taken out of the repository, or a role that is taken away, ends it in effect at the next token.

Source: docs/adr/0025-cures.md; MISSION C4, C5.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar, Final, TypeAlias

from remit.clock import EpochSeconds, Seconds
from remit.errors import ConflictError, Error, NotFoundError
from remit.identity.session import satisfies
from remit.ids import AgentId, ClientId, ScopeName, TenantId
from remit.model import (
    AccessOffer,
    Approvals,
    Catalog,
    EmergencyAccess,
    JustificationField,
    Server,
)
from remit.policy.duties import is_blank

__all__ = [
    "Access",
    "AccessEnd",
    "AccessHeldError",
    "AccessKind",
    "AccessState",
    "AccessStrengthError",
    "Holder",
    "HolderKind",
    "NotYourReviewError",
    "Offered",
    "Review",
    "UnacceptableWishError",
    "Wish",
    "counts_at",
    "emergencies_for",
    "is_for",
    "no_such_offer",
    "offers_for",
    "require_wish",
    "with_ticket",
]

_TICKET: Final = re.compile(r"[\w.:/#-]{0,100}", re.ASCII)
_TOLD_TICKET: Final = "ticket"
_SHORTEST: Final = 60
"""A token has to be had and used in it."""

Offered: TypeAlias = AccessOffer | EmergencyAccess
"""What is asked for: with somebody's approval or without, or in an emergency."""


class AccessKind(StrEnum):
    """Whether somebody approves it first, or reviews it afterwards."""

    OFFER = "offer"
    EMERGENCY = "emergency"


class AccessState(StrEnum):
    """`waiting` for approval; `active`, until its end; `ended`; `refused`: never had."""

    WAITING = "waiting"
    ACTIVE = "active"
    ENDED = "ended"
    REFUSED = "refused"


class AccessEnd(StrEnum):
    """How it came to be over."""

    EXPIRED = "expired"
    RETURNED = "returned"
    REVOKED = "revoked"
    REFUSED = "refused"


class HolderKind(StrEnum):
    """Whose it is: a person's, through their agents, or an agent's that acts for itself."""

    USER = "user"
    AGENT = "agent"


class Review(StrEnum):
    """What somebody else said of emergency access."""

    JUSTIFIED = "justified"
    UNJUSTIFIED = "unjustified"


class UnacceptableWishError(Error):
    """What was asked for cannot be had in this way; `detail` says what to change."""

    code: ClassVar[str] = "unacceptable_access_request"


class AccessHeldError(ConflictError):
    """It is theirs already, or they wait for it: nothing is renewed or prolonged."""

    code: ClassVar[str] = "access_held"


class AccessStrengthError(Error):
    """Whoever asks has to have logged in more strongly, or, with `max_age`, not longer ago than so many seconds."""

    code: ClassVar[str] = "stronger_authentication_needed"

    def __init__(self, acr: str, *, max_age: Seconds | None = None) -> None:
        lately = "" if max_age is None else f", within the last {max_age} seconds,"
        super().__init__(f"log in as strongly as `{acr}`{lately} first")
        self.acr = acr
        self.max_age = max_age


class NotYourReviewError(Error):
    """Emergency access is reviewed by somebody of the reviewers' role who did not use it."""

    code: ClassVar[str] = "not_your_review"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who asks, and so whose it would be: as they are known now, with the roles that last.

    `id` is a user id, or the id of an agent that acts for itself. `agent_id`: the agent through which a person asks,
    for which alone it counts then; `None` when they ask themselves, for all of theirs. `acr` and `auth_time` are how
    and when they logged in.
    """

    kind: HolderKind
    id: str
    tenant: TenantId
    username: str = ""
    roles: tuple[str, ...] = ()
    acr: str | None = None
    auth_time: EpochSeconds | None = None
    agent_id: AgentId | None = None
    client_id: ClientId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asks to have, for how long, and why: one text for each field that has to be told."""

    offer: str
    seconds: Seconds
    justification: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    ticket: str = ""
    until: EpochSeconds | None = None
    """Not after this, whenever it is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What somebody asked for or has: one row. Until `granted_at`, `expires_at` is when the request lapses."""

    id: str
    offer: str
    kind: AccessKind
    state: AccessState
    tenant: TenantId
    holder_kind: HolderKind
    holder: str
    agent_id: AgentId | None
    role: str | None
    scopes: tuple[ScopeName, ...]
    justification: Mapping[str, str]
    ticket: str
    acr: str | None
    seconds: Seconds
    until: EpochSeconds | None
    requested_at: EpochSeconds
    expires_at: EpochSeconds
    approval: str | None = None
    """The request in the inbox that it waits for, or waited for."""
    approved_by: tuple[str, ...] = ()
    granted_at: EpochSeconds | None = None
    ended_at: EpochSeconds | None = None
    how: AccessEnd | None = None
    ended_for: str | None = None
    review_by: EpochSeconds | None = None
    reviewed_at: EpochSeconds | None = None
    reviewed_by: str | None = None
    verdict: Review | None = None
    overdue_at: EpochSeconds | None = None
    """When people were told that nobody reviewed it in time."""

    @property
    def is_unreviewed(self) -> bool:
        """Whether it is emergency access that stays in everybody's face."""
        return self.review_by is not None and self.reviewed_at is None

    def is_overdue(self, now: EpochSeconds) -> bool:
        """Whether the time in which it had to be reviewed is over, and nobody did."""
        return self.is_unreviewed and self.review_by is not None and self.review_by <= now

    def is_active(self, now: EpochSeconds) -> bool:
        """Whether it is theirs now."""
        return self.state is AccessState.ACTIVE and now < self.expires_at


def offers_for(holder: Holder, approvals: Approvals) -> tuple[AccessOffer, ...]:
    """What `holder` may ask for, by name."""
    offers = (approvals.access[name] for name in sorted(approvals.access))
    return tuple(offer for offer in offers if is_for(offer, holder))


def emergencies_for(holder: Holder, approvals: Approvals) -> tuple[EmergencyAccess, ...]:
    """Which glass `holder` may break, by name."""
    every = (approvals.emergency[name] for name in sorted(approvals.emergency))
    return tuple(one for one in every if is_for(one, holder))


def is_for(offered: Offered, holder: Holder) -> bool:
    """Whether `holder` may ask for it, and still have it.

    An agent that asks for its person has to be named besides the person's role: what it was talked into, others
    cannot do. Emergencies are people's, never their agents'.
    """
    is_person = holder.kind is HolderKind.USER
    match offered:
        case EmergencyAccess():
            return is_person and holder.agent_id is None and holder.username in offered.people
        case AccessOffer():
            if not is_person:
                return AgentId(holder.id) in offered.agents
            through = holder.agent_id is None or holder.agent_id in offered.agents
            return through and not set(offered.people_roles).isdisjoint(holder.roles)


def require_wish(
    wish: Wish, offered: Offered, holder: Holder, catalog: Catalog, *, now: EpochSeconds
) -> None:
    """Pass when `holder` may be given what `wish` says.

    Raises:
        NotFoundError: it is not for them; in the words for what does not exist.
        AccessStrengthError: they have to log in more strongly, or anew.
        UnacceptableWishError: too long, too short, or not justified as it must be.
        AccessHeldError: the role is theirs already.
    """
    if not is_for(offered, holder):
        raise no_such_offer()
    _require_login(offered, holder, now=now)
    if not _SHORTEST <= wish.seconds <= offered.longest:
        said = f"between {_SHORTEST} and {offered.longest}"
        raise UnacceptableWishError(
            f"`seconds` has to be {said}"
            if wish.until is None
            else f"`until` has to be {said} seconds from now"
        )
    if not _TICKET.fullmatch(wish.ticket):
        raise UnacceptableWishError("`ticket` is not the name of a ticket")
    _require_justification(wish, offered.justification, catalog.approvals)
    if offered.role is not None and offered.role in holder.roles:
        raise AccessHeldError(f"the role `{offered.role}` is yours already")


def with_ticket(wish: Wish, offered: Offered) -> Wish:
    """`wish` with its ticket told also where `offered` wants one told, so that nobody has to say it twice."""
    told = wish.justification.get(_TOLD_TICKET, "").strip()
    if not wish.ticket or told or _TOLD_TICKET not in offered.justification:
        return wish
    justification = MappingProxyType({**wish.justification, _TOLD_TICKET: wish.ticket})
    return replace(wish, justification=justification)


def no_such_offer() -> NotFoundError:
    """There is nothing of that name; the same words for what is not for whoever asks."""
    return NotFoundError("there is no such access to ask for")


def counts_at(access: Access, offered: Offered | None, server: Server) -> bool:
    """Whether what `access` gives is good at `server`, by what the repository says of it now."""
    if offered is None or (offered.role, offered.scopes) != (access.role, access.scopes):
        return False
    if offered.environments and server.environment not in offered.environments:
        return False
    servers = offered.servers if isinstance(offered, AccessOffer) else ()
    return not servers or server.name in servers


def _require_login(offered: Offered, holder: Holder, *, now: EpochSeconds) -> None:
    """An emergency takes a person who is there now, and not a browser that somebody left open."""
    fresh = offered.fresh if isinstance(offered, EmergencyAccess) else None
    if offered.acr is None:
        return
    strong = _is_strong_enough(holder, offered.acr)
    lately = fresh is None or (holder.auth_time is not None and holder.auth_time >= now - fresh)
    if not strong or not lately:
        raise AccessStrengthError(offered.acr, max_age=fresh)


def _is_strong_enough(holder: Holder, acr: str) -> bool:
    """Whether the person logged in so. An agent that acts for itself proved itself by its key or secret."""
    if holder.kind is HolderKind.AGENT:
        return True
    return holder.acr is not None and satisfies(holder.acr, acr)


def _require_justification(wish: Wish, wanted: tuple[str, ...], approvals: Approvals) -> None:
    for name in wanted:
        told = approvals.justifications.get(name) or JustificationField(name=name)
        text = wish.justification.get(name, "").strip()
        if not text or is_blank(text):
            raise UnacceptableWishError(f"`justification.{name}` is missing")
        fits = told.pattern is None or re.fullmatch(told.pattern, text)
        if len(text) > told.longest or not text.isprintable() or not fits:
            raise UnacceptableWishError(f"`justification.{name}` is not as it must be")
    if set(wish.justification) - set(wanted):
        raise UnacceptableWishError("`justification` has a field that is not asked for")
