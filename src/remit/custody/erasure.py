"""Erasing what was sealed about somebody: their keys are destroyed, and the records stay as they are.

What another process sealed a moment before, and has not said yet under which key, goes when it says so. The tree over the log is whole afterwards, and a replay says what it cannot open any more. Refused while a hold stands.
What it does not reach: copies of the database from before, until they are gone; what a sink was sent was never sealed
with anything, and never held what is sealed.

Source: AUDIT §1.6; GDPR art. 17; NIST SP 800-88 §2.5.
"""

from typing import ClassVar

from remit.audit.context import Context
from remit.audit.events import AuditErased
from remit.clock import EpochSeconds
from remit.custody.holding import covering
from remit.custody.key_store import destroy_keys, lock_custody
from remit.db import Transaction
from remit.errors import ConflictError

__all__ = ["HeldError", "erase"]


class HeldError(ConflictError):
    """A hold stands: `detail` names it."""

    code: ClassVar[str] = "held"


def erase(
    tx: Transaction,
    *,
    tenant: str,
    subject: str,
    basis: str,
    now: EpochSeconds,
    context: Context,
) -> int:
    """Destroy the keys of `tenant` about `subject`, a digest; how many there were. None is no mistake: it is recorded, too.

    Raises:
        HeldError: a hold forbids it.
    """
    lock_custody(tx)
    standing = covering(tx, tenant=tenant, subject=subject, now=now)
    if standing:
        named = ", ".join(f"`{hold.id}`" for hold in standing)
        raise HeldError(f"nothing of it may be destroyed: {named} stands")
    count = destroy_keys(tx, tenant=tenant, subject=subject, now=now)
    tx.record(AuditErased(context=context, subject_digest=subject, keys=count, basis=basis))
    return count
