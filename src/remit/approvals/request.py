"""A request to people: which call or which access it is about, who has to say what, and what they said.

Nothing here decides; `who_may` says who may answer, `tally` whether enough of them did.

Source: docs/adr/0025-cures.md.
"""

from dataclasses import dataclass
from enum import StrEnum

from remit.canonical import JsonObject
from remit.clock import EpochSeconds, Seconds
from remit.ids import AgentId, ClientId, GrantId, ScopeName, ServerName, TenantId, UserId
from remit.model import Environment, Escalation
from remit.policy.evaluation import ResourceKind

__all__ = [
    "ACCESS",
    "About",
    "Answer",
    "Part",
    "PartKind",
    "Request",
    "RequestState",
    "Verdict",
]

ACCESS = "access"
"""The kind of thing that a request about access names in its row."""


class RequestState(StrEnum):
    """How far it is. It leaves `WAITING` once."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class About(StrEnum):
    """What people are asked about."""

    CALL = "call"
    ACCESS = "access"


class PartKind(StrEnum):
    """Whose word it takes."""

    CONFIRMATION = "confirmation"
    """Of the person whom the agent acts for, and of nobody else."""
    APPROVAL = "approval"
    """Of somebody else, who holds a role."""


class Verdict(StrEnum):
    """What somebody said. Who confirms and who approves is told from what they were asked."""

    CONFIRMED = "confirmed"
    APPROVED = "approved"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of the things that are wanting. All of them have to be met."""

    kind: PartKind
    acr: str | None = None
    """How strongly whoever answers must have logged in at least."""
    fresh: Seconds | None = None
    """How long ago they may have done so when they answer."""
    anew: bool = False
    """Whether they must have done so since the request was made."""
    role: str | None = None
    """Of an approval: who holds it may give it, and in its name it is given."""
    quorum: int = 1
    """How many people it takes."""
    rule: str = ""
    """The rule of `approvals.yaml` that it comes from; empty for none."""
    owners: bool = False
    """Whether whoever owns the server may give it besides."""
    escalation: Escalation | None = None
    scope: ScopeName | None = None
    """Of a confirmation: what the call may use then, besides what its token has."""
    notify: tuple[str, ...] = ()
    """The notifiers that tell those who may answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one person said.

    `capacity` is in what role, and for whom as a deputy: `role:manager`,
    `owner`, `escalated:director`, `deputy:usr_…:manager`, `person` for the person of the call.
    """

    person: UserId
    verdict: Verdict
    capacity: str
    acr: str
    auth_time: EpochSeconds
    shown: str
    """The SHA-256 of the words that were in front of them."""
    shown_at: EpochSeconds
    at: EpochSeconds
    reason: str = ""
    counts_for: tuple[int, ...] = ()
    """The parts, by their place in `Request.parts`, that it can count for; it counts for one approval at most."""
    known_as: tuple[str, ...] = ()
    """Every name that this person has here, and whoever they stand in for: no other account of theirs answers, too."""
    seat: UserId | None = None
    """Whose place they took as a deputy; nobody takes it twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. Of an access, `server` is `remit`, `thing` the offer, and `grant_id` the id of the access."""

    id: str
    state: RequestState
    about: About
    tenant: TenantId
    user_id: UserId | None
    """Whom the agent acts for; `None` for a workload."""
    agent_id: AgentId
    client_id: ClientId
    grant_id: GrantId
    server: ServerName
    kind: ResourceKind | None
    """`None` of an access."""
    thing: str
    definition: str | None
    environment: Environment | None
    parts: tuple[Part, ...]
    arguments: JsonObject | None
    """As they will be sent; `None` once the request has ended, for they are destroyed then."""
    justification: str | None
    """In the caller's own words; `None`, too, once the request has ended."""
    decision_id: str
    policy_version: str
    asked: int
    """How often it was asked since anything happened."""
    created_at: EpochSeconds
    opened_at: EpochSeconds | None
    ended_at: EpochSeconds | None
    expires_at: EpochSeconds
    holds: Seconds
    """How long what is approved may be used."""
    digest: str
    """Keyed: equal for equal calls alone."""
    actors: tuple[AgentId, ...] = ()
    """The agents that the call was handed through besides; whose owners are as little a second person."""
    held: str | None = None
    """The elevation that there was already, and did not suffice: it becomes part of what this one makes."""
    escalated_at: EpochSeconds | None = None
    reason: str = ""
    """Why it was refused or withdrawn, or how it came to its end."""
    answers: tuple[Answer, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it waits for somebody still, as far as its row says."""
        return self.state is RequestState.WAITING

    def escalates_after(self, now: EpochSeconds) -> EpochSeconds | None:
        """When next, later than `now`, more people may answer a part of it; `None`: never."""
        times = (
            EpochSeconds(self.created_at + part.escalation.after)
            for part in self.parts
            if part.escalation is not None
        )
        return min((at for at in times if at > now), default=None)

    @property
    def alone(self) -> bool:
        """Whether the person of the call can meet all of it by themselves."""
        return all(one.kind is PartKind.CONFIRMATION for one in self.parts)
