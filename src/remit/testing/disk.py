"""A disk that forgets, fills up and breaks on command: real files, with a power switch.

A process that is killed loses nothing that it wrote, synced or not, because the page
cache outlives it. Only a disk that throws away what was not synced shows whether a
log waits for the disk before it answers. Source: AUDIT §0.2.
"""

import errno
import os
from pathlib import Path

from remit.audit.disk import PosixDisk, Space

__all__ = ["SimulatedDisk"]


class SimulatedDisk(PosixDisk):
    """Writes real files and remembers how much of each is on stable storage.

    `operations` is what was asked, in order, as `(operation, file name)`. While `error`
    is an errno, the operations named in `failing` raise it, after `written` bytes
    of a write have gone through. `room`, where it is set, is how many bytes are free on a disk of `total`.
    """

    def __init__(self) -> None:
        self.operations: list[tuple[str, str]] = []
        self.error: int | None = None
        self.failing = frozenset({"write", "sync", "open", "replace"})
        self.written = 0
        self.total = 1 << 40
        self.room: int | None = None
        self._paths: dict[int, Path] = {}
        self._stable: dict[Path, int] = {}
        self._named: set[Path] = set()

    def fill_up(self, *, written: int = 0) -> None:
        """No space is left; of the next write only `written` bytes go through."""
        self.error, self.failing, self.written = errno.ENOSPC, frozenset({"write", "open"}), written

    def break_down(self) -> None:
        """Everything that reaches the medium fails."""
        self.error = errno.EIO
        self.failing = frozenset({"write", "sync", "open", "truncate", "replace"})
        self.written = 0

    def mend(self) -> None:
        """Work again."""
        self.error = self.room = None

    def power_cut(self, *, surviving: int = 0, zeros: bool = False) -> None:
        """Leave of each file what was synced, and of the rest at most `surviving` bytes.

        With `zeros`, files keep their length and the lost bytes read as zero, as some
        file systems leave them. Files whose folder was not synced are gone.
        """
        for path, stable in self._stable.items():
            if path not in self._named:
                path.unlink(missing_ok=True)
                continue
            length = path.stat().st_size
            kept = min(length, stable + surviving)
            os.truncate(path, kept)
            if zeros:
                os.truncate(path, length)

    def open(self, path: Path) -> int:
        self._do("open", path)
        if path.exists() and path not in self._stable:
            self._stable[path] = path.stat().st_size
            self._named.add(path)
        descriptor = super().open(path)
        self._stable.setdefault(path, 0)
        self._paths[descriptor] = path
        return descriptor

    def write(self, descriptor: int, data: bytes) -> None:
        try:
            self._do("write", self._paths[descriptor])
        except OSError:
            super().write(descriptor, data[: self.written])
            raise
        fitting = data if self.room is None else data[: self.room]
        super().write(descriptor, fitting)
        self._taken(len(fitting))
        if len(fitting) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def allocate(self, descriptor: int, size: int) -> None:
        self._do("allocate", self._paths[descriptor])
        grown = size - self.length(descriptor)
        if self.room is not None and grown > self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().truncate(descriptor, size)  # it takes no space where tests run
        self._taken(grown)

    def space(self, path: Path) -> Space:
        return Space(self.total, self.total if self.room is None else self.room)

    def sync(self, descriptor: int) -> None:
        path = self._paths[descriptor]
        self._do("sync", path)
        self._stable[path] = path.stat().st_size

    def truncate(self, descriptor: int, size: int) -> None:
        path = self._paths[descriptor]
        self._do("truncate", path)
        self._taken(size - self.length(descriptor))
        super().truncate(descriptor, size)
        self._stable[path] = min(self._stable[path], size)

    def close(self, descriptor: int) -> None:
        self._paths.pop(descriptor)
        super().close(descriptor)

    def sync_folder(self, path: Path) -> None:
        self._do("sync_folder", path)
        self._named.update(file for file in self._stable if file.parent == path)

    def replace(self, path: Path, data: bytes) -> None:
        self._do("replace", path)
        path.write_bytes(data)

    def _taken(self, grown: int) -> None:
        if self.room is not None:
            self.room -= grown

    def _do(self, operation: str, path: Path) -> None:
        self.operations.append((operation, path.name))
        if self.error is not None and operation in self.failing:
            raise OSError(self.error, os.strerror(self.error), str(path))
