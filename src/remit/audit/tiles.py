"""The hashes of a log in tiles, as the server asks for them: where one is missing, nothing is there, which is 404.

What tiles are, where they lie and how proofs are made of them is one text with what checks them
(`remit_audit_verify.tiles`). The leaf hashes at the right edge are in no tile: they are made of the records, on demand.

Source: C2SP tlog-tiles.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from remit.errors import NotFoundError
from remit_audit_verify import tiles as checked
from remit_audit_verify.tiles import HASH_BYTES, TILE_WIDTH, MissingTileError

__all__ = ["HASH_BYTES", "TILE_WIDTH", "MissingHashError", "Tiles"]


class MissingHashError(NotFoundError):
    """Neither a tile nor a record is there to make the hash of."""

    code: ClassVar[str] = "audit_hash_missing"


class Tiles:
    """The tiles of the log in `folder`. Safe for several threads; every method reads files, and raises `MissingHashError`."""

    def __init__(
        self, folder: Path, leaves: Callable[[int, int], Sequence[bytes]] | None = None
    ) -> None:
        """`leaves` gives the leaf hashes from one record up to another, of what is in no tile yet."""
        self._tiles = checked.Tiles(folder, leaves)

    def part(self, level: int, index: int, width: int) -> bytes:
        """The first `width` hashes of a tile, on disk or not. The caller knows that the tree has them."""
        with _missing():
            return self._tiles.part(level, index, width)

    def root(self, size: int) -> bytes:
        """The root over the first `size` records."""
        with _missing():
            return self._tiles.root(size)

    def inclusion(self, sequence: int, size: int) -> list[bytes]:
        """The audit path of record `sequence` in the tree over the first `size`, from the leaf up."""
        with _missing():
            return self._tiles.inclusion(sequence, size)

    def consistency(self, earlier: int, later: int) -> list[bytes]:
        """The proof that the tree over the first `earlier` records is a prefix of the one over `later`."""
        with _missing():
            return self._tiles.consistency(earlier, later)


@contextmanager
def _missing() -> Iterator[None]:
    try:
        yield
    except MissingTileError as error:
        raise MissingHashError(error.detail, cause=error) from error
