"""The SQL of history: one row for each use of each past, under the fact that it counts in.

`fact` is `HistoryFact.account`. A use has a row for every member that it adds to a set, and else one, with an empty
`member`. `amount` is in ten-thousandths, and `times` is how many uses the row stands for: one, until rows that are long
settled are merged. What was allowed at some second counts as of that second; merged, as of the latest of them.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Table,
    Text,
    bindparam,
    column,
    delete,
    func,
    insert,
    select,
    table,
    text,
    tuple_,
)

from remit.clock import EpochSeconds
from remit.db import Prepared, Transaction, metadata
from remit.guard.use import Whose

__all__ = [
    "Tally",
    "UseRow",
    "accounts_kept",
    "add_use",
    "consent_of",
    "delete_uses",
    "forget_uses",
    "has_uses",
    "lock_pasts",
    "members_of",
    "merge_uses",
    "tally",
    "tally_of_use",
    "thin_uses",
    "trim_uses",
]

uses = Table(
    "history_uses",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("fact", Text, primary_key=True),
    Column("agent", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("grant_id", Text, primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("use", Text, primary_key=True),
    Column("member", Text, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    Column("times", BigInteger, nullable=False),
    Index("ix_history_uses_fact_at", "fact", "at"),
    sqlite_with_rowid=False,
)

_MERGED = "merged"
_IDENTITY = (uses.c.tenant, uses.c.fact, uses.c.agent, uses.c.subject, uses.c.grant_id)
_OF_ONE = tuple(column == bindparam(column.name) for column in _IDENTITY)
_SINCE = (*_OF_ONE, uses.c.at > bindparam("since"))
_ADD = Prepared(insert(uses), columns=tuple(column.name for column in uses.columns))
_DELETE = Prepared(
    delete(uses).where(*_OF_ONE, uses.c.at == bindparam("at"), uses.c.use == bindparam("use"))
)
_TALLY = Prepared(
    select(
        func.count().label("rows"),
        func.coalesce(func.sum(uses.c.times), 0).label("times"),
        func.coalesce(func.sum(uses.c.amount), 0).label("amount"),
    ).where(*_SINCE)
)
_OF_USE = Prepared(
    select(
        func.count().label("rows"),
        func.coalesce(func.sum(uses.c.times), 0).label("times"),
        func.coalesce(func.sum(uses.c.amount), 0).label("amount"),
    ).where(*_OF_ONE, uses.c.at == bindparam("at"), uses.c.use == bindparam("use"))
)
_ANY = Prepared(select(uses.c.at).where(*_SINCE).limit(1))
_MEMBERS = Prepared(select(uses.c.member).where(*_SINCE).distinct())

_GRANTS = table("grants", column("id"), column("tenant"), column("parent_id"))
_PARENT = Prepared(
    select(_GRANTS.c.parent_id, _GRANTS.c.tenant).where(_GRANTS.c.id == bindparam("grant"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UseRow:
    """One use, as it counts in the past `whose`. `amount` is in ten-thousandths."""

    fact: str
    whose: Whose
    at: EpochSeconds
    use: str
    member: str = ""
    amount: int = 0
    times: int = 1


@dataclass(frozen=True, slots=True)
class Tally:
    """How many uses, and what they come to, in ten-thousandths; and how many rows there are of them."""

    count: int
    amount: int
    rows: int


def consent_of(tx: Transaction, grant: str, *, within: str) -> str:
    """The grant that somebody consented to and from which `grant` came, by however many exchanges of tokens.

    Nothing is told of a grant of another organisation than `within`: it is as one that does not exist.
    """
    seen: set[str] = set()
    while grant not in seen:
        seen.add(grant)
        row = _PARENT.one_or_none(tx, grant=grant)
        if row is not None and row.tenant == within and row.parent_id is not None:
            grant = row.parent_id
    return grant


def lock_pasts(tx: Transaction, pasts: Collection[tuple[str, Whose]]) -> None:
    """Until `tx` ends, nobody else counts in one of `pasts` and reads it; each is a fact and whose it is.

    SQLite has one writer anyway. PostgreSQL's locks are of numbers: taken in their order, so that no two wait for each
    other; two pasts of one number only wait for nothing.
    """
    if tx.connection.dialect.name != "postgresql":
        return
    for key in sorted({_number(fact, whose) for fact, whose in pasts}):
        tx.connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def add_use(tx: Transaction, row: UseRow) -> None:
    """Insert `row`."""
    _ADD.run(
        tx, **_named(row.fact, row.whose), at=row.at, use=row.use, member=row.member,
        amount=row.amount, times=row.times,
    )  # fmt: skip


def delete_uses(tx: Transaction, fact: str, whose: Whose, *, at: EpochSeconds, use: str) -> None:
    """Delete one use from one past, whatever it added."""
    _DELETE.run(tx, **_named(fact, whose), at=at, use=use)


def tally(tx: Transaction, fact: str, whose: Whose, *, since: int) -> Tally:
    """The uses after `since`. What is dated later than now is among them."""
    rows, times, amount = _TALLY.one_or_none(tx, **_named(fact, whose), since=since)
    return Tally(int(times), int(amount), int(rows))


def tally_of_use(tx: Transaction, fact: str, whose: Whose, *, at: EpochSeconds, use: str) -> Tally:
    """One use, as far as it counts in one past."""
    rows, times, amount = _OF_USE.one_or_none(tx, **_named(fact, whose), at=at, use=use)
    return Tally(int(times), int(amount), int(rows))


def merge_uses(tx: Transaction, fact: str, whose: Whose, *, before: int, width: int) -> None:
    """Of one past, make one row of all uses up to `before` that are of the same `width` seconds, as of the latest of them.

    For what is counted or added up. What is merged cannot be taken back any more.
    """
    named = _named(fact, whose)
    older = (*(column == named[column.name] for column in _IDENTITY), uses.c.at <= before)
    slots = select(func.max(uses.c.at), func.sum(uses.c.times), func.sum(uses.c.amount))
    found = tx.connection.execute(slots.where(*older).group_by(uses.c.at // width)).all()
    tx.connection.execute(delete(uses).where(*older))
    for at, times, amount in found:
        add_use(
            tx,
            UseRow(
                fact=fact, whose=whose, at=at, use=_MERGED, amount=int(amount), times=int(times)
            ),
        )


def has_uses(tx: Transaction, fact: str, whose: Whose, *, since: int) -> bool:
    """Whether there is a use after `since`."""
    return bool(_ANY.all(tx, **_named(fact, whose), since=since))


def members_of(tx: Transaction, fact: str, whose: Whose, *, since: int) -> frozenset[str]:
    """What the uses after `since` added to a set."""
    return frozenset(row[0] for row in _MEMBERS.all(tx, **_named(fact, whose), since=since))


def accounts_kept(tx: Transaction) -> frozenset[str]:
    """Every `fact` of which there is a use."""
    return frozenset(tx.connection.execute(select(uses.c.fact).distinct()).scalars())


def trim_uses(tx: Transaction, fact: str, *, before: int) -> int:
    """Delete the uses of `fact` up to `before`, that moment included; how many rows."""
    return tx.connection.execute(
        delete(uses).where(uses.c.fact == fact, uses.c.at <= before)
    ).rowcount


def thin_uses(tx: Transaction, fact: str, *, before: int) -> int:
    """Of each past and member, delete every use up to `before` but the last; how many rows."""
    columns = (*_IDENTITY, uses.c.member)
    settled = (uses.c.fact == fact, uses.c.at <= before)
    last = select(*columns, func.max(uses.c.at)).where(*settled).group_by(*columns)
    older = delete(uses).where(*settled, tuple_(*columns, uses.c.at).not_in(last))
    return tx.connection.execute(older).rowcount


def forget_uses(
    tx: Transaction, *, tenant: str, named: Sequence[tuple[str, str]], accounts: Collection[str]
) -> int:
    """Delete what was done in `tenant` as `named` says, pairs of a column and its value; how many rows.

    `accounts`: of these facts alone; none: of every fact.
    """
    statement = delete(uses).where(uses.c.tenant == tenant)
    for name, value in named:
        statement = statement.where(uses.c[name] == value)
    if accounts:
        statement = statement.where(uses.c.fact.in_(sorted(accounts)))
    return tx.connection.execute(statement).rowcount


def _named(fact: str, whose: Whose) -> dict[str, str]:
    return {
        "tenant": whose.tenant,
        "fact": fact,
        "agent": whose.agent,
        "subject": whose.subject,
        "grant_id": whose.grant,
    }


def _number(fact: str, whose: Whose) -> int:
    """64 bits, signed, that a past is locked by."""
    parts = ("remit.history", whose.tenant, fact, whose.agent, whose.subject, whose.grant)
    found = hashlib.sha256("\x00".join(parts).encode()).digest()
    return int.from_bytes(found[:8], "big", signed=True)
