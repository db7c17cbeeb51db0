"""The hashes of a log in tiles: what is left of records that were pruned, and proofs without reading the rest.

    <log>/tile/<level>/<index>[.p/<width>]   256 hashes of 32 bytes, or fewer where the tree ends
    <log>/tile/entries/<index>[.p/<width>]   the records, each after its length in two bytes
    <log>/checkpoint                         the newest signed note

Nothing in a tile is trusted: what is made of tiles is compared with a root that is signed, by whoever asks.
A tile that is not there, or not of the length that it must have, is made of what is below it; where that is gone too,
`MissingTileError` says so.

Source: C2SP tlog-tiles; RFC 6962 §2.1; RFC 9162 §2.1.3, §2.1.4.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Final

from remit_audit_verify.errors import VerifyError
from remit_audit_verify.files import read_file
from remit_audit_verify.tree import EMPTY_ROOT, Frontier, node_hash, root_hash

__all__ = [
    "HASH_BYTES",
    "TILE",
    "TILE_WIDTH",
    "MissingTileError",
    "Tiles",
    "consistency_ranges",
    "entry_bundles",
    "path_ranges",
    "read_bundle",
    "tile_path",
]

TILE: Final = "tile"
ENTRIES: Final = "entries"
TILE_WIDTH: Final = 256
HASH_BYTES: Final = 32
_FULL: Final = TILE_WIDTH * HASH_BYTES
_KEPT: Final = 64
_WIDTH: Final = re.compile("[1-9][0-9]{0,2}")
_MAX_BUNDLE: Final = TILE_WIDTH * (2 + 65_535)


class MissingTileError(VerifyError):
    """A hash that would be needed is not there."""


def tile_path(index: int) -> str:
    """The path of tile `index` below its level: `x001/x234/067`.

    Raises:
        ValueError: no tile has a negative number.
    """
    if index < 0:
        raise ValueError(f"there is no tile {index}")
    rest, last = divmod(index, 1_000)
    path = f"{last:03d}"
    while rest:
        rest, part = divmod(rest, 1_000)
        path = f"x{part:03d}/{path}"
    return path


class Tiles:
    """The hash tiles of the log in `folder`. Safe for several threads; every method reads files.

    Each raises `OSError` where a file is there and cannot be read.
    """

    def __init__(
        self, folder: Path, leaves: Callable[[int, int], Sequence[bytes]] | None = None
    ) -> None:
        """`leaves` gives the leaf hashes from one record up to another, where no tile has them: at the end of the log."""
        self._leaves = leaves
        self._folder = folder / TILE
        self._lock = Lock()
        self._kept: OrderedDict[tuple[int, int], bytes] = OrderedDict()

    def hashes(self, level: int, index: int) -> bytes:
        """The hashes of a tile as it is on disk: full, partial, or none."""
        with self._lock:
            known = self._kept.get((level, index))
            if known is not None:
                self._kept.move_to_end((level, index))
                return known
        content = self._load(level, index)
        if len(content) == _FULL:
            with self._lock:
                self._kept[level, index] = content
                if len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return content

    def part(self, level: int, index: int, width: int) -> bytes:
        """The first `width` hashes of a tile, on disk or not. The caller knows that the tree has them.

        Raises:
            MissingTileError: what they are made of is gone.
        """
        content = self.hashes(level, index)
        if len(content) >= width * HASH_BYTES:
            return content[: width * HASH_BYTES]
        first = index * TILE_WIDTH
        if level == 0:
            return b"".join(self._made(first, first + width))
        return b"".join(self.node(level * 8, first + place) for place in range(width))

    def node(self, height: int, index: int) -> bytes:
        """The root of the perfect tree of 2**`height` leaves from leaf `index` * 2**`height` on.

        Raises:
            MissingTileError: hashes are missing for it.
        """
        level, within = divmod(height, 8)
        first, count = index << within, 1 << within
        tile, place = divmod(first, TILE_WIDTH)
        begin, end = place * HASH_BYTES, (place + count) * HASH_BYTES
        content = self.hashes(level, tile)
        if len(content) >= end:
            return root_hash(
                [content[at : at + HASH_BYTES] for at in range(begin, end, HASH_BYTES)]
            )
        if level == 0:
            return root_hash(self._made(first, first + count))
        return node_hash(self.node(height - 1, index * 2), self.node(height - 1, index * 2 + 1))

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

    def root(self, size: int) -> bytes:
        """The root over the first `size` leaves.

        Raises:
            MissingTileError: hashes are missing for it.
        """
        return self._over(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The audit path of leaf `index` in the tree over the first `size` leaves, from the leaf up.

        Raises:
            MissingTileError: there is no such leaf, or hashes are missing for it.
        """
        if not 0 <= index < size:
            raise MissingTileError(f"there is no record {index} among {size}")
        return [self._over(first, last) for first, last in path_ranges(index, size)]

    def consistency(self, earlier: int, later: int) -> list[bytes]:
        """The proof that the tree over the first `earlier` leaves is a prefix of the one over `later`.

        Raises:
            MissingTileError: the tree never had such sizes, or hashes are missing for it.
        """
        if not 0 < earlier <= later:
            raise MissingTileError(f"a tree of {later} records does not continue one of {earlier}")
        return [self._over(first, last) for first, last in consistency_ranges(earlier, later)]

    def _over(self, first: int, last: int) -> bytes:
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

    def _made(self, first: int, last: int) -> Sequence[bytes]:
        """Leaf hashes that no tile has."""
        made = () if self._leaves is None else self._leaves(first, last)
        if len(made) != last - first:
            raise MissingTileError(f"the hashes of records {first} to {last - 1} are missing")
        return made

    def _load(self, level: int, index: int) -> bytes:
        path = self._folder / str(level) / tile_path(index)
        try:
            content = read_file(path, _FULL)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return _load_partial(path)
        return content if len(content) == _FULL else b""


def _load_partial(path: Path) -> bytes:
    """The widest partial tile; another process may replace it by a wider one meanwhile."""
    folder = path.with_name(f"{path.name}.p")
    try:
        widths = [int(one.name) for one in folder.iterdir() if _WIDTH.fullmatch(one.name)]
        width = max(widths, default=0)
        content = read_file(folder / str(width), _FULL) if width else b""
    except (FileNotFoundError, NotADirectoryError):
        return b""
    return content if len(content) == width * HASH_BYTES else b""


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


def consistency_ranges(earlier: int, later: int) -> list[tuple[int, int]]:
    """Over which leaves the hashes of a consistency proof stand (RFC 6962 §2.1.2, SUBPROOF)."""
    first, last, whole = 0, later, True
    ranges: list[tuple[int, int]] = []
    while earlier < last - first:
        split = first + (1 << ((last - first - 1).bit_length() - 1))
        if earlier <= split - first:
            ranges.append((split, last))
            last = split
        else:
            ranges.append((first, split))
            earlier, first, whole = earlier - (split - first), split, False
    if not whole:
        ranges.append((first, last))
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
        yield content[:HASH_BYTES], False
        return
    at = 0
    while at < len(content):
        length = int.from_bytes(content[at : at + 2], "big")
        entry = content[at + 2 : at + 2 + length]
        yield entry, len(entry) == length and at + 2 <= len(content)
        at += 2 + length


def _wider(path: Path, other: Path) -> bool:
    return path.name.isdecimal() and int(path.name) > int(other.name)
