"""The SQL of single-use assertions: each is remembered until it would have expired.

Source: RFC 7523 §3 (`jti`); AS-67.
"""

from sqlalchemy import BigInteger, Column, Table, Text, delete, select

from remit.canonical import canonical_text
from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction, conflict_insert, metadata
from remit.ids import digest

__all__ = ["has_been_seen", "purge_expired_assertions", "remember_once", "seen_assertions"]

seen_assertions = Table(
    "seen_assertions",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

_LONGER: Seconds = Seconds(60)
"""Another instance's clock may be behind ours, and would still take what we have forgotten."""


def remember_once(tx: Transaction, issuer: str, jti: str, expires_at: EpochSeconds) -> bool:
    """Whether this is the first time that `issuer` uses `jti`; of two that race it is for one.

    `issuer` is who signs, in a name that no other kind of signer has. Undone with the
    transaction: what is refused is not used up.
    """
    row = {
        "digest": _digest(issuer, jti),
        "expires_at": expires_at + _LONGER,
    }
    remembered = (
        conflict_insert(tx, seen_assertions)
        .values(row)
        .on_conflict_do_nothing(index_elements=[seen_assertions.c.digest])
        .returning(seen_assertions.c.digest)
    )
    return tx.connection.execute(remembered).one_or_none() is not None


def has_been_seen(tx: Transaction, issuer: str, jti: str) -> bool:
    """Whether `issuer` used `jti` before. Whoever is to use it up asks `remember_once` instead."""
    found = select(seen_assertions.c.digest).where(seen_assertions.c.digest == _digest(issuer, jti))
    return tx.connection.execute(found).one_or_none() is not None


def purge_expired_assertions(tx: Transaction, *, before: EpochSeconds) -> int:
    """Forget the assertions that would have expired before then; how many."""
    expired = delete(seen_assertions).where(seen_assertions.c.expires_at < before)
    return tx.connection.execute(expired).rowcount


def _digest(issuer: str, jti: str) -> str:
    """Over a list: no two pairs run into one text."""
    return digest(canonical_text([issuer, jti]))
