"""The SQL of the keys that records are sealed under: one for each subject and month of each process.

A key lies sealed under the master key; of a destroyed one nothing is left but that there was one. SQLite overwrites what
is deleted; in PostgreSQL, and in copies, it is gone once those rows are (docs/guides/retention.md).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import BigInteger, Column, Index, Table, Text, delete, select, update

from remit.audit.subject_keys import KeyOwner
from remit.clock import EpochSeconds
from remit.db import Transaction, conflict_insert, metadata
from remit.secrets import SecretBox

__all__ = [
    "KeyRow",
    "add_keys",
    "destroy_keys",
    "destroyed_among",
    "live_keys",
    "months_held",
    "name_owners",
    "remove_unused",
    "seal_keys",
    "unowned_keys",
]

seal_keys = Table(
    "seal_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("process", Text, nullable=False),
    Column("tenant", Text, nullable=True),
    Column("subject", Text, nullable=True),
    Column("month", Text, nullable=True),
    Column("ciphertext", Text, nullable=True),
    Column("made_at", BigInteger, nullable=False),
    Column("destroyed_at", BigInteger, nullable=True),
    Index("ix_seal_keys_subject", "tenant", "subject"),
    Index("ix_seal_keys_process", "process"),
)

_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A key to keep. `owner`, whose subject is a digest, is `None` for one that nobody has yet."""

    id: str
    key: bytes = field(repr=False)
    owner: KeyOwner | None = None


def add_keys(
    tx: Transaction, box: SecretBox, rows: Iterable[KeyRow], *, process: str, now: EpochSeconds
) -> None:
    """Keep `rows`, which `process` seals with. One that is there already stays as it is."""
    values = [
        {
            "id": row.id,
            "process": process,
            "tenant": row.owner.tenant if row.owner else None,
            "subject": row.owner.subject if row.owner else None,
            "month": row.owner.month if row.owner else None,
            "ciphertext": box.seal(_name(row.id), row.key),
            "made_at": now,
        }
        for row in rows
    ]
    if values:
        statement = conflict_insert(tx, seal_keys).on_conflict_do_nothing()
        tx.connection.execute(statement, values)


def name_owners(tx: Transaction, owners: Iterable[tuple[str, KeyOwner]]) -> None:
    """Say whose the keys of those ids are, of which nobody knew; what was destroyed meanwhile stays so."""
    for key_id, owner in owners:
        tx.connection.execute(
            update(seal_keys)
            .where(seal_keys.c.id == key_id, seal_keys.c.subject.is_(None))
            .values(tenant=owner.tenant, subject=owner.subject, month=owner.month)
        )


def live_keys(
    tx: Transaction, box: SecretBox, *, ids: Sequence[str] | None = None, tenant: str | None = None
) -> dict[str, bytes]:
    """The keys that were not destroyed, by their ids: those of `ids`, or those of `tenant` and of nobody yet, or all.

    Raises:
        SealBrokenError: one was sealed with another master key, or changed.
    """
    asked = select(seal_keys.c.id, seal_keys.c.ciphertext).where(
        seal_keys.c.ciphertext.is_not(None)
    )
    if ids is not None:
        asked = asked.where(seal_keys.c.id.in_(ids))
    if tenant is not None:
        asked = asked.where((seal_keys.c.tenant == tenant) | seal_keys.c.tenant.is_(None))
    return {row.id: box.open(_name(row.id), row.ciphertext) for row in tx.connection.execute(asked)}


def destroy_keys(
    tx: Transaction,
    *,
    tenant: str,
    now: EpochSeconds,
    subject: str | None = None,
    month: str | None = None,
) -> int:
    """Destroy the keys of `tenant` about `subject`, or those of `month`; how many there were."""
    if tx.connection.dialect.name == "sqlite":
        tx.connection.exec_driver_sql("PRAGMA secure_delete=ON")
    meant = update(seal_keys).where(
        seal_keys.c.tenant == tenant, seal_keys.c.ciphertext.is_not(None)
    )
    if subject is not None:
        meant = meant.where(seal_keys.c.subject == subject)
    if month is not None:
        meant = meant.where(seal_keys.c.month == month)
    return tx.connection.execute(meant.values(ciphertext=None, destroyed_at=now)).rowcount


def destroyed_among(tx: Transaction, ids: Sequence[str]) -> list[str]:
    """Which of `ids` were destroyed."""
    found: list[str] = []
    for begin in range(0, len(ids), _AT_ONCE):
        some = ids[begin : begin + _AT_ONCE]
        asked = select(seal_keys.c.id).where(
            seal_keys.c.id.in_(some), seal_keys.c.destroyed_at.is_not(None)
        )
        found += tx.connection.execute(asked).scalars()
    return found


def months_held(tx: Transaction, *, before: str) -> list[tuple[str, str, str]]:
    """Tenant, subject and month of the live keys of months before that one."""
    asked = (
        select(seal_keys.c.tenant, seal_keys.c.subject, seal_keys.c.month)
        .where(seal_keys.c.ciphertext.is_not(None), seal_keys.c.month < before)
        .distinct()
    )
    return [(row.tenant, row.subject, row.month) for row in tx.connection.execute(asked)]


def unowned_keys(tx: Transaction, *, instance: str, but: str) -> list[tuple[str, EpochSeconds]]:
    """Keys of earlier processes of `instance` that nobody is known to have, with when they were made; `but` not of that process."""
    asked = select(seal_keys.c.id, seal_keys.c.made_at).where(
        seal_keys.c.process.startswith(f"{instance}/", autoescape=True),
        seal_keys.c.process != but,
        seal_keys.c.subject.is_(None),
        seal_keys.c.ciphertext.is_not(None),
    )
    return [(row.id, EpochSeconds(row.made_at)) for row in tx.connection.execute(asked)]


def remove_unused(tx: Transaction, ids: Sequence[str]) -> int:
    """Delete keys that sealed nothing; how many."""
    removed = 0
    for begin in range(0, len(ids), _AT_ONCE):
        some = ids[begin : begin + _AT_ONCE]
        removed += tx.connection.execute(
            delete(seal_keys).where(seal_keys.c.id.in_(some), seal_keys.c.subject.is_(None))
        ).rowcount
    return removed


def _name(key_id: str) -> str:
    return f"record-key:{key_id}"
