"""Where cosignatures are kept: in the file `witnessed` of a log's folder, or with the checkpoint in the database.

The file has a note for each minute, and the newest: the last one is provisional, and written over until it is that far
from the one before it. A crash leaves it torn at worst, which the next process cuts off, and the witness still has what it signed.
"""

import os
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Final

from remit.audit.witnessed_store import keep_witnessed
from remit.db import Database
from remit_audit_verify.note import parse_checkpoint
from remit_audit_verify.stream_files import WITNESSED, read_notes

__all__ = ["KeptNotes"]

_MINUTE: Final = 60.0
_TAIL: Final = 1024 * 1024


class KeptNotes:
    """Of the logs for which `folder_of` knows a folder, in files; of others in `database`. Blocks; safe for several threads."""

    def __init__(
        self,
        folder_of: Callable[[str], Path | None],
        database: Database | None,
        monotonic: Callable[[], float],
    ) -> None:
        self._folder_of = folder_of
        self._database = database
        self._monotonic = monotonic
        self._lock = Lock()
        self._final: dict[Path, tuple[float, int]] = {}

    def keep(self, log: str, note: str) -> None:
        """Keep `note` for `log`.

        Raises:
            OSError, DatabaseUnavailableError: it is not kept.
        """
        folder = self._folder_of(log)
        if folder is not None:
            with self._lock:
                self._append(folder / WITNESSED, f"{note}\n".encode())
        elif self._database is not None:
            size = parse_checkpoint(note).checkpoint.size
            self._database.run_now(lambda tx: keep_witnessed(tx, log, size, note))

    def _append(self, path: Path, data: bytes) -> None:
        now = self._monotonic()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            known = self._final.get(path)
            end = _whole(path) if known is None else os.fstat(descriptor).st_size
            since, final = known or (now, end)
            if final > end or now - since >= _MINUTE:
                since, final = now, end
            self._final[path] = (since, final)
            os.ftruncate(descriptor, final)
            os.pwrite(descriptor, data, final)
        finally:
            os.close(descriptor)


def _whole(path: Path) -> int:
    """Where the last note in the file ends. What a crash left after it would make a note that is none of what follows."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        begin = max(0, end - _TAIL)
        file.seek(begin)
        notes = [note for note in read_notes(file.readlines(), begin) if note.complete]
    return notes[-1].end if notes else end if begin else 0
