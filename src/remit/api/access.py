"""Access for a while: what may be asked for, asking for it, giving it back, taking it away; and emergency access.

Whoever asks is who the token says; at the socket the body says for whom. What is another organisation's is not there.
"""

from typing import Annotated, Any, Final

from pydantic import Field

from remit.api.deps import ApiDeps
from remit.api.holder import holder_of, reviewer_of
from remit.api.operation import (
    AnyOperation,
    Asked,
    Flag,
    Nothing,
    Operation,
    Reason,
    Shape,
    Text,
    Why,
)
from remit.api.problems import BadRequestError
from remit.approvals.access import (
    Access,
    AccessKind,
    AccessState,
    Offered,
    Review,
    Wish,
)
from remit.approvals.access_store import AccessFilter
from remit.clock import EpochSeconds, Seconds
from remit.model import AccessOffer

__all__ = ["ACCESS_OPERATIONS", "Asking", "shown_access", "shown_offer"]


class AccessShown(Shape):
    """What somebody asked for, has or had. While it waits, `expires_at` is when the request lapses."""

    id: str
    offer: str
    kind: str
    state: str
    tenant: str
    holder_kind: str
    holder: str
    agent: str | None
    role: str | None
    scopes: list[str]
    justification: dict[str, str]
    ticket: str
    seconds: int
    until: int | None
    requested_at: int
    approval: str | None
    approved_by: list[str]
    granted_at: int | None
    expires_at: int
    ended_at: int | None
    how: str | None
    reason: str | None
    review_by: int | None
    reviewed_at: int | None
    reviewed_by: str | None
    verdict: str | None
    overdue: bool


class AccessPage(Shape):
    """The latest first."""

    access: list[AccessShown]


class OfferShown(Shape):
    """Something that may be had: with an `approver`, or at once; `kind` is `offer` or `emergency`."""

    name: str
    kind: str
    role: str | None
    scopes: list[str]
    servers: list[str]
    environments: list[str]
    longest: int
    approver: str | None
    reviewer: str | None
    justification: list[str]
    acr: str | None


class OfferPage(Shape):
    """What whoever asks may ask for, by name."""

    offers: list[OfferShown]


class AccessQuery(Shape):
    """Which ones; without anything, all."""

    tenant: Text | None = None
    holder: Text | None = None
    offer: Text | None = None
    state: AccessState | None = None


class EmergencyQuery(Shape):
    """Which ones; without anything, all."""

    tenant: Text | None = None
    unreviewed: Flag = False


class HolderQuery(Shape):
    """At the socket alone: whose."""

    holder: Text | None = None


class Asking(Shape):
    """As an agent asks, through the tool."""

    offer: Text
    seconds: int = Field(ge=1)
    justification: dict[Annotated[str, Field(max_length=100)], Reason]
    ticket: Reason = ""


class Requested(Shape):
    """What to have, for how long (`seconds`) or until when (`until`, an instant), and why."""

    offer: Text
    seconds: int | None = Field(default=None, ge=1)
    until: int | None = Field(default=None, ge=1, lt=2**53)
    justification: dict[Annotated[str, Field(max_length=100)], Reason] = Field(default_factory=dict)
    ticket: Reason = ""
    holder: Text | None = None
    """At the socket alone: for whom, a user's name or id, or `agent:` and an agent's id."""


class Returned(Shape):
    """Why; and at the socket, whose."""

    reason: Reason = ""
    holder: Text | None = None


class Reviewed(Shape):
    """What was found of it, and why."""

    verdict: Review
    reason: Text


async def _offers(deps: ApiDeps, asked: Asked[HolderQuery, Nothing]) -> OfferPage:
    if asked.by.token is None and asked.query.holder is None:
        approvals = deps.directory.catalog.approvals
        every: list[Offered] = list(approvals.access.values())
        every.extend(approvals.emergency.values())
        every.sort(key=lambda one: one.name)
        return OfferPage(offers=[shown_offer(one) for one in every])
    holder = await holder_of(deps, asked.by, asked.query.holder)
    offers = [shown_offer(one) for one in deps.access.offers_for(holder)]
    emergencies = [shown_offer(one) for one in deps.access.emergencies_for(holder)]
    return OfferPage(offers=[*offers, *emergencies])


async def _list(deps: ApiDeps, asked: Asked[AccessQuery, Nothing]) -> AccessPage:
    query = asked.query
    wanted = AccessFilter(
        tenant=asked.by.narrowed(query.tenant),
        holder=query.holder,
        offer=query.offer,
        state=query.state,
    )
    found = await deps.access.listed(wanted)
    return AccessPage(access=[shown_access(one, asked.at) for one in found])


async def _mine(deps: ApiDeps, asked: Asked[HolderQuery, Nothing]) -> AccessPage:
    holder = await holder_of(deps, asked.by, asked.query.holder)
    found = await deps.access.held_by(holder)
    return AccessPage(access=[shown_access(one, asked.at) for one in found])


async def _request(deps: ApiDeps, asked: Asked[Nothing, Requested]) -> AccessShown:
    holder = await holder_of(deps, asked.by, asked.body.holder)
    made = await deps.access.request(holder, _wish(asked.body), context=asked.context)
    return shown_access(made, asked.at)


