"""The audit log as an administrator reads it: the latest events that match, and those to come.

Reading the log is itself an event, recorded before the first line is answered; one
for each request, however long it goes on.

Source: PCI DSS 10.2.1.3 (access to audit logs is logged).
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import ConfigDict, Field
from starlette.responses import Response, StreamingResponse

from remit.api.administrator import Administrator
from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Flag, Nothing, Number, Operation, Shape
from remit.api.trail_query import Conditions, read_trail_query
from remit.audit import BadEntryError, Query, newest
from remit.audit.entry import read_entry
from remit.audit.events import AuditQueried
from remit.canonical import JsonObject, canonical_bytes
from remit_audit_verify.stream_files import list_segments, read_lines

__all__ = ["TRAIL_OPERATIONS"]

_MOST = 1_000
_POLL = 0.25


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
    looked = {**query.as_json(), "count": wanted.count, "follow": wanted.follow}
    await deps.audit.append(AuditQueried(context=asked.context, query=looked))
    lines = _lines(deps, query, by=asked.by, count=wanted.count, goes_on=wanted.follow)
    return StreamingResponse(lines, media_type="application/x-ndjson")


async def _lines(
    deps: ApiDeps, query: Query, *, by: Administrator, count: int, goes_on: bool
) -> AsyncIterator[bytes]:
    stream = deps.audit_stream
    # The place first: what is written while the latest are read is then seen twice, not never.
    place = await asyncio.to_thread(_end, stream) if goes_on else _Place()
    seen = -1
    for entry in await asyncio.to_thread(newest, stream, count, query):
        seen = _sequence(entry)
        yield canonical_bytes(entry) + b"\n"
    while goes_on and not deps.stopping.is_set() and by.still_good():
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


TRAIL_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(
        name="audit.tail", run=_tail, query=TrailWanted, body=Nothing, answer=Entry, lines=True
    ),
)
