"""Learning what servers offer: from the lists that pass, and by asking.

The gateway asks each server itself: at the start, when the catalog changes, when the server says
that a list has changed, every so often, and before the first call of a thing whose definition
nobody has seen. One question at a time goes to a server, and whoever needs the answer waits for
the same one. It asks with the server's own credential and never with a caller's; a server whose
credential belongs to a person is known from the lists that callers ask for alone.

An entry that contradicts what was admitted is taken out of the list that it stands in before the
list goes on. What cannot be learned is not called: the guard refuses it.

Source: MISSION B9; MCP 2026-07-28 (list changed notifications); docs/adr/0011-definition-pinning.md.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from remit.canonical import Json
from remit.clock import Clock, Seconds
from remit.errors import Error
from remit.gateway.definition_listing import LISTS, Listing, list_everything
from remit.gateway.jsonrpc import Message, Notification, Response
from remit.gateway.methods import Listed, treatment_of
from remit.gateway.protocol import Era
from remit.gateway.rejection import UpstreamError
from remit.gateway.upstream.roster import Upstreams
from remit.guard.ports import Directory
from remit.ids import ServerName
from remit.model import (
    Catalog,
    ConnectionCredential,
    ExchangedCredential,
    HttpUpstream,
    Pinning,
    Server,
)
from remit.policy.evaluation import ResourceKind
from remit.registry.definition import Offer, offers_of

__all__ = ["DefinitionWatch", "Take", "can_be_asked", "offers_in"]


class Take(Protocol):
    """Hears what a server offers: in a list that Remit asked for itself, its `own`, or in a caller's."""

    async def __call__(self, server: Server, offers: Iterable[Offer], *, own: bool) -> None:
        """Record what is new.

        Raises:
            Error: it cannot be recorded.
        """
        ...


_AGAIN_SECONDS = 5.0
_AT_ONCE = 4
_CHANGES = frozenset(
    {
        "notifications/tools/list_changed",
        "notifications/prompts/list_changed",
        "notifications/resources/list_changed",
    }
)
_log = logging.getLogger("remit.gateway.definitions")


