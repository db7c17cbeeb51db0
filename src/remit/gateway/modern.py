"""The modern door: every POST stands alone, and there is no session to speak of.

A request is held against its headers, then put to the guard, then carried. A
notification is acknowledged and goes no further: this revision gives a client none
to send over HTTP, and what acts on nothing needs no decision. Responses are refused,
and so are requests that lack their `id`.

Source: MCP 2026-07-28 transports, base protocol.
"""

from functools import partial

from remit.gateway.carriage import Carriage, Passage
from remit.gateway.incoming import Incoming, forwarded_headers
from remit.gateway.jsonrpc import Message, Notification, Request, Response
from remit.gateway.judgement import edited, judge
from remit.gateway.methods import carries_notification
from remit.gateway.parameter_headers import ToolSchemas, check_parameter_headers
from remit.gateway.ports import GatewayDeps
from remit.gateway.principal import Principal
from remit.gateway.protocol import MODERN_VERSIONS, Era
from remit.gateway.refusal import answer_refusal, refusal_of
from remit.gateway.rejection import RejectedError, unsupported_version
from remit.gateway.routing_headers import check_modern_request, refuse_repeated_headers
from remit.gateway.settlement import Settlement
from remit.gateway.tasks import without_tasks
from remit.gateway.upstream.port import Outgoing
from remit.gateway.vigil import Vigil
from remit.guard.outcome import Challenge, Deny
from remit.ids import ServerName

__all__ = ["ModernDoor"]


class ModernDoor:
    """Serves the modern era."""

    def __init__(self, deps: GatewayDeps, vigil: Vigil) -> None:
        self._deps = deps
        self._vigil = vigil
        self._schemas: dict[ServerName, ToolSchemas] = {}

    async def post(self, incoming: Incoming, message: Message) -> None:
        """Answer one message.

        Raises:
            RejectedError: the message, or a header beside it, is not what the protocol asks.
        """
        match message:
            case Response():
                raise RejectedError(400, "a client sends no responses")
            case Notification():
                await self._acknowledge(incoming, message)
            case Request():
                try:
                    version = self._check(incoming, message)
                except RejectedError as rejected:
                    raise rejected.about(message.id) from None
                await self._request(incoming, message, version=version)

    def _check(self, incoming: Incoming, request: Request) -> str:
        headers = incoming.exchange.headers
        refuse_repeated_headers(headers)
        version = check_modern_request(request, headers)
        name = request.params.get("name") if request.params else None
        if request.method == "tools/call" and request.params is not None and isinstance(name, str):
            mirrored = self._schemas_of(incoming.server.name).mirrored(name)
            check_parameter_headers(mirrored, request.params.get("arguments"), headers)
        return version

    async def _acknowledge(self, incoming: Incoming, notification: Notification) -> None:
        version = incoming.exchange.headers.one(b"mcp-protocol-version") or ""
        if version not in MODERN_VERSIONS:
            raise unsupported_version(version)
        caller = await self._deps.guard.authenticate(incoming.call(notification.method, version))
        if isinstance(caller, Challenge | Deny):
            refusal = refusal_of(caller, incoming.server, public_url=self._deps.settings.public_url)
            await answer_refusal(incoming.exchange, refusal, None)
            return
        carries_notification(notification.method)
        await incoming.exchange.answer(202)

    async def _request(self, incoming: Incoming, request: Request, *, version: str) -> None:
        deps = self._deps
        judged = await judge(deps.guard, incoming, request, version=version, era=Era.MODERN)
        if isinstance(judged, Challenge | Deny):
            refusal = refusal_of(judged, incoming.server, public_url=deps.settings.public_url)
            await answer_refusal(incoming.exchange, refusal, request.id)
            return
        outgoing = Outgoing(
            without_tasks(request),
            version,
            forwarded_headers(incoming, modern=True),
            principal=Principal.of(judged.token),
        )
        schemas = self._schemas_of(incoming.server.name)
        passage = Passage(
            server=incoming.server,
            request=request,
            judged=judged,
            era=Era.MODERN,
            ask=lambda: deps.upstreams.of(incoming.server).ask(outgoing),
            edit=partial(edited, judgement=judged, era=Era.MODERN, schemas=schemas),
            settlement=Settlement(deps.guard, judged.call, judged.permit, clock=deps.clock),
        )
        await Carriage(deps, incoming.exchange, passage, vigil=self._vigil).run()

    def _schemas_of(self, server: ServerName) -> ToolSchemas:
        return self._schemas.setdefault(server, ToolSchemas())
