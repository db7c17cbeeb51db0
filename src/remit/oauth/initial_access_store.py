"""The SQL of initial access tokens: who may register a client where not everybody may.

A use is one statement that names all that must hold, so that of any number of requests at
once no more than `uses_left` succeed.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Integer,
    Row,
    Table,
    Text,
    insert,
    select,
    update,
)

from remit.clock import EpochSeconds
from remit.db import Transaction, metadata
from remit.model import Environment

__all__ = [
    "InitialAccessToken",
    "add_token",
    "find_usable_token",
    "initial_access_tokens",
    "mark_revoked",
    "select_token",
    "select_tokens",
    "spend_use",
]

initial_access_tokens = Table(
    "initial_access_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("owner", Text, nullable=False),
    Column("environment", Text),
    Column("note", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("uses_left", Integer, nullable=False),
    Column("revoked_at", BigInteger),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InitialAccessToken:
    """A token without its secret. Clients it registers are `owner`'s, and of `environment` if given."""

    id: str
    owner: str
    environment: Environment | None
    note: str
    created_by: str
    created_at: EpochSeconds
    expires_at: EpochSeconds
    uses_left: int
    revoked_at: EpochSeconds | None = None

    def is_usable(self, now: EpochSeconds) -> bool:
        """Whether a client can be registered with it."""
        return self.revoked_at is None and self.uses_left > 0 and now < self.expires_at


def add_token(tx: Transaction, token: InitialAccessToken, *, secret_digest: str) -> None:
    """Store a new token, of whose secret only the digest is kept."""
    tx.connection.execute(
        insert(initial_access_tokens).values(
            id=token.id,
            digest=secret_digest,
            owner=token.owner,
            environment=token.environment,
            note=token.note,
            created_by=token.created_by,
            created_at=token.created_at,
            expires_at=token.expires_at,
            uses_left=token.uses_left,
            revoked_at=token.revoked_at,
        )
    )


def select_tokens(tx: Transaction) -> tuple[InitialAccessToken, ...]:
    """Every token, good or not, newest first."""
    table = initial_access_tokens
    rows = tx.connection.execute(select(table).order_by(table.c.created_at.desc(), table.c.id))
    return tuple(_token(row) for row in rows)


def select_token(tx: Transaction, token_id: str) -> InitialAccessToken | None:
    """The token of that identifier, good or not."""
    table = initial_access_tokens
    row = tx.connection.execute(select(table).where(table.c.id == token_id)).one_or_none()
    return None if row is None else _token(row)


def find_usable_token(
    tx: Transaction, secret_digest: str, *, now: EpochSeconds
) -> InitialAccessToken | None:
    """The token of that digest, if a client could be registered with it now."""
    row = tx.connection.execute(
        select(initial_access_tokens).where(*_usable(secret_digest, now))
    ).one_or_none()
    return None if row is None else _token(row)


def spend_use(
    tx: Transaction, secret_digest: str, *, now: EpochSeconds
) -> InitialAccessToken | None:
    """The token, one use less left on it; `None` if it has none, has ended, or never was."""
    table = initial_access_tokens
    row = tx.connection.execute(
        update(table)
        .where(*_usable(secret_digest, now))
        .values(uses_left=table.c.uses_left - 1)
        .returning(*table.c)
    ).one_or_none()
    return None if row is None else _token(row)


def mark_revoked(tx: Transaction, token_id: str, *, at: EpochSeconds) -> InitialAccessToken | None:
    """The token as it ended; `None` if it was revoked before or never was."""
    table = initial_access_tokens
    row = tx.connection.execute(
        update(table)
        .where(table.c.id == token_id, table.c.revoked_at.is_(None))
        .values(revoked_at=at)
        .returning(*table.c)
    ).one_or_none()
    return None if row is None else _token(row)


def _usable(secret_digest: str, now: EpochSeconds) -> tuple[ColumnElement[bool], ...]:
    table = initial_access_tokens
    return (
        table.c.digest == secret_digest,
        table.c.revoked_at.is_(None),
        table.c.expires_at > now,
        table.c.uses_left > 0,
    )


def _token(row: Row[Any]) -> InitialAccessToken:
    return InitialAccessToken(
        id=row.id,
        owner=row.owner,
        environment=None if row.environment is None else Environment(row.environment),
        note=row.note,
        created_by=row.created_by,
        created_at=EpochSeconds(row.created_at),
        expires_at=EpochSeconds(row.expires_at),
        uses_left=row.uses_left,
        revoked_at=None if row.revoked_at is None else EpochSeconds(row.revoked_at),
    )
