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
from remit.custody.key_store import destroy_keys, destroy_unowned, lock_custody, months_held
from remit.db import Transaction

__all__ = ["ANYBODY", "STOCK_FOR", "end_sealed"]

_MONTH: Final = 31 * 86_400
STOCK_FOR: Final = 86_400
"""Seconds for which a key may lie ready without an owner; one that does so for longer was left by a process that died."""
ANYBODY: Final = "*"
"""Where an event would name one subject."""


def end_sealed(tx: Transaction, *, kept: Seconds, now: EpochSeconds) -> int:
    """Destroy the keys of months that ended `kept` ago; how many there were.

    Of those that nobody is known to have, since the process died that had them and never came back, what is old enough
    whatever it sealed goes as well, unless anything is held.
    """
    before, _ = month_of(EpochSeconds(max(0, now - kept)))
    lock_custody(tx)
    count = 0
    standing = covering(tx, tenant=None, subject=None, now=now)
    if not standing:
        long_ago = EpochSeconds(now - kept - _MONTH - STOCK_FOR)
        count += destroy_unowned(tx, before=long_ago, now=now)
    by_tenant: dict[str, int] = {}
    held = {(hold.tenant, hold.subject) for hold in standing}
    holding = {tenant for tenant, _ in held}
    # Of an organisation without holds a month ends as one.
    over = {
        (tenant, subject if tenant in holding else None, month)
        for tenant, subject, month in months_held(tx, before=before)
        if not held & {(tenant, None), (tenant, subject)}
    }
    for tenant, whose, month in over:
        gone = destroy_keys(tx, tenant=tenant, subject=whose, month=month, now=now)
        by_tenant[tenant] = by_tenant.get(tenant, 0) + gone
        count += gone
    for tenant, keys in by_tenant.items():
        basis = f"retention: what was sealed before {before}"
        context = Context(tenant=tenant)
        tx.record(AuditErased(context=context, subject_digest=ANYBODY, keys=keys, basis=basis))
    return count
