"""A server reached by streamable HTTP.

Sent: canonical JSON, headers made from it, the gateway's own credential. Never
sent: anything else of the caller's. Refused: redirects (they would carry the
credential elsewhere), content codings, answers beyond the limit or of another type.
The session id that the server gives stays here.

Source: MCP 2026-07-28 and 2025-11-25 transports; MCP security best practices (token passthrough).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from remit.canonical import canonical_bytes
from remit.gateway.jsonrpc import Message, Notification, Request, Response
from remit.gateway.media_types import is_event_stream
from remit.gateway.methods import LISTEN
from remit.gateway.protocol import LEGACY_VERSIONS, MODERN_VERSIONS
from remit.gateway.rejection import RejectedError, UpstreamError, unsupported_version
from remit.gateway.routing_headers import routing_headers_of
from remit.gateway.upstream.answer import AnswerReader, tells_other_era
from remit.gateway.upstream.credentials import Credentials
from remit.gateway.upstream.port import NOTHING_PRESENTED, Limits, Outgoing, Presented, Reply
from remit.web.connection import Answer, BrokenConnectionError
from remit.web.pool import Pool

__all__ = ["HttpSession", "Requests", "StreamableHttp"]

_ACCEPT = "application/json, text/event-stream"
_RESUMES = 5
_CALLERS = 128
"""Of so many callers the spellings of their credentials are kept, which take longer to make than to look for."""
_Headers = list[tuple[str, str]]
_OWN = (("accept", _ACCEPT), ("user-agent", "remit"))
_OWN_WITH_BODY = (*_OWN, ("content-type", "application/json"))


class Requests(Protocol):
    """What carries requests to one server: a `Pool`, or whatever does without a network."""

    def request(
        self, method: str, headers: _Headers, body: bytes, *, seconds: float
    ) -> AbstractAsyncContextManager[Answer]:
        """As `Pool.request`."""
        ...

    def close(self) -> None:
        """As `Pool.close`."""
        ...


class StreamableHttp:
    """One server behind one URL, and the connections to it."""

    def __init__(
        self,
        url: str,
        *,
        presented: Presented = NOTHING_PRESENTED,
        limits: Limits | None = None,
        requests: Requests | None = None,
    ) -> None:
        self._presented = presented
        self._credentials = Credentials(presented.secrets)
        self._of_callers: dict[tuple[str, ...], Credentials] = {}
        self._limits = limits or Limits()
        self._pool: Requests = Pool(url) if requests is None else requests

    def ask(self, outgoing: Outgoing[Request]) -> AbstractAsyncContextManager[Reply]:
        return _Asked(self, outgoing)

    def open_session(self) -> "HttpSession":
        return HttpSession(self, self._limits)

    async def close(self) -> None:
        self._pool.close()

    def reader(self, answer: Answer, presented: Presented = NOTHING_PRESENTED) -> AnswerReader:
        """What reads `answer` within the limits, and lets no credential come back that went up for it."""
        return AnswerReader(answer, self._limits, credentials=self._credentials_of(presented))

    def _credentials_of(self, presented: Presented) -> Credentials:
        if not presented.secrets:
            return self._credentials
        known = self._of_callers.get(presented.secrets)
        if known is None:
            while len(self._of_callers) >= _CALLERS:
                del self._of_callers[next(iter(self._of_callers))]
            known = Credentials((*self._credentials.secrets, *presented.secrets))
            self._of_callers[presented.secrets] = known
        return known

    def send(
        self,
        method: str,
        headers: _Headers,
        body: bytes = b"",
        *,
        presented: Presented = NOTHING_PRESENTED,
    ) -> "Sent":
        """One request, sent when the context is entered; its answer's head has arrived then.

        Raises:
            UpstreamError: no connection, no head in time, or the server refuses our credential.
        """
        own = _OWN_WITH_BODY if body else _OWN
        lines = [*own, *self._presented.headers, *presented.headers, *headers]
        try:
            request = self._pool.request(method, lines, body, seconds=self._limits.seconds)
        except ValueError as error:
            raise UpstreamError("the server cannot be reached", cause=error) from error
        return Sent(request)


class Sent:
    """One request that goes up when this is entered. Leaving gives its connection back, or up."""

    __slots__ = ("_request",)

    def __init__(self, request: AbstractAsyncContextManager[Answer]) -> None:
        self._request = request

    async def __aenter__(self) -> Answer:
        try:
            answer = await self._request.__aenter__()
        except TimeoutError as error:
            raise UpstreamError(
                "the server did not answer in time", timed_out=True, cause=error
            ) from error
        except (OSError, BrokenConnectionError, ValueError) as error:
            raise UpstreamError("the server cannot be reached", cause=error) from error
        try:
            _refuse_head(answer)
        except UpstreamError:
            await self._request.__aexit__(None, None, None)
            raise
        return answer

    async def __aexit__(self, *_: object) -> None:
        await self._request.__aexit__(None, None, None)


class _Asked:
    """One modern request and the reply to it."""

    __slots__ = ("_outgoing", "_sent", "_upstream")

    def __init__(self, upstream: StreamableHttp, outgoing: Outgoing[Request]) -> None:
        request, presented = outgoing.message, outgoing.presented
        headers = [*routing_headers_of(request, outgoing.version), *outgoing.headers]
        body = canonical_bytes(request.to_json())
        self._upstream = upstream
        self._outgoing = outgoing
        self._sent = upstream.send("POST", headers, body, presented=presented)

    async def __aenter__(self) -> Reply:
        answer = await self._sent.__aenter__()
        replied = False
        try:
            reply = await self._reply(answer)
            replied = True
        finally:
            if not replied:
                await self._sent.__aexit__()
        return reply

    async def __aexit__(self, *_: object) -> None:
        await self._sent.__aexit__()

    async def _reply(self, answer: Answer) -> Reply:
        reader = self._upstream.reader(answer, self._outgoing.presented)
        if 400 <= answer.status < 500 and tells_other_era(await reader.rpc_error()):
            raise unsupported_version(self._outgoing.version, LEGACY_VERSIONS)
        return await reader.reply(patient=self._outgoing.message.method == LISTEN)


class HttpSession:
    """One legacy session. The id that the server gave it is never shown to a caller."""

    def __init__(self, upstream: StreamableHttp, limits: Limits) -> None:
        self._upstream = upstream
        self._limits = limits
        self._session_id: str | None = None
        self._presented = NOTHING_PRESENTED
        self._version: str = LEGACY_VERSIONS[-1]

    @asynccontextmanager
    async def ask(self, outgoing: Outgoing[Request]) -> AsyncIterator[Reply]:
        request = outgoing.message
        headers = self._headers(outgoing)
        body, presented = canonical_bytes(request.to_json()), self._presented
        async with self._upstream.send("POST", headers, body, presented=presented) as response:
            reader = self._upstream.reader(response, presented)
            if request.method == "initialize":
                await _refuse_modern_only(reader, outgoing.version)
                self._session_id = response.get_header("mcp-session-id")
            elif response.status == 404 and self._session_id is not None:
                raise UpstreamError("the server has ended the session", session_ended=True)
            reply = await reader.reply()
            if not reply.streamed:
                yield reply
                return
            yield Reply(reply.status, streamed=True, messages=self._resumed(reader, reply.messages))

    async def tell(self, outgoing: Outgoing[Notification] | Outgoing[Response]) -> None:
        body, headers = canonical_bytes(outgoing.message.to_json()), self._headers(outgoing)
        async with self._upstream.send(
            "POST", headers, body, presented=self._presented
        ) as response:
            if response.status == 404 and self._session_id is not None:
                raise UpstreamError("the server has ended the session", session_ended=True)
            if response.status >= 400:
                raise UpstreamError(
                    "the server did not accept the message", upstream_status=response.status
                )

    @asynccontextmanager
    async def listen(self, outgoing_version: str) -> AsyncIterator[AsyncIterator[Message]]:
        self._version = outgoing_version
        presented = self._presented
        async with self._upstream.send("GET", self._own_headers(), presented=presented) as response:
            if response.status in {404, 405}:
                raise RejectedError(405, "the server offers no stream of its own")
            if response.status != 200 or not is_event_stream(
                response.get_header("content-type") or ""
            ):
                raise UpstreamError(
                    "the server did not open a stream", upstream_status=response.status
                )
            yield self._upstream.reader(response, presented).unasked()

    def present(self, presented: Presented) -> None:
        """What is brought from now on with what is no message of a caller's."""
        self._presented = presented

    async def close(self) -> None:
        if self._session_id is None:
            return
        try:
            async with self._upstream.send(
                "DELETE", self._own_headers(), presented=self._presented
            ):
                pass
        except UpstreamError:
            # It goes idle there; nobody here can use it any more.
            self._session_id = None

    async def _resumed(
        self, reader: AnswerReader, messages: AsyncIterator[Message]
    ) -> AsyncIterator[Message]:
        """All of `messages`; where the server closes the stream to be polled, go and fetch the rest."""
        async for message in messages:
            yield message
        for _ in range(_RESUMES):
            if reader.answered or reader.last_event_id is None:
                break
            await asyncio.sleep(min(reader.retry_ms / 1000, self._limits.seconds))
            headers = [*self._own_headers(), ("last-event-id", reader.last_event_id)]
            async with self._upstream.send("GET", headers, presented=self._presented) as response:
                if response.status != 200:
                    break
                async for message in reader.continued(response):
                    yield message
        if not reader.answered:
            raise UpstreamError("the server ended the stream without an answer")

    def _headers(
        self, outgoing: Outgoing[Request] | Outgoing[Notification] | Outgoing[Response]
    ) -> _Headers:
        self._version = outgoing.version
        self._presented = outgoing.presented
        return [*self._own_headers(), *outgoing.headers]

    def _own_headers(self) -> _Headers:
        if self._session_id is None:
            return []
        return [("mcp-protocol-version", self._version), ("mcp-session-id", self._session_id)]


def _refuse_head(response: Answer) -> None:
    status = response.status
    if status in {401, 403}:
        raise UpstreamError("the server refused the gateway's credential", upstream_status=status)
    if 300 <= status < 400:
        raise UpstreamError("the server redirects, which is not followed", upstream_status=status)
    if (response.get_header("content-encoding") or "identity") != "identity":
        raise UpstreamError("the server used a content coding", upstream_status=status)


async def _refuse_modern_only(reader: AnswerReader, version: str) -> None:
    if reader.status in {400, 404, 405} and await reader.rpc_error() is None:
        raise unsupported_version(version, MODERN_VERSIONS)
