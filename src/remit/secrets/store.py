"""The SQL of sealed secrets."""

from sqlalchemy import BigInteger, Column, Table, Text, delete, select

from remit.clock import EpochSeconds
from remit.db import Transaction, conflict_insert, metadata
from remit.secrets.box import SecretBox

__all__ = ["forget_secret", "keep_secret", "sealed_secret"]

sealed_secrets = Table(
    "sealed_secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("ciphertext", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)


def sealed_secret(tx: Transaction, box: SecretBox, name: str) -> bytes | None:
    """The secret kept as `name`, opened.

    Raises:
        SealBrokenError: it was sealed with another master key, or changed.
    """
    row = tx.connection.execute(
        select(sealed_secrets.c.ciphertext).where(sealed_secrets.c.name == name)
    ).scalar()
    return None if row is None else box.open(name, row)


def keep_secret(
    tx: Transaction, box: SecretBox, name: str, *, secret: bytes, now: EpochSeconds
) -> bytes:
    """Keep `secret` as `name` unless there is one already; the one that is kept now.

    Two processes that start at once so agree on one.
    """
    statement = conflict_insert(tx, sealed_secrets).values(
        name=name, ciphertext=box.seal(name, secret), created_at=now
    )
    tx.connection.execute(statement.on_conflict_do_nothing())
    kept = sealed_secret(tx, box, name)
    return secret if kept is None else kept


def forget_secret(tx: Transaction, name: str) -> None:
    """Remove what is kept as `name`, if anything is."""
    tx.connection.execute(delete(sealed_secrets).where(sealed_secrets.c.name == name))
