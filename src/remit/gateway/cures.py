"""By which way a client is led to the people who can cure a refusal; and what a retry that they have not answered yet gets.

In this order: a page that the client can have its person open, in the form of its era; a challenge, where the person can
cure it alone by authorizing the client again; words with the link. Each way leads to the same page. What is asked for but
once of a client for one request: its page in the modern era, its challenge in both; whoever comes again without anything
having happened is told in words, so that no client goes round in circles. Somebody's no, and what was asked too often, are
said in words at once.

A retry that its person has been sent for is not decided before people have answered: it is held for a while, then sent back
with nothing but its state, and so a few times. Nothing is allowed here: the guard decides each retry as it decides any call.

Source: docs/adr/0025-cures.md; MCP 2026-07-28 multi round-trip requests, elicitation; MCP 2025-11-25 elicitation; RFC 9470.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from remit.canonical import Json, JsonObject
from remit.gateway.cures_challenge import can_be_challenged, challenged
from remit.gateway.cures_questions import (
    ASKABLE,
    FORM_KEY,
    PAGE_KEY,
    declined,
    form_of,
    justifications_wanted,
    page_first,
    page_of,
)
from remit.gateway.cures_watch import Watch
from remit.gateway.cures_words import data_of, said_in_words
from remit.gateway.http import Exchange
from remit.gateway.incoming import Incoming
from remit.gateway.jsonrpc import JsonRpcId, Request, Response
from remit.gateway.ports import GatewayDeps
from remit.gateway.principal import Principal
from remit.gateway.protected_resource import metadata_url
from remit.gateway.protocol import Era
from remit.gateway.questions import shows_addresses, shows_forms
from remit.gateway.refusal import answer_refusal, refusal_of
from remit.gateway.request_state import Kept, RequestStates, Waits
from remit.guard.challenge import RefusalResponse
from remit.guard.elevations import Asked, AskedState
from remit.guard.limits import is_workload
from remit.guard.outcome import Challenge, Deny
from remit.ids import ServerName
from remit.tokens.access_token import AccessToken

__all__ = ["Cures", "Refused", "Said", "answer_said"]

_ROUNDS: Final = 8
"""How often it is sent back: clients give up after ten rounds, the first of which was the question."""
_HELD_AT_ONCE: Final = 8
_HELD_AT_ALL: Final = 256
_REMEMBERED: Final = 10_000
_PAGES_SINCE: Final = "2025-11-25"

Said = Response | RefusalResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One request that the guard refused. `capabilities` are what its client can do."""

    incoming: Incoming
    request: Request
    outcome: Deny
    era: Era
    version: str
    capabilities: JsonObject
    kept: Kept
    """What is known of it from when it came before."""
    pages: Callable[[Asked], None] | None = None
    """Told of the page that a session was sent to."""


