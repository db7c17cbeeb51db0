"""Reading events back: which of them, the newest first asked for, and those still to come.

Reads the files and nothing else; what is read has not been verified (`verify_log` does
that), and a line that is not a record is passed over. Callers record `audit.queried`
before they show what they found.

Source: AUDIT §1.7.
"""

import heapq
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from remit.audit.entry import BadEntryError, read_entry
from remit.audit.facets import FIELDS, Facet, facets_of, says
from remit.canonical import Json, JsonObject
from remit_audit_verify.stream_files import Segment, find_streams, list_segments, read_lines

__all__ = ["Query", "follow", "newest", "read_events"]

_POLL = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which events: all conditions that are given must hold.

    `kind` may end in `*`. `since` (inclusive) and `until` (exclusive) are RFC 3339 in UTC, or any
    beginning of it, such as a date. `about` is whom an event is about who did not act: the account that
    was changed, the holder of an access. `tokens` are what may stand for one redacted value: one of them
    is enough. `text` is looked for in every text that is kept, in small and capital letters alike. All
    other conditions are fields of `audit.facets`.
    """

    kind: str | None = None
    since: str | None = None
    until: str | None = None
    tenant: str | None = None
    environment: str | None = None
    agent: str | None = None
    user: str | None = None
    actor: str | None = None
    about: str | None = None
    client: str | None = None
    grant: str | None = None
    flow: str | None = None
    trace: str | None = None
    decision: str | None = None
    approval: str | None = None
    elevation: str | None = None
    access: str | None = None
    session: str | None = None
    server: str | None = None
    name: str | None = None
    outcome: str | None = None
    reason: str | None = None
    rule: str | None = None
    policy: str | None = None
    scope: str | None = None
    ip: str | None = None
    jti: str | None = None
    event: str | None = None
    tokens: tuple[str, ...] | None = None
    text: str | None = None

    def matches(self, entry: Mapping[str, Json]) -> bool:
        """Whether `entry` is one of them."""
        if not _kind_matches(self.kind, entry.get("kind")):
            return False
        observed = str(entry.get("observed"))
        if self.since is not None and observed < self.since:
            return False
        if self.until is not None and observed >= self.until:
            return False
        if self.tenant is not None and entry.get("tenant") != self.tenant:
            return False
        if self.event is not None and entry.get("id") != self.event:
            return False
        asked = self.facets()
        if asked or self.tokens is not None:
            held = facets_of(entry)
            if not held.issuperset(asked):
                return False
            if self.tokens is not None and not any(("token", one) in held for one in self.tokens):
                return False
        return self.text is None or says(entry, self.text.casefold())

    def facets(self) -> tuple[Facet, ...]:
        """The fields that are asked for by name, with the value of each; `kind` where it is no pattern."""
        asked = ((name, getattr(self, name)) for name in _NAMED)
        found = [(name, value) for name, value in asked if value is not None]
        if self.kind is not None and not self.kind.endswith("*"):
            found.append(("kind", self.kind))
        return tuple(found)

    def as_json(self) -> JsonObject:
        """The conditions that are given, as `audit.queried` records them."""
        return {
            field.name: list(value) if isinstance(value, tuple) else value
            for field in fields(self)
            if (value := getattr(self, field.name)) is not None
        }


_NAMED = tuple(
    field.name for field in fields(Query) if field.name in FIELDS - {"kind", "tenant", "token"}
)


def read_events(path: Path, query: Query | None = None) -> Iterator[JsonObject]:
    """The events of the stream in `path`, or of all streams in its folders, oldest first."""
    chosen = query or Query()
    streams = [_forwards(folder) for folder in find_streams(path)]
    for entry in heapq.merge(*streams, key=_order):
        if chosen.matches(entry):
            yield entry


def newest(path: Path, count: int, query: Query | None = None) -> list[JsonObject]:
    """The newest `count` events that `query` asks for, oldest of them first.

    Reads from the end, one segment at a time, and stops as soon as it has enough.
    """
    chosen = query or Query()
    found: list[JsonObject] = []
    for folder in find_streams(path):
        found += _newest_of(folder, count, chosen)
    found.sort(key=_order)
    return found[-count:] if count else []


def follow(path: Path, query: Query | None = None, *, poll: float = _POLL) -> Iterator[JsonObject]:
    """The events of one or all streams in `path` after this call, as they come; never ends by itself."""
    cursors = {folder: _end(folder) for folder in find_streams(path)}
    return _following(path, query or Query(), cursors, poll)


@dataclass(slots=True)
class _Cursor:
    """A place in a stream: a segment's first sequence number, and the byte up to which it was read."""

    segment: int
    offset: int


def _following(
    path: Path, query: Query, cursors: dict[Path, _Cursor], poll: float
) -> Iterator[JsonObject]:
    while True:
        idle = True
        for folder in find_streams(path):
            for entry in _read_on(folder, cursors.setdefault(folder, _Cursor(0, 0))):
                idle = False
                if query.matches(entry):
                    yield entry
        if idle:
            time.sleep(poll)


def _end(folder: Path) -> _Cursor:
    segments, _ = list_segments(folder)
    if not segments:
        return _Cursor(0, 0)
    cursor = _Cursor(segments[-1].first, 0)
    for line in read_lines(segments[-1].path):
        if line.complete:
            cursor.offset = line.end
    return cursor


def _read_on(folder: Path, cursor: _Cursor) -> Iterator[JsonObject]:
    """What has come after `cursor`, which moves along. A line still being written waits."""
    segments, _ = list_segments(folder)
    for segment in segments:
        if segment.first < cursor.segment:
            continue
        if segment.first > cursor.segment:
            cursor.segment, cursor.offset = segment.first, 0
        for line in read_lines(segment.path, cursor.offset):
            if not line.complete:
                break
            cursor.offset = line.end
            entry = _entry(line.content)
            if entry is not None:
                yield entry


def _forwards(folder: Path) -> Iterator[JsonObject]:
    segments, _ = list_segments(folder)
    for segment in segments:
        yield from _records(segment)


def _records(segment: Segment) -> Iterator[JsonObject]:
    for line in read_lines(segment.path):
        entry = _entry(line.content) if line.complete else None
        if entry is not None:
            yield entry


def _newest_of(folder: Path, count: int, query: Query) -> list[JsonObject]:
    segments, _ = list_segments(folder)
    found: list[JsonObject] = []
    for segment in reversed(segments):
        kept = deque((e for e in _records(segment) if query.matches(e)), maxlen=count)
        found = [*kept, *found]
        if len(found) >= count:
            break
    return found[-count:] if count else []


def _entry(content: bytes) -> "JsonObject | None":
    try:
        return read_entry(content)
    except BadEntryError:
        return None


def _kind_matches(wanted: str | None, kind: Json) -> bool:
    if wanted is None:
        return True
    if wanted.endswith("*"):
        return isinstance(kind, str) and kind.startswith(wanted[:-1])
    return kind == wanted


def _order(entry: JsonObject) -> tuple[str, int]:
    sequence = entry.get("seq")
    return str(entry.get("observed")), sequence if isinstance(sequence, int) else 0