async def _take(deps: ApiDeps, asked: Asked[Nothing, Requested]) -> AccessShown:
    holder = await holder_of(deps, asked.by, asked.body.holder)
    taken = await deps.access.take(holder, _wish(asked.body), context=asked.context)
    return shown_access(taken, asked.at)


async def _show(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> AccessShown:
    found = await deps.access.read(asked.path["access"], tenant=asked.by.tenant)
    return shown_access(found, asked.at)


async def _return(deps: ApiDeps, asked: Asked[Nothing, Returned]) -> AccessShown:
    holder = await holder_of(deps, asked.by, asked.body.holder)
    ended = await deps.access.end(
        asked.path["access"], holder=holder, reason=asked.body.reason, context=asked.context
    )
    return shown_access(ended, asked.at)


async def _end(deps: ApiDeps, asked: Asked[Nothing, Why]) -> AccessShown:
    ended = await deps.access.end(
        asked.path["access"],
        holder=None,
        tenant=asked.by.tenant,
        reason=asked.body.reason,
        context=asked.context,
    )
    return shown_access(ended, asked.at)


async def _emergencies(deps: ApiDeps, asked: Asked[EmergencyQuery, Nothing]) -> AccessPage:
    wanted = AccessFilter(
        tenant=asked.by.narrowed(asked.query.tenant),
        kind=AccessKind.EMERGENCY,
        unreviewed=asked.query.unreviewed,
    )
    found = await deps.access.listed(wanted)
    return AccessPage(access=[shown_access(one, asked.at) for one in found])


async def _review(deps: ApiDeps, asked: Asked[Nothing, Reviewed]) -> AccessShown:
    reviewer = await reviewer_of(deps, asked.by)
    reviewed = await deps.access.review(
        asked.path["access"],
        reviewer,
        asked.body.verdict,
        reason=asked.body.reason,
        context=asked.context,
    )
    return shown_access(reviewed, asked.at)


def _wish(body: Requested) -> Wish:
    if (body.seconds is None) == (body.until is None):
        raise BadRequestError("either `seconds` or `until` says for how long")
    return Wish(
        offer=body.offer,
        seconds=Seconds(body.seconds or 0),
        justification=dict(body.justification),
        ticket=body.ticket,
        until=None if body.until is None else EpochSeconds(body.until),
    )


def shown_offer(one: Offered) -> OfferShown:
    """What an offer, or emergency access, is."""
    is_offer = isinstance(one, AccessOffer)
    return OfferShown(
        name=one.name,
        kind=(AccessKind.OFFER if is_offer else AccessKind.EMERGENCY).value,
        role=one.role,
        scopes=list(one.scopes),
        servers=list(one.servers) if isinstance(one, AccessOffer) else [],
        environments=list(one.environments),
        longest=one.longest,
        approver=one.approver if isinstance(one, AccessOffer) else None,
        reviewer=None if isinstance(one, AccessOffer) else one.reviewer,
        justification=list(one.justification),
        acr=one.acr,
    )


def shown_access(one: Access, now: EpochSeconds) -> AccessShown:
    """One access, as it is at `now`."""
    over = one.state in {AccessState.ACTIVE, AccessState.WAITING} and one.expires_at <= now
    members: dict[str, Any] = {
        "id": one.id,
        "offer": one.offer,
        "kind": one.kind.value,
        # What is over counts no longer, whether or not that was noted yet.
        "state": (AccessState.ENDED if over else one.state).value,
        "tenant": one.tenant,
        "holder_kind": one.holder_kind.value,
        "holder": one.holder,
        "agent": one.agent_id,
        "role": one.role,
        "scopes": list(one.scopes),
        "justification": dict(one.justification),
        "ticket": one.ticket,
        "seconds": one.seconds,
        "until": one.until,
        "requested_at": one.requested_at,
        "approval": one.approval,
        "approved_by": list(one.approved_by),
        "granted_at": one.granted_at,
        "expires_at": one.expires_at,
        "ended_at": one.ended_at,
        "how": one.how,
        "reason": one.ended_for,
        "review_by": one.review_by,
        "reviewed_at": one.reviewed_at,
        "reviewed_by": one.reviewed_by,
        "verdict": one.verdict,
        "overdue": one.is_overdue(now),
    }
    return AccessShown(**members)


ACCESS_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="access-offers.list", run=_offers, query=HolderQuery, body=Nothing, answer=OfferPage),
    Operation(name="access.list", run=_list, query=AccessQuery, body=Nothing, answer=AccessPage),
    Operation(name="access.mine", run=_mine, query=HolderQuery, body=Nothing, answer=AccessPage),
    Operation(name="access.request", run=_request, query=Nothing, body=Requested, answer=AccessShown),
    Operation(name="access.show", run=_show, query=Nothing, body=Nothing, answer=AccessShown),
    Operation(name="access.return", run=_return, query=Nothing, body=Returned, answer=AccessShown),
    Operation(name="access.end", run=_end, query=Nothing, body=Why, answer=AccessShown),
    Operation(name="emergency.list", run=_emergencies, query=EmergencyQuery, body=Nothing, answer=AccessPage),
    Operation(name="emergency.take", run=_take, query=Nothing, body=Requested, answer=AccessShown),
    Operation(name="emergency.review", run=_review, query=Nothing, body=Reviewed, answer=AccessShown),
)  # fmt: skip
