"""`subscriptions/listen` in front of a server that has a stream of its own for each session.

What is wished for and promised is acknowledged; each resource is subscribed to in a
session that nothing else uses, and is forgotten there when the stream ends. Only what
was acknowledged is passed on.

Source: MCP 2026-07-28 subscriptions; MCP 2025-11-25 resources (subscriptions), list changes.
"""

from collections.abc import AsyncGenerator, AsyncIterator

from remit.canonical import Json, JsonObject
from remit.gateway.bridge.flow import Flow
from remit.gateway.bridge.own_session import OwnSession
from remit.gateway.bridge.to_modern import meta_of
from remit.gateway.jsonrpc import Message, Notification, Request, Response
from remit.gateway.protocol import SUBSCRIPTION_KEY

__all__ = ["LIST_CHANGES", "Subscription"]

LIST_CHANGES = {
    "notifications/tools/list_changed": ("toolsListChanged", "tools"),
    "notifications/prompts/list_changed": ("promptsListChanged", "prompts"),
    "notifications/resources/list_changed": ("resourcesListChanged", "resources"),
}
"""What is told, by which member of the filter it is wished for, and which capability promises it."""

_MAX_RESOURCES = 256


class Subscription:
    """One stream of one caller, in `session`."""

    def __init__(self, session: OwnSession, request: Request) -> None:
        self._session = session
        self._request = request
        self._honoured: JsonObject = {}
        self._flow = Flow(self._until_deaf(), name="bridged subscription")
        session.flow = self._flow

    async def messages(self) -> AsyncIterator[Message]:
        """The acknowledgement, then what was subscribed to, then, if the server ends its stream, the result."""
        self._honoured = await self._honour()
        yield self._signed(
            Notification(
                "notifications/subscriptions/acknowledged", {"notifications": self._honoured}
            )
        )
        while True:
            message = await self._flow.next()
            if isinstance(message, Response):
                yield message
                return
            if isinstance(message, Request):
                await self._session.refuse(message)
            elif self._wished_for(message):
                yield self._signed(message)

    async def end(self) -> None:
        """Stop listening."""
        self._session.flow = None
        await self._flow.stop()

    async def _honour(self) -> JsonObject:
        params = self._request.params or {}
        wished = params.get("notifications")
        wanted = wished if isinstance(wished, dict) else {}
        honoured: JsonObject = {
            member: True
            for member, promised_by in LIST_CHANGES.values()
            if wanted.get(member) is True and self._promised(promised_by, "listChanged")
        }
        uris = wanted.get("resourceSubscriptions")
        if isinstance(uris, list) and self._promised("resources", "subscribe"):
            taken: list[Json] = [
                uri
                for uri in uris[:_MAX_RESOURCES]
                if isinstance(uri, str) and await self._add(uri)
            ]
            if taken:
                honoured["resourceSubscriptions"] = taken
        return honoured

    async def _add(self, uri: str) -> bool:
        response = await self._session.request("resources/subscribe", {"uri": uri})
        return response.error is None

    def _promised(self, capability: str, member: str) -> bool:
        capabilities = self._session.initialized.get("capabilities")
        offered = capabilities.get(capability) if isinstance(capabilities, dict) else None
        return isinstance(offered, dict) and offered.get(member) is True

    def _wished_for(self, message: Notification) -> bool:
        if message.method == "notifications/resources/updated":
            # It may tell of something within what was subscribed to, by an address of its own.
            return "resourceSubscriptions" in self._honoured
        member, _ = LIST_CHANGES.get(message.method, ("", ""))
        return self._honoured.get(member) is True

    def _signed(self, message: Notification) -> Notification:
        params = message.params or {}
        meta: JsonObject = {**meta_of(params), SUBSCRIPTION_KEY: self._request.id}
        return Notification(message.method, {**params, "_meta": meta})

    async def _until_deaf(self) -> AsyncGenerator[Message]:
        await self._session.deaf.wait()
        meta: JsonObject = {SUBSCRIPTION_KEY: self._request.id}
        yield Response(self._request.id, result={"resultType": "complete", "_meta": meta})
