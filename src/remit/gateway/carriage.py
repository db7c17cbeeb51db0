"""A permitted request carried to its server and back, with its account settled.

Whatever happens on the way (the server fails, speaks another era, is slow; the
client goes away; its grant is revoked; the log is full) the permit is settled once
and, if anybody is still there, the caller gets one well-formed answer.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from remit.canonical import JsonObject
from remit.gateway.connection_answer import CONNECTION_NEEDED, connection_answer
from remit.gateway.http import Exchange, HeaderLine
from remit.gateway.jsonrpc import Notification, Request, Response, error_response
from remit.gateway.judgement import Judgement
from remit.gateway.oversight import Ended, Oversight
from remit.gateway.ports import GatewayDeps
from remit.gateway.protocol import Era
from remit.gateway.receipts import without_receipt
from remit.gateway.refusal import answer_refusal, failure_response, refusal_of, status_of_failure
from remit.gateway.rejection import RejectedError, UpstreamError
from remit.gateway.relay import Relay
from remit.gateway.results import with_known_code
from remit.gateway.settlement import Settlement
from remit.gateway.upstream.port import Reply
from remit.gateway.upstream.presented import ConnectionNeededError
from remit.gateway.vigil import Vigil
from remit.guard.outcome import Challenge, Deny, RefusalReason
from remit.model import Server

__all__ = ["Carriage", "Passage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What is to be carried, and how. `edit` turns the server's result into the caller's."""

    server: Server
    request: Request
    judged: Judgement
    era: Era
    ask: Callable[[], AbstractAsyncContextManager[Reply]]
    edit: Callable[[Response], Response]
    settlement: Settlement
    headers: tuple[HeaderLine, ...] = ()
    on_request: Callable[[Request], None] | None = None
    """Told of what the server asks of the client; without it such requests are dropped."""
    on_response: Callable[[Response], None] | None = None
    """Told of the response that the caller gets."""
    capabilities: JsonObject = field(default_factory=dict)
    """What a legacy client declared of itself."""


class Carriage:
    """Carries one passage over one exchange."""

    def __init__(
        self, deps: GatewayDeps, exchange: Exchange, passage: Passage, *, vigil: Vigil
    ) -> None:
        self._deps = deps
        self._vigil = vigil
        self._exchange = exchange
        self._passage = passage
        self._upstream_status: int | None = None
        self._settled = False
        self._relay = Relay(
            exchange=exchange,
            request=passage.request,
            era=passage.era,
            keep_alive=deps.settings.keep_alive,
            finish=self._finish,
            headers=passage.headers,
            on_request=passage.on_request,
            on_notification=self._heard,
        )

    async def run(self) -> None:
        """Carry; return when the answer has been sent or nobody waits for it."""
        oversight = Oversight(self._exchange.receive, seconds=self._deps.settings.call_lifetime)
        try:
            with (
                oversight,
                self._vigil.over(self._passage.judged.token, oversight.unbacked) as watched,
            ):
                if watched.ended:
                    # Where the cancellation arrives, before anything is sent.
                    await asyncio.sleep(0)
                await self._attempt()
            if oversight.ended is Ended.UNBACKED:
                await self._no_longer_good()
            elif oversight.ended is Ended.LATE:
                await self._fail(UpstreamError("the call took too long", timed_out=True))
        finally:
            await self._passage.settlement.given_up()

    async def _finish(self, response: Response) -> Response | None:
        """Edit the response, record the outcome, and let it go; as `Relay` asks."""
        edited = response
        if not self._settled:
            self._settled = True
            learned = await self._learned(response)
            edited = with_known_code(self._passage.edit(learned), self._passage.era)
            edited = without_receipt(edited)
            refused = await self._passage.settlement.answered(
                edited, upstream_status=self._upstream_status
            )
            if refused is not None:
                return await self._refuse(refused)
            if self._passage.on_response is not None:
                self._passage.on_response(edited)
            return self._passage.settlement.receipted(edited)
        return edited

    async def _learned(self, response: Response) -> Response:
        """A list, once what it says has been held against what was admitted; anything else as it is."""
        definitions, listed = self._deps.definitions, self._passage.judged.listed
        if definitions is None or listed is None:
            return response
        return await definitions.passed(self._passage.server, listed, response)

    def _heard(self, notification: Notification) -> None:
        if self._deps.definitions is not None:
            self._deps.definitions.heard(self._passage.server.name, notification)

    async def _no_longer_good(self) -> None:
        """Account for a call that was cut short, and say so to whoever still waits."""
        self._settled = True
        await self._passage.settlement.given_up()
        if self._exchange.ended:
            return
        judged = self._passage.judged
        refused = Challenge(
            decision_id=judged.decision_id,
            reason=RefusalReason.INVALID_TOKEN,
            detail="the token is no longer good",
            dpop=judged.token.jkt is not None,
        )
        last_words = await self._refuse(refused)
        if last_words is not None:
            await self._relay.end(last_words)

    async def _attempt(self) -> None:
        try:
            async with self._passage.ask() as reply:
                self._upstream_status = reply.status
                await self._relay.run(reply)
        except ConnectionNeededError as error:
            await self._have_connected(error)
        except UpstreamError as error:
            await self._fail(error)
        except RejectedError as rejected:
            await self._reject(rejected)
        except TimeoutError as error:
            await self._fail(UpstreamError("the call took too long", timed_out=True, cause=error))

    async def _fail(self, error: UpstreamError) -> None:
        self._settled = True
        refused = await self._passage.settlement.failed(upstream_status=error.upstream_status)
        if refused is not None:
            await self._relay.end(error_response(self._passage.request.id, -32603, refused.detail))
            return
        if error.session_ended and self._passage.era is Era.LEGACY and not self._exchange.started:
            raise RejectedError(404, error.detail).about(self._passage.request.id)
        await self._relay.end(
            failure_response(self._passage.request.id, error), status=status_of_failure(error)
        )

    async def _have_connected(self, error: ConnectionNeededError) -> None:
        """Account for a call that needs the person first, and say so."""
        self._settled, passage = True, self._passage
        refused = await passage.settlement.failed(outcome=CONNECTION_NEEDED)
        if refused is not None:
            await self._relay.end(error_response(passage.request.id, -32603, refused.detail))
            return
        answer = connection_answer(
            passage.request,
            error,
            era=passage.era,
            version=passage.judged.call.protocol_version,
            capabilities=passage.capabilities,
        )
        await self._relay.end(answer, status=200)

    async def _reject(self, rejected: RejectedError) -> None:
        """The server does not speak this version: the caller is told which it does."""
        status = (
            200 if self._passage.era is Era.LEGACY and rejected.status != 400 else rejected.status
        )
        response = error_response(
            self._passage.request.id, rejected.rpc_code, rejected.detail, rejected.data
        )
        await self._relay.end(response, status=status)

    async def _refuse(self, refused: Challenge | Deny) -> Response | None:
        """Answer with the refusal; in a stream that has begun, as its last event."""
        public_url = self._deps.settings.public_url
        refusal = refusal_of(refused, self._passage.server, public_url=public_url)
        if self._exchange.started:
            return Response(self._passage.request.id, error=refusal.error)
        await answer_refusal(self._exchange, refusal, self._passage.request.id)
        return None
