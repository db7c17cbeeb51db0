"""Requests to people: what waits, what was said, how fast; and a person's own yes or no.

Whoever administers sees which thing was asked for and who answered, never the arguments; those are shown to whom they
are asked of, with the digest of all that was shown, which an answer has to name.
"""

import hashlib
from typing import Annotated, Any, Final

from pydantic import Field

from remit.api.answerer import page_of_request, person_asking, require_answerer
from remit.api.deps import ApiDeps
from remit.api.operation import (
    AnyOperation,
    Asked,
    Nothing,
    Number,
    Operation,
    Reason,
    Shape,
    Text,
    Why,
)
from remit.api.paging import Page, Paged, cursor_of, place_of
from remit.approvals.errors import NotYoursError, ShownChangedError
from remit.approvals.figures import Figures
from remit.approvals.person import Person
from remit.approvals.request import Answer, Part, Request, RequestState, Verdict
from remit.approvals.request_store import find_request
from remit.canonical import canonical_bytes
from remit.clock import EpochSeconds

__all__ = ["APPROVAL_OPERATIONS"]

_DAY: Final = 86_400


class PartShown(Shape):
    """One of the things that are wanting: a `confirmation` by the person, or an `approval` by others."""

    kind: str
    role: str | None
    quorum: int
    acr: str | None
    scope: str | None
    rule: str


class AnswerShown(Shape):
    """What somebody said, in what capacity, and for how long they had looked."""

    person: str
    verdict: str
    capacity: str
    at: int
    seconds: int
    reason: str


class ApprovalListed(Shape):
    """A request to people, without what the call would say."""

    id: str
    state: str
    about: str
    tenant: str
    user: str | None
    agent: str
    client: str
    server: str
    kind: str | None
    name: str
    environment: str | None
    needs: list[PartShown]
    asked: int
    created_at: int
    expires_at: int
    opened_at: int | None
    escalated_at: int | None
    ended_at: int | None
    decision_id: str
    url: str
    answers: list[AnswerShown]


class ApprovalPage(Page):
    """The latest first."""

    approvals: list[ApprovalListed]


class Inbox(Shape):
    """What waits for the person, the oldest first."""

    approvals: list[ApprovalListed]


class ApprovalSeen(ApprovalListed):
    """A request as it is put to the person. `shown` is the digest that an answer names; `demand`: log in so first."""

    arguments: dict[str, Any] | None
    justification: str | None
    shown: str
    demand_acr: str | None
    demand_max_age: int | None


class ApprovalQuery(Paged):
    """Which requests; without anything, all."""

    tenant: Text | None = None
    state: RequestState | None = None


class FigureQuery(Shape):
    """Of which organisation, and of how many days."""

    tenant: Text | None = None
    days: Annotated[Number, Field(ge=1, le=3_650)] = 30


class FigureShown(Shape):
    """How somebody answers, or how a rule is answered. `hasty`: sooner than anybody reads."""

    person: str | None
    rule: str | None
    approved: int
    refused: int
    expired: int
    median_seconds: int | None
    hasty: int


class FigureList(Shape):
    """Over all first, then by person, then by rule."""

    since: int
    figures: list[FigureShown]


class Reply(Shape):
    """Yes or no, to what was shown with that digest."""

    shown: Text
    reason: Reason = ""


async def _list(deps: ApiDeps, asked: Asked[ApprovalQuery, Nothing]) -> ApprovalPage:
    query, before = asked.query, None
    if query.cursor is not None:
        at, last = place_of(query.cursor, like=(0, ""))
        before = (EpochSeconds(int(at)), str(last))
    found = await deps.approvals.requests(
        asked.by.narrowed(query.tenant), state=query.state, before=before, limit=query.limit + 1
    )
    shown = found[: query.limit]
    more = len(found) > len(shown)
    return ApprovalPage(
        approvals=[ApprovalListed(**_listed(deps, one)) for one in shown],
        next=cursor_of((shown[-1].created_at, shown[-1].id)) if more else None,
    )


