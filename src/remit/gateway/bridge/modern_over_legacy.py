"""A modern caller in front of a server that knows only sessions.

Each request runs in a legacy session of its principal's. A question of the server's
ends the request with a result that asks for input, while the server's call stays
open; the request comes again with the answer, having been decided again, and goes on
where it stood. No call is made twice, unless the server has said that its session is
gone, and so surely did not begin it.

Source: MCP 2026-07-28 discovery, multi round-trip requests; MCP 2025-11-25 lifecycle, elicitation, sampling.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from remit.canonical import Json, JsonObject
from remit.clock import Clock
from remit.gateway.bridge.legacy_call import LegacyCall
from remit.gateway.bridge.limits import BridgeLimits
from remit.gateway.bridge.own_session import OtherEraError, OwnSession
from remit.gateway.bridge.own_sessions import OwnSessions
from remit.gateway.bridge.questions import as_input, undeclared
from remit.gateway.bridge.subscription import Subscription
from remit.gateway.bridge.suspended import Suspended, SuspendedCall, digest_of
from remit.gateway.bridge.to_legacy import legacy_capabilities, legacy_params
from remit.gateway.bridge.to_modern import (
    discover_result,
    meta_of,
    modern_notification,
    modern_response,
)
from remit.gateway.jsonrpc import (
    UNSUPPORTED_VERSION,
    Message,
    Notification,
    Request,
    Response,
)
from remit.gateway.principal import Principal
from remit.gateway.protocol import CAPABILITIES_KEY, LOG_LEVEL_KEY
from remit.gateway.rejection import RejectedError, UpstreamError, invalid_params, method_not_found
from remit.gateway.upstream.port import Outgoing, Reply, UpstreamSession
from remit.tokens.access_token import AccessToken

__all__ = ["ModernOverLegacy"]

_FIRST_WORD_SECONDS = 5.0
"""So long an answer may still turn out to be whole; then a stream is begun."""
_MAY_ASK = frozenset({"tools/call", "resources/read", "prompts/get"})
_ANSWER = "answer"
"""The one member of `inputRequests` and `inputResponses`: a legacy server asks one thing at a time."""


@dataclass(slots=True)
class _Round:
    """One request of a client's for one call, and how it left the call."""

    request: Request
    call: LegacyCall
    again: Request | None = None
    """A question that the client has left open."""
    answered: bool = False
    suspended: bool = False

    @property
    def level(self) -> Json:
        return meta_of(self.request.params).get(LOG_LEVEL_KEY)


