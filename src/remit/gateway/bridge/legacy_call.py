"""One call in a legacy session, which may outlive the request that began it.

While the server waits for an answer to its question it is not read, so its silence
does not count against it. A call that is given up is cancelled there, and its session
ends with it: what still comes of the call cannot meet the next one.

Source: MCP 2025-11-25 cancellation, elicitation, sampling.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from remit.canonical import JsonObject
from remit.gateway.bridge.flow import Flow
from remit.gateway.bridge.own_session import OwnSession
from remit.gateway.jsonrpc import JsonRpcId, Message, Notification, Request, Response
from remit.gateway.rejection import UpstreamError

__all__ = ["LegacyCall"]

_CANCELLING_SECONDS = 2.0


class LegacyCall:
    """A call of `method` in `session`, which nothing else uses meanwhile."""

    def __init__(self, session: OwnSession, method: str, params: "JsonObject | None") -> None:
        self.session = session
        self.method = method
        self.rounds = 0
        self._id: JsonRpcId | None = None
        self._go_on = asyncio.Event()
        self.flow = Flow(self._spoken(method, params), name=f"bridged {method}")
        session.flow = self.flow

    async def answer(self, response: Response) -> None:
        """Answer the server's question, and read on.

        Raises:
            UpstreamError: the server does not take the answer.
        """
        await self.session.tell(response)
        self._go_on.set()

    async def refuse(self, question: Request) -> None:
        """Answer a question that the client is not to be asked, and read on."""
        await self.session.refuse(question)
        self._go_on.set()

    async def end(self) -> None:
        """The call has been answered: leave the exchange; the session is free."""
        self.session.flow = None
        await self.flow.finish()

    async def give_up(self) -> None:
        """Tell the server that nobody waits for the answer, and leave the exchange."""
        self.session.flow = None
        try:
            if self._id is not None:
                params: JsonObject = {"requestId": self._id, "reason": "the caller went away"}
                with suppress(UpstreamError, TimeoutError):
                    async with asyncio.timeout(_CANCELLING_SECONDS):
                        await self.session.tell(Notification("notifications/cancelled", params))
        finally:
            await self.flow.stop()

    async def _spoken(self, method: str, params: "JsonObject | None") -> AsyncGenerator[Message]:
        self._id, asking = self.session.ask(method, params)
        async with asking as reply:
            async for message in reply.messages:
                self._go_on.clear()
                yield message
                if isinstance(message, Response):
                    return
                if isinstance(message, Request):
                    await self._go_on.wait()
