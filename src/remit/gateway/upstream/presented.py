"""What a call brings that is made on somebody's behalf: asked for each message, and never the caller's token.

Stands before the adapter of a server whose credential depends on who calls, beneath everything that
makes messages of its own on the way (era bridging, sessions), so that none goes up without. Refused:
a message on nobody's behalf, and one of somebody for whom no credential can be had.

A 401 says that the server did not act on the message: then, and only then, a newer credential is
asked for, once, and the message sent again. Nothing is sent a third time.

Source: MCP 2026-07-28 authorization (token passthrough); RFC 6750 §3.1; RFC 9110 §15.5.2.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Protocol

from remit.canonical import JsonObject
from remit.gateway.jsonrpc import Message, Notification, Request, Response
from remit.gateway.rejection import UpstreamError
from remit.gateway.upstream.port import (
    Outgoing,
    Presented,
    Reply,
    UpstreamSession,
)
from remit.model import (
    ConnectionCredential,
    ExchangedCredential,
    HttpUpstream,
    Server,
)
from remit.tokens.access_token import AccessToken

__all__ = [
    "CONNECT_KEY",
    "CallerCredentials",
    "ConnectionNeededError",
    "NoCallerCredentials",
    "PresentingUpstream",
    "needs_caller",
]

_UNAUTHORIZED = 401
CONNECT_KEY = "remit/connect"
"""Under which name a client is asked to have its person connect an account; the answer is for us alone."""


class ConnectionNeededError(UpstreamError):
    """The person has to connect an account of theirs before the server can be used for them.

    `url` is where they do that.
    """

    def __init__(self, title: str, url: str, *, cause: BaseException | None = None) -> None:
        super().__init__(f"connect your account with {title} first, at {url}", cause=cause)
        self.title = title
        self.url = url


class CallerCredentials(Protocol):
    """Where the credential comes from with which a server is called for somebody."""

    async def of(self, server: Server, token: AccessToken) -> Presented:
        """What Remit presents to `server` for the caller whose verified token says `token`.

        Raises:
            ConnectionNeededError: they have to connect an account first.
            UpstreamError: none can be had at present.
        """
        ...

    async def renewed(
        self, server: Server, token: AccessToken, refused: Presented
    ) -> Presented | None:
        """What to present instead of what `server` has just refused; `None` if there is nothing else.

        Raises:
            ConnectionNeededError, UpstreamError: as `of`.
        """
        ...


class NoCallerCredentials:
    """Knows no credential of anybody: where one is needed, nothing goes up."""

    async def of(self, server: Server, token: AccessToken) -> Presented:
        raise UpstreamError("the gateway has no credential for this server")

    async def renewed(
        self, server: Server, token: AccessToken, refused: Presented
    ) -> Presented | None:
        return None


def needs_caller(server: Server) -> bool:
    """Whether what is presented to `server` depends on who calls."""
    upstream = server.upstream
    return isinstance(upstream, HttpUpstream) and isinstance(
        upstream.presents, ConnectionCredential | ExchangedCredential
    )


class _Sessions(Protocol):
    """A way to a server whose sessions can be told what to present."""

    def ask(self, outgoing: Outgoing[Request]) -> AbstractAsyncContextManager[Reply]: ...
    def open_session(self) -> "_Session": ...
    async def close(self) -> None: ...


class _Session(UpstreamSession, Protocol):
    """A session that brings, with what is no message of a caller's, what it was told last."""

    def present(self, presented: Presented) -> None: ...


class PresentingUpstream:
    """A server, each message to which brings what its caller's credential is at that time."""

    def __init__(self, inner: _Sessions, server: Server, credentials: CallerCredentials) -> None:
        self._inner = inner
        self._desk = _Desk(server, credentials)

    @asynccontextmanager
    async def ask(self, outgoing: Outgoing[Request]) -> AsyncIterator[Reply]:
        async with self._desk.asking(self._inner.ask, outgoing) as reply:
            yield reply

    def open_session(self) -> "PresentingSession":
        return PresentingSession(self._inner.open_session(), self._desk)

    async def close(self) -> None:
        await self._inner.close()


class PresentingSession:
    """A legacy session of one caller. Its own stream brings what their credential is when it is opened."""

    def __init__(self, inner: _Session, desk: "_Desk") -> None:
        self._inner = inner
        self._desk = desk
        self._token: AccessToken | None = None

    @asynccontextmanager
    async def ask(self, outgoing: Outgoing[Request]) -> AsyncIterator[Reply]:
        self._token = outgoing.token
        async with self._desk.asking(self._inner.ask, outgoing) as reply:
            yield reply

    async def tell(self, outgoing: Outgoing[Notification] | Outgoing[Response]) -> None:
        self._token = outgoing.token or self._token
        presented = await self._desk.of(self._token)
        try:
            await self._inner.tell(replace(outgoing, presented=presented))
        except UpstreamError as error:
            renewed = await self._desk.instead_of(presented, self._token, error)
            await self._inner.tell(replace(outgoing, presented=renewed))

    @asynccontextmanager
    async def listen(self, outgoing_version: str) -> AsyncIterator[AsyncIterator[Message]]:
        self._inner.present(await self._desk.of(self._token))
        async with self._inner.listen(outgoing_version) as messages:
            yield messages

    async def close(self) -> None:
        """End the session with what was presented last: the caller may have nothing any more."""
        await self._inner.close()


class _Desk:
    """Gives each message what it brings."""

    def __init__(self, server: Server, credentials: CallerCredentials) -> None:
        self._server = server
        self._credentials = credentials

    async def of(self, token: AccessToken | None) -> Presented:
        if token is None:
            raise UpstreamError("the server is called on somebody's behalf, and nobody calls")
        return await self._credentials.of(self._server, token)

    async def instead_of(
        self, presented: Presented, token: AccessToken | None, error: UpstreamError
    ) -> Presented:
        """What to try after `error`; raises `error` where there is nothing to try."""
        if error.upstream_status != _UNAUTHORIZED or token is None:
            raise error
        renewed = await self._credentials.renewed(self._server, token, presented)
        if renewed is None or renewed == presented:
            raise error
        return renewed

    @asynccontextmanager
    async def asking(
        self,
        ask: Callable[[Outgoing[Request]], AbstractAsyncContextManager[Reply]],
        outgoing: Outgoing[Request],
    ) -> AsyncIterator[Reply]:
        presented = await self.of(outgoing.token)
        outgoing = replace(outgoing, message=_without_our_question(outgoing.message))
        async with AsyncExitStack() as stack:
            try:
                reply = await stack.enter_async_context(ask(replace(outgoing, presented=presented)))
            except UpstreamError as error:
                # INVARIANT: only before a reply has begun. What broke off later may have been done.
                renewed = await self.instead_of(presented, outgoing.token, error)
                reply = await stack.enter_async_context(ask(replace(outgoing, presented=renewed)))
            yield reply


def _without_our_question(request: Request) -> Request:
    """`request` without the answer to what we asked the client, and not the server."""
    answers = request.params.get("inputResponses") if request.params else None
    if request.params is None or not isinstance(answers, dict) or CONNECT_KEY not in answers:
        return request
    rest: JsonObject = {name: value for name, value in answers.items() if name != CONNECT_KEY}
    params: JsonObject = {
        name: value for name, value in request.params.items() if name != "inputResponses"
    }
    return replace(request, params={**params, "inputResponses": rest} if rest else params)
