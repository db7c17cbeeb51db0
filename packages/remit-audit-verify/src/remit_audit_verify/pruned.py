"""A log whose oldest records were removed in good order: their hashes are in tiles, and take their place.

What the tiles say is held to every checkpoint that there is, the old ones too, so that a hash which is not the
one that was signed shows like a record that is not. That they were pruned, and not just removed, some record of
the logs has to say: who cannot write records cannot say so.

Source: C2SP tlog-tiles, "Pruning".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from remit_audit_verify.report import Problem, Verdict
from remit_audit_verify.stream_files import Segment
from remit_audit_verify.tiles import TILE, TILE_WIDTH, MissingTileError, Tiles
from remit_audit_verify.tree import Frontier, root_hash, verify_inclusion
from remit_audit_verify.walk import Walk

__all__ = ["begin_after_pruned"]


def begin_after_pruned(folder: Path, walk: Walk, segments: Sequence[Segment]) -> None:
    """If the first records are gone and tiles hold their hashes, let `walk` begin after them.

    Raises:
        OSError: the tiles cannot be read.
    """
    first = segments[0].first if segments else 0
    if first == 0 or not (folder / TILE).is_dir():
        return
    try:
        _Before(Tiles(folder), walk, first).take()
    except MissingTileError as error:
        problem = Problem("missing", TILE, sequence=0, through=first - 1, what=error.detail)
        walk.report.add(problem, Verdict.TAMPERED)


@dataclass(frozen=True, slots=True)
class _Before:
    """The records before number `first`, of which there are hashes."""

    tiles: Tiles
    walk: Walk
    first: int

    def take(self) -> None:
        walk, first = self.walk, self.first
        tree = Frontier()
        for index in range(-(-first // TILE_WIDTH)):
            if not self._add(tree, index):
                return
        root = tree.root()
        if root != self.tiles.frontier(first).root():
            self._wrong("pruned", "the tiles contradict each other", 0, first - 1)
            return
        last = self._leaf(first - 1, root)
        if last is None:
            self._wrong("pruned", "the tiles contradict each other", 0, first - 1)
            return
        while walk.receipts and walk.receipts[-1].sequence < first:
            one_receipt = walk.receipts.pop()
            sequence = one_receipt.sequence
            if self._leaf(sequence, root) != one_receipt.leaf:
                what = "its hash is not that of the record that a receipt was given for"
                self._wrong("receipt", what, sequence, sequence)
                return
            walk.report.receipts += 1
        walk.tree, walk.previous = tree, last.hex()
        walk.report.first = first

    def _add(self, tree: Frontier, index: int) -> bool:
        """Add the leaves of tile `index`; whether all that is expected up to there holds."""
        content, upto = self.tiles.hashes(0, index), min(self.first, (index + 1) * TILE_WIDTH)
        if len(content) < (upto - tree.size) * 32:
            raise MissingTileError(f"the hashes of records {tree.size} to {upto - 1} are missing")
        walk, begin = self.walk, tree.size
        for one in walk.expected.take(upto):
            _append(tree, content, begin, one.size)
            if tree.root() != one.root:
                what = f"their hashes are not what {one.source} of {one.size} records signs"
                good = walk.fixed if one.elsewhere else walk.report.proven
                self._wrong("root", what, good, one.size - 1)
                return False
            walk.holds(one)
        _append(tree, content, begin, upto)
        return True

    def _leaf(self, index: int, root: bytes) -> bytes | None:
        """The leaf hash of a pruned record, if the tree over all of them has it there."""
        leaf = self.tiles.node(0, index)
        proof = self.tiles.inclusion(index, self.first)
        return leaf if verify_inclusion(leaf, index, self.first, proof=proof, root=root) else None

    def _wrong(self, kind: str, what: str, first: int, last: int) -> None:
        problem = Problem(kind, TILE, sequence=first, through=last, what=what)
        self.walk.report.add(problem, Verdict.TAMPERED)


def _append(tree: Frontier, content: bytes, begin: int, upto: int) -> None:
    """Add leaves from a tile, the first of which is number `begin`, before number `upto`."""
    hashes = [content[at : at + 32] for at in range(0, len(content), 32)]
    if tree.size == begin and upto - begin == TILE_WIDTH:
        tree.append_perfect(root_hash(hashes), 8)
        return
    for leaf in hashes[tree.size - begin : upto - begin]:
        tree.append(leaf)
