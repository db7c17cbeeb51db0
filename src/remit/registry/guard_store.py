"""The SQL of guards inside servers: which have asked, when, and how far their records have come."""

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Table, Text, delete, select, update

from remit.clock import EpochSeconds
from remit.db import Transaction, conflict_insert, metadata
from remit.ids import ServerName

__all__ = [
    "GuardRow",
    "add_guard",
    "advance_guard",
    "forget_guards",
    "guard",
    "guards_seen",
    "see_guard",
]

guards = Table(
    "guards",
    metadata,
    Column("server", Text, primary_key=True),
    Column("instance", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("last_record", BigInteger, nullable=False, server_default="0"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardRow:
    """One guard: the process inside `server` that calls itself `instance`.

    `last_record` is the sequence number, in its own log, of the last record that was taken over.
    """

    server: ServerName
    instance: str
    version: str
    first_seen: EpochSeconds
    last_seen: EpochSeconds
    last_record: int = 0


def guard(tx: Transaction, server: ServerName, instance: str) -> GuardRow | None:
    """The guard of that name; locked, where the database locks rows, until `tx` ends."""
    asked = select(guards).where(guards.c.server == server, guards.c.instance == instance)
    row = tx.connection.execute(asked.with_for_update()).one_or_none()
    return None if row is None else GuardRow(**row._mapping)  # noqa: SLF001  SQLAlchemy's public way to a mapping


def add_guard(tx: Transaction, row: GuardRow) -> bool:
    """Insert `row`; whether there was none of that name."""
    statement = conflict_insert(tx, guards).values(
        server=row.server,
        instance=row.instance,
        version=row.version,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        last_record=row.last_record,
    )
    added = statement.on_conflict_do_nothing().returning(guards.c.instance)
    return tx.connection.execute(added).scalar() is not None


def see_guard(
    tx: Transaction, server: ServerName, instance: str, *, version: str, now: EpochSeconds
) -> None:
    """Note that the guard was heard of."""
    tx.connection.execute(
        update(guards)
        .where(guards.c.server == server, guards.c.instance == instance)
        .values(version=version, last_seen=now)
    )


def advance_guard(tx: Transaction, server: ServerName, instance: str, *, last_record: int) -> None:
    """Note how far the guard's records have come. Never backwards."""
    tx.connection.execute(
        update(guards)
        .where(
            guards.c.server == server,
            guards.c.instance == instance,
            guards.c.last_record < last_record,
        )
        .values(last_record=last_record)
    )


def forget_guards(tx: Transaction, server: ServerName, *, before: EpochSeconds) -> None:
    """Forget those inside `server` that have not been heard of since `before`."""
    tx.connection.execute(
        delete(guards).where(guards.c.server == server, guards.c.last_seen < before)
    )


def guards_seen(tx: Transaction) -> tuple[GuardRow, ...]:
    """Every guard, by server and instance."""
    rows = tx.connection.execute(select(guards).order_by(guards.c.server, guards.c.instance))
    return tuple(GuardRow(**row._mapping) for row in rows)  # noqa: SLF001
