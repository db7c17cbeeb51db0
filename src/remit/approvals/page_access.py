"""The page of what a person can have for a while: what they may ask for, what they have, and giving it back.

What is asked for is an offer of the policy repository, for one of a few lengths of time, with what has to be told. What
cannot be had in this way is said beside what was filled in, which stays.

Source: MISSION C4; docs/adr/0025-cures.md.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from remit.approvals.access import (
    Access,
    AccessHeldError,
    AccessState,
    AccessStrengthError,
    Holder,
    HolderKind,
    Offered,
    UnacceptableWishError,
    Wish,
)
from remit.approvals.page_call import justification_title
from remit.approvals.page_deps import PageDeps
from remit.approvals.page_door import View, Visit, page_door, read_post, show
from remit.approvals.page_login import step_up_path
from remit.approvals.page_time import Moment, length, moment
from remit.approvals.page_urgent import urgent_for
from remit.approvals.who_may import Demand
from remit.clock import EpochSeconds, Seconds
from remit.errors import NotFoundError
from remit.model import Catalog, JustificationField
from remit.web import Params, redirect

__all__ = ["OfferShown", "Problem", "given_in", "holder_of", "offer_shown", "routes", "wish_of"]

_FORM: Final = "access"
_LENGTHS: Final = (900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400, 604_800)
_MOST_PAST: Final = 10
_LONGEST: Final = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with what was filled in for `offer`, and what that was."""

    offer: str
    text: str
    given: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferShown:
    """Something that may be asked for. `fields` have to be told; `lengths` are seconds and how long that is."""

    name: str
    role: str | None
    scopes: tuple[str, ...]
    where: tuple[str, ...]
    lengths: tuple[tuple[int, str], ...]
    fields: tuple[JustificationField, ...]
    approver: str | None
    acr: str | None
    given: Mapping[str, str]
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    id: str
    offer: str
    words: str
    mark: str
    at: Moment
    can_end: bool


def routes(deps: PageDeps) -> list[Route]:
    """`/access` and what is below it."""
    pages = _Pages(deps)

    ask = page_door(deps, pages.ask, back="/access")
    end = page_door(deps, pages.end, back="/access")
    return [
        Route("/access", page_door(deps, pages.show), methods=["GET"]),
        Route("/access/ask", ask, methods=["POST"]),
        Route("/access/end", end, methods=["POST"]),
    ]


class _Pages:
    """The endpoints, over one `PageDeps`."""

    def __init__(self, deps: PageDeps) -> None:
        self._deps = deps

    async def show(self, visit: Visit) -> Response:
        """What they may ask for, have and had."""
        return await self._page(visit)

    async def ask(self, visit: Visit) -> Response:
        """Ask for one of the offers."""
        deps, params = self._deps, await read_post(self._deps, visit, _FORM)
        offer = deps.directory.catalog.approvals.access.get(params.one("offer") or "")
        if offer is None:
            return redirect("/access")
        try:
            wish = wish_of(params, offer)
            await deps.access.request(holder_of(visit), wish, context=visit.context)
        except AccessStrengthError as error:
            demand = Demand(acr=error.acr, max_age=None)
            return redirect(step_up_path("/access", demand, visit.person, now=deps.clock.now()))
        except (UnacceptableWishError, AccessHeldError) as error:
            problem = Problem(offer=offer.name, text=error.detail, given=given_in(params))
            return await self._page(visit, problem)
        except NotFoundError:
            pass
        return redirect("/access")

    async def end(self, visit: Visit) -> Response:
        """Give one back; what is not theirs, or over, is left as it is."""
        deps, params = self._deps, await read_post(self._deps, visit, _FORM)
        with contextlib.suppress(NotFoundError, AccessHeldError):
            await deps.access.end(
                params.one("access") or "", holder=holder_of(visit), context=visit.context
            )
        return redirect("/access")

    async def _page(self, visit: Visit, problem: Problem | None = None) -> Response:
        deps, now = self._deps, self._deps.clock.now()
        catalog, holder = deps.directory.catalog, holder_of(visit)
        held = await deps.access.held_by(holder)
        open_now = [one for one in held if _is_open(one, now)]
        taken = {one.offer for one in open_now}
        offers = [one for one in deps.access.offers_for(holder) if one.name not in taken]
        values = {
            "offers": [offer_shown(one, catalog, problem) for one in offers],
            "held": [_held(one, now) for one in open_now],
            "past": [_held(one, now) for one in held if not _is_open(one, now)][:_MOST_PAST],
            "emergencies": bool(deps.access.emergencies_for(holder)),
            "problem": problem,
            "urgent": await urgent_for(deps, visit.person.tenant),
        }
        status = 200 if problem is None else 400
        view = View(template="access.html", form=_FORM, values=values, status=status)
        return show(deps, visit, view)


