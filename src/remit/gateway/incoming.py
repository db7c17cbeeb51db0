"""A request as it stands before anybody judges it: what was said, by whom, for which server."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from remit.audit.context import Context, Network, Trace
from remit.canonical import Json
from remit.gateway.http import Exchange, Scope
from remit.gateway.jsonrpc import JsonRpcId, Request
from remit.gateway.methods import Decided, Listed, Treatment, subject_of
from remit.gateway.rejection import RejectedError, invalid_params
from remit.guard.call import Call, Earlier, RequestProof
from remit.guard.justification import (
    JUSTIFICATION_KEY,
    InvalidJustificationError,
    justification_of,
)
from remit.guard.records import actor_in
from remit.model import Server
from remit.web.peer import peer_of
from remit.web.site import IpNetwork, nowhere

__all__ = ["Incoming", "context_of", "forwarded_headers"]

_MAX_TRACE_STATE = 512
_MAX_BAGGAGE = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One HTTP request to one server; `context` says where it came from, `proof` whose key was used."""

    exchange: Exchange
    server: Server
    context: Context
    proof: RequestProof | None = None
    earlier: Earlier | None = None
    """The decision about the same call when it came before, where it comes again."""
    beside_trace: tuple[tuple[str, str], ...] | None = None
    """What travels beside the trace, where the message itself names one; `None`: what its headers say."""
    said: Json = None
    """Why, as its person filled it into a form, since what the request itself says did not do."""

    def because_of(self, causes: tuple[str, ...]) -> "Incoming":
        """The same, of which the log says what it comes again for."""
        return replace(self, context=self.context.with_(caused_by=causes))

    def within(self, flow_id: str) -> "Incoming":
        """The same, as a part of what the log knows by that name."""
        return replace(self, context=self.context.with_(flow_id=flow_id))

    def call(
        self,
        method: str,
        version: str | None,
        *,
        request: Request | None = None,
        treatment: Treatment | None = None,
    ) -> Call:
        """The call as the guard wants it.

        Raises:
            RejectedError: -32602, a decided method does not say what it is about, or the
                justification is none.
        """
        request_id: JsonRpcId | None = request.id if request is not None else None
        kind, name, arguments = None, None, None
        if request is not None and isinstance(treatment, Decided):
            try:
                subject = subject_of(method, request.params)
            except RejectedError as rejected:
                raise rejected.about(request.id) from None
            kind, name, arguments = subject.kind, subject.name, subject.arguments
        elif isinstance(treatment, Listed):
            kind = treatment.kind
        justification = _justification(request, self.said) if request is not None else None
        return Call(
            server=self.server.name,
            method=method,
            authorization=self.exchange.headers.all(b"authorization"),
            context=self.context,
            kind=kind,
            name=name,
            arguments=arguments,
            jsonrpc_id=request_id,
            protocol_version=version,
            proof=self.proof,
            justification=justification,
            earlier=self.earlier,
        )


def _justification(request: Request, said: Json) -> str | None:
    """Why, as the client says it.

    Raises:
        RejectedError: -32602, what stands in its place is no justification.
    """
    meta = request.params.get("_meta") if request.params else None
    given = meta.get(JUSTIFICATION_KEY) if isinstance(meta, dict) else None
    try:
        if isinstance(given, dict) and isinstance(said, dict):
            return justification_of({**given, **said})
        return justification_of(given if said is None else said)
    except InvalidJustificationError as error:
        raise invalid_params(error.detail).about(request.id) from None


def context_of(
    scope: Scope,
    trusted_proxies: tuple[IpNetwork, ...],
    zones: Callable[[str | None], tuple[str, ...]] = nowhere,
) -> Context:
    """Network and trace of a request; `zones` says which networks an address is in."""
    peer = peer_of(scope, trusted_proxies)
    return Context(
        actor=actor_in(scope),
        network=Network(peer.ip, peer.user_agent, zones(peer.ip), peer.hops),
        trace=Trace(peer.trace_id, peer.span_id, peer.flags),
    )


def forwarded_headers(incoming: Incoming, *, modern: bool) -> tuple[tuple[str, str], ...]:
    """The headers that travel on: trace context, and mirrored arguments on modern requests (RS-35, RS-47)."""
    headers = incoming.exchange.headers
    found: list[tuple[str, str]] = []
    trace = incoming.context.trace
    if trace is not None:
        found.append(("traceparent", f"00-{trace.trace_id}-{trace.span_id}-{trace.flags}"))
    if incoming.beside_trace is None:
        for name, limit in ((b"tracestate", _MAX_TRACE_STATE), (b"baggage", _MAX_BAGGAGE)):
            value = headers.one(name)
            if value and len(value) <= limit and value.isascii() and value.isprintable():
                found.append((name.decode(), value))
    else:
        found.extend(incoming.beside_trace)
    if modern:
        for name in headers.names_with_prefix(b"mcp-param-"):
            value = headers.one(name)
            if value is not None and value.isascii() and value.isprintable():
                found.append((name.decode("latin-1"), value))
    return tuple(found)