class Cures:
    """The ways of one gateway."""

    def __init__(self, deps: GatewayDeps, states: RequestStates, watch: Watch) -> None:
        self._deps = deps
        self._states = states
        self._watch = watch
        self._challenged: OrderedDict[str, None] = OrderedDict()
        self._held: dict[Principal, int] = {}

    async def said(self, refused: Refused) -> Said:
        """The answer to a request that was refused.

        Raises:
            RejectedError: -32602, it carries a state that is not good for it.
        """
        outcome, public_url = refused.outcome, self._deps.settings.public_url
        refusal = refusal_of(outcome, refused.incoming.server, public_url=public_url)
        asked = outcome.asked
        if asked is None and not justifications_wanted(outcome):
            return refusal
        if asked is not None and asked.state is not AskedState.WAITING:
            return said_in_words(refused.request, refusal, asked, era=refused.era)
        token = await self._who(refused)
        if not isinstance(token, AccessToken):
            return refusal_of(token, refused.incoming.server, public_url=public_url)
        if asked is None:
            return (refused.era is Era.MODERN and self._form(refused, token)) or refusal
        waits = refused.kept.waits
        if is_workload(token) or (waits is not None and waits.request_id == asked.id):
            # No person sits before the client, or the one who does has been sent there already.
            return said_in_words(refused.request, refusal, asked, era=refused.era)
        return (
            self._page(refused, asked, refusal, token)
            or self._challenge(refused, asked, refusal, token)
            or said_in_words(refused.request, refusal, asked, era=refused.era)
        )

    async def awaited(self, answers: JsonObject, kept: Kept, *, principal: Principal) -> bool:
        """Hold a retry until people have answered it, or for as long as a client waits; whether it can be put to the guard.

        Not held: what its person did not want to open, and what was sent back often enough.
        """
        waits = kept.waits
        if waits is None or waits.rounds >= _ROUNDS:
            return True
        if not waits.rounds and declined(answers.get(PAGE_KEY)):
            return True
        held = self._held.get(principal, 0)
        if held >= _HELD_AT_ONCE or sum(self._held.values()) >= _HELD_AT_ALL:
            return True
        self._held[principal] = held + 1
        try:
            return await self._watch.until_answered(
                waits.request_id, seconds=self._deps.settings.hold
            )
        finally:
            self._held[principal] -= 1
            if not self._held[principal]:
                del self._held[principal]

    def sent_back(
        self, opened: Request, server: ServerName, kept: Kept, *, principal: Principal
    ) -> Response:
        """The answer to a retry that was held and waits still: nothing but its state, opened in `opened`."""
        waits = kept.waits
        again = None if waits is None else replace(waits, rounds=waits.rounds + 1)
        state = self._states.ours(opened, server, principal, kept=replace(kept, waits=again))
        result: JsonObject = {"resultType": "input_required", "requestState": state}
        return Response(opened.id, result=result)

    async def _who(self, refused: Refused) -> AccessToken | Challenge | Deny:
        """Who made the request, which the refusal does not say."""
        call = refused.incoming.call(refused.request.method, refused.version)
        return await self._deps.guard.authenticate(call)

    def _page(
        self, refused: Refused, asked: Asked, refusal: RefusalResponse, token: AccessToken
    ) -> Response | None:
        if not shows_addresses(refused.capabilities):
            return None
        question = page_of(asked, refused.request, refused.incoming.server)
        if refused.era is Era.LEGACY:
            if refused.version < _PAGES_SINCE:
                return None
            if refused.pages is not None:
                refused.pages(asked)
            data, detail = data_of(refusal, asked), refused.outcome.detail
            return page_first(refused.request, question, asked, detail=detail, data=data)
        kept = replace(refused.kept, waits=Waits(asked.id))
        return self._asking(refused, {PAGE_KEY: question}, token, kept=kept)

    def _form(self, refused: Refused, token: AccessToken) -> Response | None:
        if refused.kept.asked_why or not shows_forms(refused.capabilities):
            return None
        fields = self._deps.directory.catalog.approvals.justifications
        form = form_of(justifications_wanted(refused.outcome), fields)
        kept = replace(refused.kept, asked_why=True, waits=None)
        return self._asking(refused, {FORM_KEY: form}, token, kept=kept)

    def _asking(
        self, refused: Refused, questions: JsonObject, token: AccessToken, *, kept: Kept
    ) -> Response | None:
        """A modern result that asks the client; `None` where its method has no such result."""
        request, server = refused.request, refused.incoming.server.name
        if request.method not in ASKABLE:
            return None
        principal = Principal.of(token)
        opened = self._states.opened(request, server, principal)
        result: dict[str, Json] = {
            "resultType": "input_required",
            "inputRequests": questions,
            "requestState": self._states.ours(opened, server, principal, kept=kept),
        }
        return Response(request.id, result=result)

    def _challenge(
        self, refused: Refused, asked: Asked, refusal: RefusalResponse, token: AccessToken
    ) -> RefusalResponse | None:
        if not can_be_challenged(refused.outcome, token) or asked.id in self._challenged:
            return None
        self._challenged[asked.id] = None
        while len(self._challenged) > _REMEMBERED:
            self._challenged.popitem(last=False)
        incoming = refused.incoming
        return challenged(
            refusal,
            refused.outcome,
            incoming.call(refused.request.method, refused.version),
            token,
            metadata_url=metadata_url(self._deps.settings.public_url, incoming.server),
        )


async def answer_said(exchange: Exchange, said: Said, request_id: JsonRpcId) -> None:
    """Send what was said of a request that was refused."""
    if isinstance(said, RefusalResponse):
        await answer_refusal(exchange, said, request_id)
    else:
        await exchange.answer_json(200, said.to_bytes())