def holder_of(visit: Visit) -> Holder:
    """The person at the page, for all of their agents."""
    person = visit.person
    return Holder(
        kind=HolderKind.USER,
        id=person.user_id,
        tenant=person.tenant,
        username=person.username,
        roles=person.roles,
        acr=person.acr,
        auth_time=person.auth_time,
    )


def given_in(params: Params) -> Mapping[str, str]:
    """What was filled in, to be shown again."""
    return {name: value[:_LONGEST] for name, value in params if name != "csrf_token"}


def wish_of(params: Params, offered: Offered) -> Wish:
    """What the form of `offered` says.

    Raises:
        UnacceptableWishError: the length of time is none of those in the form.
    """
    seconds = params.one("seconds") or ""
    if not seconds.isascii() or not seconds.isdigit() or len(seconds) > 9:
        raise UnacceptableWishError("say for how long")
    told = {name: params.one(f"told_{name}") or "" for name in offered.justification}
    return Wish(
        offer=offered.name,
        seconds=Seconds(int(seconds)),
        justification=told,
        ticket=params.one("ticket") or "",
    )


def offer_shown(offered: Offered, catalog: Catalog, problem: Problem | None) -> OfferShown:
    """`offered` for its form, with what was filled in where that has to be mended."""
    is_wrong = problem is not None and problem.offer == offered.name
    fields = tuple(_field(one, catalog) for one in offered.justification)
    servers = getattr(offered, "servers", ())
    return OfferShown(
        name=offered.name,
        role=offered.role,
        scopes=tuple(
            catalog.scopes[one].title if one in catalog.scopes else one for one in offered.scopes
        ),
        where=(*(str(one) for one in servers), *(str(one) for one in offered.environments)),
        lengths=_lengths(offered.longest),
        fields=fields,
        approver=getattr(offered, "approver", None),
        acr=offered.acr,
        given=problem.given if problem is not None and is_wrong else MappingProxyType({}),
        problem=_in_words(problem.text, fields) if problem is not None and is_wrong else None,
    )


def _field(name: str, catalog: Catalog) -> JustificationField:
    known = catalog.approvals.justifications
    declared = known.get(name) or JustificationField(name=name)
    return replace(declared, title=justification_title(name, known))


def _in_words(problem: str, fields: tuple[JustificationField, ...]) -> str:
    """What is wrong, with the fields under the names that they have on the page."""
    for one in fields:
        problem = problem.replace(f"`justification.{one.name}`", f"“{one.title}”")
    words = problem.replace("`", "")
    return f"{words[:1].upper()}{words[1:]}"


def _lengths(longest: Seconds) -> tuple[tuple[int, str], ...]:
    """The lengths to choose from, shortest first; the longest that may be is the last."""
    shorter = [one for one in _LENGTHS if one < longest]
    return tuple((one, length(Seconds(one))) for one in (*shorter, int(longest)))


def _is_open(access: Access, now: EpochSeconds) -> bool:
    return access.state in (AccessState.WAITING, AccessState.ACTIVE) and now < access.expires_at


def _held(access: Access, now: EpochSeconds) -> _Held:
    mark, words, at = "no", "Over", access.ended_at or access.expires_at
    if access.state is AccessState.WAITING and _is_open(access, now):
        mark, words, at = "waiting", "Waits for approval until", access.expires_at
    elif access.is_active(now):
        mark, words, at = "yes", "Yours until", access.expires_at
    elif access.state is AccessState.REFUSED:
        words = "Refused"
    return _Held(
        id=access.id,
        offer=access.offer,
        words=words,
        mark=mark,
        at=moment(at),
        can_end=_is_open(access, now),
    )
