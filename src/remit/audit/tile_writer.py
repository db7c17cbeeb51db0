"""Tiles, written after the log: what is under a checkpoint, a full tile at a time.

A tile once written stays. Nothing waits for it, and nothing is lost with it while the records are there: after a
crash the last ones are written again. Whoever prunes records first has the tiles made safe (`make_safe`).

Source: C2SP tlog-tiles.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from remit_audit_verify.tiles import HASH_BYTES, TILE_WIDTH, tile_path
from remit_audit_verify.tree import root_hash

__all__ = ["TileWriter"]

_FULL: Final = TILE_WIDTH * HASH_BYTES


class TileWriter:
    """Writes the tiles of one log. One at a time, and not safe for several threads."""

    def __init__(self, folder: Path) -> None:
        """Find out how far the tiles in `folder` have come.

        Raises:
            OSError: they cannot be read.
        """
        self._folder = folder / "tile"
        self._tiles = self._count()
        self._edges: dict[int, list[bytes]] = {}
        self._unsafe: set[Path] = set()
        self._mend()

    @property
    def covered(self) -> int:
        """How many records are in full tiles, from the first on."""
        return self._tiles * TILE_WIDTH

    def extend(self, leaves: Iterable[bytes]) -> int:
        """Write the full tiles of `leaves`, which begin at `covered`; `covered` as it is then.

        Raises:
            OSError: some are not written; what is `covered` is.
        """
        held: list[bytes] = []
        for leaf in leaves:
            held.append(leaf)
            if len(held) == TILE_WIDTH:
                self._write(0, self._tiles, held)
                self._tiles += 1
                self._raise_edge(1, self._tiles - 1, root_hash(held))
                held = []
        return self.covered

    def make_safe(self) -> None:
        """Return when every tile written so far is on stable storage.

        Raises:
            OSError: one is not.
        """
        folders = {folder for path in self._unsafe for folder in (path.parent, path.parent.parent)}
        for path in sorted(self._unsafe | folders):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        self._unsafe.clear()

    def _raise_edge(self, level: int, index: int, root: bytes) -> None:
        """Add the root of tile `index` of the level below to the right edge of `level`."""
        tile, place = divmod(index, TILE_WIDTH)
        edge = self._edges.get(level)
        if edge is None or len(edge) != place:
            edge = self._edges[level] = list(self._found(level, tile, place))
        edge.append(root)
        if len(edge) < TILE_WIDTH:
            self._write_partial(level, tile, edge)
            return
        self._write(level, tile, edge)
        self._edges[level] = []
        self._drop_partial(level, tile, keep=0)
        self._raise_edge(level + 1, tile, root_hash(edge))

    def _mend(self) -> None:
        """Write what a crash left out above the first level."""
        level, count = 1, self._tiles
        while count:
            full, width = divmod(count, TILE_WIDTH)
            if full and not _is_whole(self._folder / str(level) / tile_path(full - 1), _FULL):
                self._write(level, full - 1, list(self._found(level, full - 1, TILE_WIDTH)))
            partial = self._folder / str(level) / f"{tile_path(full)}.p" / str(width)
            if width and not _is_whole(partial, width * HASH_BYTES):
                self._write_partial(level, full, list(self._found(level, full, width)))
            level, count = level + 1, full

    def _found(self, level: int, tile: int, width: int) -> Iterator[bytes]:
        """The first hashes of a tile, from the full tiles below."""
        for place in range(tile * TILE_WIDTH, tile * TILE_WIDTH + width):
            content = (self._folder / str(level - 1) / tile_path(place)).read_bytes()
            yield root_hash([content[at : at + HASH_BYTES] for at in range(0, _FULL, HASH_BYTES)])

    def _write(self, level: int, index: int, hashes: list[bytes]) -> None:
        path = self._folder / str(level) / tile_path(index)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _replace(path, b"".join(hashes))
        self._unsafe.add(path)

    def _write_partial(self, level: int, index: int, hashes: list[bytes]) -> None:
        path = self._folder / str(level) / f"{tile_path(index)}.p" / str(len(hashes))
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _replace(path, b"".join(hashes))
        self._drop_partial(level, index, keep=len(hashes))

    def _drop_partial(self, level: int, index: int, *, keep: int) -> None:
        folder = self._folder / str(level) / f"{tile_path(index)}.p"
        with suppress(OSError):
            for path in list(folder.iterdir()):
                if path.name != str(keep):
                    path.unlink()
            if not keep:
                folder.rmdir()

    def _count(self) -> int:
        """How many full tiles there are at the first level without a gap; the last, which a crash may have torn, is looked at."""
        count = _doubling(lambda index: (self._folder / "0" / tile_path(index)).exists())
        while count and (self._folder / "0" / tile_path(count - 1)).stat().st_size != _FULL:
            count -= 1
        return count


def _doubling(is_there: Callable[[int], bool]) -> int:
    """The first number of which `is_there` is false, it being true of all before."""
    beyond = 1
    while is_there(beyond - 1):
        beyond *= 2
    low, high = beyond // 2, beyond - 1
    while low < high:
        middle = (low + high) // 2
        if is_there(middle):
            low = middle + 1
        else:
            high = middle
    return low


def _is_whole(path: Path, size: int) -> bool:
    return path.exists() and path.stat().st_size == size


def _replace(path: Path, data: bytes) -> None:
    beside = path.with_name(f"{path.name}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(beside, flags, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
    finally:
        os.close(descriptor)
    beside.replace(path)
