"""The gateway as one ASGI application: `/mcp/{server}`, and the metadata of each server.

Order of the checks: host, origin, server, verb, media types, token (where one is missing,
or the body is large), size and time of the body, calls in flight, JSON, era. Whatever
they refuse costs nothing behind them: who has no token has nothing parsed and takes no
place among the calls. A small body is read before its token is verified, so that a
refusal is recorded with what was called. An unknown server is a 404 for everybody; the
names of servers are public in their metadata, so there is nothing to hide in a 401.

Source: MCP 2026-07-28 and 2025-11-25 transports; docs/reference/gateway.md.
"""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from remit.gateway.cures import Cures
from remit.gateway.cures_session import SessionCures
from remit.gateway.cures_watch import Watch
from remit.gateway.definitions import DefinitionWatch
from remit.gateway.http import ClientGoneError, Exchange, Headers, Receive, Scope, Send, read_body
from remit.gateway.incoming import Incoming, context_of
from remit.gateway.jsonrpc import (
    INTERNAL_ERROR,
    InvalidMessageError,
    Message,
    Request,
    parse_message,
)
from remit.gateway.learned import LearnedFirst
from remit.gateway.legacy import LegacyDoor
from remit.gateway.listening import Listeners
from remit.gateway.media_types import check_media_types
from remit.gateway.methods import LISTEN, treatment_of
from remit.gateway.modern import ModernDoor
from remit.gateway.origin import (
    check_host,
    check_origin,
    cors_headers,
    hosts_of,
    origin_of,
    preflight_headers,
)
from remit.gateway.ports import GatewayDeps
from remit.gateway.protected_resource import METADATA_PREFIX, answer_metadata, metadata_document
from remit.gateway.protocol import DEFAULT_LEGACY_VERSION, MODERN_VERSIONS, Era, era_of
from remit.gateway.refusal import answer_refusal, answer_rejection, refusal_of
from remit.gateway.rejection import RejectedError, UpstreamError
from remit.gateway.request_state import RequestStates
from remit.gateway.sessions import Session, Sessions
from remit.gateway.tasks import Tasks
from remit.gateway.trace_context import of_message
from remit.gateway.vigil import Vigil
from remit.guard.call import RequestProof
from remit.guard.networks import Zones
from remit.guard.outcome import Challenge, Deny
from remit.ids import ServerName
from remit.model import Server
from remit.tokens.audience import resource_of

__all__ = ["GatewayApp"]

_PREFIX = "/mcp/"
_LAST_WORDS_SECONDS = 2.0
_SMALL_BODY = 64 * 1024


