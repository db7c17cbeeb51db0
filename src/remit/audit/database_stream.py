"""One log in the database, as its one writer sees it. Implements `audit.log_stream.LogStream`.

One process holds it, in an epoch that every write names; a process that was taken for dead, and comes back, can write
nothing any more, whatever its clock or the network told it. Whoever holds the log in the name of the same place (a data folder,
which is one process's alone) takes it over at once; anybody else when the lease is over.

What nobody knows the outcome of (a connection that broke while the database committed) is looked up before anything else is
written: either it is all there, and counts, or none of it is.

Source: AUDIT §1.5; docs/adr/0026.
"""

import contextlib
import errno
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from remit.audit.database_recovery import records_of, recover_from_database
from remit.audit.entry import Draft, seal
from remit.audit.log_store import (
    LEASE_MS,
    CheckpointRow,
    Hold,
    LogRow,
    add_checkpoint,
    add_records,
    find_log,
    publish_keys,
    release_log,
    renew_log,
    take_log,
)
from remit.audit.open_calls import listing
from remit.audit.port import Receipt
from remit.audit.recovery import AuditLogDamagedError
from remit.audit.signing import CheckpointSigner, SignerUnavailableError
from remit.audit.source import Record
from remit.audit.stream import AuditLogLockedError
from remit.db import Transaction
from remit.db.link import DatabaseLink
from remit_audit_verify.note import BadCheckpointError, Checkpoint, VerifierKey, open_checkpoint
from remit_audit_verify.tree import Frontier, leaf_hash

__all__ = ["DatabaseStream"]

_LOOKS: Final = 12
_BETWEEN: Final = LEASE_MS / 1_000 / 10


@dataclass(frozen=True, slots=True)
class _Position:
    """A place between two records: the tree up to here, and the last leaf."""

    tree: Frontier
    previous: str


@dataclass(frozen=True, slots=True)
class _Doubt:
    """What was handed to the database, and nobody knows whether it took it."""

    after: _Position
    leaves: list[bytes]
    lines: list[bytes]


