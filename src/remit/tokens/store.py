"""The SQL of signing keys: public parts in clear, private parts sealed.

Refuses a key whose seal is broken, or whose private part is not the key of its name. What
a retired key could sign with is not kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Row, Table, Text, func, insert, select, text, update

from remit.canonical import canonical_text
from remit.clock import EpochSeconds
from remit.db import Transaction, metadata
from remit.secrets import SecretBox
from remit.tokens.keys import ALGORITHM, SigningKey

__all__ = [
    "StoredKey",
    "hold_keys",
    "list_keys",
    "mark_retired",
    "put_key",
    "read_keys",
    "set_retirement",
    "signing_keys",
]

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("alg", Text, nullable=False),
    Column("public_jwk", Text, nullable=False),
    Column("sealed_private", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("retired_at", BigInteger),
    Column("signs_from", BigInteger),
    Column("retires_at", BigInteger),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """What may be known of a key, retired ones included. `retires_at`: by itself, if nobody does it before."""

    kid: str
    algorithm: str
    created_at: EpochSeconds
    signs_from: EpochSeconds
    retires_at: EpochSeconds | None
    retired_at: EpochSeconds | None


def read_keys(tx: Transaction, box: SecretBox) -> tuple[SigningKey, ...]:
    """Every key that is not retired, newest first.

    Raises:
        SealBrokenError: a key was sealed with another master key.
        UnusableKeyError: a sealed key is not the one its name says.
    """
    rows = tx.connection.execute(
        select(signing_keys)
        .where(signing_keys.c.retired_at.is_(None))
        .order_by(signing_keys.c.created_at.desc(), signing_keys.c.kid.desc())
    )
    return tuple(
        SigningKey.from_private_pem(
            box.open(_seal_name(row.kid), row.sealed_private),
            kid=row.kid,
            created_at=EpochSeconds(row.created_at),
            signs_from=None if row.signs_from is None else EpochSeconds(row.signs_from),
        )
        for row in rows
    )


def list_keys(tx: Transaction, *, retired: bool = True) -> tuple[StoredKey, ...]:
    """Every key, newest first; without the retired ones when `retired` is false."""
    begins = func.coalesce(signing_keys.c.signs_from, signing_keys.c.created_at)
    statement = select(signing_keys).order_by(
        begins.desc(), signing_keys.c.created_at.desc(), signing_keys.c.kid.desc()
    )
    if not retired:
        statement = statement.where(signing_keys.c.retired_at.is_(None))
    return tuple(_stored(row) for row in tx.connection.execute(statement))


def put_key(tx: Transaction, box: SecretBox, key: SigningKey) -> None:
    """Store `key`, sealed."""
    tx.connection.execute(
        insert(signing_keys).values(
            kid=key.kid,
            alg=ALGORITHM,
            public_jwk=canonical_text(key.public_jwk),
            sealed_private=box.seal(_seal_name(key.kid), key.private_pem),
            created_at=key.created_at,
            signs_from=key.signs_from,
        )
    )


def set_retirement(tx: Transaction, kids: Iterable[str], *, at: EpochSeconds) -> None:
    """Let these keys retire by themselves at `at`, if nothing was said of them before."""
    tx.connection.execute(
        update(signing_keys)
        .where(
            signing_keys.c.kid.in_(list(kids)),
            signing_keys.c.retired_at.is_(None),
            signing_keys.c.retires_at.is_(None),
        )
        .values(retires_at=at)
    )


def mark_retired(tx: Transaction, kid: str, *, now: EpochSeconds) -> bool:
    """Let nothing that `kid` signed be believed any more; whether it was in force until now."""
    statement = (
        update(signing_keys)
        .where(signing_keys.c.kid == kid, signing_keys.c.retired_at.is_(None))
        .values(retired_at=now, sealed_private="")
    )
    return tx.connection.execute(statement).rowcount == 1


def hold_keys(tx: Transaction) -> None:
    """Let processes that would change keys at once do so one after the other. SQLite has one writer anyway."""
    if tx.connection.dialect.name == "postgresql":
        tx.connection.execute(text("LOCK TABLE signing_keys IN EXCLUSIVE MODE"))


def _stored(row: Row[Any]) -> StoredKey:
    return StoredKey(
        kid=row.kid,
        algorithm=row.alg,
        created_at=EpochSeconds(row.created_at),
        signs_from=EpochSeconds(row.created_at if row.signs_from is None else row.signs_from),
        retires_at=None if row.retires_at is None else EpochSeconds(row.retires_at),
        retired_at=None if row.retired_at is None else EpochSeconds(row.retired_at),
    )


def _seal_name(kid: str) -> str:
    return f"signing_key:{kid}"