class DefinitionWatch:
    """Keeps `take` informed."""

    def __init__(
        self,
        upstreams: Upstreams,
        directory: Directory,
        take: Take,
        *,
        interval: Seconds,
        clock: Clock,
    ) -> None:
        self._upstreams = upstreams
        self._directory = directory
        self._take = take
        self._interval = interval
        self._clock = clock
        self._asking: dict[ServerName, asyncio.Task[None]] = {}
        self._not_before: dict[ServerName, float] = {}
        self._due: set[ServerName] = set()
        self._failing: set[ServerName] = set()
        self._woken = asyncio.Event()
        self._catalog: Catalog | None = None
        self._running: asyncio.Task[None] | None = None
        self._places = asyncio.Semaphore(_AT_ONCE)

    def start(self) -> None:
        """Begin to ask."""
        self._running = asyncio.create_task(self._run(), name="definitions")

    async def stop(self) -> None:
        """Ask no more, and give up what is being asked."""
        tasks = [*self._asking.values(), *([self._running] if self._running is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def look_again(self) -> None:
        """Ask every server again if the catalog is another one."""
        if self._directory.catalog is not self._catalog:
            self._woken.set()

    def heard(self, server: ServerName, message: Message) -> None:
        """Ask `server` soon, if `message` says that one of its lists has changed."""
        if isinstance(message, Notification) and message.method in _CHANGES:
            self.nudge(server)

    def nudge(self, server: ServerName) -> None:
        """Ask `server` soon."""
        self._due.add(server)
        self._woken.set()

    def lacks(self, server: Server, kind: ResourceKind | None, name: str | None) -> bool:
        """Whether nobody has seen the definition of what is to be called."""
        unseen = self._directory.definitions.unseen
        return bool(unseen) and kind is not None and (server.name, kind, name) in unseen

    async def ready(self, server: Server, kind: ResourceKind | None, name: str | None) -> None:
        """Wait until the definition of what is to be called is known, if it can be learned by asking."""
        if self.lacks(server, kind, name):
            await self._learned(server)

    async def passed(self, server: Server, listed: Listed, response: Response) -> Response:
        """Learn from a list on its way to a caller; the list without what is quarantined.

        Raises:
            UpstreamError: what is new in it cannot be recorded.
        """
        result = response.result
        items = None if result is None else result.get(listed.member)
        if result is None or not isinstance(items, list):
            return response
        offers = offers_of(listed.kind, listed.key, items, server)
        unseen = self._directory.definitions.unseen
        if any((server.name, offer.kind, offer.name) in unseen for offer in offers):
            # What Remit is shown itself is pinned, and not what the first caller is shown.
            await self._learned(server)
        try:
            await self._take(server, offers, own=False)
        except Error as error:
            raise UpstreamError("what the server offers cannot be recorded", cause=error) from error
        out = self._directory.definitions.quarantined
        if any(key[0] == server.name for key in out) and can_be_asked(server):
            self.nudge(server.name)
        kept: list[Json] = [
            item
            for item in items
            if not isinstance(item, dict)
            or not isinstance(name := item.get(listed.key), str)
            or (server.name, listed.kind, name) not in out
        ]
        return replace(response, result={**result, listed.member: kept})

    async def listing(self, server: Server) -> Listing:
        """All that `server` offers now, for somebody who wants to see it.

        Raises:
            UpstreamError: it cannot be asked, or does not answer as the protocol asks.
        """
        if not _has_own_credential(server):
            raise UpstreamError("only those who use the server have a credential for it")
        return await list_everything(self._upstreams.of(server))

    async def _learned(self, server: Server) -> None:
        """Wait for one question to `server`, unless it was asked a moment ago or cannot be."""
        if not can_be_asked(server):
            return
        under_way = self._asking.get(server.name)
        if under_way is None and self._clock.monotonic() < self._not_before.get(server.name, 0.0):
            return
        # The question goes on for the others when this caller leaves.
        await asyncio.shield(under_way or self._begin(server))

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            if self._directory.catalog is not self._catalog:
                self._catalog = self._directory.catalog
                self._due = set(self._catalog.servers)
            due, self._due = self._due, set()
            servers = [one for name in sorted(due) if (one := self._catalog.servers.get(name))]
            await asyncio.gather(*(self._asked(one) for one in servers if can_be_asked(one)))
            try:
                await asyncio.wait_for(self._woken.wait(), self._interval)
                await asyncio.sleep(self._pause())
            except TimeoutError:
                self._due = set(self._catalog.servers)

    def _pause(self) -> float:
        """How long until whoever is due may be asked again: several changes in a row are one question."""
        now = self._clock.monotonic()
        return max((self._not_before.get(name, now) - now for name in self._due), default=0.0)

    async def _asked(self, server: Server) -> None:
        await asyncio.wait([self._asking.get(server.name) or self._begin(server)])

    def _begin(self, server: Server) -> asyncio.Task[None]:
        task = asyncio.create_task(self._ask(server), name=f"definitions of {server.name}")
        self._asking[server.name] = task
        return task

    async def _ask(self, server: Server) -> None:
        """Ask once. The root of a task: a failure leaves what is unknown unknown, and so refused."""
        try:
            async with self._places:
                listing = await list_everything(self._upstreams.of(server))
            await self._take(server, offers_in(listing, server), own=True)
        except Exception as error:  # noqa: BLE001  the root of a task: what is unknown is refused
            if server.name not in self._failing:
                detail = error.detail if isinstance(error, Error) else type(error).__name__
                _log.warning("what `%s` offers is not known: %s", server.name, detail)
            self._failing.add(server.name)
        else:
            self._failing.discard(server.name)
        finally:
            self._not_before[server.name] = self._clock.monotonic() + _AGAIN_SECONDS
            self._asking.pop(server.name, None)


def can_be_asked(server: Server) -> bool:
    """Whether Remit has a credential of its own for `server`, or needs none, and is to know."""
    return server.pinning is not Pinning.OFF and _has_own_credential(server)


def _has_own_credential(server: Server) -> bool:
    credential = server.upstream.credential if isinstance(server.upstream, HttpUpstream) else None
    return not isinstance(credential, ConnectionCredential | ExchangedCredential)


def offers_in(listing: Listing, server: Server) -> tuple[Offer, ...]:
    """The definitions in all lists of `server`."""
    found: list[Offer] = []
    for method in LISTS:
        listed = treatment_of(method, Era.MODERN)
        if isinstance(listed, Listed):
            found.extend(offers_of(listed.kind, listed.key, listing.get(method, ()), server))
    return tuple(found)
