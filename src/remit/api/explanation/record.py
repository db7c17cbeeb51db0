"""The record of one decision, found in the files of the log by its id.

The newest first, by the bytes of the id: a line is parsed only if it holds them. What is read has not been
verified; `remit audit verify` does that.
"""

import mmap
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from remit.audit.entry import BadEntryError, read_entry
from remit.audit.events import CallCompleted, Decided
from remit.canonical import JsonObject
from remit_audit_verify.stream_files import find_streams, list_segments

__all__ = ["Recorded", "find_record", "is_decision_id"]

_ID: Final = re.compile(r"dec_[0-9a-z]{26}")


@dataclass(frozen=True, slots=True)
class Recorded:
    """The decision as it stands in the log, and what became of the call, if it was allowed and has ended."""

    decision: JsonObject
    completed: JsonObject | None


def is_decision_id(text: str) -> bool:
    """Whether `text` is the id of a decision."""
    return _ID.fullmatch(text) is not None


def find_record(log: Path, decision: str) -> Recorded | None:
    """What the streams in `log` hold of `decision`; `None` when it is nothing.

    Of what guards inside servers say, which name their decisions themselves, the first word counts, and only where
    Remit itself decided nothing of that name.
    """
    completed: dict[str | None, JsonObject] = {}
    of_guard: JsonObject | None = None
    for entry in _newest_first(log, decision):
        if entry.get("kind") == CallCompleted.kind:
            completed[_said_by(entry)] = entry
        elif entry.get("kind") == Decided.kind:
            if _said_by(entry) is None:
                return Recorded(entry, completed.get(None))
            of_guard = entry
    return None if of_guard is None else Recorded(of_guard, completed.get(_said_by(of_guard)))


def _said_by(entry: JsonObject) -> str | None:
    """The guard whose word it is: its server and its own name; `None` for Remit itself."""
    body = entry.get("body")
    mark = body.get("guard") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(mark, dict) or not mark:
        return None
    return f"{body.get('server')} {mark.get('instance')}"


def _newest_first(log: Path, decision: str) -> Iterator[JsonObject]:
    """The entries about `decision`, of each stream the last one first."""
    for stream in find_streams(log):
        segments, _ = list_segments(stream)
        for segment in reversed(segments):
            for entry in _entries(segment.path, decision.encode()):
                body = entry.get("body")
                if isinstance(body, dict) and body.get("decision_id") == decision:
                    yield entry


def _entries(path: Path, wanted: bytes) -> Iterator[JsonObject]:
    """The entries of a file in which `wanted` stands, the last one first."""
    if path.stat().st_size == 0:
        return
    with (
        path.open("rb") as file,
        closing(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) as held,
    ):
        end = len(held)
        while (at := held.rfind(wanted, 0, end)) >= 0:
            start = held.rfind(b"\n", 0, at) + 1
            stop = held.find(b"\n", at)
            end = start
            if stop < 0:
                continue  # it is still being written
            try:
                yield read_entry(held[start:stop])
            except BadEntryError:
                continue
