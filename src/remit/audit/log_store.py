"""The SQL of logs that are kept in the database: who holds one, its records, and what is signed of them.

Every write of a log's holder proves that it still is: it names the epoch it holds the log in, and the number
of records it knows of. Whoever takes a log over raises its epoch, and from then on what the holder before sends changes nothing.
A lease only says until when nobody else may take over; it is by the database's own clock, so no two clocks have to agree.

Times are milliseconds. Sizes and sequence numbers count records.

Source: AUDIT §1.5; docs/adr/0026.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    bindparam,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from remit.db import Prepared, Transaction, metadata
from remit.db.prepared import execute
from remit.db.upsert import conflict_insert

__all__ = [
    "LEASE_MS",
    "CheckpointRow",
    "Hold",
    "LogRow",
    "add_checkpoint",
    "add_records",
    "checkpoints_after",
    "find_log",
    "last_checkpoints",
    "list_logs",
    "newest_checkpoints",
    "newest_sequence",
    "publish_keys",
    "read_records",
    "release_log",
    "renew_log",
    "settle_log",
    "take_log",
]

LEASE_MS: Final = 10_000
"""How long a holder that says nothing keeps a log from others."""

logs = Table(
    "audit_logs",
    metadata,
    Column("name", Text, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("holder", Text, nullable=False),
    Column("held_until", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("public_keys", Text, nullable=False),
    Column("settled", BigInteger, nullable=False),
)
records = Table(
    "audit_records",
    metadata,
    Column("log", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("line", LargeBinary, nullable=False),
    PrimaryKeyConstraint("log", "seq"),
)
checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("log", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("nodes", LargeBinary, nullable=False),
    Column("open_calls", LargeBinary, nullable=False),
    Column("witnessed", Text),
    PrimaryKeyConstraint("log", "size"),
)


class _NowMs(FunctionElement[int]):
    """The database's clock, in milliseconds."""

    type = BigInteger()
    inherit_cache = True


@compiles(_NowMs, "postgresql")
def _now_postgresql(*_: Any, **__: Any) -> str:
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"


