"""What whoever checks a log brings along, besides the log."""

from dataclasses import dataclass
from typing import Final

from remit_audit_verify.policy import NO_POLICY, Policy
from remit_audit_verify.receipts import Receipt

__all__ = ["NO_EVIDENCE", "Evidence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything is optional, and each closes a line of the table of attacks."""

    policy: Policy = NO_POLICY
    """Which witnesses have to have signed."""
    receipts: tuple[Receipt, ...] = ()
    """What somebody else was told about records."""
    max_age: int | None = None
    """How old the newest proof may be, in seconds before `now`."""
    now: int = 0
    roots: bytes = b""
    """Certificates, in PEM, of time-stamping authorities that are believed."""
    full: bool = False
    """Parse every record, and compare it with its canonical form, also where a signed root covers it."""
    workers: int = 1
    """Processes that read."""


NO_EVIDENCE: Final = Evidence()
