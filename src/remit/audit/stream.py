"""One stream on disk: records appended in batches, each on stable storage before the next.

Owned by one thread of one process, which holds the stream's lock. Decides the
order of writes: records, sync, then the tree grows; a checkpoint only of records that
are on stable storage; a new segment's name is on stable storage before its first
record. When a write fails, or the files are no longer those that the folder holds, the tree
has not grown, and the next append first cuts the file back to its last good record.

Source: AUDIT §1.4, §1.5.
"""

import contextlib
import fcntl
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from remit.audit.disk import Disk
from remit.audit.entry import Draft, seal
from remit.audit.growing_file import GrowingFile
from remit.audit.port import Receipt
from remit.audit.recovery import AuditLogDamagedError, Position, recover, sidecar
from remit.audit.signing import CheckpointSigner, SignerUnavailableError
from remit.errors import ConflictError
from remit_audit_verify.note import BadCheckpointError, Checkpoint, VerifierKey, open_checkpoint
from remit_audit_verify.stream_files import CHECKPOINTS, FRONTIER, KEYS, LOCK, segment_name
from remit_audit_verify.tree import leaf_hash

__all__ = ["AuditLogLockedError", "Stream", "StreamSettings"]


_GIVEN_BACK: Final = -1


class AuditLogLockedError(ConflictError):
    """Another process, or another object of this one, writes this stream."""

    code: ClassVar[str] = "audit_log_locked"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSettings:
    """Where a stream is kept, and under which name it signs.

    `origin` reads `<deployment>/<stream>`; it is part of every checkpoint and must
    never change. `folder` is created with mode 0700.
    """

    folder: Path
    origin: str
    segment_bytes: int = 64 * 1024 * 1024
    reserve_bytes: int = 0
    """Kept beside it for the day when the disk is full (`audit.reserve`)."""


