"""The legacy door: `initialize`, then a session with three verbs.

POST carries one message and, with every one, a token; GET opens the server's own
stream, one to a session, and closes it once its token no longer stands; DELETE ends
the session. Streams are not resumable here: `Last-Event-ID` is ignored, and no
event carries an id. A response is taken only to a question that was asked; of
notifications only those go on that a client may send, whatever the server would obey.

Source: MCP 2025-11-25 lifecycle, transports, cancellation.
"""

from collections.abc import Awaitable
from dataclasses import replace
from functools import partial

from remit.gateway.carriage import Carriage, Passage
from remit.gateway.cures_session import SessionCures, end
from remit.gateway.incoming import Incoming, forwarded_headers
from remit.gateway.jsonrpc import (
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    Message,
    Notification,
    Request,
    Response,
    error_response,
)
from remit.gateway.judgement import Judgement, edited
from remit.gateway.legacy_crossing import LegacyCrossing
from remit.gateway.listening import Listeners, listen
from remit.gateway.media_types import accepts_events
from remit.gateway.methods import carries_notification
from remit.gateway.parameter_headers import ToolSchemas
from remit.gateway.ports import GatewayDeps
from remit.gateway.principal import Principal
from remit.gateway.protocol import (
    DEFAULT_LEGACY_VERSION,
    LATEST_LEGACY_VERSION,
    LEGACY_VERSIONS,
    Era,
)
from remit.gateway.refusal import answer_refusal, refusal_of
from remit.gateway.rejection import NoPlaceError, RejectedError, UpstreamError
from remit.gateway.routing_headers import refuse_repeated_headers
from remit.gateway.sessions import Session, Sessions
from remit.gateway.settlement import Settlement
from remit.gateway.sight import Sight
from remit.gateway.tasks import Tasks
from remit.gateway.upstream.port import Outgoing, UpstreamSession
from remit.guard.outcome import Challenge, Deny, RefusalReason
from remit.guard.visible import Visible
from remit.model import Server
from remit.policy.evaluation import ResourceKind
from remit.tokens.access_token import AccessToken

__all__ = ["LegacyDoor"]


