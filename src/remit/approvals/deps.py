"""What requests to people need from the rest of Remit, handed in once by the application."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from remit.approvals.request import Request
from remit.audit.context import Context
from remit.clock import Clock, EpochSeconds
from remit.db import Database, Transaction
from remit.guard.ports import Directory
from remit.secrets import SecretBox

__all__ = ["AccessOutcome", "Announce", "ApprovalDeps", "GiveAccess"]


class GiveAccess(Protocol):
    """What becomes of the access that a request was about, in the transaction in which that ends."""

    def __call__(
        self, tx: Transaction, request: Request, outcome: "AccessOutcome", *, context: Context
    ) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessOutcome:
    """Whether it was approved, by whom; else why not."""

    approved_by: tuple[str, ...] = ()
    refused: str | None = None
    """`refused`, `expired` or `withdrawn`; `None` where it was approved."""
    reason: str = ""


Announce = Callable[[Transaction, Request, tuple[str, ...], EpochSeconds], None]
"""Have those notifiers tell people that a request waits, from the transaction in which it does."""


def _tells_nobody(
    tx: Transaction, request: Request, notifiers: tuple[str, ...], at: EpochSeconds
) -> None:
    """The inbox has it."""


def _gives_nothing(
    tx: Transaction, request: Request, outcome: AccessOutcome, *, context: Context
) -> None:
    """Nobody asks for access here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalDeps:
    """`public_url` is where the pages are. `key` is the installation's, for digests of calls."""

    database: Database
    directory: Directory
    clock: Clock
    box: SecretBox
    key: bytes = field(repr=False)
    public_url: str
    announce: Announce = _tells_nobody
    give_access: GiveAccess = _gives_nothing
