"""The SQL of secrets that an administrator had sealed in the database."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Table, Text, delete, select

from remit.clock import EpochSeconds
from remit.db import Transaction, conflict_insert, metadata

__all__ = [
    "StoredSecret",
    "find_stored_secret",
    "list_stored_secrets",
    "put_stored_secret",
    "remove_stored_secret",
    "sealed_values",
    "stored_secrets",
]

stored_secrets = Table(
    "stored_secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("ciphertext", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("changed_by", Text, nullable=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSecret:
    """What may be known of a secret: everything but the secret."""

    name: str
    created_at: EpochSeconds
    changed_at: EpochSeconds
    changed_by: str | None


_SHOWN = (
    stored_secrets.c.name,
    stored_secrets.c.created_at,
    stored_secrets.c.changed_at,
    stored_secrets.c.changed_by,
)


def list_stored_secrets(tx: Transaction) -> tuple[StoredSecret, ...]:
    """Every secret, by name."""
    rows = tx.connection.execute(select(*_SHOWN).order_by(stored_secrets.c.name))
    return tuple(
        StoredSecret(
            name=row.name,
            created_at=EpochSeconds(row.created_at),
            changed_at=EpochSeconds(row.changed_at),
            changed_by=row.changed_by,
        )
        for row in rows
    )


def find_stored_secret(tx: Transaction, name: str) -> StoredSecret | None:
    """The secret of that name."""
    row = tx.connection.execute(select(*_SHOWN).where(stored_secrets.c.name == name)).one_or_none()
    if row is None:
        return None
    return StoredSecret(
        name=row.name,
        created_at=EpochSeconds(row.created_at),
        changed_at=EpochSeconds(row.changed_at),
        changed_by=row.changed_by,
    )


def sealed_values(tx: Transaction) -> Mapping[str, str]:
    """Every secret, still sealed, by name."""
    rows = tx.connection.execute(select(stored_secrets.c.name, stored_secrets.c.ciphertext))
    return {row.name: row.ciphertext for row in rows}


def put_stored_secret(
    tx: Transaction, name: str, *, ciphertext: str, now: EpochSeconds, changed_by: str | None
) -> None:
    """Keep `ciphertext` as `name`, in the place of what was there."""
    values = {"ciphertext": ciphertext, "changed_at": now, "changed_by": changed_by}
    statement = conflict_insert(tx, stored_secrets).values(name=name, created_at=now, **values)
    tx.connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


def remove_stored_secret(tx: Transaction, name: str) -> bool:
    """Delete the secret of that name; whether there was one."""
    row = tx.connection.execute(
        delete(stored_secrets).where(stored_secrets.c.name == name).returning(stored_secrets.c.name)
    ).one_or_none()
    return row is not None
