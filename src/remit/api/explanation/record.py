"""The record of one decision, found in the log by its id, wherever the log is kept.

The newest first, by the bytes of the id: a line is parsed only if it holds them. What is read has not been
verified; `remit audit verify` does that.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from remit.audit.entry import BadEntryError
from remit.audit.events import CallCompleted, Decided
from remit.audit.reconcile import UNKNOWN
from remit.audit.source import Record, RecordSource
from remit.canonical import JsonObject

__all__ = ["Recorded", "find_record", "is_decision_id"]

_CHUNK: Final = 4_096
_SKEW: Final = timedelta(minutes=10)
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
    logs = source.logs()
    for number, log in enumerate(logs):
        for entry in _newest_first(source, log, decision):
            said_by = _said_by(entry)
            if entry.get("kind") == CallCompleted.kind:
                completed[said_by] = _righter(completed.get(said_by), entry) or entry
            elif entry.get("kind") == Decided.kind and said_by is None:
                ended = _ended_elsewhere(source, logs[number + 1 :], decision, entry)
                return Recorded(entry, _righter(completed.get(None), ended))
            elif entry.get("kind") == Decided.kind:
                of_guard = entry
    return None if of_guard is None else Recorded(of_guard, completed.get(_said_by(of_guard)))


def _ended_elsewhere(
    source: RecordSource, logs: Sequence[str], decision: str, decided: JsonObject
) -> JsonObject | None:
    """What became of a call of Remit's own, if another process tells it, whose log was not looked at: not before it was decided."""
    found: JsonObject | None = None
    body = decided.get("body")
    if not isinstance(body, dict) or body.get("outcome") != "allow":
        return None
    for log in logs:
        for entry in _newest_first(source, log, decision, since=_before(decided)):
            if entry.get("kind") == CallCompleted.kind and _said_by(entry) is None:
                found = _righter(found, entry)
    return found


def _righter(one: JsonObject | None, other: JsonObject | None) -> JsonObject | None:
    """Of two outcomes of one call the one that somebody knew, and else the first word."""
    return one if one is not None and (other is None or _is_unknown(other)) else other


def _is_unknown(entry: JsonObject) -> bool:
    body = entry.get("body")
    return isinstance(body, dict) and body.get("outcome") == UNKNOWN


def _before(entry: JsonObject) -> str:
    """A while before `entry` was written, by whatever clock."""
    try:
        at = datetime.fromisoformat(str(entry.get("observed"))) - _SKEW
    except (ValueError, OverflowError):
        return ""
    return at.isoformat()


def _said_by(entry: JsonObject) -> str | None:
    """The guard whose word it is: its server and its own name; `None` for Remit itself."""
    body = entry.get("body")
    mark = body.get("guard") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(mark, dict) or not mark:
        return None
    return f"{body.get('server')} {mark.get('instance')}"


def _newest_first(
    source: RecordSource, log: str, decision: str, *, since: str = ""
) -> Iterator[JsonObject]:
    """The entries of `log` about `decision`, the last one first; not much further back than `since`."""
    wanted = decision.encode()
    first, end = source.bounds(log)
    while end > first:
        start = max(first, end - _CHUNK)
        records = list(source.read(log, start, limit=end - start))
        for record in reversed([one for one in records if wanted in one.line]):
            entry = _entry(record)
            body = entry.get("body")
            if isinstance(body, dict) and body.get("decision_id") == decision:
                yield entry
        if since and records and str(_entry(records[0]).get("observed") or since) < since:
            return
        end = start


def _entry(record: Record) -> JsonObject:
    try:
        return record.entry()
    except BadEntryError:
        return {}
