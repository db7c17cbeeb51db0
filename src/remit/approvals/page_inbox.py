"""The inbox: what waits for a person's answer, what waits for others, and which of it is alike.

Requests are alike when the same agent wants the same of the same system, under the same definition and
by the same rules, and only what its arguments say differs.

Source: MISSION C2 (an inbox); docs/adr/0025-cures.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from remit.approvals.page_arguments import Line
from remit.approvals.page_call import CallView
from remit.approvals.page_deps import PageDeps
from remit.approvals.page_door import View, Visit, page_door, show
from remit.approvals.page_time import Moment, ago, length, moment
from remit.approvals.page_urgent import urgent_for
from remit.approvals.page_view import Shown, shown_of
from remit.approvals.page_wish import WishView
from remit.approvals.page_words import Piece
from remit.approvals.request import About, Request
from remit.clock import Seconds
from remit.oauth.details_in_words import amount_in_words

__all__ = ["Entry", "alike", "routes"]

_MOST_OWN: Final = 50
_MOST_GIST: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the inbox. `count`: for how many requests it stands; `path` is where they are answered."""

    path: str
    title: str
    agent: tuple[Piece, ...]
    person: str
    gist: tuple[Line, ...]
    """Whom it is about, of one call."""
    system: str
    environment: str
    level: str
    since: str
    left: str
    expires: Moment
    count: int = 1
    total: str = ""
    own: bool = False


def routes(deps: PageDeps) -> list[Route]:
    """`/approvals`."""

    async def inbox(visit: Visit) -> Response:
        waiting = await deps.desk.inbox(visit.person)
        entries = [await _entry(deps, group, visit) for group in alike(waiting)]
        asked = {one.id for one in waiting}
        mine = await deps.desk.own(visit.person, limit=_MOST_OWN)
        own = [one for one in mine if one.id not in asked]
        values = {
            "entries": [one for one in entries if one.own],
            "others": [one for one in entries if not one.own],
            "elsewhere": [await _entry(deps, (one,), visit) for one in own],
            "urgent": await urgent_for(deps, visit.person.tenant),
        }
        return show(deps, visit, View(template="inbox.html", form="inbox", values=values))

    return [Route("/approvals", page_door(deps, inbox), methods=["GET"])]


def alike(requests: Sequence[Request]) -> list[tuple[Request, ...]]:
    """`requests` in groups of what is alike, in the order of the first of each."""
    groups: dict[object, list[Request]] = {}
    for request in requests:
        key: object = request.id
        if request.about is About.CALL:
            key = (
                request.agent_id, request.client_id, request.server, request.kind, request.thing,
                request.definition, request.environment, request.parts, request.user_id is None,
                request.holds, tuple(sorted(request.arguments or ())),
            )  # fmt: skip
        groups.setdefault(key, []).append(request)
    return [tuple(group) for group in groups.values()]


async def _entry(deps: PageDeps, group: Sequence[Request], visit: Visit) -> Entry:
    first, now = group[0], deps.clock.now()
    shown = [await shown_of(deps, one) for one in group]
    view = shown[0].view
    is_call = isinstance(view, CallView)
    many = len(group) > 1
    people = {one.view.person for one in shown}
    ends = min(one.expires_at for one in group)
    return Entry(
        path=f"/approvals/like/{first.id}" if many else f"/approvals/{first.id}",
        title=view.action if many and isinstance(view, CallView) else view.title,
        agent=view.agent,
        person=view.person or "" if len(people) == 1 else f"{len(people)} people",
        gist=_gist(view) if not many else (),
        system=view.system if isinstance(view, CallView) else "",
        environment=view.environment if isinstance(view, CallView) else "",
        level=view.level,
        since=ago(first.created_at, now),
        left=length(Seconds(max(0, ends - now))),
        expires=moment(ends),
        count=len(group),
        total=_total(shown) if many and is_call else "",
        own=first.user_id == visit.person.user_id,
    )


def _gist(view: CallView | WishView) -> tuple[Line, ...]:
    return view.arguments.recipients[:_MOST_GIST] if isinstance(view, CallView) else ()


def _total(shown: Sequence[Shown]) -> str:
    """What all of them come to together, where each is one amount of the same currency."""
    amounts = [
        one.view.arguments.amounts if isinstance(one.view, CallView) else () for one in shown
    ]
    currencies = {amount.currency for each in amounts for amount in each}
    if len(currencies) != 1 or any(len(each) != 1 for each in amounts):
        return ""
    total = sum((each[0].value for each in amounts), Decimal(0))
    return amount_in_words(total, currencies.pop())
