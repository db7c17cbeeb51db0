"""What goes on beside the requests: taking what is due out of the outbox, sending it, and noting what came of it.

Each notifier has a task of its own while there is something for it, so that one that hangs keeps no other waiting. What
cannot be sent is tried again, later and later, until it would be too late; then the log says that people were not told. A
channel of people gets one message about everything that is due, a machine one for each thing.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import assert_never

import structlog

from remit.approvals.notification import Notification, NotSentError
from remit.approvals.notification_mail import Mailer, mail_of, mail_server_of
from remit.approvals.notification_store import (
    due_notifications,
    give_up,
    mark_delivered,
    note_failure,
    take,
    waiting_notifications,
)
from remit.approvals.notification_webhook import Post, post_signed, post_to_channel
from remit.approvals.notification_words import subject_of_mail, words_of
from remit.clock import Clock
from remit.db import Database, Transaction
from remit.model import Notifier, NotifierKind

__all__ = ["Count", "Delivery", "NotificationDeps"]

_log = structlog.stdlib.get_logger("remit.notifications")

Count = Callable[[str, str], None]
"""Told of each notifier, by its name, what came of one attempt: `delivered`, `failed` or `given_up`."""


def _uncounted(notifier: str, outcome: str) -> None:
    """Nobody counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationDeps:
    """What telling people needs. `notifier` finds the one of that name in the repository in force."""

    database: Database
    clock: Clock
    public_url: str
    notifier: Callable[[str], Notifier | None]
    read_secret: Callable[[str], str]
    post: Post
    mailer: Mailer = field(default_factory=Mailer)
    count: Count = _uncounted


class Delivery:
    """Sends what is due. One of several processes sends each; one that dies leaves it to be tried again."""

    def __init__(self, deps: NotificationDeps) -> None:
        self._deps = deps
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._failing: set[str] = set()
        self.waiting = 0
        """How many were neither delivered nor given up when it was looked last."""

    async def look(self) -> None:
        """Begin to send what is due, to every notifier that is not busy. Does not wait for it.

        Raises:
            DatabaseUnavailableError: the database does not answer; what waits, waits.
        """
        found, self.waiting = await self._deps.database.read(self._found)
        for notifier, its in groupby(
            sorted(found, key=attrgetter("notifier")), attrgetter("notifier")
        ):
            if notifier not in self._under_way:
                task = asyncio.create_task(self._tell(notifier, tuple(its)), name="notifier")
                self._under_way[notifier] = task
                task.add_done_callback(partial(self._ended, notifier))

    async def settle(self) -> None:
        """Return when nothing is under way."""
        while self._under_way:
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def close(self) -> None:
        """Break off what is under way; it will be tried again."""
        for task in tuple(self._under_way.values()):
            task.cancel()
        await self.settle()
        self._deps.mailer.close()

    def _found(self, tx: Transaction) -> tuple[tuple[Notification, ...], int]:
        waiting = waiting_notifications(tx)
        now = self._deps.clock.now()
        return (due_notifications(tx, now=now) if waiting else (), waiting)

    def _ended(self, notifier: str, _task: asyncio.Task[None]) -> None:
        self._under_way.pop(notifier, None)

    async def _tell(self, name: str, found: tuple[Notification, ...]) -> None:
        """All that is due for one notifier. The root of a task."""
        notifier = self._deps.notifier(name)
        try:
            if notifier is None:
                # Whoever took it out of the repository wants nobody told by it.
                gone = NotSentError("no_such_notifier", for_good=True)
                await self._note(await self._take(found), gone)
            elif notifier.kind is NotifierKind.WEBHOOK:
                await self._send_each(notifier, found)
            else:
                await self._send_one(notifier, await self._take(found))
        except Exception as error:  # noqa: BLE001  the root of a task: it is tried again
            _log.error("notifier_broken", notifier=name, error=type(error).__name__)

    async def _take(self, found: Sequence[Notification]) -> tuple[Notification, ...]:
        return await self._deps.database.run(lambda tx: take(tx, found, now=self._deps.clock.now()))

    async def _send_each(self, notifier: Notifier, found: tuple[Notification, ...]) -> None:
        """One message for each, taken when its turn comes. Where nobody answers, the others are not tried either."""
        for place, one in enumerate(found, start=1):
            error = await self._send_one(notifier, await self._take((one,)))
            if error is not None and not error.answered:
                await self._note(await self._take(found[place:]), error)
                break

    async def _send_one(
        self, notifier: Notifier, some: tuple[Notification, ...]
    ) -> NotSentError | None:
        """One message about all of them, and a note of what came of it."""
        if not some:
            return None
        try:
            unheard = await self._send(notifier, some)
        except NotSentError as error:
            await self._note(some, error)
            return error
        await self._delivered(some, unheard)
        return None

    async def _send(self, notifier: Notifier, some: Sequence[Notification]) -> str:
        """One message. Some of those whom it is for may not get it, which is returned as a code."""
        deps = self._deps
        notices = [one.notice for one in some]
        match notifier.kind:
            case NotifierKind.WEBHOOK:
                await post_signed(
                    notifier, some[0], post=deps.post, read_secret=deps.read_secret,
                    public_url=deps.public_url, now=deps.clock.now(),
                )  # fmt: skip
            case NotifierKind.SLACK:
                await post_to_channel(
                    notifier, notices, post=deps.post, read_secret=deps.read_secret,
                    public_url=deps.public_url,
                )  # fmt: skip
            case NotifierKind.EMAIL:
                mail = mail_of(
                    notifier, subject_of_mail(notices), words_of(notices, deps.public_url),
                    message_id=some[0].id, at=deps.clock.now(),
                )  # fmt: skip
                server = mail_server_of(notifier, deps.read_secret)
                return await deps.mailer.send(server, mail, private=notifier.private_network)
            case _:
                assert_never(notifier.kind)
        return ""

    async def _delivered(self, some: Sequence[Notification], unheard: str) -> None:
        now = self._deps.clock.now()

        def work(tx: Transaction) -> None:
            for one in some:
                mark_delivered(tx, one, now=now, unheard=unheard)

        await self._deps.database.run(work)
        name = some[0].notifier
        for _ in some:
            self._deps.count(name, "delivered")
        if name in self._failing:
            self._failing.discard(name)
            _log.warning("notifier_answers_again", notifier=name)

    async def _note(self, some: Sequence[Notification], error: NotSentError) -> None:
        if not some:
            return

        def failed(tx: Transaction, one: Notification) -> bool:
            if not error.for_good:
                return note_failure(tx, one, error=error.told)
            give_up(tx, one, error=error.told)
            return True

        name = some[0].notifier
        for given_up in await self._deps.database.run(lambda tx: [failed(tx, one) for one in some]):
            self._deps.count(name, "given_up" if given_up else "failed")
        if name not in self._failing:
            self._failing.add(name)
            _log.error("notifier_failed", notifier=name, error=error.told)
