"""One file that grows by our writes alone, and is where it was opened.

A descriptor outlives the name it was opened by. Whoever removes, moves or replaces the file,
or its folder, would otherwise leave us writing, synced and acknowledged, to a file that nobody
will ever read; so before anything is acknowledged the name must still lead to the file
and the file must be exactly as long as what we wrote. Refused too is a file that another wrote to or
cut: what a failed write of ours may have left is cut off, what is not ours is not touched.

Source: AUDIT §1.5; POSIX.1-2024 unlink, rename (a file lives on without its name).
"""

import errno
from pathlib import Path
from typing import Final

from remit.audit.disk import Disk

__all__ = ["GrowingFile"]

_GIVEN_BACK: Final = -1


class GrowingFile:
    """A file open for appending, and how far it is good. Not safe for several threads."""

    __slots__ = ("_descriptor", "_disk", "_identity", "_path", "_reach", "_torn", "end")

    def __init__(self, disk: Disk, path: Path, *, end: int, reach: int) -> None:
        """Open `path`, creating it if it is not there, and cut off what follows `end`, up to `reach`.

        Raises:
            OSError: the disk refuses, or the file is shorter than `end` or longer than `reach`.
        """
        self._disk = disk
        self._path = path
        self.end = end
        self._reach = reach
        self._torn = True
        self._descriptor = disk.open(path)
        try:
            self._identity = disk.identity(self._descriptor)
            self.repair()
        except OSError:
            disk.close(self._descriptor)
            raise

    def append(self, data: bytes) -> None:
        """Write `data`; it is on stable storage, in the file that the path names, when this returns.

        Raises:
            OSError: it is not in the file; what is there of it is cut off before the next write.
        """
        if self._torn:
            self.repair()
        else:
            self.confirm()
        end = self.end + len(data)
        self._torn, self._reach = True, end
        self._disk.write(self._descriptor, data)
        self._disk.sync(self._descriptor)
        self._expect(end, end)
        self._torn, self.end = False, end

    def confirm(self) -> None:
        """Return if the path still leads to this file, and it holds what was written and no more.

        Raises:
            OSError: it does not.
        """
        self._expect(self.end, self._reach if self._torn else self.end)

    def repair(self) -> None:
        """Cut off what a write that failed may have left.

        Raises:
            OSError: the disk refuses, or what is there is not ours to cut.
        """
        if not self._torn:
            return
        self._expect(self.end, self._reach)
        self._disk.truncate(self._descriptor, self.end)
        self._disk.sync(self._descriptor)
        self._torn = False

    def close(self) -> None:
        """Give the descriptor back; idempotent, for by then the number may be somebody else's.

        Raises:
            OSError: the disk says that something went wrong; the descriptor is given back.
        """
        descriptor, self._descriptor = self._descriptor, _GIVEN_BACK
        if descriptor != _GIVEN_BACK:
            self._disk.close(descriptor)

    def _expect(self, least: int, most: int) -> None:
        """Growing a file that was cut would fill it with zeros, so too short is as bad as too long."""
        size = self._disk.size(self._path, self._identity)
        if not least <= size <= most:
            what = f"`{self._path.name}` was written or cut by another"
            raise OSError(errno.ESTALE, what, str(self._path))
