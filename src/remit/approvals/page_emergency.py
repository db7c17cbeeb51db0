"""The page of emergency access: taking it, by the few who are named, and reviewing what others took.

Nothing here is quiet: whoever takes it reads what happens then, and everybody of the tenant reads that they did until
somebody else has looked at it.

Source: MISSION C5; docs/adr/0025-cures.md.
"""

import contextlib
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from remit.approvals.access import (
    Access,
    AccessHeldError,
    AccessStrengthError,
    NotYourReviewError,
    Review,
    UnacceptableWishError,
)
from remit.approvals.page_access import Problem, given_in, holder_of, offer_shown, wish_of
from remit.approvals.page_call import justification_title
from remit.approvals.page_deps import PageDeps
from remit.approvals.page_door import View, Visit, page_door, read_post, show
from remit.approvals.page_login import step_up_path
from remit.approvals.page_time import Moment, length, moment
from remit.approvals.page_urgent import urgent_for
from remit.approvals.page_words import Piece, pieces
from remit.approvals.who_may import Demand
from remit.db import Transaction
from remit.errors import NotFoundError
from remit.identity import find_user
from remit.web import redirect

__all__ = ["routes"]

_FORM: Final = "emergency"
_LONGEST_REASON: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    id: str
    name: str
    holder: str
    told: tuple[tuple[str, tuple[Piece, ...]], ...]
    began: Moment
    ends: Moment
    review_by: Moment | None
    is_active: bool
    can_end: bool
    can_review: bool
    is_overdue: bool


def routes(deps: PageDeps) -> list[Route]:
    """`/emergency` and what is below it."""
    pages = _Pages(deps)
    back = "/emergency"
    return [
        Route("/emergency", page_door(deps, pages.show), methods=["GET"]),
        Route("/emergency/take", page_door(deps, pages.take, back=back), methods=["POST"]),
        Route("/emergency/end", page_door(deps, pages.end, back=back), methods=["POST"]),
        Route("/emergency/review", page_door(deps, pages.review, back=back), methods=["POST"]),
    ]


class _Pages:
    """The endpoints, over one `PageDeps`."""

    def __init__(self, deps: PageDeps) -> None:
        self._deps = deps

    async def show(self, visit: Visit) -> Response:
        """What may be taken, and what waits for review."""
        return await self._page(visit)

    async def take(self, visit: Visit) -> Response:
        """Break the glass."""
        deps, params = self._deps, await read_post(self._deps, visit, _FORM)
        emergency = deps.directory.catalog.approvals.emergency.get(params.one("offer") or "")
        if emergency is None:
            return redirect("/emergency")
        try:
            wish = wish_of(params, emergency)
            await deps.access.take(holder_of(visit), wish, context=visit.context)
        except AccessStrengthError as error:
            return self._to_login(visit, error)
        except (UnacceptableWishError, AccessHeldError) as error:
            problem = Problem(offer=emergency.name, text=error.detail, given=given_in(params))
            return await self._page(visit, problem)
        except NotFoundError:
            pass
        return redirect("/emergency")

    async def end(self, visit: Visit) -> Response:
        """Give it back."""
        deps, params = self._deps, await read_post(self._deps, visit, _FORM)
        with contextlib.suppress(NotFoundError, AccessHeldError):
            await deps.access.end(
                params.one("access") or "", holder=holder_of(visit), context=visit.context
            )
        return redirect("/emergency")

    async def review(self, visit: Visit) -> Response:
        """Say whether it was justified; a review without a word on it is none."""
        deps, params = self._deps, await read_post(self._deps, visit, _FORM)
        access, reason = params.one("access") or "", (params.one("reason") or "").strip()
        verdict = Review.JUSTIFIED if params.one("verdict") == "justified" else Review.UNJUSTIFIED
        if not reason:
            problem = Problem(offer=access, text="Say what you looked at, and what you found.")
            return await self._page(visit, problem)
        try:
            await deps.access.review(
                access,
                visit.person,
                verdict,
                reason=reason[:_LONGEST_REASON],
                context=visit.context,
            )
        except AccessStrengthError as error:
            return self._to_login(visit, error)
        except (NotYourReviewError, AccessHeldError) as error:
            return await self._page(visit, Problem(offer=access, text=error.detail))
        except NotFoundError:
            pass
        return redirect("/emergency")

    def _to_login(self, visit: Visit, error: AccessStrengthError) -> Response:
        demand = Demand(acr=error.acr, max_age=error.max_age)
        now = self._deps.clock.now()
        return redirect(step_up_path("/emergency", demand, visit.person, now=now))

    async def _page(self, visit: Visit, problem: Problem | None = None) -> Response:
        deps, catalog, holder = self._deps, self._deps.directory.catalog, holder_of(visit)
        unreviewed = await deps.access.unreviewed(visit.person.tenant)
        taken = await deps.database.read(lambda tx: [self._taken(tx, visit, x) for x in unreviewed])
        has = {one.name for one in taken if one.can_end}
        offers = [one for one in deps.access.emergencies_for(holder) if one.name not in has]
        values = {
            "offers": [
                {
                    "offer": offer_shown(one, catalog, problem),
                    "reviewer": one.reviewer,
                    "within": length(one.review_within),
                }
                for one in offers
            ],
            "taken": taken,
            "problem": problem,
            "longest_reason": _LONGEST_REASON,
            "urgent": await urgent_for(deps, visit.person.tenant),
        }
        status = 200 if problem is None else 400
        view = View(template="emergency.html", form=_FORM, values=values, status=status)
        return show(deps, visit, view)

    def _taken(self, tx: Transaction, visit: Visit, access: Access) -> _Taken:
        approvals, now = self._deps.directory.catalog.approvals, self._deps.clock.now()
        emergency, user = approvals.emergency.get(access.offer), find_user(tx, access.holder)
        is_own = access.holder == visit.person.user_id
        may = emergency is not None and emergency.reviewer in visit.person.roles
        return _Taken(
            id=access.id,
            name=access.offer,
            holder="somebody who is gone" if user is None else user.display_name,
            told=tuple(
                (justification_title(name, approvals.justifications), pieces(text))
                for name, text in access.justification.items()
            ),
            began=moment(access.granted_at or access.requested_at),
            ends=moment(access.ended_at or access.expires_at),
            review_by=None if access.review_by is None else moment(access.review_by),
            is_active=access.is_active(now),
            can_end=is_own and access.is_active(now),
            can_review=may and not is_own,
            is_overdue=access.is_overdue(now),
        )