class DatabaseStream:
    """An open log. Not safe for several threads.

    `left`: the records of calls that were under way when the process before ended, and that nobody said the end of.
    """

    repaired_bytes: Final = 0

    def __init__(
        self,
        link: DatabaseLink,
        signer: CheckpointSigner,
        *,
        holder: str,
        wait: Callable[[float], None] | None = time.sleep,
    ) -> None:
        """Take the log that `signer` signs for, making it if there is none. `holder` names the place that holds it.

        `wait` is how it waits, seconds at a time, for the lease of another holder to end: one lease, and no longer; `None`:
        not at all.

        Raises:
            AuditLogLockedError: another process holds it, and goes on doing so.
            AuditLogDamagedError: it is not the log that was written.
            OSError: the database does not answer.
        """
        self._link = link
        self._signer = signer
        self._log = signer.verifier.name
        self._doubt: _Doubt | None = None
        self._lost = False
        try:
            self._hold = self._take(holder, wait)
            row = self._look()
        except BaseException:
            link.close()
            raise
        try:
            self._published = _published(row, signer.verifiers)
            found = recover_from_database(link, row, signer.verifiers)
            signer.resume(found.signed, found.unsigned)
            self._publish()
            self._calls = found.calls
            self.left = self._left()
        except BaseException:
            self.close()
            raise
        self._position = _Position(found.tree, found.previous)
        self._last = found.last
        self._signed = found.signed
        self._unsigned = found.unsigned

    @property
    def size(self) -> int:
        """How many records are on stable storage."""
        return self._position.tree.size

    @property
    def checkpointed(self) -> int:
        """How many of them the last checkpoint signs."""
        return 0 if self._last is None else self._last.size

    def append(self, drafts: Sequence[Draft], observed: str) -> list[Receipt]:
        """Write `drafts` in order; they are on stable storage when it returns.

        Raises:
            OSError: none of them is in the log, or nobody knows; then it is found out before anything else is written.
        """
        self._settle()
        tree, previous = self._position.tree.copy(), self._position.previous
        start = tree.size
        lines: list[bytes] = []
        receipts: list[Receipt] = []
        leaves: list[bytes] = []
        for entry in drafts:
            line = seal(entry, sequence=tree.size, previous=previous, observed=observed)
            leaf = leaf_hash(line)
            previous = leaf.hex()
            receipts.append(Receipt(tree.size, previous))
            tree.append(leaf)
            leaves.append(leaf)
            lines.append(line)
        self._doubt = _Doubt(_Position(tree, previous), leaves, lines)
        try:
            held = self._link.at_once(lambda tx: add_records(tx, self._hold, start, lines))
        except OSError:
            self._settle()
            if self._position.tree is not tree:
                raise
        else:
            if not held:
                self._doubt = None
                raise self._displaced()
            self._believe()
        return receipts

    def confirm(self) -> None:
        """Return if the log is held, and as long as it was; others are kept out for another while.

        Raises:
            OSError: another process has it, somebody wrote or removed records, or nobody can tell.
        """
        self._settle()
        if not self._link.at_once(lambda tx: renew_log(tx, self._hold, self.size)):
            raise self._displaced()

    def checkpoint(self) -> Checkpoint | None:
        """Sign what is there, if it has grown since the last checkpoint; the last checkpoint.

        Raises:
            OSError: it is not signed on stable storage; the next call tries again.
            SignerUnavailableError: nobody signs at the moment, or something else than this log.
        """
        while self.size != self.checkpointed:
            self.confirm()
            self._sign()
        return self._last

    def close(self) -> None:
        """Give the log up, so that others may have it at once, and the connections."""
        if not self._lost:
            with contextlib.suppress(OSError):  # then they wait until the lease is over
                self._link.run(lambda tx: release_log(tx, self._hold))
        self._link.close()

    def _take(self, holder: str, wait: Callable[[float], None] | None) -> Hold:
        for _ in range(_LOOKS):
            row = self._link.run(lambda tx: find_log(tx, self._log))
            if row is None or row.holder == holder or row.lease <= 0:
                hold = self._link.run(self._taking(holder, None if row is None else row.epoch))
                if hold is not None:
                    return hold
            if wait is None:
                break
            wait(_BETWEEN)
        raise AuditLogLockedError(f"the audit log `{self._log}` is open in another process")

    def _sign(self) -> None:
        """Sign what is not signed yet, or as much of its beginning as the signer has come to."""
        note = self._signer.sign(self._signed, self._unsigned)
        try:
            checkpoint = open_checkpoint(note, [self._signer.verifier])
        except BadCheckpointError as error:
            raise SignerUnavailableError("the signer signs something else", cause=error) from error
        tree, count = self._position.tree.copy(), checkpoint.size - self.checkpointed
        if checkpoint.size < tree.size:
            tree = self._signed.copy()
            for leaf in self._unsigned[: max(0, count)]:
                tree.append(leaf)
        if count <= 0 or (checkpoint.size, checkpoint.root) != (tree.size, tree.root()):
            raise SignerUnavailableError("the signer signs another log")
        self._publish()
        row = CheckpointRow(
            log=self._log,
            size=tree.size,
            note=note,
            nodes=b"".join(tree.nodes),
            open_calls=listing(self._calls),
        )
        if not self._link.at_once(lambda tx: add_checkpoint(tx, self._hold, row)):
            raise self._displaced()
        self._signed, self._unsigned = tree, self._unsigned[count:]
        self._last = checkpoint

    def _publish(self) -> None:
        """Have the log name the key that signs, before anything that it signed is to be found."""
        if self._signer.verifier in self._published:
            return
        known = reversed(self._signer.verifiers)
        keys = [*self._published, *(key for key in known if key not in self._published)]
        lines = "".join(f"{key}\n" for key in keys)
        if not self._link.at_once(lambda tx: publish_keys(tx, self._hold, lines)):
            raise self._displaced()
        self._published = keys

    def _left(self) -> tuple[Record, ...]:
        """The records of the calls that the process before began, and nobody said the end of."""
        return tuple(
            Record(self._log, sequence, line)
            for number in self._calls.sequences()
            for sequence, line in records_of(self._link, self._log, number, number + 1)
        )

    def _taking(self, holder: str, epoch: int | None) -> Callable[[Transaction], Hold | None]:
        return lambda tx: take_log(tx, self._log, holder=holder, epoch=epoch)

    def _look(self) -> LogRow:
        """The log as it is, when nothing that was sent before is under way any more.

        Raises:
            OSError: another process has it.
        """
        row = self._link.run(lambda tx: find_log(tx, self._log, lock=True))
        if row is None or row.epoch != self._hold.epoch:
            raise self._displaced()
        return row

    def _settle(self) -> None:
        """Find out what became of what was handed over last.

        Raises:
            OSError: it cannot be found out, or another process has the log.
        """
        if self._lost:
            raise self._displaced()
        if self._doubt is None:
            return
        size = self._look().size
        if size == self._doubt.after.tree.size:
            self._believe()
        elif size == self.size:
            self._doubt = None
        else:
            raise self._displaced()

    def _believe(self) -> None:
        doubt, self._doubt = self._doubt, None
        assert doubt is not None  # noqa: S101  its callers looked
        for sequence, line in enumerate(doubt.lines, start=self.size):
            self._calls.see(sequence, line)
        self._position = doubt.after
        self._unsigned += doubt.leaves

    def _displaced(self) -> OSError:
        """Somebody else has the log, or changed it: nothing is written to it by this process any more."""
        self._lost = True
        return OSError(errno.ESTALE, f"the log `{self._log}` was taken over, or changed by another")


def _published(row: LogRow, known: Sequence[VerifierKey]) -> list[VerifierKey]:
    """The keys that the log names, all of them the signer's."""
    try:
        keys = [VerifierKey.parse(line) for line in row.public_keys.splitlines()]
    except BadCheckpointError as error:
        raise AuditLogDamagedError(
            "the keys of the log are damaged", sequence=None, cause=error
        ) from error
    if not all(key in known for key in keys):
        raise AuditLogDamagedError("the log names another key", sequence=None)
    return keys
