"""How access for a while is opened: the desk for doors, the book for issuance, and what ends by itself."""

import asyncio

import structlog

from remit.app.approvals_wiring import Asking
from remit.app.standing import StandingRefresh
from remit.app.stores import Stores
from remit.approvals.access import Access
from remit.approvals.access_asking import REMIT
from remit.approvals.access_desk import AccessDeps, AccessDesk
from remit.approvals.notification import EMERGENCY_LASTS, Notice, Occasion
from remit.approvals.notification_store import tell
from remit.clock import Clock, EpochSeconds
from remit.db import Transaction
from remit.guard.ports import Directory
from remit.model import EmergencyAccess

__all__ = ["INTERVAL", "keep_access", "open_access"]

_log = structlog.stdlib.get_logger("remit.approvals")

INTERVAL = 5.0
"""Seconds between two looks at what is over. Nothing depends on it: what is over counts no longer all the same."""


def open_access(
    stores: Stores, directory: Directory, asking: Asking, *, refresh: StandingRefresh, clock: Clock
) -> AccessDesk:
    """The desk, of what is open already."""
    return AccessDesk(
        AccessDeps(
            database=stores.database,
            directory=directory,
            clock=clock,
            ask=asking.for_access,
            publish=refresh.now,
            tell=_tell,
        )
    )


def _tell(tx: Transaction, access: Access, emergency: EmergencyAccess) -> None:
    """Have its notifiers say that it was taken, or not reviewed in time; by whom and why is for those who log in."""
    is_late = access.overdue_at is not None
    at = access.overdue_at or access.requested_at
    notice = Notice(
        about=access.id,
        occasion=Occasion.OVERDUE if is_late else Occasion.EMERGENCY,
        tenant=access.tenant,
        server=REMIT,
        kind="emergency",
        name=access.offer,
        roles=(emergency.reviewer,) if emergency.reviewer else (),
        at=at,
        ends_at=EpochSeconds(at + EMERGENCY_LASTS),
    )
    tell(tx, notice, emergency.notify)


async def keep_access(desk: AccessDesk) -> None:
    """Record of what is over that it is, for ever. The root of a task; a failure is logged and tried again."""
    while True:
        await asyncio.sleep(INTERVAL)
        try:
            await desk.expire_due()
        except Exception as error:  # noqa: BLE001  the root of a task: nothing else depends on it
            _log.error("access_not_looked_after", error=type(error).__name__, exc_info=error)