class Stream:
    """An open stream. Not safe for several threads."""

    __slots__ = (
        "_checkpoints",
        "_disk",
        "_full_at",
        "_last",
        "_lock",
        "_lock_identity",
        "_position",
        "_published",
        "_records",
        "_settings",
        "_signed",
        "_signer",
        "_unsigned",
        "repaired_bytes",
    )

    def __init__(self, settings: StreamSettings, signer: CheckpointSigner, *, disk: Disk) -> None:
        """Open the stream, creating it if it is not there.

        Raises:
            AuditLogLockedError: it is open already.
            AuditLogDamagedError: it is not the log that was written.
            OSError: the disk refuses.
        """
        self._settings = settings
        self._signer = signer
        self._disk = disk
        _make_private(settings.folder)
        self._lock = _lock(settings.folder)
        with contextlib.ExitStack() as undo:
            undo.callback(os.close, self._lock)
            self._lock_identity = disk.identity(self._lock)
            self._begin(undo)
            undo.pop_all()

    def _begin(self, undo: contextlib.ExitStack) -> None:
        folder, disk = self._settings.folder, self._disk
        self._published = _published(folder, self._signer.verifiers)
        found = recover(folder, self._signer.verifiers)
        self._signer.resume(found.signed, found.unsigned)
        self._publish()
        self._position: Position = found.position
        self._last: Checkpoint | None = found.last
        self._full_at = self._settings.segment_bytes
        self._signed = found.signed
        self._unsigned = list(found.unsigned)
        self.repaired_bytes = found.torn_bytes
        end = found.position.offset
        segment = folder / segment_name(found.position.segment)
        self._records = GrowingFile(disk, segment, end=end, reach=end + found.torn_bytes)
        undo.callback(self._records.close)
        self._checkpoints = GrowingFile(
            disk, folder / CHECKPOINTS, end=found.checkpoints_end, reach=found.checkpoints_reach
        )
        undo.callback(self._checkpoints.close)
        self._note_begin(found.begin)
        disk.sync_folder(folder)
        disk.sync_folder(folder.parent)

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
            OSError: none of them is in the log.
        """
        self._confirm_beside()
        self._records.repair()
        if self._position.offset >= self._full_at:
            self._roll_if_signed()
        before = self._position
        tree, previous = before.tree.copy(), before.previous
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
        data = b"\n".join([*lines, b""])
        self._records.append(data)
        self._position = Position(tree, previous, before.segment, self._records.end)
        self._unsigned += leaves
        return receipts

    def confirm(self) -> None:
        """Return if what is open is what the folder holds: records, checkpoints and lock.

        Raises:
            OSError: somebody removed, moved, replaced, wrote or cut one of them.
        """
        self._confirm_beside()
        self._records.confirm()

    def checkpoint(self) -> Checkpoint | None:
        """Sign what is there, if it has grown since the last checkpoint; the last checkpoint.

        Raises:
            OSError: it is not on stable storage; the next call tries again.
            SignerUnavailableError: nobody signs at the moment, or something else than this log.
        """
        while self._position.tree.size != self.checkpointed:
            self._records.confirm()
            self._sign()
        return self._last

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
        self._checkpoints.append(f"{note}\n".encode())
        self._signed, self._unsigned = tree, self._unsigned[count:]
        self._last = checkpoint

    def _publish(self) -> None:
        """Have `log.pub` name every key that signs, before anything that it signed is to be found."""
        known = reversed(self._signer.verifiers)
        new = [key for key in known if key not in self._published]
        if new:
            keys = [*self._published, *new]
            lines = "".join(f"{key}\n" for key in keys)
            self._disk.replace(self._settings.folder / KEYS, lines.encode())
            self._published = keys

    def close(self) -> None:
        """Give up the files and the lock, each of them whatever becomes of the others; idempotent.

        Raises:
            OSError: the disk says that something went wrong; everything is given up.
        """
        lock, self._lock = self._lock, _GIVEN_BACK
        with contextlib.ExitStack() as everything:
            if lock != _GIVEN_BACK:
                everything.callback(os.close, lock)
            everything.callback(self._checkpoints.close)
            everything.callback(self._records.close)

    def _confirm_beside(self) -> None:
        """A lock without its name keeps nobody out; records beside no checkpoints will not be signed."""
        self._disk.size(self._settings.folder / LOCK, self._lock_identity)
        self._checkpoints.confirm()

    def _roll_if_signed(self) -> None:
        """A segment that nobody signs goes on growing; that is no reason to lose what it could hold."""
        try:
            self._roll()
        except SignerUnavailableError:
            self._full_at = self._position.offset + self._settings.segment_bytes // 16
        else:
            self._full_at = self._settings.segment_bytes

    def _roll(self) -> None:
        """Go on in a new segment, the old one being wholly under a checkpoint."""
        self.confirm()
        self.checkpoint()
        folder, position = self._settings.folder, self._position
        path = folder / segment_name(position.tree.size)
        opened = GrowingFile(self._disk, path, end=0, reach=0)
        try:
            self._disk.sync_folder(folder)
        except OSError:
            opened.close()
            raise
        former, self._records = self._records, opened
        self._position = Position(position.tree, position.previous, position.tree.size, 0)
        self._note_begin(self._position)
        with contextlib.suppress(OSError):  # all of it was on stable storage before
            former.close()

    def _note_begin(self, position: Position) -> None:
        with contextlib.suppress(OSError):  # a cache: without it the next start reads more
            self._disk.replace(self._settings.folder / FRONTIER, sidecar(position))


def _make_private(folder: Path) -> None:
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def _lock(folder: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(folder / LOCK, flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise AuditLogLockedError(
            f"the audit log `{folder}` is open in another process", cause=error
        ) from error
    return descriptor


def _published(folder: Path, known: Sequence[VerifierKey]) -> list[VerifierKey]:
    """The keys in `log.pub`, all of them the signer's; none for a log that is new, or lost that file."""
    try:
        lines = (folder / KEYS).read_bytes().decode().splitlines()
        keys = [VerifierKey.parse(line) for line in lines]
    except FileNotFoundError:
        return []
    except (BadCheckpointError, UnicodeDecodeError) as error:
        raise AuditLogDamagedError(f"`{KEYS}` is damaged", sequence=None, cause=error) from error
    if not all(key in known for key in keys):
        raise AuditLogDamagedError(f"`{KEYS}` names another key", sequence=None)
    return keys
