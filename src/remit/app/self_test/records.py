"""What the self-test left in the log, read back from where it is kept: a record that is not there is none."""

from remit.audit.entry import BadEntryError
from remit.audit.events import Decided
from remit.audit.source import Record, RecordSource
from remit.canonical import Json, JsonObject
from remit.guard.records import SELF_TEST

__all__ = ["records_since", "size_of"]

_ALL = 2**53


def size_of(source: RecordSource, log: str) -> int:
    """How many records `log` has now.

    Raises:
        NotFoundError: there is no such log.
        OSError: it cannot be read.
    """
    return source.bounds(log)[1]


def records_since(source: RecordSource, log: str, start: int) -> list[JsonObject]:
    """The bodies of the self-test's decisions from record `start` on, oldest first."""
    found = [_decided(record) for record in source.read(log, start, limit=_ALL)]
    return [body for body in found if body is not None]


def _decided(record: Record) -> "JsonObject | None":
    try:
        entry = record.entry()
    except BadEntryError:
        return None
    actor: Json = {"type": SELF_TEST.type.value, "id": SELF_TEST.id}
    body = entry.get("body")
    if entry.get("kind") != Decided.kind or entry.get("actor") != actor:
        return None
    return body if isinstance(body, dict) else None
