"""The data folder: made private, and one process's alone.

It holds the database, the audit log, the keys and the management socket; who
may read it may be Remit. Refused: a folder of another user, a folder that a
running Remit has locked, a path that is no folder. A folder that others may
enter is closed to them, for nothing good comes of refusing to start there.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from remit.audit.disk import PosixDisk
from remit.audit.reserve import make_room_in
from remit.errors import Error

__all__ = ["DataFolder", "DataFolderError", "DataFolderInUseError", "open_data_folder"]


class DataFolderError(Error):
    """The folder cannot be used; `detail` says why and what to do."""

    code: ClassVar[str] = "data_folder"


class DataFolderInUseError(DataFolderError):
    """Another process has it."""

    code: ClassVar[str] = "data_folder_in_use"


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Where in the data folder everything is."""

    path: Path

    @property
    def socket(self) -> Path:
        return self.path / "remit.sock"

    @property
    def lock(self) -> Path:
        return self.path / "remit.lock"

    @property
    def audit(self) -> Path:
        return self.path / "audit"


@contextmanager
def open_data_folder(path: Path) -> Iterator[DataFolder]:
    """Make the folder if need be, close it to others, and hold its lock.

    Raises:
        DataFolderInUseError: another process holds it.
        DataFolderError: it is not ours, or cannot be made.
    """
    folder = DataFolder(path.absolute())
    _make_private(folder.path)
    try:
        descriptor = os.open(
            folder.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
    except OSError as error:
        raise DataFolderError(f"cannot write in the data folder `{path}`", cause=error) from error
    try:
        _lock(descriptor, path)
        _make_room(folder)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield folder
    finally:
        # The file stays: removing it would let two processes lock two files of one name.
        os.close(descriptor)


def _make_room(folder: DataFolder) -> None:
    """On a full disk, what the logs keep in reserve for that: nothing can be opened without writing a little."""
    with suppress(OSError):  # what is wrong there is said when the log is opened
        for stream in folder.audit.iterdir():
            make_room_in(stream, PosixDisk())


def _make_private(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.stat()
        if found.st_uid != os.geteuid():
            raise DataFolderError(
                f"the data folder `{path}` belongs to another user; "
                "give it to the one Remit runs as, or name another with --data"
            )
        if stat.S_IMODE(found.st_mode) & 0o077:
            path.chmod(0o700)
    except FileExistsError as error:
        raise DataFolderError(
            f"the data folder `{path}` is a file; name a folder", cause=error
        ) from error
    except OSError as error:
        raise DataFolderError(
            f"the data folder `{path}` cannot be made: {(error.strerror or '').lower()}",
            cause=error,
        ) from error


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        pid = os.read(descriptor, 20).decode("ascii", "replace").strip()
        holder = f"process {pid}" if pid.isdigit() else "another process"
        raise DataFolderInUseError(
            f"the data folder `{path}` is in use by {holder}; stop it first, or name another with --data",
            cause=error,
        ) from error
