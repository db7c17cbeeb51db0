"""The SQL of sinks: how far each has come in each log, and which process carries it there.

A row has one holder at a time. A holder renews what it has; who does not is taken over when its time is up, and what
it writes then changes nothing. So a log goes out in order and by one process, whoever of several it was that wrote it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    PrimaryKeyConstraint,
    Row,
    Table,
    Text,
    bindparam,
    or_,
    select,
    update,
)

from remit.audit.context import Context
from remit.audit.events import AuditGapFound, SinkLagging, SinkRecovered, SinkReset
from remit.clock import EpochSeconds, Seconds
from remit.db import Prepared, Transaction, conflict_insert, metadata

__all__ = [
    "LEASE",
    "Cursor",
    "advance",
    "claim",
    "list_cursors",
    "note_gap",
    "note_lag",
    "note_recovery",
    "plant",
    "release",
    "renew",
    "set_position",
]

LEASE: Final = Seconds(30)
"""For so long nobody else carries what a process took."""

sink_cursors = Table(
    "sink_cursors",
    metadata,
    Column("sink", Text, nullable=False),
    Column("log", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("holder", Text, nullable=False),
    Column("held_until", BigInteger, nullable=False),
    Column("moved_at", BigInteger, nullable=False),
    Column("lagging_since", BigInteger),
    Column("error", Text),
    PrimaryKeyConstraint("sink", "log"),
)

_ALL = Prepared(select(sink_cursors).order_by(sink_cursors.c.sink, sink_cursors.c.log))
_MINE = (
    sink_cursors.c.sink == bindparam("its_sink"),
    sink_cursors.c.log == bindparam("its_log"),
    sink_cursors.c.holder == bindparam("its_holder"),
)
_ADVANCE = Prepared(
    update(sink_cursors)
    .where(*_MINE, sink_cursors.c.position == bindparam("before"))
    .values(position=bindparam("after"), moved_at=bindparam("now"), error=bindparam("why"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far a sink has come in a log: `position` is the number of the next record that it is to get."""

    sink: str
    log: str
    position: int
    holder: str
    held_until: EpochSeconds
    moved_at: EpochSeconds
    lagging_since: EpochSeconds | None
    error: str | None


def list_cursors(tx: Transaction) -> tuple[Cursor, ...]:
    """All of them, by sink and log."""
    return tuple(_cursor(row) for row in _ALL.all(tx))


def claim(
    tx: Transaction, sink: str, log: str, *, holder: str, begin: int, now: EpochSeconds
) -> Cursor | None:
    """Have `holder` carry it, from `begin` where nobody did yet; `None` while somebody else does."""
    plant(tx, sink, {log: begin}, now=now)
    taken = tx.connection.execute(
        update(sink_cursors)
        .where(
            *_at(sink, log),
            or_(sink_cursors.c.holder == holder, sink_cursors.c.held_until < now),
        )
        .values(holder=holder, held_until=now + LEASE)
        .returning(*sink_cursors.c)
    ).one_or_none()
    return None if taken is None else _cursor(taken)


def plant(tx: Transaction, sink: str, places: Mapping[str, int], *, now: EpochSeconds) -> None:
    """Have the sink begin there in each of these logs, whoever will carry it; where it began already it goes on."""
    for log, position in places.items():
        new = conflict_insert(tx, sink_cursors).values(
            sink=sink, log=log, position=position, holder="", held_until=0, moved_at=now
        )
        tx.connection.execute(new.on_conflict_do_nothing())


def renew(tx: Transaction, sink: str, log: str, *, holder: str, now: EpochSeconds) -> Cursor | None:
    """Keep it; `None` when it is another's by now."""
    row = tx.connection.execute(
        update(sink_cursors)
        .where(*_at(sink, log), sink_cursors.c.holder == holder)
        .values(held_until=now + LEASE)
        .returning(*sink_cursors.c)
    ).one_or_none()
    return None if row is None else _cursor(row)


def release(tx: Transaction, *, holder: str) -> None:
    """Let others carry on with everything that `holder` has."""
    tx.connection.execute(
        update(sink_cursors).where(sink_cursors.c.holder == holder).values(held_until=0)
    )


def advance(
    tx: Transaction, cursor: Cursor, *, after: int, now: EpochSeconds, error: str | None
) -> bool:
    """Move it on to `after`; whether it was still there, and still its holder's."""
    changed = _ADVANCE.run(
        tx,
        its_sink=cursor.sink,
        its_log=cursor.log,
        its_holder=cursor.holder,
        before=cursor.position,
        after=after,
        now=now,
        why=error,
    )
    return bool(changed)


def note_gap(tx: Transaction, cursor: Cursor, *, first: int, last: int) -> None:
    """Record that the sink never gets these."""
    tx.record(AuditGapFound(sink=cursor.sink, log=cursor.log, first=first, last=last))


def note_lag(
    tx: Transaction, cursor: Cursor, *, behind: int, seconds: int, error: str, now: EpochSeconds
) -> None:
    """Record that it is too far behind, once for as long as it is."""
    changed = tx.connection.execute(
        update(sink_cursors)
        .where(*_at(cursor.sink, cursor.log), sink_cursors.c.lagging_since.is_(None))
        .values(lagging_since=now - seconds)
    ).rowcount
    if changed:
        tx.record(
            SinkLagging(
                sink=cursor.sink,
                log=cursor.log,
                behind=behind,
                seconds=seconds,
                error=error,
            )
        )


def note_recovery(tx: Transaction, cursor: Cursor, *, now: EpochSeconds) -> None:
    """Record that it has come up again, if that it had not was recorded."""
    since = tx.connection.execute(
        select(sink_cursors.c.lagging_since).where(*_at(cursor.sink, cursor.log))
    ).scalar_one_or_none()
    changed = tx.connection.execute(
        update(sink_cursors)
        .where(*_at(cursor.sink, cursor.log), sink_cursors.c.lagging_since.is_not(None))
        .values(lagging_since=None)
    ).rowcount
    if changed and since is not None:
        tx.record(SinkRecovered(sink=cursor.sink, log=cursor.log, seconds=max(0, now - since)))


def set_position(
    tx: Transaction, cursor: Cursor, *, to: int, reason: str, context: Context
) -> None:
    """Have the sink go on from `to`, whoever carries it: they find that it moved under them."""
    tx.connection.execute(
        update(sink_cursors).where(*_at(cursor.sink, cursor.log)).values(position=to, error=None)
    )
    tx.record(
        SinkReset(
            context=context,
            sink=cursor.sink,
            log=cursor.log,
            before=cursor.position,
            after=to,
            reason=reason,
        )
    )


def _at(sink: str, log: str) -> tuple[Any, ...]:
    return sink_cursors.c.sink == sink, sink_cursors.c.log == log


def _cursor(row: Row[Any]) -> Cursor:
    return Cursor(
        sink=row.sink,
        log=row.log,
        position=row.position,
        holder=row.holder,
        held_until=EpochSeconds(row.held_until),
        moved_at=EpochSeconds(row.moved_at),
        lagging_since=None if row.lagging_since is None else EpochSeconds(row.lagging_since),
        error=row.error,
    )
