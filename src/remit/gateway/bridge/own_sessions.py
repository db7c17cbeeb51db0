"""The legacy sessions that the gateway holds with one server, kept apart by principal.

A session is lent to one call at a time, and only to a call of the principal for whom
it was opened, whose client can do what was then declared. A principal has so many, of
which an idle one makes place; of all there are so many, and then the one that has been
idle longest goes, whosoever it is. With none idle, a call that waits for its client
gives way: the principal's own, or, where all places are taken, one of whoever holds
most, if that is at least two more than the one who asks.

Source: MCP security best practices (session hijacking).
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from remit.canonical import JsonObject
from remit.clock import Clock
from remit.gateway.bridge.limits import BridgeLimits
from remit.gateway.bridge.own_session import OwnSession
from remit.gateway.jsonrpc import INTERNAL_ERROR, Request
from remit.gateway.principal import Principal
from remit.gateway.rejection import NoPlaceError, RejectedError
from remit.gateway.upstream.port import Outgoing, UpstreamSession
from remit.ids import ClientId, GrantId
from remit.tokens.access_token import AccessToken

__all__ = ["OwnSessions"]

_OURSELVES = Principal("", "", ClientId(""), GrantId(""))
"""On whose behalf the gateway itself asks a server what it offers."""

Yields = Callable[[Principal], OwnSession | None]
"""Gives up a suspended call of a principal's, and says which session that was, if there is one."""


class OwnSessions:
    """The sessions with one server. `open_session` makes one, `gives_way` frees one."""

    def __init__(
        self,
        open_session: Callable[[], UpstreamSession],
        limits: BridgeLimits,
        clock: Clock,
        *,
        gives_way: Yields,
    ) -> None:
        self._open_session = open_session
        self._limits = limits
        self._clock = clock
        self._gives_way = gives_way
        self._open: set[OwnSession] = set()
        self._idle: list[OwnSession] = []
        self._closing: set[asyncio.Task[None]] = set()
        self._retired = False

    def __len__(self) -> int:
        return len(self._open)

    async def lend(self, outgoing: Outgoing[Request], capabilities: JsonObject) -> OwnSession:
        """A session for a call of `outgoing.principal`'s: `give_back` or `discard` it.

        Raises:
            RejectedError: 429, the principal's are all in use; 503, everybody's are.
            OtherEraError: the server does not speak this era.
            UpstreamError: it does not open a session.
        """
        principal = outgoing.principal or _OURSELVES
        for session in reversed(self._idle):
            if session.principal == principal and session.capabilities == capabilities:
                self._idle.remove(session)
                session.serve(outgoing)
                return session
        self._make_room(principal)
        behind = await self._opened()
        session = OwnSession(behind, outgoing, principal=principal, capabilities=capabilities)
        self._open.add(session)
        opened = False
        try:
            await session.open()
            opened = True
        finally:
            if not opened:
                self.discard(session)
        return session

    def give_back(self, session: OwnSession) -> None:
        """Let the next call of the same principal's have `session`."""
        if session not in self._open:
            return
        if self._retired:
            self.discard(session)
            return
        session.used = True
        session.last_used = self._clock.monotonic()
        self._idle.append(session)

    def discard(self, session: OwnSession) -> None:
        """End `session`."""
        self._open.discard(session)
        if session in self._idle:
            self._idle.remove(session)
        self.in_background(session.close(), name="bridged session ends")

    def end_unbacked(self, backs: Callable[[AccessToken], bool]) -> None:
        """End the idle sessions of whoever may act no more; those in use end with their calls."""
        for session in tuple(self._idle):
            if session.token is not None and not backs(session.token):
                self.discard(session)

    def sweep(self) -> None:
        """End the sessions that nobody has used for too long."""
        before = self._clock.monotonic() - self._limits.idle
        for session in tuple(self._idle):
            if session.last_used < before:
                self.discard(session)

    def retire(self) -> None:
        """Keep no session for a next call, of which there will be none."""
        self._retired = True
        for session in tuple(self._idle):
            self.discard(session)

    def in_background(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        """See `work` through, whether or not anybody waits for it."""
        task = asyncio.create_task(work, name=name)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """End every session, and see through what is under way."""
        for session in tuple(self._open):
            self.discard(session)
        while self._closing:
            await asyncio.gather(*self._closing, return_exceptions=True)

    async def _opened(self) -> UpstreamSession:
        try:
            return self._open_session()
        except NoPlaceError:
            if not self._idle:
                raise
        idlest = self._idle.pop(0)
        self._open.discard(idlest)
        await idlest.close()
        return self._open_session()

    def _make_room(self, principal: Principal) -> None:
        own = sum(session.principal == principal for session in self._open)
        if own >= self._limits.sessions_per_principal:
            idle = (session for session in self._idle if session.principal == principal)
            self._free(next(idle, None) or self._gives_way(principal), 429)
        if len(self._open) >= self._limits.sessions:
            self._free(next(iter(self._idle), None) or self._surrendered(principal), 503)

    def _surrendered(self, principal: Principal) -> OwnSession | None:
        held: dict[tuple[str, str], list[Principal]] = {principal.person: []}
        for session in self._open:
            held.setdefault(session.principal.person, []).append(session.principal)
        most = max(held.values(), key=len)
        if len(most) < len(held[principal.person]) + 2:
            return None
        for holder in dict.fromkeys(most):
            if (freed := self._gives_way(holder)) is not None:
                return freed
        return None

    def _free(self, session: OwnSession | None, status: int) -> None:
        if session is None:
            detail = "too many calls are under way with this server"
            raise RejectedError(status, detail, rpc_code=INTERNAL_ERROR).with_header(
                b"retry-after", b"1"
            )
        self._open.discard(session)
        if session in self._idle:
            self.discard(session)
