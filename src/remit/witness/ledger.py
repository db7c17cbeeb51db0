"""What a witness has seen of each log: the newest checkpoint it signed, with its own signatures.

One file for each log, replaced as a whole and on stable storage before a signature leaves. One process at a time has
the folder. A file that cannot be read is no new log: nothing is signed for that log until somebody has looked at it.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Self
from urllib.parse import quote

from remit.errors import ConflictError, Error
from remit.signer.durable_file import write_durably
from remit_audit_verify.note import BadCheckpointError, Checkpoint, parse_checkpoint

__all__ = ["LedgerDamagedError", "LedgerInUseError", "WitnessLedger"]

_SUFFIX = ".note"


class LedgerInUseError(ConflictError):
    """Another witness has the folder."""

    code: ClassVar[str] = "witness_in_use"


class LedgerDamagedError(Error):
    """What was kept of a log cannot be read."""

    code: ClassVar[str] = "witness_damaged"


class WitnessLedger:
    """The folder, held until it is closed."""

    def __init__(self, folder: Path) -> None:
        """Open it, made if need be.

        Raises:
            LedgerInUseError: another witness has it.
            OSError: it cannot be made.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
        self._folder = folder
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._lock = os.open(folder / "lock", flags, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise LedgerInUseError(f"`{folder}` is another witness's", cause=error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            os.close(self._lock)

    def newest(self, origin: str) -> Checkpoint | None:
        """The newest checkpoint that was signed for `origin`.

        Raises:
            LedgerDamagedError: what is there is no checkpoint of that log.
            OSError: it cannot be read.
        """
        note = self.note(origin)
        if note is None:
            return None
        try:
            checkpoint = parse_checkpoint(note).checkpoint
        except BadCheckpointError as error:
            raise LedgerDamagedError(
                f"what is kept of `{origin}` is damaged", cause=error
            ) from error
        if checkpoint.origin != origin:
            raise LedgerDamagedError(f"what is kept of `{origin}` is of another log")
        return checkpoint

    def note(self, origin: str) -> str | None:
        """That checkpoint, with all signatures.

        Raises:
            LedgerDamagedError: it is no text.
            OSError: it cannot be read.
        """
        try:
            return self._path(origin).read_bytes().decode()
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise LedgerDamagedError(
                f"what is kept of `{origin}` is damaged", cause=error
            ) from error

    def keep(self, origin: str, note: str) -> None:
        """Keep `note` as the newest; on stable storage when it returns.

        Raises:
            OSError: it is not.
        """
        write_durably(self._path(origin), note.encode())

    def _path(self, origin: str) -> Path:
        return self._folder / f"{quote(origin, safe='')}{_SUFFIX}"
