"""The audit log as an administrator reads it: the latest events that match, and those to come.

Reading the log is itself an event, recorded before the first line is answered; one
for each request, however long it goes on.

Source: PCI DSS 10.2.1.3 (access to audit logs is logged).
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Annotated, Final

from pydantic import ConfigDict, Field
from starlette.responses import Response, StreamingResponse

from remit.api.administrator import Administrator
from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Flag, Nothing, Number, Operation, Shape
from remit.api.trail_query import Conditions, organisations, read_trail_query
from remit.api.trail_search import kept_of
from remit.audit import Query
from remit.audit.events import AuditQueried
from remit.audit.source import RecordSource
from remit.canonical import canonical_bytes
from remit.errors import NotFoundError
from remit.trail import Found, Question, search
from remit.trail.reading import read_range

__all__ = ["TRAIL_OPERATIONS"]

_MOST = 1_000
_POLL = 0.25
_PAGES = 10
"""So many times is looked on for events that few are."""


class TrailWanted(Conditions):
    """Which events: the latest `count` that meet all conditions; with `follow` those to come as well."""

    count: Annotated[Number, Field(ge=1, le=_MOST)] = 20
    follow: Flag = False


class Entry(Shape):
    """One event, as it stands in the log."""

    model_config = ConfigDict(extra="allow")

    seq: int
    kind: str
    observed: str


async def _tail(deps: ApiDeps, asked: Asked[TrailWanted, Nothing]) -> Response:
    """One event a line (NDJSON), oldest first; with `follow`, without an end."""
    wanted = asked.query
    query = await read_trail_query(wanted, deps.database, asked.by)
    looked = {**kept_of(query), "count": wanted.count, "follow": wanted.follow}
    await deps.audit.append(AuditQueried(context=asked.context, query=looked))
    question = Question(query=query, tenants=organisations(query, asked.by), limit=wanted.count)
    # Before the answer begins, so that what cannot be read is said and not cut off.
    latest = await asyncio.to_thread(_latest, deps, question)
    lines = _lines(deps, latest, query, by=asked.by, goes_on=wanted.follow)
    headers = {"Remit-More": "true" if latest.more else "false"}
    return StreamingResponse(lines, media_type="application/x-ndjson", headers=headers)


@dataclass(frozen=True, slots=True)
class _Latest:
    """The latest events, the oldest of them first; up to where each log was read; whether older ones may match."""

    found: Sequence[Found]
    place: dict[str, int]
    more: bool


def _latest(deps: ApiDeps, question: Question) -> _Latest:
    # The place first: what is written while the latest are read is then read again, and not missed.
    place = _ends(deps.source)
    found: list[Found] = []
    for _ in range(_PAGES):
        answer = search(deps.trail.index, question)
        found += answer.found
        left = question.limit - len(answer.found)
        if answer.next is None or left <= 0:
            break
        question = replace(question, cursor=answer.next, limit=left)
    for one in found:
        log, sequence = one.record.log, one.record.sequence
        place[log] = max(place.get(log, 0), sequence + 1)
    return _Latest(found[::-1], place, more=answer.next is not None)


async def _lines(
    deps: ApiDeps, latest: _Latest, query: Query, *, by: Administrator, goes_on: bool
) -> AsyncIterator[bytes]:
    source, place = deps.source, latest.place
    for found in latest.found:
        yield canonical_bytes(found.entry) + b"\n"
    while goes_on and not deps.stopping.is_set() and by.still_good():
        # Read off the logs, not off a hook in the writer: no reader may slow down a decision.
        written = await asyncio.to_thread(_written_since, source, place)
        for found in written:
            if query.matches(found.entry):
                yield canonical_bytes(found.entry) + b"\n"
        if not written:
            await asyncio.sleep(_POLL)


def _ends(source: RecordSource) -> dict[str, int]:
    """How many records each log has had."""
    found: dict[str, int] = {}
    for log in source.logs():
        with suppress(NotFoundError):
            found[log] = source.bounds(log)[1]
    return found


def _written_since(source: RecordSource, place: dict[str, int]) -> list[Found]:
    """The events after `place`, which moves on; of several logs in the order of their time."""
    found: list[Found] = []
    for log in source.logs():
        try:
            first, size = source.bounds(log)
        except NotFoundError:
            continue
        start = max(first, place.get(log, first))
        below = min(size, start + _MOST)
        found += read_range(source, log, start, below)
        place[log] = max(start, below)
    return sorted(found, key=lambda one: one.order)


TRAIL_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(
        name="audit.tail", run=_tail, query=TrailWanted, body=Nothing, answer=Entry, lines=True
    ),
)
