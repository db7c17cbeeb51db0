"""The SQL of the keys that records are sealed under: one for each subject and month of each process.

Who has a key is written a moment after it was given out, maybe by another process than the one that erases: so each erasure
leaves a row of its own, without a key, and a key that is told of afterwards and was given before it is destroyed then.

A key lies sealed under the master key; of a destroyed one nothing is left but that there was one. SQLite overwrites what
is deleted; in PostgreSQL, and in copies, it is gone once those rows are (docs/guides/retention.md).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    text,
    update,
)

from remit.audit.subject_keys import KeyOwner
from remit.clock import EpochSeconds
from remit.db import Transaction, conflict_insert, metadata
from remit.ids import new_id
from remit.secrets import SecretBox

__all__ = [
    "Given",
    "KeyRow",
    "add_keys",
    "destroy_keys",
    "destroy_unowned",
    "destroyed_among",
    "is_known",
    "live_keys",
    "lock_custody",
    "months_held",
    "name_owners",
    "note_erasure",
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
_ERASURE: Final = "erasure:"
_CLOCKS: Final = 5
"""Seconds by which the clocks of two processes may differ."""
_LOCK: Final = 0x72656D_637573
"""The key of PostgreSQL's advisory lock: any number that nothing else uses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A key to keep, which nobody has yet."""

    id: str
    key: bytes = field(repr=False)


def add_keys(
    tx: Transaction, box: SecretBox, rows: Iterable[KeyRow], *, process: str, now: EpochSeconds
) -> None:
    """Keep `rows`, which `process` seals with. One that is there already stays as it is."""
    values = [
        {
            "id": row.id,
            "process": process,
            "ciphertext": box.seal(_name(row.id), row.key),
            "made_at": now,
        }
        for row in rows
    ]
    if values:
        statement = conflict_insert(tx, seal_keys).on_conflict_do_nothing()
        tx.connection.execute(statement, values)


@dataclass(frozen=True, slots=True)
class Given:
    """That the key `id` was given to `owner`, whose subject is a digest, at that moment."""

    id: str
    owner: KeyOwner
    at: EpochSeconds


def lock_custody(tx: Transaction) -> None:
    """Until `tx` ends nobody else holds, erases or says whose a key is. SQLite has one writer anyway."""
    if tx.connection.dialect.name == "postgresql":
        tx.connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def name_owners(tx: Transaction, given: Iterable[Given], *, process: str, now: EpochSeconds) -> int:
    """Say whose keys those are, of which nobody knew; what was destroyed meanwhile stays so.

    A key of somebody whom another process than `process` erased after it was given is destroyed; how many those were.
    """
    destroyed = 0
    for one in given:
        owner = one.owner
        tx.connection.execute(
            update(seal_keys)
            .where(seal_keys.c.id == one.id, seal_keys.c.subject.is_(None))
            .values(tenant=owner.tenant, subject=owner.subject, month=owner.month)
        )
        erased = select(func.max(seal_keys.c.destroyed_at)).where(
            seal_keys.c.process.startswith(_ERASURE),
            seal_keys.c.process != _ERASURE + process,
            seal_keys.c.tenant == owner.tenant,
            seal_keys.c.subject == owner.subject,
        )
        last = tx.connection.execute(erased).scalar_one()
        if last is not None and one.at <= last + _CLOCKS:
            destroyed += _destroy(tx, now, seal_keys.c.id == one.id)
    return destroyed


def note_erasure(
    tx: Transaction, *, tenant: str, subject: str, process: str, now: EpochSeconds
) -> None:
    """Keep that `process` erased `subject`, a digest: of what others gave out until then nothing stays."""
    tx.connection.execute(
        insert(seal_keys).values(
            id=new_id("era"), process=_ERASURE + process, tenant=tenant, subject=subject, made_at=now, destroyed_at=now
        )
    )  # fmt: skip


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
    which = [seal_keys.c.tenant == tenant]
    if subject is not None:
        which.append(seal_keys.c.subject == subject)
    if month is not None:
        which.append(seal_keys.c.month == month)
    return _destroy(tx, now, *which)


def destroy_unowned(tx: Transaction, *, before: EpochSeconds, now: EpochSeconds) -> int:
    """Destroy the keys that nobody is known to have and that were made before that; how many there were."""
    return _destroy(tx, now, seal_keys.c.subject.is_(None), seal_keys.c.made_at < before)


def _destroy(tx: Transaction, now: EpochSeconds, *which: ColumnElement[bool]) -> int:
    if tx.connection.dialect.name == "sqlite":
        tx.connection.exec_driver_sql("PRAGMA secure_delete=ON")
    meant = update(seal_keys).where(seal_keys.c.ciphertext.is_not(None), *which)
    return tx.connection.execute(meant.values(ciphertext=None, destroyed_at=now)).rowcount


def is_known(tx: Transaction, *, tenant: str, subject: str) -> bool:
    """Whether anything was ever sealed about `subject`, a digest."""
    asked = select(seal_keys.c.id).where(
        seal_keys.c.tenant == tenant,
        seal_keys.c.subject == subject,
        ~seal_keys.c.process.startswith(_ERASURE),
    )
    return tx.connection.execute(asked.limit(1)).first() is not None


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
