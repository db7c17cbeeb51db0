"""`subscriptions/listen`: a stream of changes, of what its listener may know of and nothing else.

Each resource that is named is decided as reading it, each task as the tool behind it, and a kind
of list is heard of by whoever may see something of that kind. What may not be had is left out of
the acknowledgement, whether it is hidden or missing. On the stream every notification is held
against what was acknowledged and what the listener may see now. It ends at once when the standing
of its listener changes, within seconds of the token's expiry, and when the process stops.

Refused: more streams than a principal may have; a filter that names too much.

Source: MCP 2026-07-28 subscriptions; MCP extension tasks (task status notifications).
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from remit.canonical import canonical_bytes
from remit.gateway.events import COMMENT, EVENT_STREAM_HEADERS, encode_event
from remit.gateway.extensions import Offered
from remit.gateway.http import Exchange, run_until_disconnect
from remit.gateway.incoming import Incoming, forwarded_headers
from remit.gateway.jsonrpc import JsonRpcId, Message, Request, Response
from remit.gateway.listening import Listeners, first_to_end, while_standing
from remit.gateway.modern_crossing import capabilities_of, with_offered
from remit.gateway.ports import GatewayDeps
from remit.gateway.principal import Principal
from remit.gateway.protocol import Era
from remit.gateway.refusal import (
    answer_refusal,
    failure_response,
    refusal_of,
    status_of_failure,
)
from remit.gateway.rejection import RejectedError, UpstreamError
from remit.gateway.relay import kept_alive, status_of
from remit.gateway.results import with_known_code
from remit.gateway.settlement import Settlement
from remit.gateway.sight import Sight
from remit.gateway.subscription_filter import CHANGES, Wanted
from remit.gateway.subscription_stream import Changes, ended_result
from remit.gateway.task_handle import Task
from remit.gateway.tasks import Tasks, missing_tasks
from remit.gateway.upstream.port import Outgoing, Reply
from remit.guard.call import Call
from remit.guard.outcome import Challenge, Deny, Permit, RefusalReason
from remit.guard.visible import Visible
from remit.policy.evaluation import ResourceKind

__all__ = ["Subscriptions"]

_LEFT_OUT: Final = frozenset(
    {
        RefusalReason.NOT_FOUND,
        RefusalReason.FORBIDDEN,
        RefusalReason.ABOVE_CLEARANCE,
        RefusalReason.INVALID_ARGUMENTS,
        RefusalReason.OUTSIDE_DETAILS,
        RefusalReason.QUARANTINED,
        # Of a stream nobody confirms or approves anything: it is no use of the thing.
        RefusalReason.JUSTIFICATION_NEEDED,
        RefusalReason.STEP_UP_NEEDED,
        RefusalReason.CONFIRMATION_NEEDED,
        RefusalReason.ELEVATION_NEEDED,
        RefusalReason.APPROVAL_NEEDED,
    }
)
"""What is said of one thing. Whatever else is refused is refused of the whole request."""


@dataclass(frozen=True, slots=True)
class _Decided:
    """As much of a filter as may be had, with the accounts that are open for it."""

    wanted: Wanted
    tasks: Mapping[str, tuple[Task, str]]
    accounts: tuple[Settlement, ...]


class Subscriptions:
    """The open streams of changes of this process."""

    def __init__(self, deps: GatewayDeps, tasks: Tasks, listeners: Listeners) -> None:
        self._deps = deps
        self._tasks = tasks
        self._listeners = listeners
        self._open: dict[Principal, int] = {}

    def __len__(self) -> int:
        return sum(self._open.values())

    async def listen(self, incoming: Incoming, request: Request, *, version: str) -> None:
        """Answer one request to listen.

        Raises:
            RejectedError: what it asks for is malformed, or there is no place for it; the server
                speaks another era.
        """
        wanted = Wanted.read(request.params)
        if wanted.tasks:
            lacking = missing_tasks(capabilities_of(request.params or {}))
            if lacking is not None:
                raise lacking
        call = incoming.call(request.method, version, request=request)
        seen = await self._deps.guard.visible(call)
        if not isinstance(seen, Visible):
            await self._refuse(incoming, request, seen)
            return
        principal = Principal.of(seen.token)
        with self._place(principal):
            decided = await self._decided(call, wanted, seen, principal)
            if isinstance(decided, Challenge | Deny):
                await self._refuse(incoming, request, decided)
                return
            try:
                await self._carry(incoming, request, decided, version=version, seen=seen)
            finally:
                for account in decided.accounts:
                    await account.given_up()

    @contextmanager
    def _place(self, principal: Principal) -> Iterator[None]:
        settings, held = self._deps.settings, self._open.get(principal, 0)
        if held >= settings.max_sessions_per_principal:
            raise RejectedError(429, "too many streams are open").with_header(b"retry-after", b"60")
        if len(self) >= settings.max_sessions:
            raise RejectedError(503, "too many streams are open").with_header(b"retry-after", b"60")
        self._open[principal] = held + 1
        try:
            yield
        finally:
            self._open[principal] -= 1
            if not self._open[principal]:
                del self._open[principal]

    async def _decided(
        self, call: Call, wanted: Wanted, seen: Visible, principal: Principal
    ) -> _Decided | Challenge | Deny:
        uses = [(uri, replace(call, kind=ResourceKind.RESOURCE, name=uri)) for uri in wanted.uris]
        tasks = {
            handle: self._tasks.handles.find(handle, call.server, principal)
            for handle in wanted.tasks
        }
        uses += [(handle, _of_task(call, task)) for handle, task in tasks.items()]
        had: set[str] = set()
        accounts: list[Settlement] = []
        for name, use in uses:
            permit = await self._deps.guard.decide(use)
            if isinstance(permit, Permit):
                had.add(name)
                accounts.append(Settlement(self._deps.guard, use, permit, clock=self._deps.clock))
            elif isinstance(permit, Challenge) or permit.reason not in _LEFT_OUT:
                for account in accounts:
                    await account.given_up()
                return permit
        mine = {task.id: (task, handle) for handle, task in tasks.items() if task and handle in had}
        kinds = {flag for flag in wanted.flags if seen.offers(CHANGES[flag][1])}
        honoured = Wanted(
            flags=frozenset(kinds),
            uris=tuple(uri for uri in wanted.uris if uri in had),
            tasks=tuple(mine),
        )
        return _Decided(honoured, mine, tuple(accounts))

    async def _carry(
        self,
        incoming: Incoming,
        request: Request,
        decided: _Decided,
        *,
        version: str,
        seen: Visible,
    ) -> None:
        """Pass the server's stream down until either side ends it or its listener may listen no more."""
        exchange, settings = incoming.exchange, self._deps.settings
        ended = asyncio.Event()
        call = incoming.call(request.method, version, request=request)
        recheck = partial(self._deps.guard.authenticate, call)

        async def while_backed() -> None:
            with self._listeners.vigil.over(seen.token, ended.set):
                await first_to_end(
                    self._stream(incoming, request, decided, version=version, seen=seen),
                    while_standing(recheck, settings.recheck),
                    self._listeners.until_stopped(),
                    ended.wait(),
                )
            if exchange.started and not exchange.ended:
                if not ended.is_set() and self._listeners.stopping:
                    await _write(exchange, Response(request.id, ended_result(request.id)))
                await exchange.finish()

        await run_until_disconnect(exchange.receive, while_backed())
        if not exchange.started:
            # Nothing was said yet: who may listen no more, or came as the process stops, is told so.
            again = await self._deps.guard.authenticate(call)
            if isinstance(again, Challenge | Deny):
                await self._refuse(incoming, request, again)
            else:
                raise RejectedError(503, "the gateway is stopping").with_header(
                    b"retry-after", b"5"
                )

    async def _stream(
        self,
        incoming: Incoming,
        request: Request,
        decided: _Decided,
        *,
        version: str,
        seen: Visible,
    ) -> None:
        exchange, params = incoming.exchange, request.params or {}
        asked = Request(
            request.id, request.method, {**params, "notifications": decided.wanted.to_json()}
        )
        outgoing = Outgoing(
            with_offered(asked, Offered.by(incoming.server.allowed_extensions)),
            version,
            forwarded_headers(incoming, modern=True),
            principal=Principal.of(seen.token),
            token=seen.token,
        )
        changes = self._changes(incoming, request, decided, version=version, seen=seen)
        try:
            async with self._deps.upstreams.of(incoming.server).ask(outgoing) as reply:
                await self._pass_down(exchange, changes, reply, decided)
        except UpstreamError as error:
            for account in decided.accounts:
                await account.failed(upstream_status=error.upstream_status)
            failure = failure_response(request.id, error)
            if not exchange.started:
                await exchange.answer_json(status_of_failure(error), failure.to_json())
                return
            await _write(exchange, failure)
        if not exchange.ended:
            await exchange.finish()

    def _changes(
        self,
        incoming: Incoming,
        request: Request,
        decided: _Decided,
        *,
        version: str,
        seen: Visible,
    ) -> Changes:
        call = incoming.call(request.method, version, request=request)
        sight = Sight(
            partial(self._deps.guard.visible, call),
            self._deps.clock,
            seconds=self._deps.settings.recheck,
            seen=seen,
        )
        heard = self._listeners.heard
        return Changes(
            id=request.id,
            decided=decided.wanted,
            tasks=decided.tasks,
            capabilities=capabilities_of(request.params or {}),
            sight=sight,
            heard=_nobody if heard is None else partial(heard, incoming.server.name),
        )

    async def _pass_down(
        self, exchange: Exchange, changes: Changes, reply: Reply, decided: _Decided
    ) -> None:
        if not reply.streamed:
            async for message in reply.messages:
                await self._not_streamed(exchange, changes.id, message, decided)
            return
        await exchange.start(200, EVENT_STREAM_HEADERS)
        # A proxy passes the headers on with the first byte of the body.
        await exchange.write(COMMENT)
        async with kept_alive(exchange, self._deps.settings.keep_alive):
            async for message in changes.of(reply.messages):
                for account in decided.accounts:
                    refused = await account.answered(
                        Response(changes.id, result={}), upstream_status=reply.status
                    )
                    if refused is not None:
                        raise UpstreamError(refused.detail)
                await _write(exchange, message)

    async def _not_streamed(
        self, exchange: Exchange, request_id: JsonRpcId, message: Message, decided: _Decided
    ) -> None:
        """What a server answers that opens no stream: an error, as a rule."""
        if not isinstance(message, Response) or message.error is None:
            raise UpstreamError("the server did not open a stream")
        error = with_known_code(Response(request_id, error=message.error), Era.MODERN)
        for account in decided.accounts:
            await account.answered(error, upstream_status=None)
        await exchange.answer_json(status_of(error), error.to_json())

    async def _refuse(
        self, incoming: Incoming, request: Request, refused: Challenge | Deny
    ) -> None:
        public_url = self._deps.settings.public_url
        refusal = refusal_of(refused, incoming.server, public_url=public_url)
        await answer_refusal(incoming.exchange, refusal, request.id)


def _of_task(call: Call, task: Task | None) -> Call:
    """The use of a task; of one that is unknown, of a tool that there is not."""
    if task is None:
        return replace(call, kind=ResourceKind.TOOL)
    return replace(
        call,
        kind=ResourceKind.TOOL,
        name=task.tool,
        arguments=task.arguments,
        task_of=task.decision_id,
    )


async def _write(exchange: Exchange, message: Message) -> None:
    await exchange.write(encode_event(canonical_bytes(message.to_json())))


def _nobody(_: Message) -> None:
    """Hears nothing."""
