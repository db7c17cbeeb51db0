"""One stream as its one writer sees it, wherever it is kept: in a folder, or in the database.

Owned by one thread of one process, which holds it against all others.

Source: AUDIT §1.5.
"""

from collections.abc import Sequence
from typing import Protocol

from remit.audit.entry import Draft
from remit.audit.port import Receipt
from remit_audit_verify.note import Checkpoint

__all__ = ["LogStream"]


class LogStream(Protocol):
    """An open stream. Every method blocks; none is safe for several threads."""

    @property
    def repaired_bytes(self) -> int:
        """How much of a torn last write was cut off when it was opened."""
        ...

    @property
    def size(self) -> int:
        """How many records are on stable storage."""
        ...

    @property
    def checkpointed(self) -> int:
        """How many of them the last checkpoint signs."""
        ...

    def append(self, drafts: Sequence[Draft], observed: str) -> list[Receipt]:
        """Write `drafts` in order; they are on stable storage when it returns.

        Raises:
            OSError: none of them is in the log.
        """
        ...

    def confirm(self) -> None:
        """Return if what is open is still the log that others find.

        Raises:
            OSError: it is not, or nobody can tell.
        """
        ...

    def checkpoint(self) -> Checkpoint | None:
        """Sign what is there, if it has grown since the last checkpoint; the last checkpoint.

        Raises:
            OSError: it is not signed on stable storage; the next call tries again.
            SignerUnavailableError: nobody signs at the moment.
        """
        ...

    def close(self) -> None:
        """Give it up."""
        ...
