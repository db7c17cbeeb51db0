"""Whether a log continues what was signed for it: the only thing a signer decides.

Refused: a log that is shorter than what was signed, one that is another in any record up to there, and one
that claims a checkpoint over records that the signer has not counted.

Source: AUDIT §1.4 (rewrite, roll back, fork); RFC 6962 §2.1.
"""

from collections.abc import Sequence

from remit.signer.errors import NotContinuedError
from remit_audit_verify.tree import Frontier

__all__ = ["continued"]


def continued(signed: Frontier, before: Frontier, leaves: Sequence[bytes]) -> Frontier:
    """`before` grown by `leaves`, which has to pass through `signed` on its way.

    Two trees of one size with equal nodes have equal leaves, or somebody has broken SHA-256.

    Raises:
        NotContinuedError: it does not.
    """
    missing = signed.size - before.size
    if missing < 0:
        raise NotContinuedError(
            f"the log says that {before.size} records are signed, and only {signed.size} are"
        )
    if missing > len(leaves):
        raise NotContinuedError(
            f"the log was set back: {signed.size} records are signed, and it has {before.size + len(leaves)}"
        )
    tree = before.copy()
    for leaf in leaves[:missing]:
        tree.append(leaf)
    if tree.nodes != signed.nodes:
        raise NotContinuedError(
            f"the first {signed.size} records of the log are not those that were signed"
        )
    for leaf in leaves[missing:]:
        tree.append(leaf)
    return tree
