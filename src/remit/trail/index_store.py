"""The SQL of the index: which blocks there are, and where each word stands in them. The organisation is first in its key."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    Select,
    Table,
    Text,
    case,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DatabaseError

from remit.db import DatabaseUnavailableError, Transaction, conflict_insert, metadata
from remit.db.engine import is_damage
from remit.trail.blocks import Block, Posting

__all__ = [
    "TABLES",
    "IndexedLog",
    "PostingRow",
    "add_block",
    "blocks",
    "count_blocks",
    "empty_index",
    "epoch_of",
    "indexed_logs",
    "is_damaged",
    "make_tables",
    "move_log",
    "name_log",
    "postings_of",
    "set_epoch",
    "spans_so_far",
    "tenants",
]

logs = Table(
    "trail_logs",
    metadata,
    Column("log", Text, primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("next", BigInteger, nullable=False),
    Column("last_block", BigInteger, nullable=False),
    Column("reach", BigInteger, nullable=False),
)
block_table = Table(
    "trail_blocks",
    metadata,
    Column("block", BigInteger, primary_key=True, autoincrement=False),
    Column("log", Integer, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("records", Integer, nullable=False),
    Column("span", Integer, nullable=False),
)
spans = Table(
    "trail_spans",
    metadata,
    Column("span", Integer, primary_key=True, autoincrement=False),
    Column("blocks", Integer, nullable=False),
    Column("lowest", BigInteger, nullable=False),
    Column("highest", BigInteger, nullable=False),
)
terms = Table(
    "trail_terms",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("span", Integer, primary_key=True, autoincrement=False),
    Column("term", BigInteger, primary_key=True, autoincrement=False),
    Column("block", BigInteger, primary_key=True, autoincrement=False),
    Column("offsets", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
tenant_table = Table("trail_tenants", metadata, Column("tenant", Text, primary_key=True))
epochs = Table("trail_epochs", metadata, Column("epoch", Text, primary_key=True))

TABLES: Final = (logs, block_table, spans, terms, tenant_table, epochs)
_IN_ONE: Final = 5_000
_AT_ONCE: Final = 2_000
_IN_SPAN: Final = 64
"""Blocks that are written next to each other: what is inserted touches little of what was written before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedLog:
    """How far a log is indexed: the number of the first record that is not, and its last block.

    `reach` is how far back from the time of a block its records can be, in milliseconds.
    """

    log: str
    number: int
    next: int
    last_block: int
    reach: int


@dataclass(frozen=True, slots=True)
class PostingRow:
    """A posting, the block it is in, and its span."""

    block: int
    span: int
    posting: Posting


def make_tables(tx: Transaction) -> None:
    """Make the tables in a file that has no other; those that are there stay as they are."""
    metadata.create_all(tx.connection, tables=TABLES)


def epoch_of(tx: Transaction) -> str | None:
    """What the index is called since it was last begun anew."""
    # Two that begin it at once may each name it: one of the names is it, for both.
    return tx.connection.execute(select(func.min(epochs.c.epoch))).scalar()


def set_epoch(tx: Transaction, epoch: str) -> None:
    """Call it so from now on."""
    tx.connection.execute(delete(epochs))
    tx.connection.execute(insert(epochs).values(epoch=epoch))


def empty_index(tx: Transaction) -> None:
    """Forget everything; it is all in the logs."""
    for table in TABLES:
        tx.connection.execute(delete(table))


def indexed_logs(tx: Transaction) -> dict[str, IndexedLog]:
    """Every log that was ever indexed, by its name."""
    rows = tx.connection.execute(select(logs)).all()
    return {
        row.log: IndexedLog(
            log=row.log,
            number=row.number,
            next=row.next,
            last_block=row.last_block,
            reach=row.reach,
        )
        for row in rows
    }


def name_log(tx: Transaction, log: str, *, first: int) -> bool:
    """Give a log its number, and begin it at record `first`; whether nobody else did meanwhile."""
    highest = tx.connection.execute(select(func.max(logs.c.number))).scalar()
    statement = (
        conflict_insert(tx, logs)
        .values(log=log, number=(highest or 0) + 1, next=first, last_block=0, reach=0)
        .on_conflict_do_nothing()
    )
    return tx.connection.execute(statement).rowcount == 1


def move_log(tx: Transaction, log: IndexedLog, moved: IndexedLog) -> bool:
    """Put `moved` in the place of `log`; whether it still was where it is thought to be."""
    statement = (
        update(logs)
        .where(logs.c.log == log.log, logs.c.next == log.next)
        .values(next=moved.next, last_block=moved.last_block, reach=moved.reach)
    )
    return tx.connection.execute(statement).rowcount == 1


