"""The SQL of deputies."""

from typing import Any

from sqlalchemy import BigInteger, Column, Table, Text, delete, or_, select

from remit.approvals.deputy import Deputy
from remit.clock import EpochSeconds
from remit.db import Transaction, conflict_insert, metadata
from remit.ids import TenantId, UserId

__all__ = [
    "deputies",
    "deputies_of",
    "keep_deputy",
    "purge_deputies",
    "remove_deputy",
    "seats_of",
]

deputies = Table(
    "deputies",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("absent", Text, primary_key=True),
    Column("deputy", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("named_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)


def keep_deputy(tx: Transaction, deputy: Deputy) -> None:
    """Store it; where there is the same one, its end is the new one's."""
    values = {
        "tenant": deputy.tenant,
        "absent": deputy.absent,
        "deputy": deputy.deputy,
        "role": deputy.role,
        "named_at": deputy.named_at,
        "expires_at": deputy.expires_at,
    }
    kept = conflict_insert(tx, deputies).values(values)
    kept = kept.on_conflict_do_update(
        index_elements=["tenant", "absent", "deputy", "role"],
        set_={"named_at": deputy.named_at, "expires_at": deputy.expires_at},
    )
    tx.connection.execute(kept)


def remove_deputy(
    tx: Transaction, *, tenant: TenantId, absent: UserId, deputy: UserId, role: str
) -> bool:
    """Delete it; whether it was there."""
    gone = delete(deputies).where(
        deputies.c.tenant == tenant,
        deputies.c.absent == absent,
        deputies.c.deputy == deputy,
        deputies.c.role == role,
    )
    return tx.connection.execute(gone).rowcount == 1


def seats_of(tx: Transaction, person: UserId, *, now: EpochSeconds) -> tuple[Deputy, ...]:
    """In whose places `person` may answer at that time."""
    asked = select(deputies).where(deputies.c.deputy == person, deputies.c.expires_at > now)
    rows = tx.connection.execute(asked.order_by(deputies.c.absent, deputies.c.role))
    return tuple(_deputy(row) for row in rows)


def deputies_of(tx: Transaction, person: UserId, *, now: EpochSeconds) -> tuple[Deputy, ...]:
    """Who answers in the place of `person`, and in whose places they do."""
    asked = select(deputies).where(
        or_(deputies.c.deputy == person, deputies.c.absent == person),
        deputies.c.expires_at > now,
    )
    order = (deputies.c.absent, deputies.c.deputy, deputies.c.role)
    return tuple(_deputy(row) for row in tx.connection.execute(asked.order_by(*order)))


def purge_deputies(tx: Transaction, *, before: EpochSeconds) -> int:
    """Delete those whose time was over before then; how many."""
    gone = delete(deputies).where(deputies.c.expires_at < before)
    return tx.connection.execute(gone).rowcount


def _deputy(row: Any) -> Deputy:
    return Deputy(
        tenant=TenantId(row.tenant),
        absent=UserId(row.absent),
        deputy=UserId(row.deputy),
        role=row.role,
        named_at=EpochSeconds(row.named_at),
        expires_at=EpochSeconds(row.expires_at),
    )
