"""The modern door: every POST stands alone, and there is no session to speak of.

A request is held against its headers, then put to the guard, then carried. What headers say of
arguments is looked at once the guard permits the call: to find them wrong is to tell of the tool. A request
that comes again with a state is decided once that state is found good, and its people have answered. A
notification is acknowledged and goes no further: this revision gives a client none
to send over HTTP, and what acts on nothing needs no decision. Responses are refused,
and so are requests that lack their `id`.

Source: MCP 2026-07-28 transports, base protocol.
"""

from dataclasses import replace
from functools import partial

from remit.canonical import JsonObject
from remit.gateway.carriage import Carriage, Passage
from remit.gateway.cures import Cures, Refused, answer_said
from remit.gateway.cures_questions import FORM_KEY, from_form, without_ours
from remit.gateway.extensions import Offered
from remit.gateway.http import ClientGoneError, run_until_disconnect
from remit.gateway.incoming import Incoming, forwarded_headers
from remit.gateway.jsonrpc import Message, Notification, Request, Response, error_response
from remit.gateway.judgement import Judgement, edited
from remit.gateway.listening import Listeners
from remit.gateway.methods import Listening, TaskUse, carries_notification, treatment_of
from remit.gateway.modern_crossing import ModernCrossing, capabilities_of
from remit.gateway.parameter_headers import ToolSchemas, check_parameter_headers
from remit.gateway.ports import GatewayDeps
from remit.gateway.principal import Principal
from remit.gateway.protocol import MODERN_VERSIONS, Era
from remit.gateway.refusal import answer_refusal, refusal_of
from remit.gateway.rejection import RejectedError, unsupported_version
from remit.gateway.request_state import Kept, RequestStates
from remit.gateway.routing_headers import check_modern_request, refuse_repeated_headers
from remit.gateway.settlement import Settlement
from remit.gateway.subscriptions import Subscriptions
from remit.gateway.tasks import Tasks, missing_tasks
from remit.gateway.upstream.port import Outgoing
from remit.guard.outcome import Challenge, Deny
from remit.ids import ServerName
from remit.policy.evaluation import ResourceKind

__all__ = ["ModernDoor"]


