"""The SQL of notifications: an outbox. A row comes in the transaction of what it tells of, and goes out by a task.

It is taken before it is sent, so that of several processes one sends it; one that dies meanwhile leaves it to be
tried again, under the same id. What was delivered or given up keeps its row until it is forgotten, so that nothing is told twice.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    Row,
    Table,
    Text,
    bindparam,
    column,
    delete,
    func,
    select,
    table,
    update,
)

from remit.approvals.notification import (
    Notice,
    Notification,
    Occasion,
    next_attempt,
    notice_json,
    notice_of,
)
from remit.approvals.request import Request, RequestState
from remit.audit.approval_events import NotificationFailed
from remit.audit.context import Context
from remit.canonical import canonical_text, parse_object
from remit.clock import EpochSeconds
from remit.db import Prepared, Transaction, conflict_insert, metadata
from remit.ids import new_id

__all__ = [
    "announce",
    "due_notifications",
    "forget_notifications",
    "give_up",
    "mark_delivered",
    "note_failure",
    "take",
    "tell",
    "waiting_notifications",
]

notifications = Table(
    "notifications",
    metadata,
    Column("id", Text, primary_key=True),
    Column("about", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("notifier", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("told", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("delivered_at", BigInteger),
    Column("error", Text),
    Index("ix_notifications_next_at", "next_at"),
    Index("ux_notifications_about", "about", "event", "notifier", unique=True),
)
_REQUESTS = table("approvals", column("id"), column("state"))
_TAKEN: Final = table("access", column("id"), column("reviewed_at"))
_AT_ONCE: Final = 200
_ENDED: Final = "ended"

_DUE = Prepared(
    select(notifications)
    .where(notifications.c.next_at <= bindparam("now"))
    .order_by(notifications.c.next_at, notifications.c.id)
    .limit(_AT_ONCE)
)
_WAITING = Prepared(
    select(func.count().label("rows")).where(notifications.c.next_at > bindparam("after"))
)


def announce(
    tx: Transaction, request: Request, notifiers: tuple[str, ...], at: EpochSeconds
) -> None:
    """Have `notifiers` tell people that `request` waits, or that it escalated; once each, however often it is announced."""
    tell(tx, notice_of(request, at=at), notifiers)


def tell(tx: Transaction, notice: Notice, notifiers: Iterable[str]) -> None:
    """Have each of `notifiers` tell it as soon as may be. Of one occasion of one request each tells once."""
    for notifier in dict.fromkeys(notifiers):
        new = conflict_insert(tx, notifications).values(
            id=new_id("ntf"),
            about=notice.about,
            event=notice.occasion.value,
            notifier=notifier,
            tenant=notice.tenant,
            told=canonical_text(notice_json(notice)),
            attempts=0,
            next_at=notice.at,
            created_at=notice.at,
            ends_at=notice.ends_at,
        )
        tx.connection.execute(new.on_conflict_do_nothing())


def due_notifications(tx: Transaction, *, now: EpochSeconds) -> tuple[Notification, ...]:
    """Those that are to be tried by now, the longest due first; not all of very many."""
    return tuple(_notification(row) for row in _DUE.all(tx, now=now))


def waiting_notifications(tx: Transaction) -> int:
    """How many are neither delivered nor given up."""
    return int(_WAITING.one_or_none(tx, after=0).rows)


def take(
    tx: Transaction, found: Iterable[Notification], *, now: EpochSeconds
) -> tuple[Notification, ...]:
    """Those of `found` that are this process's to send now, each with one attempt more.

    Not those which another took, and not those about a request that waits no longer: nobody has to be told. One that
    came too late is given up.
    """
    mine = []
    for one in found:
        if _is_over(tx, one.notice):
            _finish(tx, one, error=_ENDED)
        elif one.notice.ends_at <= now:
            give_up(tx, one, error="too_late")
        else:
            taken = _taken(tx, one, now=now)
            if taken is not None:
                mine.append(taken)
    return tuple(mine)


def mark_delivered(
    tx: Transaction, one: Notification, *, now: EpochSeconds, unheard: str = ""
) -> None:
    """It arrived; `unheard` is the code of why some did not get it, which the log says."""
    _finish(tx, one, error=unheard or None, delivered_at=now)
    if unheard:
        _record(tx, one, unheard)


def note_failure(tx: Transaction, one: Notification, *, error: str) -> bool:
    """It did not arrive; whether that was the last attempt, for it would be too late by the next."""
    if one.next_at >= one.notice.ends_at:
        give_up(tx, one, error=error)
        return True
    tx.connection.execute(
        update(notifications).where(notifications.c.id == one.id).values(error=error)
    )
    return False


def give_up(tx: Transaction, one: Notification, *, error: str) -> None:
    """Try it no more, and record so: people were not told."""
    if _finish(tx, one, error=error):
        _record(tx, one, error)


def forget_notifications(tx: Transaction, *, before: EpochSeconds) -> int:
    """Delete what ended before; how many rows."""
    return tx.connection.execute(
        delete(notifications).where(notifications.c.ends_at < before)
    ).rowcount


def _taken(tx: Transaction, one: Notification, *, now: EpochSeconds) -> Notification | None:
    attempts = one.attempts + 1
    again = next_attempt(attempts, now=now)
    changed = tx.connection.execute(
        update(notifications)
        .where(
            notifications.c.id == one.id,
            notifications.c.attempts == one.attempts,
            notifications.c.next_at == one.next_at,
        )
        .values(attempts=attempts, next_at=again)
    ).rowcount
    if not changed:
        return None
    return Notification(
        id=one.id, notifier=one.notifier, notice=one.notice, attempts=attempts, next_at=again
    )


def _finish(tx: Transaction, one: Notification, **values: Any) -> bool:
    """Nothing more is to be done for it; whether that is new."""
    statement = update(notifications).where(
        notifications.c.id == one.id, notifications.c.next_at.is_not(None)
    )
    return bool(tx.connection.execute(statement.values(next_at=None, **values)).rowcount)


def _is_over(tx: Transaction, notice: Notice) -> bool:
    """Whether what it tells of has been decided meanwhile. What somebody did in an emergency is told in any case."""
    if notice.occasion is Occasion.EMERGENCY:
        return False
    if notice.occasion is Occasion.OVERDUE:
        reviewed = select(_TAKEN.c.reviewed_at).where(_TAKEN.c.id == notice.about)
        return tx.connection.execute(reviewed).scalar_one_or_none() is not None
    found = tx.connection.execute(
        select(_REQUESTS.c.state).where(_REQUESTS.c.id == notice.about)
    ).scalar_one_or_none()
    return found is not None and found != RequestState.WAITING


def _record(tx: Transaction, one: Notification, error: str) -> None:
    tx.record(
        NotificationFailed(
            context=Context(tenant=one.notice.tenant, agent_id=one.notice.agent),
            approval=one.notice.about,
            notifier=one.notifier,
            attempts=one.attempts,
            error=error,
        )
    )


def _notification(row: Row[Any]) -> Notification:
    told: Mapping[str, Any] = parse_object(row.told.encode())
    notice = Notice(
        about=told["about"],
        occasion=Occasion(told["occasion"]),
        tenant=told["tenant"],
        server=told["server"],
        kind=told["kind"],
        name=told["name"],
        environment=told["environment"],
        agent=told["agent"],
        roles=tuple(told["roles"]),
        at=EpochSeconds(told["at"]),
        ends_at=EpochSeconds(told["ends_at"]),
    )
    return Notification(
        id=row.id,
        notifier=row.notifier,
        notice=notice,
        attempts=row.attempts,
        next_at=EpochSeconds(row.next_at),
    )
