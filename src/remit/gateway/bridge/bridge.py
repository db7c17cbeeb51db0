"""A server behind, spoken to in the caller's era if it speaks that, and else across a bridge.

What it speaks is found out once, by asking it to describe itself, and then remembered;
an answer that says otherwise, or that nobody understands, has it found out anew. The
question carries nothing of the caller's: only what the server was to be shown anyway.

Source: MCP 2026-07-28 versioning (compatibility with sessions), discovery.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType

from remit.canonical import JsonObject
from remit.clock import Clock, SystemClock
from remit.gateway.bridge.legacy_over_modern import LegacyOverModern
from remit.gateway.bridge.limits import BridgeLimits
from remit.gateway.bridge.modern_over_legacy import ModernOverLegacy
from remit.gateway.bridge.own_session import OtherEraError
from remit.gateway.jsonrpc import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    UNSUPPORTED_VERSION,
    Message,
    Notification,
    Request,
    Response,
)
from remit.gateway.protocol import (
    CAPABILITIES_KEY,
    LEGACY_VERSIONS,
    MODERN_VERSIONS,
    VERSION_KEY,
)
from remit.gateway.rejection import RejectedError, UpstreamError, unsupported_version
from remit.gateway.upstream.port import Outgoing, Reply, Upstream, UpstreamSession
from remit.tokens.access_token import AccessToken

__all__ = ["Bridge"]

_NOT_BEGUN = frozenset({INVALID_REQUEST, METHOD_NOT_FOUND})
_OTHER_ERA = frozenset({INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, UNSUPPORTED_VERSION})


class Bridge:
    """One server. `behind` is the way to it, over whatever transport."""

    def __init__(
        self, behind: Upstream, *, clock: Clock | None = None, limits: BridgeLimits | None = None
    ) -> None:
        self.behind = behind
        self.limits = limits or BridgeLimits()
        self.speaks_modern: bool | None = None
        self.speaks_legacy: bool | None = None
        self._probing = asyncio.Lock()
        self.over_legacy = ModernOverLegacy(
            behind.open_session, self.limits, clock or SystemClock()
        )

    def ask(self, outgoing: Outgoing[Request]) -> AbstractAsyncContextManager[Reply]:
        return _Asking(self, outgoing)

    def open_session(self) -> UpstreamSession:
        own = None if self.speaks_legacy is False else self.behind.open_session()
        return _BridgedSession(self, own)

    def end_unbacked(self, backs: Callable[[AccessToken], bool]) -> None:
        """End what is kept for whoever may act no more."""
        self.over_legacy.end_unbacked(backs)

    def sweep(self) -> None:
        """End what has been idle for too long."""
        self.over_legacy.sweep()

    def retire(self) -> None:
        """Another has taken its place: keep nothing for calls that will not come."""
        self.over_legacy.sessions.retire()

    async def close(self) -> None:
        await self.over_legacy.close()
        await self.behind.close()

    def forget(self) -> None:
        """Find out anew, next time, what the server speaks."""
        self.speaks_modern, self.speaks_legacy = None, None

    async def is_modern(self, outgoing: Outgoing[Request]) -> bool:
        """Whether the server answers modern requests; found out on behalf of `outgoing`, if nobody knows.

        Raises:
            UpstreamError: it answers nothing of either era.
        """
        if self.speaks_modern is None:
            async with self._probing:
                if self.speaks_modern is None:
                    self.speaks_modern = await self._found_modern(outgoing)
        return self.speaks_modern

    async def opens_sessions(self, outgoing: Outgoing[Request], error: UpstreamError) -> bool:
        """Whether a server that failed with `error` before any session opens one.

        Some are silent, or fail, when anything comes before `initialize`.
        """
        if not (error.timed_out or error.upstream_status):
            return False
        try:
            session = await self.over_legacy.sessions.lend(outgoing, {})
        except (OtherEraError, UpstreamError, RejectedError):
            return False
        self.over_legacy.sessions.give_back(session)
        self.speaks_modern = False
        return True

    async def _found_modern(self, outgoing: Outgoing[Request]) -> bool:
        try:
            async with self.behind.ask(_probe(outgoing)) as reply:
                said = [message async for message in reply.messages]
        except RejectedError:
            return False
        return _is_modern(said, discovers=True)


class _Asking:
    """One modern request under way, whichever way it goes."""

    def __init__(self, bridge: Bridge, outgoing: Outgoing[Request]) -> None:
        self._bridge = bridge
        self._outgoing = outgoing
        self._way: AbstractAsyncContextManager[Reply] | None = None

    async def __aenter__(self) -> Reply:
        entered = False
        try:
            reply = await self._again_where_changed()
            entered = True
        finally:
            if not entered:
                await self._left()
        return reply

    async def _again_where_changed(self) -> Reply:
        try:
            return await self._entered()
        except (RejectedError, OtherEraError) as error:
            if isinstance(error, RejectedError) and error.rpc_code != UNSUPPORTED_VERSION:
                raise
        # The server is not what it was, and has done nothing yet.
        await self._left()
        self._bridge.forget()
        try:
            return await self._entered()
        except OtherEraError as error:
            raise unsupported_version(self._outgoing.version, LEGACY_VERSIONS) from error

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        return None if self._way is None else await self._way.__aexit__(kind, error, trace)

    async def _entered(self) -> Reply:
        if self._bridge.speaks_modern is None:
            return await self._found_out()
        return await (self._direct() if self._bridge.speaks_modern else self._across())

    async def _direct(self) -> Reply:
        way = self._bridge.behind.ask(self._outgoing)
        reply = await way.__aenter__()
        self._way = way
        return reply

    async def _across(self) -> Reply:
        way = self._bridge.over_legacy.ask(self._outgoing)
        try:
            reply = await way.__aenter__()
        except UpstreamError:
            # Perhaps it is an answer of the other era; the next call finds out.
            self._bridge.forget()
            raise
        self._way = way
        return reply

    async def _found_out(self) -> Reply:
        """The answer of a server of whom nobody knows yet what it speaks.

        It is asked as if it were modern. A server that has sessions refuses that, and has then not
        begun anything: by the status, by not knowing `server/discover`, or by not knowing the
        method and, asked for it, not describing itself.
        """
        bridge, discovers = self._bridge, self._outgoing.message.method == "server/discover"
        try:
            reply = await self._direct()
        except RejectedError as rejected:
            if rejected.rpc_code != UNSUPPORTED_VERSION:
                raise
            bridge.speaks_modern = False
            return await self._across()
        except UpstreamError as error:
            if not discovers or not await bridge.opens_sessions(self._outgoing, error):
                raise
            return await self._across()
        if reply.streamed:
            bridge.speaks_modern = True
            return reply
        said = [message async for message in reply.messages]
        if _is_modern(said, discovers=discovers):
            bridge.speaks_modern = True
        elif _is_not_begun(said, discovers=discovers) and (
            discovers or not await bridge.is_modern(self._outgoing)
        ):
            bridge.speaks_modern = False
            await self._left()
            return await self._across()
        return _Said(reply.status, said).reply()

    async def _left(self) -> None:
        """Leave what has been entered and is not what is wanted, or failed while it was looked at."""
        way, self._way = self._way, None
        if way is not None:
            await way.__aexit__(None, None, None)


class _BridgedSession:
    """A legacy caller's session: with the server itself, once it has turned out to open one, or here."""

    def __init__(self, bridge: Bridge, own: UpstreamSession | None) -> None:
        self._bridge = bridge
        self._own = own
        self._way: UpstreamSession | None = None
        self._closed = False

    def ask(self, outgoing: Outgoing[Request]) -> AbstractAsyncContextManager[Reply]:
        if self._way is not None:
            return self._way.ask(outgoing)
        return self._opened(outgoing)

    async def tell(self, outgoing: Outgoing[Notification] | Outgoing[Response]) -> None:
        await self._settled().tell(outgoing)

    def listen(self, outgoing_version: str) -> AbstractAsyncContextManager[AsyncIterator[Message]]:
        return self._settled().listen(outgoing_version)

    async def close(self) -> None:
        self._closed = True
        way = self._way or self._own
        if way is not None:
            await way.close()

    @asynccontextmanager
    async def _opened(self, outgoing: Outgoing[Request]) -> AsyncIterator[Reply]:
        bridge = self._bridge
        if self._own is not None:
            refused: RejectedError | None = None
            try:
                async with self._own.ask(outgoing) as reply:
                    said = [message async for message in reply.messages]
            except RejectedError as rejected:
                refused, said = rejected, []
            if refused is None and not _refuses_sessions(said):
                self._way, bridge.speaks_legacy = self._own, True
                yield _Said(reply.status, said).reply()
                return
            if bridge.speaks_modern is False:
                bridge.forget()
            if not await bridge.is_modern(outgoing):
                # Whatever is wrong, it is not the era.
                if refused is not None:
                    raise refused
                yield _Said(reply.status, said).reply()
                return
            bridge.speaks_legacy = False
            await self._own.close()
        way = LegacyOverModern(bridge.behind, bridge.limits)
        self._way = way
        try:
            async with way.ask(outgoing) as reply:
                yield reply
        except RejectedError:
            # It does not speak this era either, or no more.
            bridge.forget()
            raise

    def _settled(self) -> UpstreamSession:
        if self._way is None or self._closed:
            raise UpstreamError("the session is not initialised", session_ended=True)
        return self._way


