"""The audit log as an administrator reads it: the latest events that match, and those to come.

Reading the log is itself an event, recorded before the first line is answered; one
for each request, however long it goes on.

Source: PCI DSS 10.2.1.3 (access to audit logs is logged).
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from remit.api.deps import ApiDeps
from remit.api.door import BadRequestError, administrator, read_query, route, switch
from remit.api.trail_query import CONDITIONS, read_trail_query
from remit.audit import BadEntryError, Query, newest
from remit.audit.entry import read_entry
from remit.audit.events import AuditQueried
from remit.audit.stream_files import list_segments, read_lines
from remit.canonical import JsonObject, canonical_bytes
from remit.web import Params

__all__ = ["trail_routes"]

_MOST = 1_000
_POLL = 0.25


def trail_routes(deps: ApiDeps) -> list[Route]:
    """`/v1/audit/tail`: one event a line (NDJSON), oldest first; with `follow`, without an end."""

    async def tail(request: Request) -> Response:
        params = read_query(request, "count", "follow", *CONDITIONS)
        query = await read_trail_query(params, deps.database)
        count, goes_on = _count(params), switch(params, "follow")
        asked = {**query.as_json(), "count": count, "follow": goes_on}
        await deps.audit.append(AuditQueried(context=administrator(request), query=asked))
        lines = _lines(deps, query, count=count, goes_on=goes_on)
        return StreamingResponse(lines, media_type="application/x-ndjson")

    return [route("GET", "/v1/audit/tail", tail)]


async def _lines(deps: ApiDeps, query: Query, *, count: int, goes_on: bool) -> AsyncIterator[bytes]:
    stream = deps.audit_stream
    # The place first: what is written while the latest are read is then seen twice, not never.
    place = await asyncio.to_thread(_end, stream) if goes_on else _Place()
    seen = -1
    for entry in await asyncio.to_thread(newest, stream, count, query):
        seen = _sequence(entry)
        yield canonical_bytes(entry) + b"\n"
    while goes_on and not deps.stopping.is_set():
        # Read off the files, not off a hook in the writer: no reader may slow down a decision.
        for entry in await asyncio.to_thread(_written_since, stream, place):
            if _sequence(entry) > seen and query.matches(entry):
                yield canonical_bytes(entry) + b"\n"
        await asyncio.sleep(_POLL)


@dataclass(slots=True)
class _Place:
    """How far a stream has been read: a segment's first sequence number, and a byte in it."""

    segment: int = 0
    offset: int = 0


def _end(stream: Path) -> _Place:
    segments, _ = list_segments(stream)
    return _Place(segments[-1].first, segments[-1].path.stat().st_size) if segments else _Place()


def _written_since(stream: Path, place: _Place) -> list[JsonObject]:
    """The events after `place`, which moves on. A line that is still being written is left for later."""
    found: list[JsonObject] = []
    segments, _ = list_segments(stream)
    for segment in segments:
        if segment.first < place.segment:
            continue
        if segment.first > place.segment:
            place.segment, place.offset = segment.first, 0
        for line in read_lines(segment.path, place.offset):
            if not line.complete:
                break
            place.offset = line.end
            try:
                found.append(read_entry(line.content))
            except BadEntryError:
                continue  # damaged, or begun before we looked: `remit audit verify` tells which
    return found


def _sequence(entry: JsonObject) -> int:
    sequence = entry.get("seq")
    return sequence if isinstance(sequence, int) else -1


def _count(params: Params) -> int:
    text = params.one("count")
    if text is None:
        return 20
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _MOST):
        raise BadRequestError(f"`count` must be a number from 1 to {_MOST}")
    return int(text)
