"""One log in which stands how far every log of the installation has come.

Whoever keeps its newest checkpoint notices that a whole log is gone, or was set back: its records name size and root of
each (`logs.joined`). It is one of the processes that writes it, the one that holds it; when that one
dies, another goes on with it. A log whose newest checkpoint no key of its own signs is not named.

Source: docs/adr/0026-audit-trail.md.
"""

import threading
from collections.abc import Callable
from typing import Final

from remit.audit.database_stream import DatabaseStream
from remit.audit.entry import Moment, Producer, draft
from remit.audit.events import LogsJoined
from remit.audit.log_store import CheckpointRow, LogRow, list_logs, newest_checkpoints
from remit.audit.signing import SignerUnavailableError
from remit.audit.stream import AuditLogLockedError
from remit.canonical import JsonObject
from remit.clock import Clock
from remit.db import Database, Transaction
from remit_audit_verify.note import BadCheckpointError, Checkpoint, VerifierKey, open_checkpoint

__all__ = ["LogJoiner"]

_TOGETHER: Final = 64
"""So many logs fit in one record."""


class LogJoiner:
    """Writes the joined log `name`, where nobody else does. One thread at a time; every call blocks.

    `open_stream` takes the log if nobody holds it.
    """

    def __init__(
        self,
        name: str,
        open_stream: Callable[[], DatabaseStream],
        *,
        database: Database,
        producer: Producer,
        clock: Clock,
    ) -> None:
        self._name = name
        self._open_stream = open_stream
        self._database = database
        self._producer = producer
        self._clock = clock
        self._lock = threading.Lock()
        self._stream: DatabaseStream | None = None
        self._joined: dict[str, Checkpoint] = {}

    def join(self) -> bool:
        """Write and sign how far the logs have come that have grown; whether this process holds the joined log.

        Raises:
            OSError: the database does not take it; the next call begins anew.
            AuditLogDamagedError: the joined log is not what was written.
            SignerUnavailableError: it is written, and nobody signs it at the moment.
            DatabaseUnavailableError: the logs cannot be read.
        """
        with self._lock:
            if self._stream is None and not self._begin():
                return False
            try:
                self._write()
            except SignerUnavailableError:
                raise
            except BaseException:
                self._end()
                raise
            return True

    def close(self) -> None:
        """Give the joined log up to others."""
        with self._lock:
            self._end()

    def _begin(self) -> bool:
        try:
            self._stream = self._open_stream()
        except AuditLogLockedError:
            return False
        return True

    def _end(self) -> None:
        stream, self._stream, self._joined = self._stream, None, {}
        if stream is not None:
            stream.close()

    def _write(self) -> None:
        assert self._stream is not None  # noqa: S101  its callers looked
        grown = self._grown()
        moment = Moment.of(self._clock.now_ms())
        names = sorted(grown)
        drafts = [
            draft(
                LogsJoined(logs=tuple(_said(grown[name]) for name in names[at : at + _TOGETHER])),
                self._producer,
                moment,
            )
            for at in range(0, len(names), _TOGETHER)
        ]
        if drafts:
            self._stream.append(drafts, moment.text)
        else:
            self._stream.confirm()
        self._joined |= grown
        self._stream.checkpoint()

    def _grown(self) -> dict[str, Checkpoint]:
        """What is signed of each log and was not said yet, by its name."""
        rows, newest = self._database.read_now(_logs_and_checkpoints)
        keys = {row.name: row.public_keys for row in rows}
        found: dict[str, Checkpoint] = {}
        for one in newest:
            checkpoint = _signed(one, keys.get(one.log, ""))
            if (
                checkpoint is not None
                and one.log != self._name
                and self._joined.get(one.log) != checkpoint
            ):
                found[one.log] = checkpoint
        return found


def _logs_and_checkpoints(tx: Transaction) -> tuple[list[LogRow], list[CheckpointRow]]:
    return list_logs(tx), newest_checkpoints(tx)


def _signed(row: CheckpointRow, keys: str) -> Checkpoint | None:
    try:
        known = [VerifierKey.parse(line) for line in keys.splitlines()]
        return open_checkpoint(row.note, known)
    except BadCheckpointError:
        return None


def _said(checkpoint: Checkpoint) -> JsonObject:
    return {
        "log": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
    }
