"""Which trace a message belongs to, and how the trace goes on to the server behind.

In a message (`_meta.traceparent`) it is the client's own word about this very request, so it goes before the header, which
whoever stood in between may have written. What is none is passed over. To a server that is asked over a pipe there are no
headers: there the trace goes on in `_meta`, unless the client has put one there itself. Nothing is ever decided by it.

Source: MCP SEP-414; W3C Trace Context §3.2, §3.3.
"""

from dataclasses import replace
from typing import Final

from remit.audit.context import Trace
from remit.canonical import Json, JsonObject
from remit.gateway.incoming import Incoming
from remit.gateway.jsonrpc import Message, Request, Response
from remit.web.peer import trace_in

__all__ = ["of_message", "with_trace"]

_PARENT: Final = "traceparent"
_BESIDE: Final = (("tracestate", 512), ("baggage", 8192))


def of_message(incoming: Incoming, message: Message) -> Incoming:
    """`incoming`, in the trace that `message` names, if it names one."""
    if isinstance(message, Response) or not message.params:
        return incoming
    meta = message.params.get("_meta")
    if not isinstance(meta, dict) or _PARENT not in meta:
        return incoming
    given = meta[_PARENT]
    found = trace_in(given) if isinstance(given, str) else None
    if found is None:
        return incoming
    beside = tuple(
        (name, str(meta[name])) for name, most in _BESIDE if _is_line(meta.get(name), most)
    )
    return replace(
        incoming, context=incoming.context.with_(trace=Trace(*found)), beside_trace=beside
    )


def with_trace(request: Request, headers: tuple[tuple[str, str], ...]) -> Request:
    """`request` with what `headers` say of its trace in `_meta`; as it is, where it says so itself."""
    params: JsonObject = request.params or {}
    meta = params.get("_meta", {})
    if not isinstance(meta, dict) or _PARENT in meta:
        return request
    ours = {name: value for name, value in headers if name in {_PARENT, "tracestate", "baggage"}}
    if _PARENT not in ours:
        return request
    return Request(request.id, request.method, {**params, "_meta": {**meta, **ours}})


def _is_line(value: Json, longest: int) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(value) <= longest
        and value.isascii()
        and value.isprintable()
    )
