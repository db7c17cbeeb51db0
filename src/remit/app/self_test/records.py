"""What the self-test left in the log, read off the files: a record that is not on the disk is none."""

from dataclasses import dataclass
from pathlib import Path

from remit.audit.entry import BadEntryError, read_entry
from remit.audit.events import Decided
from remit.canonical import Json, JsonObject
from remit.guard.records import SELF_TEST
from remit_audit_verify.stream_files import list_segments, read_lines

__all__ = ["Place", "records_since"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stream ended: a segment's first sequence number, and a byte in it."""

    segment: int
    offset: int

    @classmethod
    def end_of(cls, stream: Path) -> "Place":
        """The end of `stream` now."""
        segments, _ = list_segments(stream)
        if not segments:
            return cls(0, 0)
        return cls(segments[-1].first, segments[-1].path.stat().st_size)


def records_since(stream: Path, place: Place) -> list[JsonObject]:
    """The bodies of the self-test's decisions after `place`, oldest first."""
    found: list[JsonObject] = []
    segments, _ = list_segments(stream)
    for segment in segments:
        if segment.first < place.segment:
            continue
        offset = place.offset if segment.first == place.segment else 0
        for line in read_lines(segment.path, offset):
            body = _decided(line.content) if line.complete else None
            if body is not None:
                found.append(body)
    return found


def _decided(line: bytes) -> "JsonObject | None":
    try:
        entry = read_entry(line)
    except BadEntryError:
        return None
    actor: Json = {"type": SELF_TEST.type.value, "id": SELF_TEST.id}
    body = entry.get("body")
    if entry.get("kind") != Decided.kind or entry.get("actor") != actor:
        return None
    return body if isinstance(body, dict) else None
