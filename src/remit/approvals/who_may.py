"""Who may answer a request, in what capacity, and how strongly they have to have logged in. Pure.

A confirmation is for the person of the call, and for nobody else. An approval is for those who hold the role, own the
server where the rule says so, or hold the role that it escalates to by now; for a deputy of one of these. Never for the
person of the call under any account, and for whoever owns the agent only where it takes somebody else besides.

Source: docs/adr/0025-cures.md, "Who may answer".
"""

from dataclasses import dataclass

from remit.approvals.deputy import Deputy
from remit.approvals.person import Person, owner_name
from remit.approvals.request import Part, PartKind, Request, RequestState
from remit.clock import EpochSeconds, Seconds
from remit.ids import AgentId, UserId
from remit.model import ACR_VALUES, Catalog

__all__ = [
    "Capacity",
    "Demand",
    "Seat",
    "Standpoint",
    "capacities",
    "demand_of",
    "may_see",
]


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


def capacities(
    request: Request,
    standpoint: Standpoint,
    catalog: Catalog,
    *,
    requester: tuple[str, ...],
    now: EpochSeconds,
) -> tuple[Capacity, ...]:
    """Every capacity in which they can meet a part of `request`; none where it is not for them to say.

    `requester` are all names of the person of the call.
    """
    raise NotImplementedError


def may_see(
    request: Request, standpoint: Standpoint, catalog: Catalog, *, requester: tuple[str, ...]
) -> bool:
    """Whether they may know of it: the person of the call, and whoever may answer it, now or once it escalates."""
    raise NotImplementedError


def demand_of(
    request: Request, parts: tuple[Part, ...], person: Person, *, now: EpochSeconds
) -> Demand | None:
    """What is wanting still of how `person` logged in, for answering for `parts`; `None`: nothing."""
    raise NotImplementedError
