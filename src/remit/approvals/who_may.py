"""Who may answer a request, in what capacity, and how strongly they have to have logged in. Pure.

A confirmation is for the person of the call, and for nobody else. An approval is for those who hold the role, own the
server where the rule says so, or hold the role that it escalates to by now; for a deputy of one of these. Never for the
person of the call under any account, and for whoever owns the agent only where it takes somebody else besides.

Source: docs/adr/0025-cures.md, "Who may answer"; NIST SP 800-53 AC-5 (separation of duties).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from remit.approvals.deputy import Deputy
from remit.approvals.person import Person, owner_name
from remit.approvals.request import Part, PartKind, Request
from remit.clock import EpochSeconds, Seconds
from remit.ids import AgentId, UserId
from remit.model import ACR_VALUES, Catalog

__all__ = [
    "Capacity",
    "Demand",
    "Seat",
    "Standpoint",
    "View",
    "capacities",
    "demand_of",
    "free_capacities",
    "has_answered",
    "is_person_of",
    "may_see",
]

_SKEW = 60
"""Seconds by which whoever saw the person log in may be ahead of us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Somebody absent for whom a person may answer: the deputyship, and who the absent one is at present."""

    deputy: Deputy
    roles: tuple[str, ...]
    """Those that the absent one holds."""
    known_as: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standpoint:
    """All that is known of whoever looks at a request, read in one transaction."""

    person: Person
    known_as: tuple[str, ...]
    seats: tuple[Seat, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A request as somebody looks at it. `requester` are all names of the person of the call."""

    request: Request
    standpoint: Standpoint
    catalog: Catalog
    requester: tuple[str, ...]
    now: EpochSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """In what capacity a person can meet which part."""

    part: int
    name: str
    """`person`, `role:…`, `owner`, `escalated:…`, or `deputy:<whose place>:…`."""
    seat: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """How somebody has to prove who they are before they may answer."""

    acr: str | None
    max_age: Seconds | None


def capacities(view: View) -> tuple[Capacity, ...]:
    """Every capacity in which they can meet a part of the request; none where it is not for them to say.

    One for each part at most, their own before another's.
    """
    request, standpoint = view.request, view.standpoint
    if standpoint.person.tenant != request.tenant:
        return ()
    if is_person_of(request, standpoint.person):
        return tuple(
            Capacity(part=place, name="person")
            for place, part in enumerate(request.parts)
            if part.kind is PartKind.CONFIRMATION
        )
    if _is_same(standpoint.known_as, view.requester):
        # The person of the call under another account of theirs.
        return ()
    found = (
        _as_approver(place, part, view)
        for place, part in enumerate(request.parts)
        if part.kind is PartKind.APPROVAL and not _is_alone(standpoint.known_as, part, view)
    )
    return tuple(one for one in found if one is not None)


def free_capacities(view: View) -> tuple[Capacity, ...]:
    """As `capacities`, but for those in which somebody has answered; none once they have, under whatever account."""
    if has_answered(view):
        return ()
    taken = {one.seat for one in view.request.answers} | {
        one.person for one in view.request.answers
    }
    if view.standpoint.person.user_id in taken:
        # Their deputy was in their place.
        return ()
    # Two accounts of one absent person are one place, whoever stands in for which.
    names = {name for one in view.request.answers for name in one.known_as}
    taken |= {
        seat.deputy.absent for seat in view.standpoint.seats if not names.isdisjoint(seat.known_as)
    }
    return tuple(one for one in capacities(view) if one.seat is None or one.seat not in taken)


def has_answered(view: View) -> bool:
    """Whether this person has, under whatever account, or a deputy in their place."""
    names = set(view.standpoint.known_as)
    return any(not names.isdisjoint(one.known_as) for one in view.request.answers)


def is_person_of(request: Request, person: Person) -> bool:
    """Whether it is their agent's call, under this very account."""
    return request.user_id is not None and person.user_id == request.user_id


def may_see(view: View) -> bool:
    """Whether they may know of it: the person of the call, whoever may answer it, and whoever has."""
    request, person = view.request, view.standpoint.person
    if person.tenant != request.tenant:
        return False
    if is_person_of(request, person) or any(
        one.person == person.user_id for one in request.answers
    ):
        return True
    return bool(capacities(view))


def demand_of(
    request: Request, parts: Sequence[Part], person: Person, *, now: EpochSeconds
) -> Demand | None:
    """What is wanting still of how `person` logged in, for answering for `parts`; `None`: nothing."""
    acr = max((one.acr for one in parts if one.acr is not None), key=_rank, default=None)
    ages = [one.fresh for one in parts if one.fresh is not None]
    if any(one.anew for one in parts):
        ages.append(Seconds(max(0, now - request.created_at)))
    max_age = min(ages, default=None)
    is_strong = acr is None or _rank(person.acr) >= _rank(acr) >= 0
    is_fresh = max_age is None or (
        now - max_age <= person.auth_time and person.auth_time <= now + _SKEW
    )
    return None if is_strong and is_fresh else Demand(acr=acr, max_age=max_age)


def _as_approver(place: int, part: Part, view: View) -> Capacity | None:
    standpoint = view.standpoint
    own = _title(part, view, roles=standpoint.person.roles, known_as=standpoint.known_as)
    if own is not None:
        return Capacity(part=place, name=own)
    for seat in standpoint.seats:
        if _is_same(seat.known_as, view.requester) or _is_same(seat.known_as, standpoint.known_as):
            # A deputy of the person of the call would be their own second person.
            continue
        if _is_alone(seat.known_as, part, view):
            continue
        roles = tuple(role for role in seat.roles if role == seat.deputy.role)
        if _title(part, view, roles=roles, known_as=()) is not None:
            absent = seat.deputy.absent
            return Capacity(part=place, name=f"deputy:{absent}:{seat.deputy.role}", seat=absent)
    return None


def _title(part: Part, view: View, *, roles: Sequence[str], known_as: Sequence[str]) -> str | None:
    """By what somebody with these roles and names may give the approval; `None`: by nothing."""
    if part.role in roles:
        return f"role:{part.role}"
    if part.owners:
        server = view.catalog.servers.get(view.request.server)
        owner = "" if server is None else owner_name(server.owner)
        if owner and owner in known_as:
            return "owner"
    escalation = part.escalation
    if (
        escalation is not None
        and escalation.role in roles
        and view.now >= view.request.created_at + escalation.after
    ):
        return f"escalated:{escalation.role}"
    return None


def _is_alone(known_as: Sequence[str], part: Part, view: View) -> bool:
    """Whether whoever has these names would approve a call of their own agent, and nobody else with them."""
    return part.quorum == 1 and _is_same(known_as, _owners_of_agents(view.request, view.catalog))


def _owners_of_agents(request: Request, catalog: Catalog) -> tuple[str, ...]:
    """The names of whoever answers for the agent, or for one that it acts through."""
    ids: tuple[AgentId, ...] = (request.agent_id, *request.actors)
    agents = (catalog.agents.get(one) for one in ids)
    return tuple(owner_name(agent.owner) for agent in agents if agent is not None and agent.owner)


def _is_same(some: Sequence[str], others: Sequence[str]) -> bool:
    """Whether two lists of names are of one person."""
    return not set(some).isdisjoint(others)


def _rank(acr: str | None) -> int:
    return ACR_VALUES.index(acr) if acr in ACR_VALUES else -1
