"""What servers offer, held against what was admitted: recorded, and in force in every process.

What contradicts an admitted definition is quarantined in this process before it is written, and so
before the list that it stood in goes on; where it cannot be written, it stays quarantined here and
the list is refused. Other processes on the database see it within the interval.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, NoReturn

import structlog

from remit.app.metrics import Metrics
from remit.app.repetition import for_ever
from remit.canonical import Json, JsonObject
from remit.clock import Clock
from remit.db import Database, Transaction
from remit.guard.definitions import Definitions, ThingKey
from remit.model import Catalog, Pinning, Server
from remit.policy.evaluation import ResourceKind
from remit.registry import RegistryDirectory
from remit.registry.argument_schema import argument_check
from remit.registry.definition import Offer, declares, is_lesser, parse_definition
from remit.registry.definition_store import (
    Cause,
    DefinitionState,
    Pinned,
    Seen,
    admitted_texts,
    every_standing,
)
from remit.registry.pinning import MAX_UNDECLARED, is_settled, observe

__all__ = ["INTERVAL", "DefinitionBook"]

INTERVAL: Final = 1.0
"""Seconds between two readings."""

_log = structlog.stdlib.get_logger("remit.definitions")

_Check = Callable[[Json], str | None]


class DefinitionBook:
    """The rows as they were last read, and the snapshot that the guard reads made of them."""

    def __init__(
        self,
        database: Database,
        directory: RegistryDirectory,
        *,
        clock: Clock,
        metrics: Metrics,
        also: Callable[[], Catalog | None] = lambda: None,
    ) -> None:
        """`also`: what is on trial declares, whose things have to be admitted like those in force."""
        self._database = database
        self._directory = directory
        self._clock = clock
        self._rows: Mapping[ThingKey, Pinned] = MappingProxyType({})
        self._admitted: dict[str, JsonObject] = {}
        self._checks: dict[str, _Check] = {}
        self._suspects: set[ThingKey] = set()
        self._catalog: Catalog | None = None
        self._also = also
        self._tried: Catalog | None = None
        self._one_at_a_time = asyncio.Lock()
        metrics.gauge(
            "remit_definitions_quarantined",
            "Things of servers whose definition waits for review.",
            lambda: sum(row.waits for row in self._rows.values()),
        )

    async def refresh(self) -> None:
        """Read and publish. When it returns, what was committed before the call is enforced here.

        Raises:
            DatabaseUnavailableError: the database does not answer; what was in force stays.
        """
        async with self._one_at_a_time:
            await self._read()

    async def run(self) -> NoReturn:
        """Read for ever. The root of a task: a failure is logged once, and tried again."""
        await for_ever(self.refresh, every=INTERVAL, log=_log, what="definitions")

    def republish(self) -> None:
        """Make a snapshot for the catalog now in force; nothing, if it is the same."""
        if self._directory.catalog is not self._catalog or self._also() is not self._tried:
            self._publish()

    async def take(self, server: Server, offers: Iterable[Offer], *, own: bool) -> None:
        """Hear what `server` offers, in a list that Remit asked for itself or in one of a caller's.

        Raises:
            Error: what is new cannot be recorded.
        """
        seen = Seen.OWN if own else Seen.CALLER
        offers = tuple(offers)
        if own:
            self._clear_suspicion(server, offers)
        news = self._with_room(
            server, [offer for offer in offers if self._is_news(server, offer, seen)]
        )
        if server.pinning is Pinning.OFF or not news:
            return
        self._suspect(server, news)
        catalog, now = self._directory.catalog, self._clock.now()

        def work(tx: Transaction) -> bool:
            return observe(tx, server, news, catalog=catalog, seen=seen, now=now)

        async with self._one_at_a_time:
            await self._database.run(work)
            before = self._rows
            self._suspects.difference_update((server.name, one.kind, one.name) for one in news)
            await self._read()
        self._tell(before)

    def _with_room(self, server: Server, news: list[Offer]) -> list[Offer]:
        """`news` without what would not be recorded: a list that is too long is not written about each time."""

        def is_told_of(offer: Offer) -> bool:
            key = (server.name, offer.kind, offer.name)
            return key in self._rows or declares(server, offer.kind, offer.name)

        if all(map(is_told_of, news)):
            return news
        undeclared = sum(
            row.server == server.name and not declares(server, row.thing, row.name)
            for row in self._rows.values()
        )
        return news if undeclared < MAX_UNDECLARED else [one for one in news if is_told_of(one)]

    def _is_news(self, server: Server, offer: Offer, seen: Seen) -> bool:
        row = self._rows.get((server.name, offer.kind, offer.name))
        if is_settled(row, offer, seen=seen, server=server):
            return False
        if row is None or seen is Seen.OWN or row.state is not DefinitionState.ADMITTED:
            return True
        admitted = self._admitted.get(row.admitted_digest or "")
        return admitted is None or not is_lesser(parse_definition(offer.text), admitted)

    def _suspect(self, server: Server, news: Iterable[Offer]) -> None:
        """Quarantine here what contradicts an admitted definition, before anything is awaited."""
        known = ((offer, self._rows.get((server.name, offer.kind, offer.name))) for offer in news)
        suspects = {
            row.key
            for offer, row in known
            if row is not None and row.admitted_digest not in {None, offer.digest}
        }
        if suspects:
            self._suspects |= suspects
            self._publish()

    def _clear_suspicion(self, server: Server, offers: Iterable[Offer]) -> None:
        """What could not be written when it was seen, and is offered again as it was admitted."""
        for offer in offers:
            key = (server.name, offer.kind, offer.name)
            row = self._rows.get(key)
            if key in self._suspects and row is not None and row.admitted_digest == offer.digest:
                self._suspects.discard(key)
                self._catalog = None  # so that the next reading publishes

    async def _read(self) -> None:
        known = frozenset(self._admitted)

        def work(tx: Transaction) -> tuple[tuple[Pinned, ...], dict[str, str]]:
            rows = every_standing(tx)
            digests = {row.admitted_digest for row in rows if row.admitted_digest is not None}
            return rows, admitted_texts(tx, digests - known)

        rows, texts = await self._database.read(work)
        if not texts and rows == tuple(self._rows.values()):
            self.republish()
            return
        self._rows = MappingProxyType({row.key: row for row in rows})
        self._admitted.update((digest, parse_definition(text)) for digest, text in texts.items())
        kept = {row.admitted_digest for row in rows}
        self._admitted = {one: text for one, text in self._admitted.items() if one in kept}
        self._checks = {one: check for one, check in self._checks.items() if one in kept}
        self._publish()

    def _publish(self) -> None:
        catalog = self._catalog = self._directory.catalog
        tried = self._tried = self._also()
        quarantined: set[ThingKey] = set()
        unseen: set[ThingKey] = set()
        checks: dict[ThingKey, _Check] = {}
        schemas: dict[ThingKey, Json] = {}
        digests: dict[ThingKey, str] = {}
        # What only the bundle on trial declares was never admitted: it is refused there, and not forwarded unseen.
        for server, key in (*_pinned_things(tried), *_pinned_things(catalog)):
            row = self._rows.get(key)
            if key in self._suspects or (row is not None and _is_out(row, server)):
                quarantined.add(key)
            elif row is None or row.admitted_digest is None:
                self._unknown(server, key, quarantined=quarantined, unseen=unseen)
            else:
                digests[key] = row.admitted_digest
                if key[1] is ResourceKind.TOOL:
                    schemas[key] = self._admitted[row.admitted_digest].get("inputSchema")
                    checks[key] = self._check(row.admitted_digest, schemas[key])
        self._directory.publish_definitions(
            Definitions(
                quarantined=frozenset(quarantined),
                unseen=frozenset(unseen),
                argument_checks=MappingProxyType(checks),
                digests=MappingProxyType(digests),
                schemas=MappingProxyType(schemas),
            )
        )

    @staticmethod
    def _unknown(
        server: Server, key: ThingKey, *, quarantined: set[ThingKey], unseen: set[ThingKey]
    ) -> None:
        if key[1] is not ResourceKind.RESOURCE:
            unseen.add(key)
        elif server.pinning is Pinning.REVIEWED:
            # Servers need not list what can be read; where a review is asked for, they have to.
            quarantined.add(key)

    def _check(self, digest: str, schema: Json) -> _Check:
        check = self._checks.get(digest)
        if check is None:
            check = self._checks[digest] = argument_check(schema)
        return check

    def _tell(self, before: Mapping[ThingKey, Pinned]) -> None:
        for key, row in self._rows.items():
            was = before.get(key)
            if row.waits and not (was is not None and was.waits):
                _log.warning(
                    "definition_quarantined",
                    server=row.server,
                    thing=row.thing.value,
                    name=row.name.encode("unicode_escape").decode()[:200],
                    cause=None if row.cause is None else row.cause.value,
                    detail=row.detail,
                    mend=f"see what changed: remit servers review {row.server}",
                )


def _pinned_things(catalog: Catalog | None) -> Iterable[tuple[Server, ThingKey]]:
    """Every thing of every server whose definitions count."""
    if catalog is None:
        return
    for server in catalog.servers.values():
        if server.pinning is Pinning.OFF:
            continue
        yield from ((server, (server.name, ResourceKind.TOOL, name)) for name in server.tools)
        yield from ((server, (server.name, ResourceKind.PROMPT, name)) for name in server.prompts)
        for resource in server.resources:
            yield server, (server.name, ResourceKind.RESOURCE, resource.uri)


def _is_out(row: Pinned, server: Server) -> bool:
    """Whether the thing may not be used. What was new and is declared by now waits to be seen again."""
    if row.state is DefinitionState.ADMITTED:
        return server.pinning is Pinning.REVIEWED and row.decided_by is None
    return row.state is DefinitionState.REJECTED or row.cause is not Cause.NEW
