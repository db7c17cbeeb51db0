"""The few things the log asks of a disk, so that a test can be the disk.

Decides nothing. `sync` is the promise everything rests on: what was written
before it survives a power cut when it returns.

Source: POSIX.1-2024 fdatasync; fsync(2) on folders.
"""

import errno
import os
from pathlib import Path
from typing import Protocol, TypeAlias

__all__ = ["Disk", "Identity", "PosixDisk"]

Identity: TypeAlias = "tuple[int, int]"
"""Device and inode: no other file has them while the file is open."""


class Disk(Protocol):
    """Append-only files by descriptor. Every method may raise `OSError`."""

    def open(self, path: Path) -> int:
        """Open for appending; create with mode 0600 if it is not there. A symbolic link is refused."""
        ...

    def write(self, descriptor: int, data: bytes) -> None:
        """Append all of `data`; after an error, any part of it may be there."""
        ...

    def sync(self, descriptor: int) -> None:
        """Return when everything written to the file is on stable storage."""
        ...

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut the file to `size` bytes."""
        ...

    def identity(self, descriptor: int) -> Identity:
        """Which file is open, whatever it is called by now."""
        ...

    def size(self, path: Path, identity: Identity) -> int:
        """How long the file `path` is, if it is the one of `identity`; an error if it is gone or another."""
        ...

    def close(self, descriptor: int) -> None:
        """Give the descriptor back."""
        ...

    def sync_folder(self, path: Path) -> None:
        """Return when the names in the folder are on stable storage."""
        ...

    def replace(self, path: Path, data: bytes) -> None:
        """Make `data` the content of the file: all of it or what was there before."""
        ...


class PosixDisk:
    """The disk of the machine."""

    def open(self, path: Path) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.open(path, flags, 0o600)

    def write(self, descriptor: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    def sync(self, descriptor: int) -> None:
        os.fdatasync(descriptor)

    def truncate(self, descriptor: int, size: int) -> None:
        os.ftruncate(descriptor, size)

    def identity(self, descriptor: int) -> Identity:
        found = os.fstat(descriptor)
        return found.st_dev, found.st_ino

    def size(self, path: Path, identity: Identity) -> int:
        try:
            found = os.lstat(path)
        except FileNotFoundError as error:
            raise _displaced(path) from error
        if (found.st_dev, found.st_ino) != identity:
            raise _displaced(path)
        return found.st_size

    def close(self, descriptor: int) -> None:
        os.close(descriptor)

    def sync_folder(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def replace(self, path: Path, data: bytes) -> None:
        beside = path.with_name(f"{path.name}.new")
        beside.unlink(missing_ok=True)
        descriptor = self.open(beside)
        try:
            self.write(descriptor, data)
        finally:
            self.close(descriptor)
        beside.replace(path)


def _displaced(path: Path) -> OSError:
    what = f"`{path.name}` was removed, moved or replaced"
    return OSError(errno.ESTALE, what, str(path))
