"""The hashes of a log in tiles: what is left of records that were pruned, and proofs without reading the rest.

    <log>/tile/<level>/<index>[.p/<width>]   256 hashes of 32 bytes, or fewer where the tree ends
    <log>/tile/entries/<index>[.p/<width>]   the records, each after its length in two bytes
    <log>/checkpoint                         the newest signed note

Nothing in a tile is trusted: what is made of tiles is compared with a root that is signed, by whoever asks.
A tile that is not there, or not of the length that it must have, is a `MissingTileError`.

Source: C2SP tlog-tiles; RFC 9162 §2.1.3.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from remit_audit_verify.errors import VerifyError
from remit_audit_verify.files import read_file
from remit_audit_verify.tree import Frontier, node_hash, root_hash

__all__ = [
    "TILE",
    "TILE_WIDTH",
    "MissingTileError",
    "Tiles",
    "entry_bundles",
    "read_bundle",
    "tile_path",
]

TILE: Final = "tile"
ENTRIES: Final = "entries"
TILE_WIDTH: Final = 256
_HASH: Final = 32
_KEPT: Final = 64
_MAX_BUNDLE: Final = TILE_WIDTH * (2 + 65_535)


class MissingTileError(VerifyError):
    """A hash that would be needed is not there."""


def tile_path(index: int) -> str:
    """The path of tile `index` below its level: `x001/x234/067`."""
    rest, last = divmod(index, 1_000)
    path = f"{last:03d}"
    while rest:
        rest, part = divmod(rest, 1_000)
        path = f"x{part:03d}/{path}"
    return path


class Tiles:
    """The hash tiles of the log in `folder`. Not safe for several threads."""

    def __init__(
        self, folder: Path, leaves: Callable[[int, int], Sequence[bytes]] | None = None
    ) -> None:
        """`leaves` gives the leaf hashes from one record up to another, where no tile has them: at the end of the log."""
        self._leaves = leaves
        self._folder = folder / TILE
        self._read: OrderedDict[tuple[int, int], bytes] = OrderedDict()

    def hashes(self, level: int, index: int) -> bytes:
        """The hashes of a tile, as many as there are; none when there is no such tile."""
        known = self._read.get((level, index))
        if known is not None:
            self._read.move_to_end((level, index))
            return known
        content = self._load(level, index)
        if len(content) == TILE_WIDTH * _HASH:
            self._read[level, index] = content
            if len(self._read) > _KEPT:
                self._read.popitem(last=False)
        return content

    def node(self, height: int, index: int) -> bytes:
        """The root of the perfect tree of 2**`height` leaves from leaf `index` * 2**`height` on.

        Raises:
            MissingTileError: no tile has it.
        """
        level, within = divmod(height, 8)
        first = index << within
        tile, place = divmod(first, TILE_WIDTH)
        found = self.hashes(level, tile)
        needed = [
            found[at : at + _HASH]
            for at in range(place * _HASH, (place + (1 << within)) * _HASH, _HASH)
        ]
        if len(needed[-1]) == _HASH:
            return root_hash(needed)
        if level == 0 and self._leaves is not None:
            made = self._leaves(first, first + (1 << within))
            if len(made) == 1 << within:
                return root_hash(made)
        if level == 0:
            raise MissingTileError(f"the hash of record {first} is in no tile")
        below = height - 1
        return node_hash(self.node(below, index * 2), self.node(below, index * 2 + 1))

    def frontier(self, size: int) -> Frontier:
        """The tree over the first `size` leaves, to be grown on.

        Raises:
            MissingTileError: tiles are missing for it.
        """
        nodes, offset = [], 0
        for height in range(size.bit_length() - 1, -1, -1):
            if size >> height & 1:
                nodes.append(self.node(height, offset >> height))
                offset += 1 << height
        return Frontier(size, nodes)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The audit path of leaf `index` in the tree over the first `size` leaves, from the leaf up.

        Raises:
            MissingTileError: tiles are missing for it, or there is no such leaf.
        """
        if not 0 <= index < size:
            raise MissingTileError(f"no record {index} in a log of {size}")
        return [self._range(first, last) for first, last in path_ranges(index, size)]

    def _range(self, first: int, last: int) -> bytes:
        """The root over leaves `first` up to `last`, `first` being where such a subtree can begin."""
        roots, at = [], first
        while at < last:
            height = (last - at).bit_length() - 1
            roots.append(self.node(height, at >> height))
            at += 1 << height
        root = roots.pop()
        while roots:
            root = node_hash(roots.pop(), root)
        return root

    def _load(self, level: int, index: int) -> bytes:
        path = self._folder / str(level) / tile_path(index)
        try:
            content = read_file(path, TILE_WIDTH * _HASH)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return self._load_partial(path)
        if len(content) != TILE_WIDTH * _HASH:
            raise MissingTileError(f"tile {level}/{tile_path(index)} has another length")
        return content

    @staticmethod
    def _load_partial(path: Path) -> bytes:
        folder = path.with_name(path.name + ".p")
        widths = [int(one.name) for one in _names(folder) if one.name.isdecimal()]
        if not widths:
            return b""
        content = read_file(folder / str(max(widths)), TILE_WIDTH * _HASH)
        if len(content) != max(widths) * _HASH:
            raise MissingTileError(f"tile {path.name}.p/{max(widths)} has another length")
        return content


def path_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """Over which leaves the hashes of an audit path stand, from the leaf up."""
    first, last = 0, size
    ranges: list[tuple[int, int]] = []
    while last - first > 1:
        split = first + (1 << ((last - first - 1).bit_length() - 1))
        if index < split:
            ranges.append((split, last))
            last = split
        else:
            ranges.append((first, split))
            first = split
    return ranges[::-1]


def entry_bundles(folder: Path) -> list[tuple[int, Path]]:
    """The bundles of entries of a log in tiles: the number of the first entry of each, and its file, in order."""
    found: dict[int, Path] = {}
    entries = folder / TILE / ENTRIES
    for path in sorted(entries.rglob("*")) if entries.is_dir() else []:
        if not path.is_file():
            continue
        parts = path.relative_to(entries).parts
        name = "".join(parts[:-1] if parts[-2:-1] and parts[-2].endswith(".p") else parts)
        digits = name.removesuffix(".p").replace("x", "")
        if not digits.isdecimal():
            continue
        index = int(digits)
        whole = not (len(parts) > 1 and parts[-2].endswith(".p"))
        held = found.get(index)
        if whole or held is None or (held.parent.name.endswith(".p") and _wider(path, held)):
            found[index] = path
    return [(index * TILE_WIDTH, found[index]) for index in sorted(found)]


def read_bundle(path: Path) -> Iterator[tuple[bytes, bool]]:
    """The entries of a bundle, and whether each is whole; of a file longer than a bundle can be, one that is not."""
    content = read_file(path, _MAX_BUNDLE)
    if len(content) > _MAX_BUNDLE:
        yield content[:_HASH], False
        return
    at = 0
    while at < len(content):
        length = int.from_bytes(content[at : at + 2], "big")
        entry = content[at + 2 : at + 2 + length]
        yield entry, len(entry) == length and at + 2 <= len(content)
        at += 2 + length


def _wider(path: Path, other: Path) -> bool:
    return path.name.isdecimal() and int(path.name) > int(other.name)


def _names(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