class LegacyDoor:
    """Serves the legacy era."""

    def __init__(
        self,
        deps: GatewayDeps,
        sessions: Sessions,
        listeners: Listeners,
        tasks: Tasks,
        *,
        cures: SessionCures,
    ) -> None:
        self._deps = deps
        self._cures = cures
        self._sessions = sessions
        self._listeners = listeners
        self._tasks = tasks

    async def post(self, incoming: Incoming, message: Message) -> None:
        """Answer one message.

        Raises:
            RejectedError: the message does not fit the session, or there is none.
        """
        message_id = message.id if isinstance(message, Request) else None
        try:
            refuse_repeated_headers(incoming.exchange.headers)
            if isinstance(message, Request) and message.method == "initialize":
                await self._initialize(incoming, message)
            else:
                await self._within_session(incoming, message)
        except RejectedError as rejected:
            raise _as_answer(rejected.about(message_id)) from None

    async def get(self, incoming: Incoming) -> None:
        """Open the server's own stream."""
        token = await self._authenticated(incoming, "GET", None)
        if token is None:
            return
        session = self._session(incoming, token)
        incoming = incoming.within(session.flow)
        if not accepts_events(incoming.exchange.headers):
            raise RejectedError(406, "accept `text/event-stream`")
        if session.listening:
            raise RejectedError(409, "the session has a stream already")
        session.listening = True
        try:
            recheck = partial(self._deps.guard.authenticate, incoming.call("GET", session.version))
            await listen(
                incoming.exchange,
                session,
                self._listeners,
                token=token,
                recheck=recheck,
                passing=self._crossing(incoming, session, "GET").passing,
            )
            if not incoming.exchange.started:
                await self._authenticated(incoming, "GET", None)
        finally:
            session.listening = False

    async def delete(self, incoming: Incoming) -> None:
        """End the session."""
        token = await self._authenticated(incoming, "DELETE", None)
        if token is None:
            return
        session = self._session(incoming, token)
        incoming = incoming.within(session.flow)
        self._sessions.end(session)
        await session.upstream.close()
        await incoming.exchange.answer(204)

    async def _initialize(self, incoming: Incoming, request: Request) -> None:
        asked = request.params.get("protocolVersion") if request.params else None
        version = asked if isinstance(asked, str) else LATEST_LEGACY_VERSION
        judged = await self._judged(incoming, request, version)
        if judged is None:
            return
        principal = Principal.of(judged.token)
        own = await self._place(incoming.server, principal)
        # The id has to be in the headers, which a stream sends before its first event.
        session = self._sessions.open(
            incoming.server.name, judged.token, upstream=own, version=version
        )
        opening = _Opening(session)
        session.in_flight += 1
        try:
            await self._carry(incoming, session, request, judged=judged, opening=opening)
        finally:
            session.in_flight -= 1
            if not opening.accepted:
                self._sessions.end(session)
                await own.close()

    async def _place(self, server: Server, principal: Principal) -> UpstreamSession:
        """A session behind, for which somebody else's may have to end."""
        replaced = self._sessions.make_room(principal)
        if replaced is not None:
            await replaced.upstream.close()
        try:
            upstream = self._deps.upstreams.of(server)
            try:
                return upstream.open_session()
            except NoPlaceError:
                surrendered = self._sessions.surrendered(principal, server.name)
                if surrendered is None:
                    raise
            await surrendered.upstream.close()
            return upstream.open_session()
        except UpstreamError as error:
            raise RejectedError(503, error.detail) from error

    async def _within_session(self, incoming: Incoming, message: Message) -> None:
        method = message.method if isinstance(message, Request | Notification) else "response"
        token = await self._authenticated(incoming, method, message)
        if token is None:
            return
        session = self._session(incoming, token)
        incoming = incoming.within(session.flow)
        session.in_flight += 1
        try:
            if isinstance(message, Request):
                await self._answer(incoming, session, message)
            else:
                await self._tell(incoming, session, message)
        finally:
            session.in_flight -= 1

    async def _answer(self, incoming: Incoming, session: Session, request: Request) -> None:
        exchange, version = incoming.exchange, session.version
        judged = await self._tasks.judged(incoming, request, version=version, era=Era.LEGACY)
        try:
            if isinstance(judged, Deny):
                why = await self._cures.why(incoming, session, request, judged)
                if exchange.started:
                    incoming = replace(incoming, said=why)
                    judged = await self._tasks.judged(
                        incoming, request, version=version, era=Era.LEGACY
                    )
            match judged:
                case Judgement():
                    await self._carry(incoming, session, request, judged=judged)
                case Deny():
                    session.may_follow |= judged.asked is not None
                    await self._cures.answer(incoming, session, request, judged)
                case Challenge() if exchange.started:
                    refusal = refusal_of(
                        judged, incoming.server, public_url=self._deps.settings.public_url
                    )
                    await end(exchange, Response(request.id, error=refusal.error))
                case Challenge():
                    session.may_follow |= judged.reason is RefusalReason.INSUFFICIENT_SCOPE
                    await self._refuse(incoming, judged, request)
        except RejectedError as rejected:
            if not exchange.started:
                raise
            response = error_response(request.id, rejected.rpc_code, rejected.detail, rejected.data)
            await end(exchange, response)

    async def _carry(
        self,
        incoming: Incoming,
        session: Session,
        request: Request,
        *,
        judged: Judgement,
        opening: "_Opening | None" = None,
    ) -> None:
        deps = self._deps
        crossing = self._crossing(incoming, session, request.method)
        outgoing = Outgoing(
            crossing.up(request, judged),
            session.version,
            forwarded_headers(incoming, modern=False),
            principal=session.principal,
            token=judged.token,
        )
        edit = partial(
            edited,
            judgement=judged,
            era=Era.LEGACY,
            schemas=ToolSchemas(),
            offered=crossing.offered,
        )
        passage = Passage(
            server=incoming.server,
            request=request,
            judged=judged,
            era=Era.LEGACY,
            ask=lambda: crossing.filtered(session.upstream.ask(outgoing)),
            edit=lambda response: crossing.down(edit(response), request, judged),
            settlement=Settlement(deps.guard, judged.call, judged.permit, clock=deps.clock),
            headers=((b"mcp-session-id", session.id.encode()),),
            on_request=session.ask,
            on_response=None if opening is None else opening.take,
            capabilities=session.capabilities,
        )
        try:
            vigil = self._listeners.vigil
            await Carriage(deps, incoming.exchange, passage, vigil=vigil).run()
        except RejectedError as rejected:
            if rejected.status == 404:
                await self._forget(session)
            raise

    async def _tell(
        self, incoming: Incoming, session: Session, message: Notification | Response
    ) -> None:
        if isinstance(message, Response):
            if session.take_own_answer(message):
                await incoming.exchange.answer(202)
                return
            if not session.take_answer(message.id):
                raise RejectedError(400, "no request of that id waits for an answer")
        elif not carries_notification(message.method):
            await incoming.exchange.answer(202)
            return
        headers = forwarded_headers(incoming, modern=False)
        message = self._crossing(incoming, session, "tell").told(message)
        try:
            if isinstance(message, Response):
                await session.upstream.tell(
                    Outgoing(message, session.version, headers, session.principal)
                )
            else:
                await session.upstream.tell(
                    Outgoing(message, session.version, headers, session.principal)
                )
        except UpstreamError as error:
            if error.session_ended:
                await self._forget(session)
                raise RejectedError(404, error.detail) from error
            raise RejectedError(502, error.detail) from error
        await incoming.exchange.answer(202)

    def _crossing(self, incoming: Incoming, session: Session, method: str) -> LegacyCrossing:
        deps = self._deps

        def look() -> Awaitable[Visible | Challenge | Deny]:
            call = incoming.call(method, session.version)
            return deps.guard.visible(replace(call, kind=ResourceKind.RESOURCE))

        return LegacyCrossing(
            server=incoming.server,
            session=session,
            tasks=self._tasks,
            sight=Sight(look, deps.clock, seconds=deps.settings.recheck),
        )

    async def _forget(self, session: Session) -> None:
        self._sessions.end(session)
        await session.upstream.close()

    def _session(self, incoming: Incoming, token: AccessToken) -> Session:
        headers = incoming.exchange.headers
        session_id = headers.one(b"mcp-session-id")
        session = self._sessions.find(session_id, incoming.server.name, token)
        said = headers.one(b"mcp-protocol-version")
        if said is not None and said not in LEGACY_VERSIONS:
            raise RejectedError(400, "header `mcp-protocol-version` names no supported version")
        if said is not None and said != session.version:
            raise RejectedError(400, "header `mcp-protocol-version` is not what was negotiated")
        return session

    async def _judged(self, incoming: Incoming, request: Request, version: str) -> Judgement | None:
        judged = await self._tasks.judged(incoming, request, version=version, era=Era.LEGACY)
        if isinstance(judged, Judgement):
            return judged
        await self._refuse(incoming, judged, request)
        return None

    async def _authenticated(
        self, incoming: Incoming, method: str, message: Message | None
    ) -> AccessToken | None:
        version = incoming.exchange.headers.one(b"mcp-protocol-version") or DEFAULT_LEGACY_VERSION
        outcome = await self._deps.guard.authenticate(incoming.call(method, version))
        if isinstance(outcome, AccessToken):
            return outcome
        await self._refuse(incoming, outcome, message)
        return None

    async def _refuse(
        self, incoming: Incoming, outcome: Challenge | Deny, message: Message | None
    ) -> None:
        refusal = refusal_of(outcome, incoming.server, public_url=self._deps.settings.public_url)
        request_id = message.id if isinstance(message, Request) else None
        await answer_refusal(incoming.exchange, refusal, request_id)


def _as_answer(rejected: RejectedError) -> RejectedError:
    """A legacy client takes an error status for a broken transport, and loses the message in it."""
    if rejected.id is not None and rejected.rpc_code in {INVALID_PARAMS, METHOD_NOT_FOUND}:
        rejected.status = 200
    return rejected


class _Opening:
    """Whether `initialize` was answered by a session that can be used."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.accepted = False

    def take(self, response: Response) -> None:
        version = response.result.get("protocolVersion") if response.result else None
        if isinstance(version, str) and version in LEGACY_VERSIONS:
            self._session.version = version
            self.accepted = True
