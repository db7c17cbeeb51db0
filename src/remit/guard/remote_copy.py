"""Whether others have a copy of what happened before: where that is asked for, calls that matter wait until they have.

Closed, it refuses calls of at least a sensitivity as if the log could not be written; a caller learns no more. It is
set from outside, and costs a call that is let through one look at a number.

Source: AUDIT §1.5 (`require_remote`).
"""

from remit.guard.outcome import RefusalReason
from remit.guard.refusal import Refusal, refused
from remit.guard.verdict import Allowance
from remit.model import Sensitivity

__all__ = ["CopyGate", "uncopied"]


class CopyGate:
    """Open until told otherwise. `closed_from` is the rank of the least sensitive calls that are refused."""

    __slots__ = ("closed_from",)

    def __init__(self) -> None:
        self.closed_from: int | None = None

    def close(self, sensitivity: Sensitivity) -> None:
        """Refuse calls of at least that sensitivity from now on."""
        self.closed_from = sensitivity.rank

    def open(self) -> None:
        """Refuse nothing."""
        self.closed_from = None


def uncopied(verdict: Allowance, closed_from: int) -> Refusal | None:
    """The refusal of a call that matters so much; `None` for one that does not."""
    target = verdict.target
    if target is None or target.sensitivity.rank < closed_from:
        return None
    detail = "nobody else has a copy of what was decided before"
    return refused(RefusalReason.AUDIT_UNAVAILABLE, detail, token=verdict.caller.token)
