"""Like requests on one page: what they have in common once, and what differs of each, side by side.

Nothing is ticked beforehand, and there is no way to tick all at once. Each that is ticked is answered by itself, with the
digest of the words that were shown of it: those in common and its own. One that has changed, ended or may not be
answered is left as it is, and said so.

Source: MISSION C2; docs/adr/0025-cures.md.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import Route

from remit.approvals.errors import (
    NotAskedError,
    NotYoursError,
    StrongerAuthenticationNeededError,
)
from remit.approvals.page_arguments import Line
from remit.approvals.page_call import CallView
from remit.approvals.page_deps import PageDeps
from remit.approvals.page_door import View, Visit, page_door, read_post, show
from remit.approvals.page_inbox import alike
from remit.approvals.page_login import is_stale, step_up_path
from remit.approvals.page_urgent import urgent_for
from remit.approvals.page_view import shown_of
from remit.approvals.page_words import Piece, plain
from remit.approvals.request import Request, Verdict
from remit.errors import ConflictError
from remit.web import redirect, render

__all__ = ["Row", "routes"]

_MOST: Final = 40
_LONGEST_REASON: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One of them: what differs of it, and the digest of the words that say it."""

    id: str
    view: CallView
    differs: tuple[Line | None, ...]
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """The page: `view` is the first, of which only what is in common is shown."""

    view: CallView
    common: tuple[Line, ...]
    columns: tuple[tuple[Piece, ...], ...]
    people: bool
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reply:
    request: str
    verdict: Verdict
    shown: str
    reason: str


def routes(deps: PageDeps) -> list[Route]:
    """`/approvals/like/{id}`."""
    pages = _Pages(deps)
    path = "/approvals/like/{id}"
    return [
        Route(path, page_door(deps, pages.show), methods=["GET"]),
        Route(path, page_door(deps, pages.answer, back="/approvals"), methods=["POST"]),
    ]


