"""Where people answer what they are asked: one page for a call, or for access, and their inbox.

Opening a page answers nothing. An answer is a form sent from our own page in the same browser, by the person it was
made for, about the very words that were shown: where these are others by now, the page is shown anew. Whoever
has to prove who they are more strongly, or once more, does so first and comes back.

Source: docs/adr/0025-cures.md; MCP security best practices (consent page); RFC 9470 §4; MISSION C1, C2.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import Route

from remit.approvals import page_access, page_batch, page_emergency, page_inbox
from remit.approvals.errors import (
    AlreadyAnsweredError,
    NotAskedError,
    RequestEndedError,
    RequestExpiredError,
    ShownChangedError,
    StrongerAuthenticationNeededError,
)
from remit.approvals.page_call import CallView
from remit.approvals.page_deps import PageDeps
from remit.approvals.page_door import View, Visit, page_door, read_post, show
from remit.approvals.page_login import is_stale, leads_on, local_path, step_up_path
from remit.approvals.page_progress import outcome_of, progress_of
from remit.approvals.page_urgent import urgent_for
from remit.approvals.page_view import Shown, shown_of
from remit.approvals.request import Request, Verdict
from remit.approvals.who_may import Demand
from remit.clock import EpochSeconds
from remit.web import Params, parse_query, redirect

__all__ = ["routes"]

_LONGEST_REASON: Final = 500
_CHANGED: Final = "What you answered is not what it says now. Please read it once more."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """A request as this person may see it. `asked`: whether it is for them to answer."""

    request: Request
    shown: Shown
    asked: bool
    demand: Demand | None


def routes(deps: PageDeps) -> list[Route]:
    """`/approvals`, `/access`, `/emergency`, and what is below them."""
    pages = _Pages(deps)
    return [
        *page_inbox.routes(deps),
        *page_batch.routes(deps),
        *page_access.routes(deps),
        *page_emergency.routes(deps),
        Route("/approvals/done/{id}", page_door(deps, pages.done), methods=["GET"]),
        Route("/approvals/{id}", page_door(deps, pages.show), methods=["GET"]),
        Route(
            "/approvals/{id}", page_door(deps, pages.answer, back="/approvals"), methods=["POST"]
        ),
    ]


class _Pages:
    """The endpoints, over one `PageDeps`."""

    def __init__(self, deps: PageDeps) -> None:
        self._deps = deps

    async def show(self, visit: Visit) -> Response:
        """The page; what is over says how it ended."""
        params = parse_query(visit.request.scope["query_string"])
        looked = await self._look(visit)
        if looked is None:
            return redirect(_done(visit, local_path(params)))
        return await self._page(visit, looked, return_to=local_path(params))

    async def answer(self, visit: Visit) -> Response:
        """What the form said."""
        params = await read_post(self._deps, visit, _form(visit))
        return_to = local_path(params)
        looked = await self._look(visit)
        if looked is None:
            return redirect(_done(visit, return_to))
        if params.one("shown") != looked.shown.digest:
            return await self._page(visit, looked, return_to=return_to, problem=_CHANGED)
        try:
            await self._say(visit, params, shown=looked.shown.digest)
        except StrongerAuthenticationNeededError as error:
            demand = Demand(acr=error.acr, max_age=error.max_age)
            here = _here(visit, return_to)
            now = self._deps.clock.now()
            return redirect(step_up_path(here, demand, visit.person, now=now))
        except ShownChangedError:
            return await self._page(visit, looked, return_to=return_to, problem=_CHANGED)
        except (AlreadyAnsweredError, RequestEndedError, RequestExpiredError):
            return redirect(_done(visit, return_to))
        return redirect(_done(visit, None) if return_to is None else return_to)

    async def done(self, visit: Visit) -> Response:
        """How it stands, or ended."""
        deps = self._deps
        params = parse_query(visit.request.scope["query_string"])
        request = await deps.desk.read(_id(visit), visit.person)
        values = {
            "outcome": outcome_of(request, visit.person, now=deps.clock.now()),
            "parts": progress_of(request, deps.directory.catalog),
            "return_to": local_path(params),
            "urgent": await urgent_for(deps, visit.person.tenant),
        }
        return show(deps, visit, View(template="done.html", form="", values=values))

    async def _look(self, visit: Visit) -> _Looked | None:
        """The request, if it is still open."""
        deps, name = self._deps, _id(visit)
        request = await deps.desk.read(name, visit.person)
        if not request.is_open or deps.clock.now() >= request.expires_at:
            return None
        shown = await shown_of(deps, request)
        try:
            demand = await deps.desk.demand(name, visit.person)
        except (NotAskedError, AlreadyAnsweredError):
            return _Looked(request=request, shown=shown, asked=False, demand=None)
        except (RequestEndedError, RequestExpiredError):
            return None
        return _Looked(request=request, shown=shown, asked=True, demand=demand)

    async def _page(
        self, visit: Visit, looked: _Looked, *, return_to: str | None, problem: str | None = None
    ) -> Response:
        deps, request = self._deps, looked.request
        if looked.asked:
            await deps.desk.opened(
                request.id, visit.person, shown=looked.shown.digest, context=visit.context
            )
        values = {
            "about": request.about.value,
            "view": looked.shown.view,
            "text": looked.shown.template,
            "shown": looked.shown.digest,
            "path": f"/approvals/{request.id}",
            "parts": progress_of(request, deps.directory.catalog),
            "confirms": request.user_id == visit.person.user_id,
            "asked": looked.asked,
            "amount": _amount(looked),
            "step_up": _step_up(visit, looked, return_to, now=deps.clock.now()),
            "return_to": return_to,
            "problem": problem,
            "longest_reason": _LONGEST_REASON,
            "urgent": await urgent_for(deps, visit.person.tenant),
        }
        view = View(
            template="request.html",
            form=_form(visit),
            values=values,
            status=200 if problem is None else 409,
            form_action=await leads_on(deps.form_sources, return_to),
        )
        return show(deps, visit, view)

    async def _say(self, visit: Visit, params: Params, *, shown: str) -> None:
        """Do what the button said; anything but a yes is a no."""
        desk, name, decision = self._deps.desk, _id(visit), params.one("decision")
        reason = (params.one("reason") or "").strip()[:_LONGEST_REASON]
        if decision == "withdraw":
            await desk.withdraw(name, visit.person, reason=reason, context=visit.context)
            return
        verdict = Verdict.APPROVED if decision == "allow" else Verdict.REFUSED
        await desk.answer(
            name, visit.person, verdict, shown=shown, reason=reason, context=visit.context
        )


def _step_up(
    visit: Visit, looked: _Looked, return_to: str | None, *, now: EpochSeconds
) -> dict[str, object] | None:
    """Where they prove who they are first, and how."""
    if looked.demand is None:
        return None
    return {
        "path": step_up_path(_here(visit, return_to), looked.demand, visit.person, now=now),
        "acr": looked.demand.acr,
        "anew": is_stale(looked.demand, visit.person, now=now),
    }


def _amount(looked: _Looked) -> str:
    """What stands on the button besides: the amount, where there is one."""
    view = looked.shown.view
    amounts = view.arguments.amounts if isinstance(view, CallView) else ()
    return amounts[0].text if len(amounts) == 1 else ""


def _id(visit: Visit) -> str:
    return str(visit.request.path_params["id"])


def _form(visit: Visit) -> str:
    """The name of the form, for its CSRF token: this request, this person."""
    return f"approval:{_id(visit)}:{visit.person.user_id}"


def _here(visit: Visit, return_to: str | None) -> str:
    return _path(f"/approvals/{quote(_id(visit), safe='')}", return_to)


def _done(visit: Visit, return_to: str | None) -> str:
    return _path(f"/approvals/done/{quote(_id(visit), safe='')}", return_to)


def _path(path: str, return_to: str | None) -> str:
    return path if return_to is None else f"{path}?return_to={quote(return_to, safe='')}"
