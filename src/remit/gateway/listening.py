"""A server's own stream, open for as long as its listener is who they were. What the gateway itself tells a session comes there, too.

Revocation and suspension close it at once, and expiry within seconds: the token behind
an open stream is verified again every so often, and not only with the next request.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

from remit.canonical import canonical_bytes
from remit.gateway.events import COMMENT, EVENT_STREAM_HEADERS, encode_event
from remit.gateway.http import Exchange, run_until_disconnect
from remit.gateway.jsonrpc import Message, Notification, Request
from remit.gateway.questions import shows_addresses
from remit.gateway.rejection import RejectedError, UpstreamError
from remit.gateway.relay import kept_alive
from remit.gateway.sessions import Session
from remit.gateway.settings import GatewaySettings
from remit.gateway.vigil import Vigil
from remit.guard.outcome import Challenge, Deny
from remit.ids import ServerName
from remit.tokens.access_token import AccessToken

__all__ = ["Listeners", "first_to_end", "listen", "while_standing"]

Recheck = Callable[[], Awaitable[AccessToken | Challenge | Deny]]
_NO_STREAM: Final = 405
Passing = Callable[[Message], Awaitable[Message | None]]
"""What of a message goes down; `None` if nothing does."""


class Listeners:
    """The open streams of this process, so that they can be closed when it stops.

    `heard` is told of every message of a server's.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        vigil: Vigil,
        *,
        heard: Callable[[ServerName, Message], None] | None = None,
    ) -> None:
        self.settings = settings
        self.vigil = vigil
        self.heard = heard
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Close every stream, and let none open any more."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        """Whether every stream is being closed."""
        return self._stopping.is_set()

    async def until_stopped(self) -> None:
        """Return once the process is told to stop."""
        await self._stopping.wait()


async def listen(
    exchange: Exchange,
    session: Session,
    listeners: Listeners,
    *,
    token: AccessToken,
    recheck: Recheck,
    passing: Passing,
) -> None:
    """Pass the server's stream down until either side closes it or the token no longer stands.

    Nothing is answered where the token ceases to stand before the stream has begun.

    Raises:
        RejectedError: the server offers no stream (405), or fails before it has begun one (502).
    """
    ended = asyncio.Event()

    async def while_backed() -> None:
        with listeners.vigil.over(token, ended.set):
            stream = _stream(exchange, session, listeners, recheck=recheck, passing=passing)
            await first_to_end(stream, ended.wait())
        if exchange.started and not exchange.ended:
            await exchange.finish()

    await run_until_disconnect(exchange.receive, while_backed())


async def _stream(
    exchange: Exchange,
    session: Session,
    listeners: Listeners,
    *,
    recheck: Recheck,
    passing: Passing,
) -> None:
    try:
        async with _messages(session) as messages:
            await exchange.start(
                200, (*EVENT_STREAM_HEADERS, (b"mcp-session-id", session.id.encode()))
            )
            # A proxy passes the headers on with the first byte of the body.
            await exchange.write(COMMENT)
            async with kept_alive(exchange, listeners.settings.keep_alive):
                await first_to_end(
                    _pass_down(exchange, session, messages, heard=listeners.heard, passing=passing),
                    _pass_news(exchange, session),
                    while_standing(recheck, listeners.settings.recheck),
                    listeners.until_stopped(),
                )
    except UpstreamError as error:
        if not exchange.started:
            raise RejectedError(404 if error.session_ended else 502, error.detail) from error
    await exchange.finish()


@asynccontextmanager
async def _messages(session: Session) -> AsyncIterator[AsyncIterator[Message]]:
    """What the server says on its own stream; nothing, where it has none and the gateway itself may have news.

    Raises:
        RejectedError: 405, it has no stream, and there is nothing else to be told.
    """
    async with AsyncExitStack() as stack:
        try:
            messages = await stack.enter_async_context(session.upstream.listen(session.version))
        except RejectedError as rejected:
            if rejected.status != _NO_STREAM or not shows_addresses(session.capabilities):
                raise
            messages = _silence()
        yield messages


async def _silence() -> AsyncIterator[Message]:
    await asyncio.Event().wait()
    yield Notification("")


async def _pass_news(exchange: Exchange, session: Session) -> None:
    while True:
        news = await session.news.get()
        await exchange.write(encode_event(canonical_bytes(news.to_json())))


async def _pass_down(
    exchange: Exchange,
    session: Session,
    messages: AsyncIterator[Message],
    *,
    heard: Callable[[ServerName, Message], None] | None,
    passing: Passing,
) -> None:
    async for message in messages:
        if heard is not None:
            heard(session.server, message)
        passed = await passing(message)
        if isinstance(passed, Request):
            session.ask(passed)
        if passed is not None:
            await exchange.write(encode_event(canonical_bytes(passed.to_json())))


async def while_standing(recheck: Recheck, seconds: float) -> None:
    """Return once the token behind a stream is good no more; look every so many seconds."""
    while isinstance(await recheck(), AccessToken):  # noqa: ASYNC110  a token expires without an event
        await asyncio.sleep(seconds)


async def first_to_end(*works: Awaitable[Any]) -> None:
    """Run all of `works` until one ends; the others are cancelled, and its error is raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
