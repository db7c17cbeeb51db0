"""The few things the log asks of a disk, so that a test can be the disk.

Decides nothing. `sync` is the promise everything rests on: what was written
before it survives a power cut when it returns.

Source: POSIX.1-2024 fdatasync; fsync(2) on folders.
"""

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self, TypeAlias

__all__ = ["Disk", "Identity", "PosixDisk", "Space"]

_ZEROS = 1024 * 1024

Identity: TypeAlias = "tuple[int, int]"
"""Device and inode: no other file has them while the file is open."""


@dataclass(frozen=True, slots=True)
class Space:
    """How many bytes of a file system anybody may have, and how many of them are free."""

    total: int
    free: int

    @property
    def used_percent(self) -> int:
        """What is used of it, rounded down."""
        return 100 * (self.total - self.free) // self.total if self.total else 0

    @classmethod
    def of(cls, found: os.statvfs_result) -> Self:
        """As `df` counts: what is set aside for the administrator, or by a quota, is neither used nor to be had."""
        used = found.f_blocks - found.f_bfree
        return cls((used + found.f_bavail) * found.f_frsize, found.f_bavail * found.f_frsize)


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

    def allocate(self, descriptor: int, size: int) -> None:
        """Make the file `size` bytes long, all of which are on the disk already; an error if they do not fit."""
        ...

    def length(self, descriptor: int) -> int:
        """How long the file is."""
        ...

    def space(self, path: Path) -> Space:
        """What the file system of `path` holds."""
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

    def allocate(self, descriptor: int, size: int) -> None:
        allocate = getattr(os, "posix_fallocate", None)
        if allocate is not None:
            allocate(descriptor, 0, size)
            return
        self.truncate(descriptor, 0)  # no such call, as on macOS: zeros take the space as well
        for begin in range(0, size, _ZEROS):
            self.write(descriptor, bytes(min(_ZEROS, size - begin)))

    def length(self, descriptor: int) -> int:
        return os.fstat(descriptor).st_size

    def space(self, path: Path) -> Space:
        return Space.of(os.statvfs(path))

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