def add_block(tx: Transaction, block: Block, postings: Sequence[Posting]) -> None:
    """Add a block and what is in it."""
    span = _span_for(tx, block.number)
    tx.connection.execute(
        insert(block_table).values(
            block=block.number, log=block.log, first=block.first, records=block.count, span=span
        )
    )
    whose = [{"tenant": one} for one in sorted({posting.tenant for posting in postings})]
    if whose:
        tx.connection.execute(conflict_insert(tx, tenant_table).on_conflict_do_nothing(), whose)
    rows = [
        {
            "tenant": one.tenant,
            "span": span,
            "term": one.term,
            "block": block.number,
            "offsets": one.offsets,
        }
        for one in postings
    ]
    for start in range(0, len(rows), _IN_ONE):
        tx.connection.execute(insert(terms), rows[start : start + _IN_ONE])


def _span_for(tx: Transaction, block: int) -> int:
    """The span that a block is written into. Two at once may put a block too many into one, which is no harm."""
    last = tx.connection.execute(select(spans).order_by(spans.c.span.desc()).limit(1)).one_or_none()
    span = 1 if last is None else last.span + 1 if last.blocks >= _IN_SPAN else last.span
    tx.connection.execute(
        conflict_insert(tx, spans)
        .values(span=span, blocks=1, lowest=block, highest=block)
        .on_conflict_do_update(
            index_elements=[spans.c.span],
            set_={
                "blocks": spans.c.blocks + 1,
                "lowest": case((spans.c.lowest > block, block), else_=spans.c.lowest),
                "highest": case((spans.c.highest < block, block), else_=spans.c.highest),
            },
        )
    )
    return span


def is_damaged(error: DatabaseUnavailableError) -> bool:
    """Whether it says that the file of the index is damaged."""
    return isinstance(error.cause, DatabaseError) and is_damage(error.cause)


def tenants(tx: Transaction) -> list[str]:
    """Every organisation that anything is indexed of; `""` is that of none."""
    return list(tx.connection.execute(select(tenant_table.c.tenant)).scalars())


def spans_so_far(tx: Transaction, *, below: int) -> list[tuple[int, int]]:
    """Every span that has a block below `below`, with the number of its highest block, the highest first."""
    statement = (
        select(spans.c.highest, spans.c.span)
        .where(spans.c.lowest < below)
        .order_by(spans.c.highest.desc())
    )
    return [(row.span, row.highest) for row in tx.connection.execute(statement)]


def postings_of(
    tx: Transaction,
    whose: Collection[str],
    wanted: Collection[int],
    within: Collection[int],
    *,
    only: Collection[int] | None = None,
) -> list[PostingRow]:
    """The postings of these terms in the spans `within`; in the blocks `only`, if so asked."""
    found: list[PostingRow] = []
    # A value may be any of very many tokens: a database takes only so many in one statement.
    for some, asked in product(_parts(whose), _parts(wanted)):
        statement = select(terms).where(
            _one_of(terms.c.tenant, some),
            _one_of(terms.c.span, within),
            _one_of(terms.c.term, asked),
        )
        if only is not None:
            statement = statement.where(_one_of(terms.c.block, only))
        found += _rows(tx, statement)
    return found


def _parts(values: Collection[Any]) -> list[list[Any]]:
    whole = list(values)
    return [whole[start : start + _AT_ONCE] for start in range(0, len(whole), _AT_ONCE)]


def blocks(tx: Transaction, numbers: Collection[int]) -> dict[int, Block]:
    """These blocks, by their numbers."""
    found = tx.connection.execute(
        select(block_table).where(_one_of(block_table.c.block, numbers))
    ).all()
    return {row.block: Block(row.block, row.log, row.first, row.records, row.span) for row in found}


def count_blocks(tx: Transaction) -> int:
    """How many there are."""
    return int(tx.connection.execute(select(func.count()).select_from(block_table)).scalar_one())


def _one_of(column: Column[Any], values: Collection[Any]) -> Any:
    # One value is an equation, which every planner reads off the order of the key.
    if len(values) == 1:
        return column == next(iter(values))
    return column.in_(values)


def _rows(tx: Transaction, statement: Select[Any]) -> list[PostingRow]:
    found: Iterable[Any] = tx.connection.execute(statement)
    return [
        PostingRow(row.block, row.span, Posting(row.tenant, row.term, bytes(row.offsets)))
        for row in found
    ]
