"""Calls that were allowed and never ended: what a process that died left behind, found in its own records.

The record of intent is there before a call goes on, the outcome when it came back. A process that dies between
the two leaves an intent alone. Whoever reads its records afterwards finds that out, and records an outcome
that says what is known: nothing. Whether the call had its effect, the server that was called knows, and nobody here.

Decides nothing about files or databases: records in, events out. Records are believed as they are read.

Source: AUDIT §1.3 (`tool.outcome`: `unknown` if we died between), §1.10 (7).
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final

from remit.audit.call_events import CallCompleted, Decided
from remit.audit.calls_noted import Noted
from remit.audit.context import Actor, ActorType, Context, Network, Trace
from remit.audit.entry import BadEntryError
from remit.audit.events import AuditStarted, AuditStopped
from remit.audit.open_calls import CallsUnderWay
from remit.audit.source import Record, RecordSource
from remit.canonical import Json, JsonObject

__all__ = ["UNKNOWN", "left_open", "outcomes_of"]

UNKNOWN: Final = "unknown"
"""The outcome of a call of which nobody knows what became."""

_STEP: Final = 4_096
_INTENT: Final = f'"kind":"{Decided.kind}"'.encode()
_ENDED: Final = f'"kind":"{AuditStopped.kind}"'.encode()
_BEGAN: Final = f'"kind":"{AuditStarted.kind}"'.encode()


def left_open(
    source: RecordSource, log: str, *, end: int | None = None, noted: Noted | None = None
) -> tuple[Record, ...]:
    """The intents in `log` before record `end` that have no outcome there, and that no process has told of yet.

    Whoever has opened the log takes its size of before for `end`: what comes after is its own. Reads backwards in steps
    until a process stopped in good order, or one began that decided something later on: before a process decides anything, it
    tells what those before it left. So it takes as long as that process wrote, or as long as it wrote since what is `noted`, if
    that fits; it blocks, and nobody has to wait.

    Raises:
        NotFoundError: there is no such log.
        OSError: it cannot be read.
    """
    first, size = source.bounds(log)
    begin = end = size if end is None else end
    if noted is not None and not noted.fits(source, log, end=end):
        noted = None
    lowest = first if noted is None else noted.size
    decided, found = False, None
    while begin > lowest and found is None:
        before, begin = begin, max(lowest, begin - _STEP)
        step = list(source.read(log, begin, limit=before - begin))
        decided, found = _told_before(step, decided=decided)
    calls = CallsUnderWay()
    if found is None and noted is not None:
        for number in noted.calls:
            _see(calls, source.read(log, number, limit=1))
    begin = begin if found is None else found
    _see(calls, source.read(log, begin, limit=max(0, end - begin)))
    return tuple(
        record
        for number in calls.sequences()
        for record in source.read(log, number, limit=1)
        if record.sequence == number
    )


def _see(calls: CallsUnderWay, records: Iterable[Record]) -> None:
    for record in records:
        calls.see(record.sequence, record.line)


def _told_before(step: Sequence[Record], *, decided: bool) -> tuple[bool, int | None]:
    """Whether anything was decided from here on; and the number of a record before which nothing is left to tell, if it is here."""
    for record in reversed(step):
        line = record.line
        if _INTENT in line and not decided:
            decided = _entry(record).get("kind") == Decided.kind
        elif _ENDED in line and _entry(record).get("kind") == AuditStopped.kind:
            return decided, record.sequence + 1
        elif decided and _BEGAN in line and _entry(record).get("kind") == AuditStarted.kind:
            return decided, record.sequence
    return decided, None


def outcomes_of(intents: Iterable[Record]) -> tuple[CallCompleted, ...]:
    """What is to be recorded of calls that nobody ended: that it is unknown what became of them."""
    return tuple(_outcome(record) for record in intents)


def _outcome(record: Record) -> CallCompleted:
    entry = _entry(record)
    body = entry.get("body")
    said: JsonObject = body if isinstance(body, dict) else {}
    name = said.get("name")
    return CallCompleted(
        context=_context(entry),
        decision_id=_text(said.get("decision_id")) or "",
        server=_text(said.get("server")) or "",
        method=_text(said.get("method")) or "",
        name=None if name is None else str(name),
        outcome=UNKNOWN,
        reconciled={"log": record.log, "seq": record.sequence},
    )


def _context(entry: JsonObject) -> Context:
    """Whose call it was. It is the system that says so, and it says it of them."""
    trace, net, actor = entry.get("trace"), entry.get("net"), entry.get("actor")
    return Context(
        actor=_actor(actor),
        tenant=_text(entry.get("tenant")),
        environment=_text(entry.get("env")),
        user_id=_text(entry.get("user")),
        agent_id=_text(entry.get("agent")),
        client_id=_text(entry.get("client")),
        grant_id=_text(entry.get("grant")),
        flow_id=_text(entry.get("flow")),
        network=Network(_text(net.get("ip")), _text(net.get("ua")))
        if isinstance(net, dict)
        else Network(),
        trace=Trace(str(trace.get("trace_id")), str(trace.get("span_id")))
        if isinstance(trace, dict)
        else None,
    )


def _actor(actor: Json) -> Actor:
    if isinstance(actor, dict):
        with suppress(ValueError):
            return Actor(ActorType(str(actor.get("type"))), _text(actor.get("id")))
    return Actor(ActorType.SYSTEM)


def _entry(record: Record) -> JsonObject:
    with suppress(BadEntryError):
        return record.entry()
    return {}


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
