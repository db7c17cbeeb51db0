"""How a legacy session is led to the people who can cure a refusal, and told when they have decided.

A page is named in the error of 2025-11-25 that says it has to be opened first; the session hears of the end on its own
stream, which is kept open for that even where the server behind has none. Why a call is made is asked for on the stream of
its answer, once; the call is decided again with what comes back, and goes on in the same stream.

Source: MCP 2025-11-25 elicitation (URL mode, completion notifications), transports; MCP 2025-06-18 elicitation.
"""

import asyncio
from typing import Final

from remit.canonical import Json, JsonObject, canonical_bytes
from remit.gateway.cures import Cures, Refused, answer_said
from remit.gateway.cures_questions import (
    ASKABLE,
    form_of,
    from_form,
    justifications_wanted,
    without_mode,
)
from remit.gateway.cures_watch import Watch
from remit.gateway.events import EVENT_STREAM_HEADERS, encode_event
from remit.gateway.http import ClientGoneError, Exchange, run_until_disconnect
from remit.gateway.incoming import Incoming
from remit.gateway.jsonrpc import Notification, Request, Response
from remit.gateway.ports import GatewayDeps
from remit.gateway.protocol import Era
from remit.gateway.questions import shows_forms
from remit.gateway.relay import kept_alive
from remit.gateway.request_state import NOTHING_KEPT
from remit.gateway.sessions import Session
from remit.guard.challenge import RefusalResponse
from remit.guard.elevations import Asked
from remit.guard.outcome import Deny
from remit.ids import new_id

__all__ = ["FORM_WAITS", "SessionCures"]

FORM_WAITS: Final = 300.0
"""Seconds within which a form has to come back."""
_FORMS_AT_ONCE: Final = 4
"""Of one session: each holds a place among the calls in flight."""
_FORMS_SINCE: Final = "2025-06-18"
_COMPLETE: Final = "notifications/elicitation/complete"


class SessionCures:
    """The ways of the sessions of one gateway."""

    def __init__(self, deps: GatewayDeps, cures: Cures, watch: Watch) -> None:
        self._deps = deps
        self._cures = cures
        self._watch = watch

    async def answer(
        self, incoming: Incoming, session: Session, request: Request, outcome: Deny
    ) -> None:
        """Answer a request that the guard refused; in a stream that has begun, as its last event."""
        said = await self._cures.said(
            Refused(
                incoming=incoming,
                request=request,
                outcome=outcome,
                era=Era.LEGACY,
                version=session.version,
                capabilities=session.capabilities,
                kept=NOTHING_KEPT,
                pages=lambda asked: self._tell_of_end(session, asked),
            )
        )
        if not incoming.exchange.started:
            await answer_said(incoming.exchange, said, request.id)
            return
        last = Response(request.id, error=said.error) if isinstance(said, RefusalResponse) else said
        await end(incoming.exchange, last)

    async def why(
        self, incoming: Incoming, session: Session, request: Request, outcome: Deny
    ) -> JsonObject | None:
        """What the person fills in about why the call is made, where the client can show them a form; `None` for nothing.

        The stream of the answer has begun once this returns, unless nobody was asked.

        Raises:
            ClientGoneError: nobody waits for the answer any more.
        """
        names = justifications_wanted(outcome)
        may_ask = (
            session.version >= _FORMS_SINCE
            and shows_forms(session.capabilities)
            and len(session.expected) < _FORMS_AT_ONCE
        )
        if not names or not may_ask or request.method not in ASKABLE:
            return None
        fields = self._deps.directory.catalog.approvals.justifications
        question = Request(
            new_id("ask"),
            "elicitation/create",
            without_mode(form_of(names, fields)),
        )
        exchange, answer, here = incoming.exchange, session.expect(question), False
        headers = (*EVENT_STREAM_HEADERS, (b"mcp-session-id", session.id.encode()))
        await exchange.start(200, headers)

        async def asked() -> None:
            nonlocal here
            async with kept_alive(exchange, self._deps.settings.keep_alive):
                await exchange.write(encode_event(canonical_bytes(question.to_json())))
                await asyncio.wait([answer], timeout=FORM_WAITS)
            here = True

        try:
            await run_until_disconnect(exchange.receive, asked())
        finally:
            session.expect_no_more(question)
        if not here:
            raise ClientGoneError
        told: Json = answer.result().result if answer.done() and not answer.cancelled() else None
        return from_form(told)

    def _tell_of_end(self, session: Session, asked: Asked) -> None:
        if asked.id in session.sent_to:
            return
        complete = Notification(_COMPLETE, {"elicitationId": asked.id})

        def ended() -> None:
            session.sent_to.pop(asked.id, None)
            session.hear(complete)

        session.sent_to[asked.id] = self._watch.tell(asked.id, ended)


async def end(exchange: Exchange, response: Response) -> None:
    """Send `response` as the last event of a stream that has begun."""
    await exchange.write(encode_event(response.to_bytes()))
    await exchange.finish()