@compiles(_NowMs, "sqlite")
def _now_sqlite(*_: Any, **__: Any) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One log. `lease` is for how many milliseconds its holder still keeps others out: 0, or less, not at all."""

    name: str
    epoch: int
    holder: str
    held_until: int
    lease: int
    size: int
    first: int
    public_keys: str
    settled: int


@dataclass(frozen=True, slots=True)
class Hold:
    """That a process holds `log`: what each of its writes proves."""

    log: str
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointRow:
    """What was signed of a log: the note, and the roots of the perfect trees that make its root, largest first.

    `open_calls`: which calls had not ended then (`audit.open_calls`).
    """

    log: str
    size: int
    note: str
    nodes: bytes
    open_calls: bytes
    witnessed: str | None = None


_ROW = (
    logs.c.name,
    logs.c.epoch,
    logs.c.holder,
    logs.c.held_until,
    (logs.c.held_until - _NowMs()).label("lease"),
    logs.c.size,
    logs.c.first,
    logs.c.public_keys,
    logs.c.settled,
)
_NAME = bindparam("log", type_=Text())
_EPOCH = bindparam("epoch", type_=BigInteger())
_SIZE = bindparam("size", type_=BigInteger())
# INVARIANT: a holder whose last record is gone is told so, and not that its next one is safe.
_STANDS = or_(
    logs.c.first == logs.c.size,
    exists().where(records.c.log == logs.c.name, records.c.seq == logs.c.size - 1),
)
_HELD = (logs.c.name == _NAME, logs.c.epoch == _EPOCH, logs.c.size == _SIZE, _STANDS)
_RENEW = Prepared(update(logs).where(*_HELD).values(held_until=_NowMs() + LEASE_MS))
_GROW = Prepared(
    update(logs)
    .where(*_HELD)
    .values(held_until=_NowMs() + LEASE_MS, size=logs.c.size + bindparam("count"))
)
_APPEND: Final = """
WITH held AS (
    UPDATE audit_logs SET size = size + %(count)s,
        held_until = CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) + %(lease)s
    WHERE name = %(log)s AND epoch = %(epoch)s AND size = %(size)s
        AND (first = size OR EXISTS (
            SELECT FROM audit_records WHERE log = %(log)s AND seq = %(size)s - 1))
    RETURNING 1
)
INSERT INTO audit_records (log, seq, line)
SELECT %(log)s, %(size)s + place - 1, line
FROM held, unnest(%(lines)b::bytea[]) WITH ORDINALITY AS given(line, place)
"""
"""As `_GROW` and the rows after it, in the one statement that is one wait for the network."""


def find_log(tx: Transaction, name: str, *, lock: bool = False) -> LogRow | None:
    """The log `name`. With `lock`, what others have under way with it is over, and nothing new of theirs begins."""
    statement = select(*_ROW).where(logs.c.name == name)
    if lock:
        statement = statement.with_for_update()
    row = tx.connection.execute(statement).mappings().one_or_none()
    return None if row is None else LogRow(**row)


def list_logs(tx: Transaction) -> list[LogRow]:
    """All logs, by name."""
    rows = tx.connection.execute(select(*_ROW).order_by(logs.c.name)).mappings()
    return [LogRow(**row) for row in rows]


def take_log(tx: Transaction, name: str, *, holder: str, epoch: int | None) -> Hold | None:
    """Hold the log, which is in `epoch` (`None`: there is none yet); `None` if somebody else was faster."""
    if epoch is None:
        made = conflict_insert(tx, logs).values(
            name=name, epoch=1, holder=holder, held_until=_NowMs() + LEASE_MS,
            size=0, first=0, public_keys="", settled=0,
        )  # fmt: skip
        done = made.on_conflict_do_nothing().returning(logs.c.epoch)
        return None if tx.connection.execute(done).first() is None else Hold(name, 1)
    taken = (
        update(logs)
        .where(logs.c.name == name, logs.c.epoch == epoch)
        .values(epoch=epoch + 1, holder=holder, held_until=_NowMs() + LEASE_MS)
    )
    return Hold(name, epoch + 1) if tx.connection.execute(taken).rowcount == 1 else None


def publish_keys(tx: Transaction, hold: Hold, keys: str) -> bool:
    """Say by which keys the log is checked, one a line; whether the log is still held."""
    statement = (
        update(logs)
        .where(logs.c.name == hold.log, logs.c.epoch == hold.epoch)
        .values(public_keys=keys)
    )
    return tx.connection.execute(statement).rowcount == 1


def renew_log(tx: Transaction, hold: Hold, size: int) -> bool:
    """Keep others out for another while; whether the log, with `size` records, is still held."""
    return _RENEW.run(tx, log=hold.log, epoch=hold.epoch, size=size) == 1


def release_log(tx: Transaction, hold: Hold) -> None:
    """Let others have it at once."""
    tx.connection.execute(
        update(logs).where(logs.c.name == hold.log, logs.c.epoch == hold.epoch).values(held_until=0)
    )


def add_records(tx: Transaction, hold: Hold, start: int, lines: Sequence[bytes]) -> bool:
    """Write `lines` as the records from number `start` on; whether the log was held, and had so many.

    On PostgreSQL this is one statement, which is all or nothing outside a transaction, too.
    """
    count = len(lines)
    given = {"log": hold.log, "epoch": hold.epoch, "size": start, "count": count}
    if tx.connection.dialect.name == "postgresql":
        asked = {**given, "lease": LEASE_MS, "lines": list(lines)}
        return bool(execute(tx.connection, _APPEND, asked).rowcount == count)
    if _GROW.run(tx, **given) != 1:
        return False
    rows = [
        {"log": hold.log, "seq": start + place, "line": line} for place, line in enumerate(lines)
    ]
    tx.connection.execute(insert(records), rows)
    return True


def add_checkpoint(tx: Transaction, hold: Hold, row: CheckpointRow) -> bool:
    """Keep what was signed; whether the log is still held."""
    held = select(
        literal(row.log), literal(row.size), literal(row.note), literal(row.nodes),
        literal(row.open_calls),
    ).where(logs.c.name == hold.log, logs.c.epoch == hold.epoch)  # fmt: skip
    columns = ["log", "size", "note", "nodes", "open_calls"]
    statement = conflict_insert(tx, checkpoints).from_select(columns, held)
    # The same once more: whoever wrote it did not hear that it was written.
    again = statement.on_conflict_do_update(
        index_elements=["log", "size"], set_={"note": row.note, "nodes": row.nodes}
    )
    return tx.connection.execute(again.returning(checkpoints.c.size)).first() is not None


def last_checkpoints(tx: Transaction, log: str, limit: int) -> list[CheckpointRow]:
    """The newest of them, newest first."""
    statement = (
        select(checkpoints)
        .where(checkpoints.c.log == log)
        .order_by(checkpoints.c.size.desc())
        .limit(limit)
    )
    return [CheckpointRow(**row) for row in tx.connection.execute(statement).mappings()]


def newest_checkpoints(tx: Transaction) -> list[CheckpointRow]:
    """The newest of each log, by the logs' names."""
    same = checkpoints.alias()
    newest = select(func.max(same.c.size)).where(same.c.log == logs.c.name).scalar_subquery()
    statement = (
        select(checkpoints)
        .join(logs, (checkpoints.c.log == logs.c.name) & (checkpoints.c.size == newest))
        .order_by(checkpoints.c.log)
    )
    return [CheckpointRow(**row) for row in tx.connection.execute(statement).mappings()]


def checkpoints_after(
    tx: Transaction, log: str, size: int, *, limit: int, witnessed: bool = False
) -> list[CheckpointRow]:
    """Those of more than `size` records, oldest first; `witnessed`: of these, those that witnesses signed."""
    statement = (
        select(checkpoints)
        .where(checkpoints.c.log == log, checkpoints.c.size > size)
        .order_by(checkpoints.c.size)
        .limit(limit)
    )
    if witnessed:
        statement = statement.where(checkpoints.c.witnessed.is_not(None))
    return [CheckpointRow(**row) for row in tx.connection.execute(statement).mappings()]


def read_records(tx: Transaction, log: str, start: int, *, limit: int) -> list[tuple[int, bytes]]:
    """Number and bytes of at most `limit` records from number `start` on, in order."""
    statement = (
        select(records.c.seq, records.c.line)
        .where(records.c.log == log, records.c.seq >= start)
        .order_by(records.c.seq)
        .limit(limit)
    )
    return [(row.seq, bytes(row.line)) for row in tx.connection.execute(statement)]


def newest_sequence(tx: Transaction, log: str) -> int | None:
    """The number of the last record there is."""
    newest = select(func.max(records.c.seq)).where(records.c.log == log)
    return tx.connection.execute(newest).scalar()


def settle_log(tx: Transaction, log: str, *, before: int, settled: int) -> bool:
    """Say that no call before record `settled` is left unfinished; `False` if somebody else said something meanwhile."""
    statement = (
        update(logs).where(logs.c.name == log, logs.c.settled == before).values(settled=settled)
    )
    return tx.connection.execute(statement).rowcount == 1
