"""How far a request is, in words: who has to say what still, and how it ended.

Source: MISSION C2, H3.
"""

from dataclasses import dataclass

from remit.approvals.page_time import Moment, moment
from remit.approvals.page_words import Piece, pieces
from remit.approvals.person import Person
from remit.approvals.request import About, Answer, Part, PartKind, Request, RequestState, Verdict
from remit.clock import EpochSeconds
from remit.model import ACR_MULTI_FACTOR, ACR_PHISHING_RESISTANT, Catalog

__all__ = ["Outcome", "PartShown", "acr_in_words", "outcome_of", "progress_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartShown:
    """One thing that it takes. `given` of `wanted` people have said yes."""

    who: str
    how: str
    given: int
    wanted: int
    escalates: Moment | None = None
    escalates_to: str = ""

    @property
    def is_met(self) -> bool:
        """Whether it takes nobody else."""
        return self.given >= self.wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`mark` is one of `waiting`, `yes`, `no`. `next` says what happens now."""

    title: str
    mark: str
    next: str
    reason: tuple[Piece, ...] = ()
    at: Moment | None = None


def progress_of(request: Request, catalog: Catalog) -> tuple[PartShown, ...]:
    """What `request` takes, part by part."""
    return tuple(_part(request, place, part, catalog) for place, part in enumerate(request.parts))


def outcome_of(request: Request, person: Person, *, now: EpochSeconds) -> Outcome:
    """How it stands or ended, to `person`."""
    no = next((one for one in request.answers if one.verdict is Verdict.REFUSED), None)
    ended = None if request.ended_at is None else moment(request.ended_at)
    mine = request.user_id == person.user_id
    what = "call" if request.about is About.CALL else "access"
    match request.state:
        case RequestState.WAITING if now < request.expires_at:
            return _waiting(request, person)
        case RequestState.APPROVED:
            return Outcome(
                title=f"The {what} is allowed",
                mark="yes",
                next=_goes_on(request, mine=mine),
                at=ended,
            )
        case RequestState.REFUSED:
            reason = () if no is None else pieces(no.reason, lines=True)
            return Outcome(
                title=f"The {what} is refused",
                mark="no",
                next=_stops(request),
                reason=reason,
                at=ended,
            )
        case RequestState.WITHDRAWN:
            return Outcome(title="This was withdrawn", mark="no", next="Nothing happens.", at=ended)
        case _:
            late = "Nobody answered in time. Nothing happened; the agent can ask again."
            return Outcome(title="This is over", mark="no", next=late, at=moment(request.expires_at))  # fmt: skip


def acr_in_words(acr: str | None) -> str:
    """How somebody logs in for it."""
    if acr == ACR_PHISHING_RESISTANT:
        return "with a passkey"
    if acr == ACR_MULTI_FACTOR:
        return "with a second factor"
    return "logged in"


def _waiting(request: Request, person: Person) -> Outcome:
    own = next((one for one in request.answers if one.person == person.user_id), None)
    if own is None:
        return Outcome(title="This waits for an answer", mark="waiting", next="Nothing happens until then.")  # fmt: skip
    return Outcome(
        title="Your answer is recorded",
        mark="waiting",
        next="It takes somebody else besides. Nothing happens until then.",
        at=moment(own.at),
    )


def _goes_on(request: Request, *, mine: bool) -> str:
    if request.about is About.ACCESS:
        return "It holds from now on, and ends by itself."
    whose = "your agent" if mine else "the agent"
    return f"Go back to {whose}: it can do this now, once. You may close this page."


def _stops(request: Request) -> str:
    if request.about is About.ACCESS:
        return "Nobody has it. They can see that it was refused, and why."
    return "Nothing was done. The agent is told that it was refused."


def _part(request: Request, place: int, part: Part, catalog: Catalog) -> PartShown:
    given = sum(1 for one in request.answers if _counts(one, place, part))
    is_own = part.kind is PartKind.CONFIRMATION
    escalation = part.escalation
    owner = catalog.servers[request.server].owner if request.server in catalog.servers else ""
    who = "The person it is for" if is_own else (part.role or "somebody")
    if not is_own and part.owners and owner:
        who = f"{who}, or the owner {owner}"
    return PartShown(
        who=who,
        how=acr_in_words(part.acr),
        given=min(given, part.quorum),
        wanted=part.quorum,
        escalates=None
        if escalation is None or is_own
        else moment(EpochSeconds(request.created_at + escalation.after)),
        escalates_to="" if escalation is None else escalation.role,
    )


def _counts(answer: Answer, place: int, part: Part) -> bool:
    if answer.verdict is Verdict.REFUSED:
        return False
    if part.kind is PartKind.CONFIRMATION:
        return answer.verdict is Verdict.CONFIRMED
    return answer.verdict is Verdict.APPROVED and (
        not answer.counts_for or place in answer.counts_for
    )
