"""The Merkle tree over the log: roots that commit to every record, and proofs that fit on a page.

A leaf is the hash of 0x00 and a record; a node the hash of 0x01 and its two
children; the tree over n > 1 leaves splits at the largest power of two below n.
`Frontier` grows such a tree one leaf at a time, keeping one hash per set bit of
its size. Proofs are made from all leaf hashes and checked from roots alone; a
proof of the wrong length, or for a leaf or size outside the tree, is refused.

Source: RFC 6962 §2.1; RFC 9162 §2.1.3.2, §2.1.4.2 for verification.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

__all__ = [
    "EMPTY_ROOT",
    "Frontier",
    "consistency_proof",
    "inclusion_proof",
    "leaf_hash",
    "node_hash",
    "root_hash",
    "verify_consistency",
    "verify_inclusion",
]

EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(record: bytes) -> bytes:
    """The hash of one record's bytes."""
    return sha256(b"\0" + record).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\1" + left + right).digest()


@dataclass(slots=True)
class Frontier:
    """A tree that only grows: its size, and the roots of its perfect subtrees, largest first."""

    size: int = 0
    nodes: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.nodes) != self.size.bit_count():
            raise ValueError(f"a frontier of size {self.size} has {self.size.bit_count()} nodes")

    def append(self, leaf: bytes) -> None:
        """Add the hash of the next record."""
        nodes = self.nodes
        size = self.size
        while size & 1:
            leaf = sha256(b"\1" + nodes.pop() + leaf).digest()
            size >>= 1
        nodes.append(leaf)
        self.size += 1

    def append_perfect(self, root: bytes, height: int) -> None:
        """Add the next 2**`height` records at once, by the root over them.

        Raises:
            ValueError: a tree of this size has no such subtree next.
        """
        size = self.size >> height
        if size << height != self.size:
            raise ValueError(f"no subtree of height {height} begins at record {self.size}")
        nodes = self.nodes
        while size & 1:
            root = node_hash(nodes.pop(), root)
            size >>= 1
        nodes.append(root)
        self.size += 1 << height

    def root(self) -> bytes:
        """The root over everything appended so far."""
        if not self.nodes:
            return EMPTY_ROOT
        *rest, root = self.nodes
        for node in reversed(rest):
            root = node_hash(node, root)
        return root

    def copy(self) -> "Frontier":
        """A tree of the same leaves that grows on its own."""
        return Frontier(self.size, self.nodes.copy())


def root_hash(leaves: Sequence[bytes]) -> bytes:
    """The root over `leaves`, which are leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def inclusion_proof(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The audit path of leaf `index` in the tree over `leaves`, from the leaf up.

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise ValueError(f"no leaf `{index}` in a tree of {len(leaves)}")
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_proof(index, leaves[:split]), root_hash(leaves[split:])]
    return [*inclusion_proof(index - split, leaves[split:]), root_hash(leaves[:split])]


def consistency_proof(earlier: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The proof that the tree over the first `earlier` of `leaves` is a prefix of the tree over all.

    Raises:
        ValueError: `earlier` is no size the tree has had.
    """
    if not 0 < earlier <= len(leaves):
        raise ValueError(f"no tree of size `{earlier}` within one of {len(leaves)}")
    return _subproof(earlier, leaves, whole=True)


def verify_inclusion(
    leaf: bytes, index: int, size: int, *, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether `proof` shows that `leaf` is record `index` of the tree with `size` records and `root`."""
    if not 0 <= index < size:
        return False
    fn, sn, computed = index, size - 1, leaf
    for node in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            computed = node_hash(node, computed)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            computed = node_hash(computed, node)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and computed == root


def verify_consistency(
    earlier: int, later: int, *, earlier_root: bytes, later_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether `proof` shows that the tree of size `later` continues the one of size `earlier`."""
    if not 0 < earlier <= later:
        return False
    if earlier == later:
        return not proof and earlier_root == later_root
    path = list(proof) if earlier & (earlier - 1) else [earlier_root, *proof]
    if not path:
        return False
    fn, sn = earlier - 1, later - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = path[0]
    for node in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first, second = node_hash(node, first), node_hash(node, second)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node_hash(second, node)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and first == earlier_root and second == later_root


def _subproof(earlier: int, leaves: Sequence[bytes], *, whole: bool) -> list[bytes]:
    if earlier == len(leaves):
        return [] if whole else [root_hash(leaves)]
    split = _split(len(leaves))
    if earlier <= split:
        return [*_subproof(earlier, leaves[:split], whole=whole), root_hash(leaves[split:])]
    below = _subproof(earlier - split, leaves[split:], whole=False)
    return [*below, root_hash(leaves[:split])]


def _split(size: int) -> int:
    """The largest power of two smaller than `size`, which is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)