class ModernDoor:
    """Serves the modern era."""

    def __init__(
        self,
        deps: GatewayDeps,
        tasks: Tasks,
        listeners: Listeners,
        *,
        states: RequestStates,
        cures: Cures,
    ) -> None:
        self._deps = deps
        self._tasks = tasks
        self._vigil = listeners.vigil
        self._states = states
        self._cures = cures
        self._subscriptions = Subscriptions(deps, tasks, listeners)
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
                    await self._request(incoming, message, version=version)
                except RejectedError as rejected:
                    raise rejected.about(message.id) from None

    def _check(self, incoming: Incoming, request: Request) -> str:
        headers = incoming.exchange.headers
        refuse_repeated_headers(headers)
        version = check_modern_request(request, headers)
        if isinstance(treatment_of(request.method, Era.MODERN), TaskUse):
            lacking = missing_tasks(capabilities_of(request.params or {}))
            if lacking is not None:
                raise lacking
        return version

    def _check_arguments(self, incoming: Incoming, request: Request) -> None:
        params = request.params or {}
        name = params.get("name")
        if request.method != "tools/call" or not isinstance(name, str):
            return
        thing = (incoming.server.name, ResourceKind.TOOL, name)
        admitted = self._deps.directory.definitions.schemas.get(thing)
        mirrored = self._schemas_of(incoming.server.name).mirrored(name, admitted)
        check_parameter_headers(mirrored, params.get("arguments"), incoming.exchange.headers)

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
        if isinstance(treatment_of(request.method, Era.MODERN), Listening):
            await self._subscriptions.listen(incoming, request, version=version)
            return
        request, answers = without_ours(request)
        kept = self._states.kept(request, incoming.server.name)
        why = from_form(answers.get(FORM_KEY)) or kept.justification
        kept = replace(kept, justification=why)
        incoming = replace(incoming, earlier=kept.earlier, said=why)
        if kept.causes:
            incoming = incoming.because_of(kept.causes)
        if self._states.are_in(request) and not await self._is_due(
            incoming, request, answers, kept=kept, version=version
        ):
            return
        judged = await self._tasks.judged(incoming, request, version=version, era=Era.MODERN)
        if isinstance(judged, Challenge | Deny):
            await self._refuse(incoming, request, judged, kept=kept, version=version)
            return
        settlement = Settlement(deps.guard, judged.call, judged.permit, clock=deps.clock)
        crossing = self._crossing(incoming, request, judged, kept)
        try:
            self._check_arguments(incoming, request)
            message = crossing.up()
        except RejectedError as rejected:
            refused = error_response(request.id, rejected.rpc_code, rejected.detail)
            await settlement.answered(refused, upstream_status=None)
            raise
        outgoing = Outgoing(
            message,
            version,
            forwarded_headers(incoming, modern=True),
            principal=Principal.of(judged.token),
            token=judged.token,
        )
        edit = partial(
            edited,
            judgement=judged,
            era=Era.MODERN,
            schemas=self._schemas_of(incoming.server.name),
            offered=crossing.offered,
        )
        passage = Passage(
            server=incoming.server,
            request=request,
            judged=judged,
            era=Era.MODERN,
            ask=lambda: crossing.filtered(deps.upstreams.of(incoming.server).ask(outgoing)),
            edit=lambda response: crossing.down(edit(response)),
            settlement=settlement,
        )
        await Carriage(deps, incoming.exchange, passage, vigil=self._vigil).run()

    async def _is_due(
        self, incoming: Incoming, request: Request, answers: JsonObject, *, kept: Kept, version: str
    ) -> bool:
        """Whether a request that comes again can be decided; where not, it has been answered.

        Before it is: what people said of it is spent by the decision, and not for a state that is not good.
        """
        exchange, server = incoming.exchange, incoming.server
        caller = await self._deps.guard.authenticate(incoming.call(request.method, version))
        if isinstance(caller, Challenge | Deny):
            refusal = refusal_of(caller, server, public_url=self._deps.settings.public_url)
            await answer_refusal(exchange, refusal, request.id)
            return False
        principal = Principal.of(caller)
        opened = self._states.opened(request, server.name, principal)
        due = False

        async def held() -> None:
            nonlocal due
            due = await self._cures.awaited(answers, kept, principal=principal)
            if not due:
                again = self._cures.sent_back(opened, server.name, kept, principal=principal)
                await exchange.answer_json(200, again.to_bytes())

        if kept.waits is None:
            return True
        await run_until_disconnect(exchange.receive, held())
        if not due and not exchange.started:
            raise ClientGoneError
        return due

    async def _refuse(
        self,
        incoming: Incoming,
        request: Request,
        outcome: Challenge | Deny,
        *,
        kept: Kept,
        version: str,
    ) -> None:
        exchange = incoming.exchange
        if isinstance(outcome, Challenge):
            public_url = self._deps.settings.public_url
            refusal = refusal_of(outcome, incoming.server, public_url=public_url)
            await answer_refusal(exchange, refusal, request.id)
            return
        said = await self._cures.said(
            Refused(
                incoming=incoming,
                request=request,
                outcome=outcome,
                era=Era.MODERN,
                version=version,
                capabilities=capabilities_of(request.params or {}),
                kept=kept,
            )
        )
        await answer_said(exchange, said, request.id)

    def _crossing(
        self, incoming: Incoming, request: Request, judged: Judgement, kept: Kept
    ) -> ModernCrossing:
        server = incoming.server
        ours = self._deps.authorization_extensions()
        return ModernCrossing(
            server=server,
            request=request,
            judged=judged,
            tasks=self._tasks,
            states=self._states,
            offered=Offered.by(server.allowed_extensions, ours),
            kept=kept,
        )

    def _schemas_of(self, server: ServerName) -> ToolSchemas:
        return self._schemas.setdefault(server, ToolSchemas())
