"""What makes the log of this process evidence for others, behind everything: its tiles, its witnesses, its timestamps.

Its tasks, none of which any call waits for. Each failure is logged once, and tried again.
"""

import asyncio
from functools import partial

import structlog

from remit.app.log_folders import folder_of_log
from remit.app.repetition import for_ever
from remit.app.stores import Stores
from remit.audit.calls_noted import CallsNoted
from remit.audit.source import RecordSource
from remit.audit.tiled_logs import TiledLogs
from remit.clock import Clock
from remit.guard.ports import Directory
from remit.model import AuditRules
from remit.witness import witnessing
from remit.witness.asking import Post
from remit.witness.kept_notes import KeptNotes
from remit.witness.posting import sender
from remit.witness.stamping import Stamping
from remit.witness.witnessing import Witnessing, WitnessingDeps

__all__ = ["INTERVAL", "LogProofs", "open_proofs"]

INTERVAL = 1.0
"""Seconds between two looks at what may be put in tiles."""
_log = structlog.stdlib.get_logger("remit.audit")
_ADD = "/add-checkpoint"


class LogProofs:
    """Its tasks."""

    def __init__(
        self,
        tiled: TiledLogs,
        witnesses: Witnessing,
        stamps: Stamping,
        *,
        own: str,
        calls: CallsNoted | None = None,
    ) -> None:
        self.tiled = tiled
        self.witnesses = witnesses
        self.stamps = stamps
        self._own = own
        self._calls = calls

    async def run(self) -> None:
        """Do all for ever. The root of a task."""
        await asyncio.gather(
            for_ever(self.tile, every=INTERVAL, log=_log, what="tiles"),
            for_ever(self.note, every=INTERVAL, log=_log, what="calls"),
            for_ever(self.witnesses.look, every=witnessing.INTERVAL, log=_log, what="witnesses"),
        )

    async def tile(self) -> None:
        """Put in tiles what has come under a checkpoint.

        Raises:
            TilesDisagreeError: the log on disk is not what is signed.
            MissingHashError, NotFoundError, OSError: something cannot be read or written.
        """
        while await asyncio.to_thread(self.tiled.advance, self._own):
            continue

    async def note(self) -> None:
        """Note which calls have not ended, where the log is on files.

        Raises:
            NotFoundError, OSError: the log cannot be read.
        """
        while self._calls is not None and await asyncio.to_thread(self._calls.advance):
            continue


def open_proofs(stores: Stores, directory: Directory, clock: Clock) -> LogProofs:
    """Make it of what is open already."""
    own, data = stores.log_name, stores.folder.path
    kept = KeptNotes(partial(folder_of_log, data), stores.database, clock.monotonic)
    witnesses = Witnessing(
        WitnessingDeps(
            source=stores.source,
            tiled=stores.tiled,
            logs=lambda: _answered_for(stores.source, own),
            rules=lambda: _rules(directory),
            keep=kept.keep,
            post=_post,
            audit=stores.audit,
            clock=clock,
        )
    )
    stores.metrics.gauge(
        "remit_audit_witnesses_lost",
        "Witnesses that do not sign, or contradict the log.",
        witnesses.lost,
    )
    stamps = Stamping(
        stores.source,
        own,
        folder=folder_of_log(data, own) or data / "timestamps",
        authority=lambda: _rules(directory).timestamps,
        sender=partial(sender, content_type="application/timestamp-query"),
        clock=clock,
    )
    folder = folder_of_log(data, own)
    calls = None
    if folder is not None:
        calls = CallsNoted(stores.source, own, folder=folder, begin=stores.log.began)
    return LogProofs(stores.tiled, witnesses, stamps, own=own, calls=calls)


def _answered_for(source: RecordSource, own: str) -> list[str]:
    """The log of this process, and the joined one, which belongs to all."""
    joined = f"{own.partition('/')[0]}/joined"
    return [log for log in source.logs() if log in {own, joined}]


def _rules(directory: Directory) -> AuditRules:
    return directory.catalog.audit


def _post(url: str) -> Post:
    send = sender(url.rstrip("/") + _ADD, content_type="text/plain; charset=utf-8")

    async def post(body: bytes) -> tuple[int, str]:
        status, answer = await send(body)
        return status, answer.decode(errors="replace")

    return post
