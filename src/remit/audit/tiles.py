"""The hashes of a log in tiles, beside it: proofs without reading the log, also when its records are pruned.

    <folder>/tile/<level>/<index>            256 hashes of 32 bytes
    <folder>/tile/<level>/<index>.p/<width>  fewer, at the right edge of a level above the first

The leaf hashes at the right edge are in no tile: they are made of the records, on demand. Tiles are written after the
log, and believed by nobody: a proof is compared with a signed root by whoever asks for it. One that is missing,
or not of its length, is made of what is below it; where that is gone too, `MissingHashError` says so.

Source: C2SP tlog-tiles; RFC 6962 §2.1; RFC 9162 §2.1.3, §2.1.4.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import ClassVar, Final

from remit.errors import NotFoundError
from remit_audit_verify.tree import EMPTY_ROOT, node_hash, root_hash

__all__ = ["HASH_BYTES", "TILE_WIDTH", "MissingHashError", "Tiles", "tile_path"]

TILE_WIDTH: Final = 256
HASH_BYTES: Final = 32
_FULL: Final = TILE_WIDTH * HASH_BYTES
_KEPT: Final = 64


class MissingHashError(NotFoundError):
    """Neither a tile nor a record is there to make the hash of."""

    code: ClassVar[str] = "audit_hash_missing"


def _no_leaves(first: int, last: int) -> Sequence[bytes]:
    raise MissingHashError(f"the hashes of records {first} to {last - 1} are in no tile")


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
    """The tiles of the log in `folder`. Safe for several threads; every method reads files."""

    def __init__(
        self, folder: Path, leaves: Callable[[int, int], Sequence[bytes]] = _no_leaves
    ) -> None:
        """`leaves` gives the leaf hashes from one record up to another, of what is in no tile yet."""
        self._folder = folder / "tile"
        self._leaves = leaves
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
            MissingHashError: what they are made of is gone.
        """
        content = self.hashes(level, index)
        if len(content) >= width * HASH_BYTES:
            return content[: width * HASH_BYTES]
        first = index * TILE_WIDTH
        if level == 0:
            return b"".join(self._leaves_of(first, first + width))
        return b"".join(self.node(level * 8, first + place) for place in range(width))

    def root(self, size: int) -> bytes:
        """The root over the first `size` records.

        Raises:
            MissingHashError: hashes are missing for it.
        """
        return self._over(0, size) if size else EMPTY_ROOT

    def inclusion(self, sequence: int, size: int) -> list[bytes]:
        """The audit path of record `sequence` in the tree over the first `size`, from the leaf up.

        Raises:
            MissingHashError: there is no such record, or hashes are missing for it.
        """
        if not 0 <= sequence < size:
            raise MissingHashError(f"there is no record {sequence} among {size}")
        return [self._over(first, last) for first, last in _path(sequence, size)]

    def consistency(self, earlier: int, later: int) -> list[bytes]:
        """The proof that the tree over the first `earlier` records is a prefix of the one over `later`.

        Raises:
            MissingHashError: the tree never had such sizes, or hashes are missing for it.
        """
        if not 0 < earlier <= later:
            raise MissingHashError(f"a tree of {later} records does not continue one of {earlier}")
        return [
            self._over(first, last) for first, last in _continuing(earlier, 0, later, whole=True)
        ]

    def node(self, height: int, index: int) -> bytes:
        """The root over 2**`height` records from number `index` * 2**`height` on.

        Raises:
            MissingHashError: hashes are missing for it.
        """
        level, within = divmod(height, 8)
        first, count = index << within, 1 << within
        tile, place = divmod(first, TILE_WIDTH)
        content = self.hashes(level, tile)
        end = (place + count) * HASH_BYTES
        if len(content) >= end:
            begin = place * HASH_BYTES
            return root_hash(
                [content[at : at + HASH_BYTES] for at in range(begin, end, HASH_BYTES)]
            )
        if level == 0:
            return root_hash(self._leaves_of(first, first + count))
        return node_hash(self.node(height - 1, index * 2), self.node(height - 1, index * 2 + 1))

    def _over(self, first: int, last: int) -> bytes:
        """The root over records `first` up to `last`, `first` being where a subtree of that size may begin."""
        roots, at = [], first
        while at < last:
            height = (last - at).bit_length() - 1
            roots.append(self.node(height, at >> height))
            at += 1 << height
        root = roots.pop()
        while roots:
            root = node_hash(roots.pop(), root)
        return root

    def _leaves_of(self, first: int, last: int) -> Sequence[bytes]:
        found = self._leaves(first, last)
        if len(found) != last - first:
            raise MissingHashError(f"records {first} to {last - 1} are not all there")
        return found

    def _load(self, level: int, index: int) -> bytes:
        path = self._folder / str(level) / tile_path(index)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return _load_partial(path)
        return content if len(content) == _FULL else b""


def _load_partial(path: Path) -> bytes:
    """The widest partial tile; another process may replace it by a wider one meanwhile."""
    try:
        widths = [int(one.name) for one in path.with_name(f"{path.name}.p").iterdir() if one.name.isdecimal()]  # fmt: skip
        if not widths:
            return b""
        content = (path.with_name(f"{path.name}.p") / str(max(widths))).read_bytes()
    except FileNotFoundError:
        return b""
    return content if len(content) == max(widths) * HASH_BYTES else b""


def _path(sequence: int, size: int) -> list[tuple[int, int]]:
    """Over which records the hashes of an audit path stand, from the leaf up."""
    first, last = 0, size
    ranges: list[tuple[int, int]] = []
    while last - first > 1:
        split = first + _split(last - first)
        if sequence < split:
            ranges.append((split, last))
            last = split
        else:
            ranges.append((first, split))
            first = split
    return ranges[::-1]


def _continuing(earlier: int, first: int, last: int, *, whole: bool) -> list[tuple[int, int]]:
    """Over which records the hashes of a consistency proof stand (RFC 6962 §2.1.2, SUBPROOF)."""
    if earlier == last - first:
        return [] if whole else [(first, last)]
    split = _split(last - first)
    if earlier <= split:
        below = _continuing(earlier, first, first + split, whole=whole)
        return [*below, (first + split, last)]
    below = _continuing(earlier - split, first + split, last, whole=False)
    return [*below, (first, first + split)]


def _split(size: int) -> int:
    """The largest power of two smaller than `size`, which is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)
