"""How people are asked: what the room `approvals` needs of the others, and what goes on in it by itself."""

import asyncio
from dataclasses import dataclass

import structlog

from remit.app.stores import Stores
from remit.approvals.access_asking import AccessAsking
from remit.approvals.access_granting import AccessGiver
from remit.approvals.deps import ApprovalDeps
from remit.approvals.desk import Desk
from remit.approvals.elevations import DatabaseElevations
from remit.approvals.notification_store import announce
from remit.approvals.step_ups import DatabaseStepUps
from remit.clock import Clock
from remit.guard.ports import Directory

__all__ = ["INTERVAL", "Asking", "keep_asking", "open_asking"]

_log = structlog.stdlib.get_logger("remit.approvals")

INTERVAL = 5.0
"""Seconds between two looks at what nobody answered in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """The room, open: `desk` for doors, `elevations` for guards, `step_ups` for the authorization server."""

    deps: ApprovalDeps
    desk: Desk
    elevations: DatabaseElevations
    step_ups: DatabaseStepUps
    for_access: AccessAsking


def open_asking(stores: Stores, directory: Directory, *, public_url: str, clock: Clock) -> Asking:
    """Make it of what is open already."""
    deps = ApprovalDeps(
        database=stores.database,
        directory=directory,
        clock=clock,
        box=stores.box,
        key=stores.call_key,
        public_url=public_url,
        announce=announce,
        give_access=AccessGiver(clock),
    )
    return Asking(
        deps=deps,
        desk=Desk(deps),
        elevations=DatabaseElevations(deps),
        step_ups=DatabaseStepUps(deps),
        for_access=AccessAsking(deps),
    )


async def keep_asking(desk: Desk) -> None:
    """End what nobody answered in time, and have more people told of what waits long, for ever. The root of a task.

    A failure is logged and tried again: what is late counts as ended all the same.
    """
    while True:
        await asyncio.sleep(INTERVAL)
        try:
            await desk.expire_due()
        except Exception as error:  # noqa: BLE001  the root of a task: nothing else depends on it
            _log.error("approvals_not_looked_after", error=type(error).__name__, exc_info=error)
