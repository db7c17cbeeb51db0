"""The task that tells people that something waits for them, by the notifiers of the repository in force."""

from functools import partial
from typing import NoReturn

import structlog

from remit.app.repetition import for_ever
from remit.app.stores import Stores
from remit.approvals.notification_delivery import Delivery, NotificationDeps
from remit.clock import Clock
from remit.guard.ports import Directory
from remit.model import Notifier
from remit.web.fetch import DocumentFetcher, FetchLimits

__all__ = ["INTERVAL", "Telling", "open_telling"]

_log = structlog.stdlib.get_logger("remit.notifications")

INTERVAL = 1.0
"""Seconds between two looks at what is due."""
_TIMEOUT = 10.0


class Telling:
    """Looks for what is due, for ever; what is under way breaks off when it is closed, and is tried again."""

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery

    async def run(self) -> NoReturn:
        """Do it for ever. The root of a task: a failure is logged once, and tried again."""
        await for_ever(self.delivery.look, every=INTERVAL, log=_log, what="notifications")

    async def close(self) -> None:
        """Begin nothing more, and break off what is under way."""
        await self.delivery.close()


def open_telling(stores: Stores, directory: Directory, *, public_url: str, clock: Clock) -> Telling:
    """Make it of what is open already."""
    delivery = Delivery(
        NotificationDeps(
            database=stores.database,
            clock=clock,
            public_url=public_url,
            notifier=partial(_notifier, directory),
            read_secret=stores.resolve_secret,
            post=DocumentFetcher(FetchLimits(timeout=_TIMEOUT)).post,
            count=stores.metrics.notified,
        )
    )
    stores.metrics.gauge(
        "remit_notifications_waiting",
        "Notifications that were neither delivered nor given up.",
        lambda: delivery.waiting,
    )
    return Telling(delivery)


def _notifier(directory: Directory, name: str) -> Notifier | None:
    return directory.catalog.approvals.notifiers.get(name)