class _Pages:
    """The endpoints, over one `PageDeps`."""

    def __init__(self, deps: PageDeps) -> None:
        self._deps = deps

    async def show(self, visit: Visit) -> Response:
        """The table; a request without its like has a page of its own."""
        requests = await self._group(visit)
        if len(requests) < 2:
            return redirect(f"/approvals/{quote(_id(visit), safe='')}")
        return await self._page(visit, requests)

    async def answer(self, visit: Visit) -> Response:
        """What was said of each that is ticked; that its words were shown to them, the desk knows."""
        params = await read_post(self._deps, visit, _form(visit))
        ticked = [one.partition(":") for one in params.all("request")][:_MOST]
        if not ticked:
            requests = await self._group(visit)
            if len(requests) < 2:
                return redirect("/approvals")
            return await self._page(visit, requests, problem="Nothing is ticked.")
        verdict = Verdict.APPROVED if params.one("decision") == "allow" else Verdict.REFUSED
        reason = (params.one("reason") or "").strip()[:_LONGEST_REASON]
        said = []
        for name, _, shown in ticked:
            title = await self._title(visit, name)
            reply = _Reply(request=name, verdict=verdict, shown=shown, reason=reason)
            try:
                outcome = await self._say(visit, reply)
            except StrongerAuthenticationNeededError:
                return redirect(f"/approvals/like/{quote(_id(visit), safe='')}")
            said.append({"title": title, "outcome": outcome})
        values = {"said": said, "allowed": verdict is Verdict.APPROVED}
        return show(self._deps, visit, View(template="batch_done.html", form="", values=values))

    async def _say(self, visit: Visit, reply: _Reply) -> str:
        """Answer one; empty where that was done, else why it was not."""
        try:
            await self._deps.desk.answer(
                reply.request,
                visit.person,
                reply.verdict,
                shown=reply.shown,
                reason=reply.reason,
                context=visit.context,
            )
        except (ConflictError, NotAskedError, NotYoursError) as error:
            return error.detail
        return ""

    async def _title(self, visit: Visit, name: str) -> str:
        """What it is, before it is answered: then nothing of its arguments is left."""
        try:
            request = await self._deps.desk.read(name, visit.person)
            return (await shown_of(self._deps, request)).view.title
        except NotYoursError:
            return plain(name[:64])

    async def _group(self, visit: Visit) -> tuple[Request, ...]:
        """Those of the person's inbox that are like the one that the address names."""
        waiting = await self._deps.desk.inbox(visit.person)
        for group in alike(waiting):
            if any(one.id == _id(visit) for one in group):
                found = group[:_MOST]
                return tuple([await self._deps.desk.read(one.id, visit.person) for one in found])
        return ()

    async def _page(
        self, visit: Visit, requests: Sequence[Request], *, problem: str | None = None
    ) -> Response:
        deps, now, batch = self._deps, self._deps.clock.now(), await self._batch(requests)
        demand = await deps.desk.demand(requests[0].id, visit.person)
        step_up = None
        for row in batch.rows:
            await deps.desk.opened(row.id, visit.person, shown=row.digest, context=visit.context)
        if demand is not None:
            here = f"/approvals/like/{_id(visit)}"
            step_up = {
                "path": step_up_path(here, demand, visit.person, now=now),
                "acr": demand.acr,
                "anew": is_stale(demand, visit.person, now=now),
            }
        values = {
            "batch": batch,
            "view": batch.view,
            "path": f"/approvals/like/{_id(visit)}",
            "step_up": step_up,
            "confirms": requests[0].user_id == visit.person.user_id,
            "problem": problem,
            "longest_reason": _LONGEST_REASON,
            "urgent": await urgent_for(deps, visit.person.tenant),
        }
        status = 200 if problem is None else 400
        return show(
            deps,
            visit,
            View(template="batch.html", form=_form(visit), values=values, status=status),
        )

    async def _batch(self, requests: Sequence[Request]) -> _Batch:
        shown = [(one, (await shown_of(self._deps, one)).view) for one in requests]
        views = [(one, view) for one, view in shown if isinstance(view, CallView)]
        lines = [_named(view.arguments.lines) for _, view in views]
        names = list(dict.fromkeys(name for each in lines for name in each))
        differing = [n for n in names if len({each.get(n) for each in lines}) > 1]
        common = tuple(lines[0][name] for name in names if name not in differing)
        rows = tuple(
            Row(id=one.id, view=view, differs=tuple(each.get(n) for n in differing))
            for (one, view), each in zip(views, lines, strict=True)
        )
        batch = _Batch(
            view=views[0][1],
            common=common,
            columns=tuple(name for name, _ in differing),
            people=len({view.username for _, view in views}) > 1,
            rows=(),
        )
        return _with_digests(batch, rows)


def _named(lines: Sequence[Line]) -> dict[tuple[tuple[Piece, ...], int], Line]:
    """Each of `lines` by its name, and as which of those that read alike.

    `{"a": {"b": 1}}` and `{"a / b": 1}` do: none must stand for the other, or whoever writes both hides one.
    """
    seen: Counter[tuple[Piece, ...]] = Counter()
    found: dict[tuple[tuple[Piece, ...], int], Line] = {}
    for line in lines:
        found[line.name, seen[line.name]] = line
        seen[line.name] += 1
    return found


def _with_digests(batch: _Batch, rows: tuple[Row, ...]) -> _Batch:
    """Each row with the digest of what is said of it: the words in common, and its own."""
    done = []
    for row in rows:
        text = render("approvals/batch_text.html", {"batch": batch, "view": batch.view, "row": row})
        digest = hashlib.sha256(text.encode()).hexdigest()
        done.append(Row(id=row.id, view=row.view, differs=row.differs, digest=digest))
    return _Batch(
        view=batch.view,
        common=batch.common,
        columns=batch.columns,
        people=batch.people,
        rows=tuple(done),
    )


def _id(visit: Visit) -> str:
    return str(visit.request.path_params["id"])


def _form(visit: Visit) -> str:
    return f"approvals:{_id(visit)}:{visit.person.user_id}"
