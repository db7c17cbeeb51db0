"""What another policy repository declares otherwise, and what that does to what may be done."""

from remit.replay.difference import Difference
from remit.repository import LoadedRepository

__all__ = ["compare"]


def compare(old: LoadedRepository, new: LoadedRepository) -> Difference:
    """Every change from `old` to `new`; those that widen first, privileged ones before the rest.

    Privileged is what `old` declares so, and what `new` does: a change cannot take away its own mark.
    """
    raise NotImplementedError
