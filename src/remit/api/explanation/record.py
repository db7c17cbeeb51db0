"""The record of one decision, found in the log by its id, wherever the log is kept.

The newest first, by the bytes of the id: a line is parsed only if it holds them. What is read has not been
verified; `remit audit verify` does that.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from remit.audit.entry import BadEntryError
from remit.audit.events import CallCompleted, Decided
from remit.audit.source import Record, RecordSource
from remit.canonical import JsonObject

__all__ = ["Recorded", "find_record", "is_decision_id"]

_CHUNK: Final = 4_096
_ID: Final = re.compile(r"dec_[0-9a-z]{26}")


@dataclass(frozen=True, slots=True)
class Recorded:
    """The decision as it stands in the log, and what became of the call, if it was allowed and has ended."""

    decision: JsonObject
    completed: JsonObject | None


def is_decision_id(text: str) -> bool:
    """Whether `text` is the id of a decision."""
    return _ID.fullmatch(text) is not None


def find_record(source: RecordSource, decision: str) -> Recorded | None:
    """What the logs in `source` hold of `decision`; `None` when it is nothing.

    Of what guards inside servers say, which name their decisions themselves, the first word counts, and only where
    Remit itself decided nothing of that name.
    """
    completed: dict[str | None, JsonObject] = {}
    of_guard: JsonObject | None = None
    for entry in _newest_first(source, decision):
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


def _newest_first(source: RecordSource, decision: str) -> Iterator[JsonObject]:
    """The entries about `decision`, of each log the last one first."""
    wanted = decision.encode()
    for log in source.logs():
        first, end = source.bounds(log)
        while end > first:
            start = max(first, end - _CHUNK)
            held = [one for one in source.read(log, start, limit=end - start) if wanted in one.line]
            for record in reversed(held):
                entry = _entry(record)
                body = entry.get("body")
                if isinstance(body, dict) and body.get("decision_id") == decision:
                    yield entry
            end = start


def _entry(record: Record) -> JsonObject:
    try:
        return record.entry()
    except BadEntryError:
        return {}