class ModernOverLegacy:
    """Answers modern requests in front of one server. `open_session` opens a legacy session with it."""

    def __init__(
        self, open_session: Callable[[], UpstreamSession], limits: BridgeLimits, clock: Clock
    ) -> None:
        self._limits = limits
        self._suspended = Suspended(limits.answer, clock)
        self.sessions = OwnSessions(open_session, limits, clock, gives_way=self._give_way)

    @asynccontextmanager
    async def ask(self, outgoing: Outgoing[Request]) -> AsyncIterator[Reply]:
        """As `Upstream.ask`.

        Raises:
            OtherEraError: the server does not speak this era (any more), and has done nothing.
        """
        request = outgoing.message
        if request.method == "server/discover":
            yield _whole(await self._discovered(outgoing))
        elif request.method == "subscriptions/listen":
            async with self._subscribed(outgoing) as reply:
                yield reply
        else:
            async with self._round(outgoing) as reply:
                yield reply

    def end_unbacked(self, backs: Callable[[AccessToken], bool]) -> None:
        """End the sessions and the suspended calls of whoever may act no more."""
        for one in self._suspended.unbacked(backs):
            self._abandon(one.call)
        self.sessions.end_unbacked(backs)

    def sweep(self) -> None:
        """End what has been idle, or has waited, for too long."""
        for one in self._suspended.late():
            self._abandon(one.call)
        self.sessions.sweep()

    async def close(self) -> None:
        """End every session and every call."""
        for one in self._suspended.all():
            self._abandon(one.call)
        await self.sessions.close()

    async def _discovered(self, outgoing: Outgoing[Request]) -> Response:
        session = await self._session(outgoing)
        self.sessions.give_back(session)
        return Response(outgoing.message.id, result=discover_result(session.initialized))

    @asynccontextmanager
    async def _subscribed(self, outgoing: Outgoing[Request]) -> AsyncIterator[Reply]:
        session = await self._session(outgoing)
        try:
            if not await session.hear():
                raise method_not_found(outgoing.message.method, modern=True)
            subscription = Subscription(session, outgoing.message)
            try:
                yield Reply(200, streamed=True, messages=subscription.messages())
            finally:
                await subscription.end()
        finally:
            # What was subscribed to ends with the session.
            self.sessions.discard(session)

    @asynccontextmanager
    async def _round(self, outgoing: Outgoing[Request]) -> AsyncIterator[Reply]:
        handle = (outgoing.message.params or {}).get("requestState")
        if handle is None:
            round_, first = await self._begun(outgoing)
        else:
            round_, first = await self._resumed(outgoing, handle)
        try:
            messages = self._passed_down(round_)
            if isinstance(first, Response) or _ends_the_round(first, round_):
                yield Reply(200, streamed=False, messages=_only_last(messages))
            else:
                yield Reply(200, streamed=True, messages=messages)
        finally:
            self._leave(round_)

    async def _begun(self, outgoing: Outgoing[Request]) -> tuple[_Round, Message | None]:
        """A new call, and its first word if that came soon."""
        request = outgoing.message
        while True:
            session = await self._session(outgoing)
            call: LegacyCall | None = None
            begun = False
            try:
                await session.log_from(meta_of(request.params).get(LOG_LEVEL_KEY))
                call = LegacyCall(session, request.method, legacy_params(request.params))
                first = await call.flow.peek(_FIRST_WORD_SECONDS)
                _refuse_other_era(first)
                begun = True
            except UpstreamError as error:
                # The server knows no such session: it has not begun the call.
                if not (error.session_ended and session.used):
                    raise
                continue
            except RejectedError as rejected:
                raise OtherEraError from rejected
            finally:
                if not begun:
                    self._drop(session, call)
            return _Round(request, call), first

    async def _resumed(
        self, outgoing: Outgoing[Request], handle: Json
    ) -> tuple[_Round, Message | None]:
        """The call that `handle` stands for, which goes on with the answer to its question."""
        request = outgoing.message
        params = request.params or {}
        if outgoing.principal is None:
            raise invalid_params("`requestState` belongs to nobody")
        digest = digest_of(request.method, params)
        found = self._suspended.claim(handle, outgoing.principal, digest)
        round_ = _Round(request, found.call)
        going_on = False
        try:
            found.call.session.serve(outgoing)
            answer = _answer_of(found, params.get("inputResponses"))
            if answer is None:
                # Asked again, as the protocol wants it; the rounds are counted.
                round_.again = found.question
                first: Message | None = found.question
            else:
                await found.call.answer(answer)
                first = await found.call.flow.peek(_FIRST_WORD_SECONDS)
            going_on = True
        finally:
            if not going_on:
                self._leave(round_)
        return round_, first

    async def _passed_down(self, round_: _Round) -> AsyncIterator[Message]:
        """What the server says, in the words of this era, up to what ends the round."""
        request, call = round_.request, round_.call
        while True:
            message = round_.again or await call.flow.next()
            if isinstance(message, Response):
                round_.answered = True
                # Free before the caller has the answer, and may come with the next call.
                await call.end()
                self.sessions.give_back(call.session)
                response = modern_response(message, request.method, call.session.initialized)
                yield Response(request.id, response.result, response.error)
                return
            if isinstance(message, Notification):
                said = modern_notification(message, round_.level)
                if said is not None:
                    yield said
            elif (refused := _not_askable(message, round_)) is not None:
                await _refuse(call, message, refused)
            else:
                yield self._suspend(round_, message)
                return

    def _suspend(self, round_: _Round, question: Request) -> Response:
        call = round_.call
        call.rounds += 1
        if call.rounds > self._limits.rounds:
            raise UpstreamError("the server asks without end")
        round_.suspended = True
        digest = digest_of(round_.request.method, round_.request.params)
        result: JsonObject = {
            "resultType": "input_required",
            "inputRequests": {_ANSWER: as_input(question)},
            "requestState": self._suspended.keep(call, question, digest),
        }
        return Response(round_.request.id, result=result)

    def _leave(self, round_: _Round) -> None:
        """Give up what nobody waits for any more."""
        if not (round_.suspended or round_.answered):
            self._abandon(round_.call)

    def _drop(self, session: OwnSession, call: LegacyCall | None) -> None:
        if call is None:
            self.sessions.discard(session)
        else:
            self._abandon(call)

    def _abandon(self, call: LegacyCall) -> None:
        self.sessions.in_background(self._given_up(call), name="bridged call is given up")

    async def _given_up(self, call: LegacyCall) -> None:
        try:
            await call.give_up()
        finally:
            self.sessions.discard(call.session)

    def _give_way(self, principal: Principal) -> OwnSession | None:
        waiting = self._suspended.oldest(principal)
        if waiting is None:
            return None
        self._abandon(waiting.call)
        return waiting.call.session

    async def _session(self, outgoing: Outgoing[Request]) -> OwnSession:
        declared = legacy_capabilities(meta_of(outgoing.message.params).get(CAPABILITIES_KEY))
        return await self.sessions.lend(outgoing, declared)


def _not_askable(question: Request, round_: _Round) -> Response | None:
    """Why the client is not asked; `None` if it is."""
    declared = round_.call.session.capabilities if round_.request.method in _MAY_ASK else {}
    return undeclared(question, declared)


async def _refuse(call: LegacyCall, question: Request, refused: Response) -> None:
    if question.method == "ping":
        await call.refuse(question)
    else:
        await call.answer(refused)


def _ends_the_round(message: Message | None, round_: _Round) -> bool:
    return isinstance(message, Request) and _not_askable(message, round_) is None


def _answer_of(found: SuspendedCall, responses: Json) -> Response | None:
    """What the client says to the question; `None` where it says nothing."""
    answer = responses.get(_ANSWER) if isinstance(responses, dict) else None
    if not isinstance(answer, dict):
        return None
    said: JsonObject = {name: value for name, value in answer.items() if name != "resultType"}
    return Response(found.question.id, result=said)


def _refuse_other_era(message: Message | None) -> None:
    refused = message.error if isinstance(message, Response) else None
    if refused is not None and refused["code"] == UNSUPPORTED_VERSION:
        raise OtherEraError


def _whole(response: Response) -> Reply:
    async def just() -> AsyncIterator[Message]:
        yield response

    return Reply(200, streamed=False, messages=just())


async def _only_last(messages: AsyncIterator[Message]) -> AsyncIterator[Message]:
    async for message in messages:
        if isinstance(message, Response):
            yield message