async def _inbox(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> Inbox:
    found = await deps.approvals.inbox(await person_asking(deps, asked.by))
    return Inbox(approvals=[ApprovalListed(**_listed(deps, one)) for one in found])


async def _stats(deps: ApiDeps, asked: Asked[FigureQuery, Nothing]) -> FigureList:
    start = EpochSeconds(max(0, asked.at - asked.query.days * _DAY))
    found = await deps.approvals.figures(asked.by.narrowed(asked.query.tenant), since=start)
    return FigureList(since=start, figures=[_figures(one) for one in found])


async def _show(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> ApprovalListed:
    stored = await deps.database.read(lambda tx: find_request(tx, asked.path["approval"]))
    if stored is None or not asked.by.sees(stored.request.tenant):
        raise NotYoursError
    return ApprovalListed(**_listed(deps, stored.request))


async def _look(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> ApprovalSeen:
    person = await person_asking(deps, asked.by)
    request = await deps.approvals.read(asked.path["approval"], person)
    shown = _digest(request)
    await deps.approvals.opened(request.id, person, shown=shown, context=asked.context)
    demand = await deps.approvals.demand(request.id, person)
    return ApprovalSeen(
        **_listed(deps, request),
        arguments=request.arguments,
        justification=request.justification,
        shown=shown,
        demand_acr=None if demand is None else demand.acr,
        demand_max_age=None if demand is None else demand.max_age,
    )


async def _approve(deps: ApiDeps, asked: Asked[Nothing, Reply]) -> ApprovalListed:
    person = await person_asking(deps, asked.by)
    request = await deps.approvals.read(asked.path["approval"], person)
    require_answerer(deps, asked.by.token, request)
    return await _answer(deps, asked, person, request=request, verdict=Verdict.APPROVED)


async def _refuse(deps: ApiDeps, asked: Asked[Nothing, Reply]) -> ApprovalListed:
    person = await person_asking(deps, asked.by)
    request = await deps.approvals.read(asked.path["approval"], person)
    return await _answer(deps, asked, person, request=request, verdict=Verdict.REFUSED)


async def _answer(
    deps: ApiDeps,
    asked: Asked[Nothing, Reply],
    person: Person,
    *,
    request: Request,
    verdict: Verdict,
) -> ApprovalListed:
    if request.is_open and asked.body.shown != _digest(request):
        raise ShownChangedError("look at it once more: it is not what was shown to you")
    answered = await deps.approvals.answer(
        request.id,
        person,
        verdict,
        shown=asked.body.shown,
        reason=asked.body.reason,
        context=asked.context,
    )
    return ApprovalListed(**_listed(deps, answered))


async def _withdraw(deps: ApiDeps, asked: Asked[Nothing, Why]) -> ApprovalListed:
    person = await person_asking(deps, asked.by)
    request = await deps.approvals.withdraw(
        asked.path["approval"], person, reason=asked.body.reason, context=asked.context
    )
    return ApprovalListed(**_listed(deps, request))


def _digest(request: Request) -> str:
    """The SHA-256 of all that this door shows of the call: what does not change while it waits."""
    shown = {
        "id": request.id,
        "tenant": request.tenant,
        "user": request.user_id,
        "agent": request.agent_id,
        "client": request.client_id,
        "server": request.server,
        "kind": None if request.kind is None else request.kind.value,
        "name": request.thing,
        "definition": request.definition,
        "environment": request.environment,
        "arguments": request.arguments,
        "justification": request.justification,
        "holds": request.holds,
    }
    return hashlib.sha256(canonical_bytes(shown)).hexdigest()


def _listed(deps: ApiDeps, one: Request) -> dict[str, Any]:
    return {
        "id": one.id,
        "state": one.state.value,
        "about": one.about.value,
        "tenant": one.tenant,
        "user": one.user_id,
        "agent": one.agent_id,
        "client": one.client_id,
        "server": one.server,
        "kind": None if one.kind is None else one.kind.value,
        "name": one.thing,
        "environment": one.environment,
        "needs": [_part(part) for part in one.parts],
        "asked": one.asked,
        "created_at": one.created_at,
        "expires_at": one.expires_at,
        "opened_at": one.opened_at,
        "escalated_at": one.escalated_at,
        "ended_at": one.ended_at,
        "decision_id": one.decision_id,
        "url": page_of_request(deps, one),
        "answers": [_said(answer) for answer in one.answers],
    }


def _part(one: Part) -> PartShown:
    return PartShown(
        kind=one.kind.value,
        role=one.role,
        quorum=one.quorum,
        acr=one.acr,
        scope=one.scope,
        rule=one.rule,
    )


def _said(one: Answer) -> AnswerShown:
    return AnswerShown(
        person=one.person,
        verdict=one.verdict.value,
        capacity=one.capacity,
        at=one.at,
        seconds=one.at - one.shown_at,
        reason=one.reason,
    )


def _figures(one: Figures) -> FigureShown:
    return FigureShown(
        person=one.person,
        rule=one.rule,
        approved=one.approved,
        refused=one.refused,
        expired=one.expired,
        median_seconds=one.median_seconds,
        hasty=one.hasty,
    )


APPROVAL_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="approvals.list", run=_list, query=ApprovalQuery, body=Nothing, answer=ApprovalPage),
    Operation(name="approvals.inbox", run=_inbox, query=Nothing, body=Nothing, answer=Inbox),
    Operation(name="approvals.stats", run=_stats, query=FigureQuery, body=Nothing, answer=FigureList),
    Operation(name="approvals.show", run=_show, query=Nothing, body=Nothing, answer=ApprovalListed),
    Operation(name="approvals.look", run=_look, query=Nothing, body=Nothing, answer=ApprovalSeen),
    Operation(name="approvals.approve", run=_approve, query=Nothing, body=Reply, answer=ApprovalListed),
    Operation(name="approvals.refuse", run=_refuse, query=Nothing, body=Reply, answer=ApprovalListed),
    Operation(name="approvals.withdraw", run=_withdraw, query=Nothing, body=Why, answer=ApprovalListed),
)  # fmt: skip
