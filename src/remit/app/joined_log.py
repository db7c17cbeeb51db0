"""What the processes of an installation do for one another's logs: one of them joins all, and tells what others left behind.

Both are done by the process that holds the joined log, every few seconds, and by another when it is gone. Where logs are files there is nobody to do
it for. A failure stops neither calls nor the next round.

Source: docs/adr/0026-audit-trail.md; AUDIT §1.10 (7).
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version as version_of
from typing import Final

import structlog

from remit.app.audit_store import LogPlace
from remit.app.keys import open_signing_key
from remit.audit import AuditLogDamagedError, Producer
from remit.audit.database_stream import DatabaseStream
from remit.audit.joining import LogJoiner
from remit.audit.left_behind import LeftBehind
from remit.audit.signing import LocalSigner
from remit.clock import Clock
from remit.db import Database, Recorder
from remit.db.link import DatabaseLink
from remit.errors import Error
from remit.secrets import MasterKey
from remit.settings import Settings

__all__ = ["JOINED", "JoinedLog", "open_joined_log"]

JOINED: Final = "joined"
"""What the joined log is called where a log is called by its process's name."""

_EVERY: Final = 5.0
_log = structlog.stdlib.get_logger("remit.audit")


class JoinedLog:
    """The rounds of this process; `None` for both where its log is not in the database."""

    def __init__(self, joiner: LogJoiner | None, behind: LeftBehind | None) -> None:
        self._joiner = joiner
        self._behind = behind

    async def run(self) -> None:
        """Make rounds for ever. The root of a task."""
        if self._joiner is None:
            await asyncio.Event().wait()
        while True:
            await asyncio.to_thread(self.round)
            await asyncio.sleep(_EVERY)

    def round(self) -> bool:
        """One round; whether this process is the one that makes them. Blocks."""
        if self._joiner is None or self._behind is None:
            return False
        try:
            if not self._joiner.join():
                return False
            left = self._behind.look()
        except AuditLogDamagedError as error:
            _log.error("joined_log_damaged", detail=error.detail, sequence=error.sequence)
            return False
        except (Error, OSError) as error:
            _log.warning("logs_not_joined", error=type(error).__name__)
            return False
        if left:
            _log.warning("calls_left_behind", count=left)
        return True


@contextmanager
def open_joined_log(
    settings: Settings,
    place: LogPlace,
    master: MasterKey,
    *,
    database: Database,
    recorder: Recorder,
    clock: Clock,
) -> Iterator[JoinedLog]:
    """The rounds of this process; given up to others with the context. Nothing is asked of the database yet."""
    if not place.in_database:
        yield JoinedLog(None, None)
        return
    name = f"remit/{JOINED}"

    def open_stream() -> DatabaseStream:
        # Sealed in the database and not with a signer: whichever process is left goes on with it.
        key = open_signing_key(place.url, master, instance=JOINED, clock=clock)
        signer = LocalSigner(name, key)
        return DatabaseStream(DatabaseLink(place.url), signer, holder=place.holder, wait=None)

    producer = Producer(
        instance=settings.instance, version=version_of("remit"), settings_digest=settings.digest()
    )
    joiner = LogJoiner(name, open_stream, database=database, producer=producer, clock=clock)
    own = frozenset({name, place.name})
    try:
        yield JoinedLog(joiner, LeftBehind(database, recorder, own=own))
    finally:
        joiner.close()
