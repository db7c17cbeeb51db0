"""Records of a guard inside a server, taken into Remit's own log: read strictly, and marked as its word.

A guard decides elsewhere and says so afterwards. What it may say is what calls to its own server came
to: decisions and outcomes, nothing else. Each record is read by the fields of its event, so that nothing
is kept that the event does not have; what no event can hold is refused, and the batch with it. The
event says which guard it comes from, where it stands in that guard's own log, and when it was made there.
A record about another tenant than the server's is kept in no tenant's account: it may have been made before the
server became that tenant's, or be the refusal of somebody who is of another.

Source: docs/adr/0017-guard-in-process.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, Final, get_args, get_origin, get_type_hints

from remit.audit.call_events import CallCompleted, Decided
from remit.audit.context import (
    Actor,
    ActorType,
    Context,
    Network,
    Trace,
    authenticated,
    chain_of,
)
from remit.audit.entry import BadEntryError, Moment, Producer, draft, read_entry
from remit.audit.event import Event
from remit.canonical import Json, JsonObject
from remit.errors import Error

__all__ = ["RELAYED_KINDS", "ForeignRecordError", "Relayed", "relayed"]

_CLASSES: Final[Mapping[str, type[Event]]] = MappingProxyType(
    {Decided.kind: Decided, CallCompleted.kind: CallCompleted}
)
RELAYED_KINDS: Final = frozenset(_CLASSES)
_ACTORS: Final = frozenset({ActorType.AGENT, ActorType.ANONYMOUS})
_OMITTED: Final = frozenset({"omitted_bytes", "omitted_sha256"})
_MOST: Final = 32
_NOBODY: Final = Producer()
_NEVER: Final = Moment.of(0)


class ForeignRecordError(Error):
    """The line is no record that this guard may deliver; `detail` says why, and holds nothing of it."""

    code: ClassVar[str] = "foreign_record"


@dataclass(frozen=True, slots=True)
class Relayed:
    """An event of a guard's, and its place in the guard's own log."""

    sequence: int
    event: Event


def relayed(line: bytes, *, server: str, tenants: frozenset[str] | None, instance: str) -> Relayed:
    """The record in `line`, which the guard `instance` inside `server` delivered.

    `tenants` are those whose people may use the server; `None`: all.

    Raises:
        ForeignRecordError: it is no such record, speaks of another server, or is nothing that our own log takes.
    """
    try:
        entry = read_entry(line)
    except BadEntryError as error:
        raise ForeignRecordError("a record is not in the form of the log", cause=error) from error
    kind, sequence, body = entry.get("kind"), entry.get("seq"), entry.get("body")
    event = _CLASSES.get(kind) if isinstance(kind, str) else None
    if event is None or type(sequence) is not int or not isinstance(body, dict):
        raise ForeignRecordError("a record is of a kind that a guard does not deliver")
    if body.get("server") != server:
        raise ForeignRecordError("a record is about another server")
    context = _context(entry)
    if tenants is not None and context.tenant not in tenants:
        # INVARIANT: not refused, or all that a guard has to say would wait behind it for ever.
        context = replace(context, tenant=None, user_id=None)
    mark = {"instance": instance, "sequence": sequence, "time": _text(entry.get("time"))}
    held = {**_held(event, body), "guard": mark, "context": context}
    try:
        found = event(**held)
    except TypeError as error:
        raise ForeignRecordError("a record lacks a field", cause=error) from error
    try:
        # INVARIANT: tried before it is recorded, for what the log refuses is refused with all that others do then.
        draft(found, _NOBODY, _NEVER)
    except BadEntryError as error:
        raise ForeignRecordError("a record is not in the form of the log", cause=error) from error
    return Relayed(sequence, found)


def _context(entry: JsonObject) -> Context:
    actor, net, trace = entry.get("actor"), entry.get("net"), entry.get("trace")
    if not isinstance(actor, dict) or actor.get("type") not in _ACTORS or not isinstance(net, dict):
        raise ForeignRecordError("a record is of somebody that a guard does not speak for")
    return Context(
        actor=Actor(ActorType(str(actor["type"])), _text(actor.get("id"))),
        tenant=_text(entry.get("tenant")),
        environment=_text(entry.get("env")),
        user_id=_text(entry.get("user")),
        agent_id=_text(entry.get("agent")),
        client_id=_text(entry.get("client")),
        grant_id=_text(entry.get("grant")),
        network=Network(_text(net.get("ip")), _text(net.get("ua"))),
        trace=_trace(trace),
        auth=_auth(entry.get("auth")),
        act=_act(entry.get("act", [])),
    )


def _trace(value: Json) -> Trace | None:
    if value is None:
        return None
    trace_id = value.get("trace_id") if isinstance(value, dict) else None
    span_id = value.get("span_id") if isinstance(value, dict) else None
    if not isinstance(trace_id, str) or not isinstance(span_id, str):
        raise ForeignRecordError("a record has a trace that is none")
    return Trace(trace_id, span_id)


def _auth(value: Json) -> JsonObject | None:
    """How whoever acts had logged in, taken apart and put together anew: nothing else comes in with it."""
    if value is None:
        return None
    amr = value.get("amr") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(amr, list) or len(amr) > _MOST:
        raise ForeignRecordError("a record says in a form of its own how somebody logged in")
    acr, auth_time = value.get("acr"), value.get("auth_time")
    if auth_time is not None and type(auth_time) is not int:
        raise ForeignRecordError("a record says in a form of its own how somebody logged in")
    return authenticated(_text(acr), [one for one in map(_text, amr) if one is not None], auth_time)


def _act(value: Json) -> tuple[JsonObject, ...]:
    if not isinstance(value, list) or len(value) > _MOST:
        raise ForeignRecordError("a record has a chain of agents that is none")
    pairs = [(one.get("agent"), one.get("client")) for one in value if isinstance(one, dict)]
    known = [(str(agent), str(client)) for agent, client in pairs if agent and client]
    if len(known) != len(value) or not all(one.isprintable() for pair in known for one in pair):
        raise ForeignRecordError("a record has a chain of agents that is none")
    return chain_of(known)


def _text(value: Json) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ForeignRecordError("a record has something else where text belongs")
    return value


def _held(event: type[Event], body: JsonObject) -> dict[str, Any]:
    """The fields of `event`, each of its own type."""
    kinds = _kinds(event)  # type: ignore[arg-type]  # every class can be hashed
    if body.keys() - kinds.keys():
        raise ForeignRecordError("a record has a field that its event does not have")
    return {name: _field(kinds[name], value) for name, value in body.items() if name != "guard"}


def _field(kind: Any, value: Json) -> object:
    """`value` as a field of `kind`: text, an integer, a list of either or of objects, an object."""
    if isinstance(value, dict) and value.keys() == _OMITTED and get_origin(kind) is not Mapping:
        # The log left it out for its size; what is kept of it stands where it would have stood.
        value = f"omitted, {value['omitted_bytes']} bytes, sha256 {value['omitted_sha256']}"
        if get_origin(kind) is tuple:
            return () if get_origin(get_args(kind)[0]) is Mapping else (value,)
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise ForeignRecordError("a record has something else where a list belongs")
        return tuple(_field(get_args(kind)[0], one) for one in value)
    if get_origin(kind) is Mapping:
        if not isinstance(value, dict):
            raise ForeignRecordError("a record has something else where an object belongs")
        return value
    admitted: Sequence[object] = get_args(kind) or (kind,)
    if type(value) not in admitted:
        raise ForeignRecordError("a record has a field of another type than its event")
    return value


@cache
def _kinds(event: type[Event]) -> Mapping[str, Any]:
    hints = get_type_hints(event, localns={"Json": object})
    return {field.name: hints[field.name] for field in fields(event) if field.name != "context"}
