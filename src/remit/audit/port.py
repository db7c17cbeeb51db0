"""The audit log as the rest of Remit sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from remit.audit.context import Context
from remit.audit.events import Event
from remit.errors import UnavailableError

__all__ = ["AuditLog", "AuditUnavailableError", "Receipt", "told"]


class AuditUnavailableError(UnavailableError):
    """The event is not on stable storage. Whatever it describes must not happen."""

    code = "audit_unavailable"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where an event stands: its sequence number in this stream, and its RFC 6962 leaf hash in hex."""

    sequence: int
    leaf: str


class AuditLog(Protocol):
    """One append-only stream of events.

    Also a `db.Recorder`: `record` and `abandon` are called from the worker thread
    of a transaction that is about to commit.
    """

    async def append(self, event: Event) -> Receipt:
        """Return when `event` is on stable storage.

        Raises:
            AuditUnavailableError: it is not, and will not be.
        """
        ...

    def append_soon(self, event: Event) -> None:
        """Queue an event of durability `SOON`, in order, without waiting.

        Raises:
            AuditUnavailableError: the log is closed or has failed.
        """
        ...

    def count_refusal(
        self, context: Context, *, where: str, error: str, about: str = "", token: str | None = None
    ) -> bool:
        """Count the refusal of a caller nobody knows, as `limits` of one who asks too much, or as `denied` of any other.

        `about` is what was refused to a known caller, `token` the digest of the `jti` they came with.
        True if it is to have no event of its own. Asked once before each such event is appended or
        recorded (`audit.flood`).
        """
        ...

    def record(self, events: Sequence[object]) -> None:
        """Return when all `events` are on stable storage; raise `AuditUnavailableError` otherwise."""
        ...

    def abandon(self, events: Sequence[object], cause: BaseException) -> None:
        """Append `EffectFailed` for `events` that were recorded but did not take effect."""
        ...


def told(error: OSError) -> str:
    """What is wrong, in one line, and with which file."""
    said = (error.strerror or str(error) or "nobody knows what is wrong").replace("\n", " ")
    said = said[:1].lower() + said[1:]
    return said if error.filename is None else f"`{error.filename!s}`: {said}"
