"""What a legacy session hears of its server unasked, fetched by `subscriptions/listen`.

The session has one stream, and its wishes change while it is open: a resource more, a
resource less. Then the stream behind is asked for anew; whatever is told there says
only that something should be read again, so that nothing is lost by that.

Source: MCP 2025-11-25 resources (subscriptions), list changes; MCP 2026-07-28 subscriptions.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

from remit.canonical import Json, JsonObject
from remit.gateway.bridge.flow import Flow
from remit.gateway.bridge.subscription import LIST_CHANGES
from remit.gateway.bridge.to_legacy import without_meta
from remit.gateway.jsonrpc import Message, Notification, Response, error_response
from remit.gateway.protocol import SUBSCRIPTION_KEY
from remit.gateway.rejection import RejectedError, UpstreamError
from remit.gateway.upstream.port import Reply

__all__ = ["Watched"]

_MAX_RESOURCES = 256
_AGAIN_SECONDS = 1.0
_TELLING = frozenset({*LIST_CHANGES, "notifications/resources/updated"})

Listen = Callable[[JsonObject], AbstractAsyncContextManager[Reply]]


class Watched:
    """The wishes of one session. `listen_for` opens the stream behind, for a filter."""

    def __init__(self, lists: JsonObject, listen_for: Listen, *, takes_resources: bool) -> None:
        self.takes_resources = takes_resources
        self._lists = lists
        self._listen_for = listen_for
        self._uris: dict[str, None] = {}
        self._changed = asyncio.Event()
        self._ended = False

    @classmethod
    def offered(cls, capabilities: Json, listen_for: Listen) -> "Watched | None":
        """What a server of `capabilities` tells; `None` if nothing."""
        promised = capabilities if isinstance(capabilities, dict) else {}
        lists: JsonObject = {
            member: True
            for member, capability in LIST_CHANGES.values()
            if _promises(promised.get(capability), "listChanged")
        }
        takes_resources = _promises(promised.get("resources"), "subscribe")
        if not lists and not takes_resources:
            return None
        return cls(lists, listen_for, takes_resources=takes_resources)

    def change(self, uri: str, *, wanted: bool) -> None:
        """Hear of `uri` from now on, or no more; of the oldest no more, if they are too many."""
        self._uris.pop(uri, None)
        if wanted:
            self._uris[uri] = None
            while len(self._uris) > _MAX_RESOURCES:
                del self._uris[next(iter(self._uris))]
        self._changed.set()

    def end(self) -> None:
        """Close the stream."""
        self._ended = True
        self._changed.set()

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[AsyncIterator[Message]]:
        """The stream of the session."""
        async with aclosing(self._messages()) as messages:
            yield messages

    async def _messages(self) -> AsyncGenerator[Message]:
        while not self._ended:
            self._changed.clear()
            wished: JsonObject = {**self._lists}
            if self._uris:
                wished["resourceSubscriptions"] = list(self._uris)
            if not wished:
                await self._changed.wait()
                continue
            flow = Flow(self._told(wished), name="bridged stream")
            changing = asyncio.create_task(self._until_changed(flow))
            try:
                while isinstance(message := await flow.next(), Notification):
                    yield message
            except (UpstreamError, RejectedError):
                # It fell silent, or broke off: listen again, but do not hurry.
                await asyncio.sleep(_AGAIN_SECONDS)
            finally:
                changing.cancel()
                await asyncio.gather(changing, return_exceptions=True)
                await flow.stop()

    async def _told(self, wished: JsonObject) -> AsyncGenerator[Message]:
        async with self._listen_for(wished) as reply:
            async for message in reply.messages:
                if isinstance(message, Response):
                    raise UpstreamError("the server has closed the stream")
                if isinstance(message, Notification) and message.method in _TELLING:
                    params = without_meta(message.params or {}, {SUBSCRIPTION_KEY})
                    yield Notification(message.method, params or None)

    async def _until_changed(self, flow: Flow) -> None:
        await self._changed.wait()
        while not flow.offer(_CHANGED):  # noqa: ASYNC110  whoever reads has to make room first
            await asyncio.sleep(_AGAIN_SECONDS)


_CHANGED = error_response(None, 0, "the wishes have changed")
"""Ends the reading of one stream behind, in its turn; goes nowhere."""


def _promises(capability: Json, member: str) -> bool:
    return isinstance(capability, dict) and capability.get(member) is True