class _Said:
    """What a server has answered, to be passed on whole."""

    def __init__(self, status: int, messages: list[Message]) -> None:
        self._status = status
        self._messages = messages

    def reply(self) -> Reply:
        return Reply(self._status, streamed=len(self._messages) > 1, messages=self._each())

    async def _each(self) -> AsyncIterator[Message]:
        for message in self._messages:
            yield message


def _probe(outgoing: Outgoing[Request]) -> Outgoing[Request]:
    """The question what the server speaks, with nothing of the caller's in it."""
    meta: JsonObject = {VERSION_KEY: MODERN_VERSIONS[-1], CAPABILITIES_KEY: {}}
    return Outgoing(
        Request("probe", "server/discover", {"_meta": meta}),
        MODERN_VERSIONS[-1],
        principal=outgoing.principal,
        presented=outgoing.presented,
        token=outgoing.token,
    )


def _is_modern(said: list[Message], *, discovers: bool) -> bool:
    """Whether `said` is the answer of a server that needs no session.

    Whoever answers at all without one can be asked without one, unless they say otherwise.
    """
    last = said[-1] if said else None
    if not isinstance(last, Response) or last.result is None:
        return False
    spoken = last.result.get("supportedVersions")
    if not discovers or not isinstance(spoken, list):
        return True
    return any(one in MODERN_VERSIONS for one in spoken)


def _is_not_begun(said: list[Message], *, discovers: bool) -> bool:
    """Whether `said` is how a server of sessions refuses what comes outside of one."""
    last = said[-1] if said else None
    if not isinstance(last, Response) or last.error is None:
        return discovers
    return last.error["code"] in (_OTHER_ERA if discovers else _NOT_BEGUN)


def _refuses_sessions(said: list[Message]) -> bool:
    """Whether an answer to `initialize` may mean that the server knows none."""
    last = said[-1] if said else None
    return (
        isinstance(last, Response) and last.error is not None and last.error["code"] in _OTHER_ERA
    )
