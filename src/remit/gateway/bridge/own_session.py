"""A legacy session that the gateway opened itself, on behalf of one principal, and one call at a time.

With one call at a time it is plain which call a message of the server's belongs to,
on a pipe as well as on the server's own stream. A question that comes when no call is
under way is answered with an error: nobody is there to be asked.

Source: MCP 2025-11-25 lifecycle, transports; MCP security best practices (session hijacking).
"""

import asyncio
from contextlib import AbstractAsyncContextManager, suppress
from typing import TypeVar

from remit.canonical import Json, JsonObject
from remit.gateway.bridge.flow import Flow
from remit.gateway.bridge.to_legacy import legacy_headers, opening_params
from remit.gateway.bridge.to_modern import meta_of
from remit.gateway.jsonrpc import (
    INVALID_REQUEST,
    UNSUPPORTED_VERSION,
    JsonRpcId,
    Message,
    Notification,
    Request,
    Response,
    error_response,
)
from remit.gateway.principal import Principal
from remit.gateway.protocol import LATEST_LEGACY_VERSION, LEGACY_VERSIONS
from remit.gateway.rejection import RejectedError, UpstreamError
from remit.gateway.upstream.port import Outgoing, Reply, UpstreamSession

__all__ = ["OtherEraError", "OwnSession"]

_HEARING_SECONDS = 1.0
_CLOSING_SECONDS = 5.0

M = TypeVar("M", Request, Notification, Response)


class OtherEraError(Exception):
    """The server does not open, or keep, sessions any more: it speaks the other era."""


class OwnSession:
    """One session. `outgoing` is the message it is opened for, `capabilities` what its client can do."""

    def __init__(
        self,
        behind: UpstreamSession,
        outgoing: Outgoing[Request],
        *,
        principal: Principal,
        capabilities: JsonObject,
    ) -> None:
        self.principal = principal
        self.capabilities = capabilities
        self.token = outgoing.token
        self.initialized: JsonObject = {}
        self.version = LATEST_LEGACY_VERSION
        self.last_used = 0.0
        self.flow: Flow | None = None
        """What the call under way reads; without one the session is free or being opened."""
        self.used = False
        """Whether it has answered something since it was opened."""
        self._behind = behind
        self._outgoing = outgoing
        self._level: Json = None
        self._number = 0
        self._hearing: asyncio.Task[None] | None = None
        self._heard = asyncio.Event()
        self.hears = False
        self.deaf = asyncio.Event()
        """Set once the server's own stream has ended, or turned out not to be offered."""

    async def open(self) -> None:
        """Initialise the session.

        Raises:
            OtherEraError: the server does not speak this era.
            UpstreamError: it does not open a session.
        """
        meta = meta_of(self._outgoing.message.params)
        response = await self.request("initialize", opening_params(meta, self.capabilities))
        if response.error is not None and response.error["code"] == UNSUPPORTED_VERSION:
            raise OtherEraError
        result = response.result or {}
        version = result.get("protocolVersion")
        if not isinstance(version, str) or version not in LEGACY_VERSIONS:
            raise UpstreamError("the server did not open a session")
        self.initialized, self.version = result, version
        await self.tell(Notification("notifications/initialized"))
        if self.capabilities:
            await self.hear()

    async def hear(self) -> bool:
        """Listen to what the server says unasked, from now on; whether it offers that."""
        if self._hearing is None:
            self._hearing = asyncio.create_task(self._hear(), name="bridged session")
            with suppress(TimeoutError):
                async with asyncio.timeout(_HEARING_SECONDS):
                    await self._heard.wait()
        return self.hears

    def serve(self, outgoing: Outgoing[Request]) -> None:
        """Go on on behalf of `outgoing`, which is the same principal's."""
        self._outgoing = outgoing
        self.token = outgoing.token or self.token

    async def log_from(self, level: Json) -> None:
        """Let the server say what it logs from `level` on."""
        promised = self.initialized.get("capabilities")
        logs = isinstance(promised, dict) and "logging" in promised
        if level is None or level == self._level or not logs:
            return
        await self.hear()
        await self.request("logging/setLevel", {"level": level})
        self._level = level

    def ask(
        self, method: str, params: "JsonObject | None"
    ) -> tuple[JsonRpcId, AbstractAsyncContextManager[Reply]]:
        """Send a request under an id of ours; that id, and the way to the answer."""
        self._number += 1
        request = Request(f"r{self._number}", method, params)
        return request.id, self._behind.ask(self._dressed(request))

    async def request(self, method: str, params: "JsonObject | None") -> Response:
        """Ask something that needs no caller, and wait for the answer.

        Raises:
            OtherEraError: the server does not speak this era.
            UpstreamError: there is none.
        """
        _, asking = self.ask(method, params)
        try:
            async with asking as reply:
                async for message in reply.messages:
                    if isinstance(message, Response):
                        return message
                    if isinstance(message, Request):
                        await self.refuse(message)
        except RejectedError as rejected:
            raise OtherEraError from rejected
        raise UpstreamError("the server ended the stream without an answer")

    async def tell(self, message: Notification | Response) -> None:
        """Send what is owed no answer.

        Raises:
            UpstreamError: the server does not take it.
        """
        if isinstance(message, Response):
            await self._behind.tell(self._dressed(message))
        else:
            await self._behind.tell(self._dressed(message))

    async def refuse(self, question: Request) -> None:
        """Answer a question that nobody can be asked; `ping` we answer ourselves."""
        if question.method == "ping":
            answer = Response(question.id, result={})
        else:
            detail = "the client can be asked only while a call is under way"
            answer = error_response(question.id, INVALID_REQUEST, detail)
        with suppress(UpstreamError):
            await self.tell(answer)

    async def close(self) -> None:
        """End the session, as well as it can be ended."""
        if self._hearing is not None:
            self._hearing.cancel()
            await asyncio.gather(self._hearing, return_exceptions=True)
        with suppress(UpstreamError, TimeoutError):
            async with asyncio.timeout(_CLOSING_SECONDS):
                await self._behind.close()

    async def _hear(self) -> None:
        try:
            async with self._behind.listen(self.version) as messages:
                self.hears = True
                self._heard.set()
                async for message in messages:
                    await self._take(message)
        except (RejectedError, UpstreamError):
            # It offers no such stream, or ends it: what it says in its answers is still heard.
            return
        finally:
            self.hears = False
            self._heard.set()
            self.deaf.set()

    async def _take(self, message: Message) -> None:
        taken = self.flow is not None and self.flow.offer(message)
        if not taken and isinstance(message, Request):
            await self.refuse(message)

    def _dressed(self, message: M) -> Outgoing[M]:
        outgoing = self._outgoing
        return Outgoing(
            message,
            self.version,
            legacy_headers(outgoing.headers),
            principal=self.principal,
            presented=outgoing.presented,
            token=self.token,
        )
