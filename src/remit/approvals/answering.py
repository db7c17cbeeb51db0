"""One person's answer: whether they may give it now, and what comes of it.

Opening a link approves nothing, and nobody says yes to what they have not been shown: an answer brings the digest of
the words that were put before this very person last. Saying no takes no stronger authentication than looking does.

Source: docs/adr/0025-cures.md, "Who may answer".
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from remit.approvals.answer_store import add_answer, opening_of
from remit.approvals.deps import ApprovalDeps
from remit.approvals.ending import circumstances, refuse_request
from remit.approvals.errors import (
    AlreadyAnsweredError,
    NotAskedError,
    RequestEndedError,
    RequestExpiredError,
    ShownChangedError,
    StrongerAuthenticationNeededError,
)
from remit.approvals.giving import give
from remit.approvals.looking import look
from remit.approvals.person import Person
from remit.approvals.request import Answer, Request, RequestState, Verdict
from remit.approvals.request_store import lock_request, mark_opened
from remit.approvals.sealing import opened_request
from remit.approvals.tally import need_name, outstanding
from remit.approvals.who_may import (
    Capacity,
    View,
    capacities,
    demand_of,
    free_capacities,
    has_answered,
    is_person_of,
)
from remit.audit.approval_events import ApprovalAnswered
from remit.audit.context import Context
from remit.db import Transaction
from remit.identity import find_user
from remit.ids import UserId

__all__ = ["Reply", "answer", "open_capacities", "withdraw"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What somebody says, to which words, and why."""

    verdict: Verdict
    shown: str
    reason: str = ""


def answer(
    tx: Transaction,
    deps: ApprovalDeps,
    request_id: str,
    person: Person,
    *,
    reply: Reply,
    context: Context,
) -> Request:
    """Take their answer; the request as it is then. The errors are those of `Desk.answer`."""
    view = look(tx, deps, request_id, person, alone=True)
    request, now = view.request, view.now
    mine = open_capacities(view)
    says_yes = reply.verdict is not Verdict.REFUSED
    if says_yes:
        parts = [request.parts[one.part] for one in mine]
        demand = demand_of(request, parts, person, now=now)
        if demand is not None:
            raise StrongerAuthenticationNeededError(demand.acr, demand.max_age)
    opening = opening_of(tx, request_id, person.user_id)
    if opening is None or opening[0] != reply.shown:
        raise ShownChangedError("what you answered is not what was shown to you last; look again")
    given = Answer(
        person=person.user_id,
        verdict=_verdict(says_yes=says_yes, of_their_own=is_person_of(request, person)),
        capacity=", ".join(dict.fromkeys(one.name for one in mine)),
        acr=person.acr,
        auth_time=person.auth_time,
        shown=reply.shown,
        shown_at=opening[1],
        at=now,
        reason=reply.reason,
        counts_for=tuple(one.part for one in mine),
        known_as=_names_filled(view, mine),
        seat=next((one.seat for one in mine if one.seat is not None), None),
    )
    if not add_answer(tx, request_id, given):
        raise AlreadyAnsweredError("you have answered this already")
    mark_opened(tx, request_id, at=request.opened_at or now)
    _take(tx, deps, request, given, context=circumstances(request, context))
    stored = lock_request(tx, request_id)
    return request if stored is None else opened_request(deps.box, stored)


def withdraw(
    tx: Transaction,
    deps: ApprovalDeps,
    request_id: str,
    person: Person,
    *,
    reason: str,
    context: Context,
) -> Request:
    """Take back what their own agent asked. The errors are those of `Desk.withdraw`."""
    view = look(tx, deps, request_id, person, alone=True)
    request = view.request
    if not is_person_of(request, person):
        raise NotAskedError("it is somebody else's; whoever is asked may refuse it")
    _require_open(view)
    context = circumstances(request, context)
    refuse_request(
        tx, deps, request, RequestState.WITHDRAWN, reason=reason or "withdrawn", context=context
    )
    tx.record(
        ApprovalAnswered(
            context=context,
            approval=request.id,
            verdict="withdrawn",
            capacity="person",
            shown="",
            acr=person.acr,
            seconds=0,
            reason=reason,
        )
    )
    return replace(
        request,
        state=RequestState.WITHDRAWN,
        ended_at=view.now,
        arguments=None,
        justification=None,
        reason=reason or "withdrawn",
    )


def open_capacities(view: View) -> tuple[Capacity, ...]:
    """In what capacities they can answer what waits.

    Raises:
        RequestEndedError: it is decided.
        RequestExpiredError: it is too late.
        NotAskedError: it is not for them to say.
        AlreadyAnsweredError: they, or somebody in their place, have answered.
    """
    if has_answered(view):
        raise AlreadyAnsweredError("you have answered this already")
    _require_open(view)
    if not capacities(view):
        raise NotAskedError("it is not for you to say")
    free = free_capacities(view)
    if not free:
        raise AlreadyAnsweredError("somebody has answered in this place already")
    return free


def _require_open(view: View) -> None:
    request = view.request
    if request.state is RequestState.EXPIRED or (
        request.is_open and view.now >= request.expires_at
    ):
        raise RequestExpiredError("nobody answered it in time; the call has to be made again")
    if not request.is_open:
        raise RequestEndedError(f"nothing is to be said about it any more: it is {request.state}")


def _verdict(*, says_yes: bool, of_their_own: bool) -> Verdict:
    if not says_yes:
        return Verdict.REFUSED
    return Verdict.CONFIRMED if of_their_own else Verdict.APPROVED


def _is_there(tx: Transaction, person: UserId) -> bool:
    user = find_user(tx, person)
    return user is not None and user.disabled_at is None


def _names_filled(view: View, mine: Sequence[Capacity]) -> tuple[str, ...]:
    """Every name of whoever answers, and of those in whose places: none of these people fills another."""
    places = {one.seat for one in mine}
    absent = (
        name
        for seat in view.standpoint.seats
        if seat.deputy.absent in places
        for name in seat.known_as
    )
    return tuple(dict.fromkeys((*view.standpoint.known_as, *absent)))


def _take(
    tx: Transaction, deps: ApprovalDeps, request: Request, given: Answer, *, context: Context
) -> None:
    """Record the answer, and do what it brings about."""
    # Who was shut out since they answered does not count: another has to be found in their place.
    before = tuple(one for one in request.answers if _is_there(tx, one.person))
    request = replace(request, answers=(*before, given))
    left: Sequence[str] = ()
    if given.verdict is not Verdict.REFUSED:
        left = tuple(need_name(part) for part in outstanding(request))
    tx.record(
        ApprovalAnswered(
            context=context,
            approval=request.id,
            verdict=given.verdict.value,
            capacity=given.capacity,
            shown=given.shown,
            acr=given.acr,
            seconds=given.at - given.shown_at,
            reason=given.reason,
            outstanding=tuple(left),
        )
    )
    if given.verdict is Verdict.REFUSED:
        refuse_request(
            tx, deps, request, RequestState.REFUSED, reason=given.reason, context=context
        )
    elif not left:
        give(tx, deps, request, context=context)