class GatewayApp:
    """MCP in front of the servers of the catalog. `start` before the first request, `drain` after the last."""

    def __init__(self, deps: GatewayDeps) -> None:
        settings = deps.settings
        if deps.definitions is not None:
            guard = LearnedFirst(deps.guard, deps.definitions, deps.directory)
            deps = replace(deps, guard=guard)
        self._deps = deps
        self._zones = Zones(deps.directory)
        self._hosts = hosts_of(settings.public_url) | {
            host.lower() for host in settings.allowed_hosts
        }
        self._origins = frozenset({origin_of(settings.public_url), *settings.allowed_origins})
        self._sessions = Sessions(settings, deps.clock)
        self._vigil = Vigil(deps.guard)
        heard = None if deps.definitions is None else deps.definitions.heard
        self._listeners = Listeners(settings, self._vigil, heard=heard)
        tasks = Tasks(deps.guard, deps.keys.tasks, deps.clock)
        self._watch = Watch(deps.answers, seconds=settings.look)
        states = RequestStates(deps.keys.states, deps.clock)
        cures = Cures(deps, states, self._watch)
        within = SessionCures(deps, cures, self._watch)
        self._modern = ModernDoor(deps, tasks, self._listeners, states=states, cures=cures)
        self._legacy = LegacyDoor(deps, self._sessions, self._listeners, tasks, cures=within)
        self._in_flight = 0
        self._calls = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = False
        self._sweeping: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    @staticmethod
    def serves(path: str) -> bool:
        """Whether `path` is the gateway's to answer."""
        return path.startswith((_PREFIX, METADATA_PREFIX))

    @property
    def in_flight(self) -> int:
        """Requests being answered now."""
        return self._in_flight

    @property
    def open_sessions(self) -> int:
        """Legacy sessions that have not ended."""
        return len(self._sessions)

    @property
    def definitions(self) -> DefinitionWatch | None:
        """What keeps account of what the servers offer."""
        return self._deps.definitions

    async def close_servers(self) -> None:
        """Give back connections and processes; for who asked servers without ever serving."""
        await self._deps.upstreams.close()

    def look_again(self) -> None:
        """End the calls, streams and sessions of whoever may act no more; to be called when that may be so.

        A session goes with what serves it, the process of a local server included: an agent that was
        stopped must not go on working there.
        """
        self._vigil.look_again()
        if self._deps.definitions is not None:
            self._deps.definitions.look_again()
        self._deps.upstreams.end_unbacked(self._deps.guard.backs)
        gone = self._sessions.end_unbacked(self._deps.guard.backs)
        if gone:
            closing = asyncio.create_task(_close(gone), name="gateway unbacked sessions")
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    def start(self) -> None:
        """Begin to end idle sessions, and to ask the servers what they offer."""
        if self._deps.definitions is not None:
            self._deps.definitions.start()
        self._sweeping = asyncio.create_task(self._sweep(), name="gateway idle sessions")

    async def drain(self) -> None:
        """Take no new request, let those in flight end, then close streams, sessions and servers.

        After `settings.drain` seconds what is still in flight is answered with an error.
        """
        self._draining = True
        self._listeners.stop()
        await self._watch.stop()
        if self._deps.definitions is not None:
            await self._deps.definitions.stop()
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.wait([self._sweeping])
        try:
            async with asyncio.timeout(self._deps.settings.drain):
                await self._idle.wait()
        except TimeoutError:
            logging.getLogger("remit.gateway").warning(
                "%d calls were still in flight when the gateway stopped", self._in_flight
            )
        for session in self._sessions.all():
            self._sessions.end(session)
            await session.upstream.close()
        await asyncio.gather(*self._closing)
        await self._deps.upstreams.close()
        # Calls that have just lost their server still owe their caller an answer and the log an outcome.
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                await self._idle.wait()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(scope, receive, send, Headers(scope["headers"]))
        self._in_flight += 1
        self._idle.clear()
        try:
            await self._answer(exchange)
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()

    async def _answer(self, exchange: Exchange) -> None:
        """Answer, and render once what was refused on the way."""
        try:
            await self._route(exchange)
        except RejectedError as rejected:
            await answer_rejection(exchange, rejected)
        except UpstreamError as error:
            await answer_rejection(
                exchange, RejectedError(502, error.detail, rpc_code=INTERNAL_ERROR)
            )
        except InvalidMessageError as error:
            malformed = RejectedError(400, error.detail, rpc_code=error.rpc_code).about(error.id)
            await answer_rejection(exchange, malformed)
        except ClientGoneError:
            return
        except Exception:
            # The door: whatever was not foreseen is no answer, and never a permission.
            logging.getLogger("remit.gateway").exception("a request could not be answered")
            if not exchange.started:
                failure = RejectedError(500, "the gateway failed", rpc_code=INTERNAL_ERROR)
                await answer_rejection(exchange, failure)

    async def _route(self, exchange: Exchange) -> None:
        path, settings = str(exchange.scope["path"]), self._deps.settings
        check_host(exchange.headers, self._hosts)
        if b"%" in exchange.scope.get("raw_path", b""):
            # No name needs it, and who routes by the path as it is sent would see another one.
            raise RejectedError(404, "there is no such server")
        if path.startswith(METADATA_PREFIX):
            server = self._server(path.removeprefix(METADATA_PREFIX))
            document = metadata_document(
                server, public_url=settings.public_url, issuer=self._deps.issuer
            )
            await answer_metadata(exchange, document)
            return
        origin = check_origin(exchange.headers, self._origins)
        exchange.extra = cors_headers(origin)
        server = self._server(path.removeprefix(_PREFIX))
        if exchange.method == "OPTIONS" and origin is not None:
            await exchange.answer(204, headers=preflight_headers(b"POST, GET, DELETE"))
            return
        if self._draining:
            raise RejectedError(503, "the gateway is stopping").with_header(b"retry-after", b"5")
        context = context_of(exchange.scope, settings.trusted_proxies, self._zones.of)
        address = resource_of(settings.public_url, server)
        proof = RequestProof(exchange.method, address, exchange.headers.all(b"dpop"))
        exchange.proof = proof
        incoming = Incoming(exchange=exchange, server=server, context=context, proof=proof)
        await self._serve(incoming)

    def _server(self, name: str) -> Server:
        server = self._deps.directory.catalog.servers.get(ServerName(name))
        if server is None:
            raise RejectedError(404, "there is no such server")
        return server

    async def _serve(self, incoming: Incoming) -> None:
        exchange = incoming.exchange
        modern_header = exchange.headers.one(b"mcp-protocol-version") in MODERN_VERSIONS
        match exchange.method:
            case "POST":
                await self._post(incoming)
            case "GET" if not modern_header:
                await self._legacy.get(incoming)
            case "DELETE" if not modern_header:
                await self._legacy.delete(incoming)
            case _:
                allowed = b"POST" if modern_header else b"POST, GET, DELETE"
                raise RejectedError(405, "the method is not allowed").with_header(b"allow", allowed)

    async def _post(self, incoming: Incoming) -> None:
        exchange, settings = incoming.exchange, self._deps.settings
        check_media_types(exchange.headers)
        if not _is_small_with_token(exchange.headers) and not await self._knows(incoming):
            return
        limit = settings.max_request_bytes
        if incoming.server.max_request_bytes is not None:
            limit = min(limit, incoming.server.max_request_bytes)
        body = await read_body(exchange, limit, seconds=settings.body_deadline)
        if exchange.headers.one(b"mcp-method") == LISTEN:
            message = parse_message(body)
            if isinstance(message, Request) and message.method == LISTEN:
                # What is held open is counted by a measure of its own, and not as a call.
                await self._message(incoming, message)
                return
        if self._calls >= settings.max_calls:
            raise RejectedError(503, "too many calls are in flight").with_header(
                b"retry-after", b"1"
            )
        self._calls += 1
        try:
            await self._message(incoming, parse_message(body))
        finally:
            self._calls -= 1

    async def _knows(self, incoming: Incoming) -> bool:
        """Whether the caller has a token that stands; if not, that has been answered."""
        headers = incoming.exchange.headers
        method = headers.one(b"mcp-method") or ""
        if treatment_of(method, Era.MODERN) is None:
            method = "POST"
        call = incoming.call(method, headers.one(b"mcp-protocol-version") or DEFAULT_LEGACY_VERSION)
        caller = await self._deps.guard.authenticate(call)
        if not isinstance(caller, Challenge | Deny):
            return True
        refusal = refusal_of(caller, incoming.server, public_url=self._deps.settings.public_url)
        await answer_refusal(incoming.exchange, refusal, None)
        return False

    async def _message(self, incoming: Incoming, message: Message) -> None:
        version = incoming.exchange.headers.one(b"mcp-protocol-version")
        incoming = of_message(incoming, message)
        if era_of(message, version) is Era.MODERN:
            await self._modern.post(incoming, message)
        else:
            await self._legacy.post(incoming, message)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self._deps.settings.sweep)
            self._deps.upstreams.sweep()
            for session in self._sessions.idle():
                self._sessions.end(session)
                await session.upstream.close()


async def _close(sessions: Iterable[Session]) -> None:
    """Close what served `sessions`; one that fails to close does not keep the others open."""
    closing = (session.upstream.close() for session in sessions)
    for failure in await asyncio.gather(*closing, return_exceptions=True):
        if isinstance(failure, Exception):
            logging.getLogger("remit.gateway").warning("a session could not be closed: %r", failure)


def _is_small_with_token(headers: Headers) -> bool:
    """Whether the body may be read before the token that came with it is verified."""
    length = headers.one(b"content-length") or ""
    small = len(length) < 8 and length.isdecimal() and int(length) <= _SMALL_BODY
    return small and len(headers.all(b"authorization")) == 1
