"""When what is kept has been kept long enough.

Of what is sealed, the keys of whole months are destroyed once the month is over for so long; what a hold covers stays until it is
lifted. A month, since a key seals a month: nothing is sealed for longer than its time and a month.

Source: AUDIT §1.6; GDPR art. 5(1)(e).
"""

from typing import Final

from remit.audit.context import Context
from remit.audit.events import AuditErased
from remit.audit.subject_keys import month_of
from remit.clock import EpochSeconds, Seconds
from remit.custody.holding import covering
from remit.custody.key_store import destroy_keys, months_held
from remit.db import Transaction

__all__ = ["ANYBODY", "end_sealed"]

ANYBODY: Final = "*"
"""Where an event would name one subject."""


def end_sealed(tx: Transaction, *, kept: Seconds, now: EpochSeconds) -> int:
    """Destroy the keys of months that ended `kept` ago; how many there were."""
    before, _ = month_of(EpochSeconds(max(0, now - kept)))
    count = 0
    by_tenant: dict[str, int] = {}
    for tenant, subject, month in months_held(tx, before=before):
        if covering(tx, tenant=tenant, subject=subject, now=now):
            continue
        gone = destroy_keys(tx, tenant=tenant, subject=subject, month=month, now=now)
        by_tenant[tenant] = by_tenant.get(tenant, 0) + gone
        count += gone
    for tenant, keys in by_tenant.items():
        basis = f"retention: what was sealed before {before}"
        context = Context(tenant=tenant)
        tx.record(AuditErased(context=context, subject_digest=ANYBODY, keys=keys, basis=basis))
    return count
