"""What the gateway asks of a server behind it, whatever the transport.

A reply is a run of messages that ends with the response. Leaving the context of
`ask` or `listen` gives the exchange up, and the server is told in its transport's way.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from remit.gateway.jsonrpc import Message, Notification, Request, Response
from remit.gateway.principal import Principal
from remit.tokens.access_token import AccessToken

__all__ = [
    "NOTHING_PRESENTED",
    "Limits",
    "Outgoing",
    "Presented",
    "Reply",
    "Upstream",
    "UpstreamSession",
]

M = TypeVar("M", bound=Request | Notification | Response)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a server's answer is held at once, and how long it may take."""

    message_bytes: int = 16 * 1024 * 1024
    seconds: float = 60.0
    """From sending to the answer; on a stream, from one sign of life to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """What a message brings to prove that Remit sends it. Never anything of the caller's.

    `secrets` are what must not come back in an answer.
    """

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


NOTHING_PRESENTED = Presented()


@dataclass(frozen=True, slots=True)
class Outgoing(Generic[M]):
    """A message on its way up. `headers` are those that may travel.

    `principal` is on whose behalf it goes, for what an adapter keeps apart; `presented` what this
    call alone proves itself with, besides what the adapter has for all of them.
    """

    message: M
    version: str
    headers: tuple[tuple[str, str], ...] = field(default=())
    principal: Principal | None = None
    presented: Presented = NOTHING_PRESENTED
    token: AccessToken | None = None
    """What the principal's standing rests on, for what is kept on their behalf; never sent."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one request.

    `streamed`: more may come before the response, so begin to answer at once.
    Reading `messages` raises `UpstreamError` where the server breaks off.
    """

    status: int
    streamed: bool
    messages: AsyncIterator[Message]
    whole: Message | None = None
    """Of an answer that was not streamed, the one message that `messages` would yield, where it is known."""


class UpstreamSession(Protocol):
    """One legacy session with a server, for one legacy session of a caller."""

    def ask(self, outgoing: Outgoing[Request]) -> AbstractAsyncContextManager[Reply]:
        """Send a request and read what comes of it. The first is `initialize`."""
        ...

    async def tell(self, outgoing: Outgoing[Notification] | Outgoing[Response]) -> None:
        """Send what is owed no answer."""
        ...

    def listen(self, outgoing_version: str) -> AbstractAsyncContextManager[AsyncIterator[Message]]:
        """What the server says unasked.

        Raises:
            RejectedError: 405, the server offers no such stream.
        """
        ...

    async def close(self) -> None:
        """End the session, as well as it can be ended."""
        ...


class Upstream(Protocol):
    """One server."""

    def ask(self, outgoing: Outgoing[Request]) -> AbstractAsyncContextManager[Reply]:
        """Send one modern request, which needs no session, and read what comes of it.

        Raises:
            RejectedError: -32022, the server speaks only another era.
            UpstreamError: it does not answer as the protocol asks.
        """
        ...

    def open_session(self) -> UpstreamSession:
        """A session that has yet to be initialised.

        Raises:
            NoPlaceError: as many sessions are open as there may be.
            UpstreamError: the server is being stopped.
        """
        ...

    async def close(self) -> None:
        """Give back connections and processes."""
        ...
