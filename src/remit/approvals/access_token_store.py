"""The SQL of which access tokens say something by access for a while, so that they end with it."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Table, Text, delete

from remit.clock import EpochSeconds
from remit.db import Transaction, conflict_insert, metadata
from remit.ids import GrantId

__all__ = ["RestingToken", "access_tokens", "forget_tokens", "note_tokens", "take_tokens"]

access_tokens = Table(
    "access_tokens",
    metadata,
    Column("access_id", Text, primary_key=True),
    Column("jti", Text, primary_key=True),
    Column("grant_id", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestingToken:
    """An access token that says something only because of an access."""

    jti: str
    grant_id: GrantId
    expires_at: EpochSeconds


def note_tokens(tx: Transaction, access_ids: Iterable[str], token: RestingToken) -> None:
    """Note that `token` says something because of each of `access_ids`."""
    rows = [
        {"access_id": one, "jti": token.jti, "grant_id": token.grant_id, "expires_at": token.expires_at}
        for one in access_ids
    ]  # fmt: skip
    if rows:
        tx.connection.execute(
            conflict_insert(tx, access_tokens).values(rows).on_conflict_do_nothing()
        )


def take_tokens(tx: Transaction, access_id: str, *, now: EpochSeconds) -> tuple[RestingToken, ...]:
    """The tokens that rest on it and still hold, which are forgotten with this."""
    taken = (
        delete(access_tokens)
        .where(access_tokens.c.access_id == access_id)
        .returning(*access_tokens.c)
    )
    return tuple(
        RestingToken(
            jti=row.jti, grant_id=GrantId(row.grant_id), expires_at=EpochSeconds(row.expires_at)
        )
        for row in tx.connection.execute(taken)
        if row.expires_at > now
    )


def forget_tokens(tx: Transaction, *, before: EpochSeconds) -> int:
    """Forget what has expired by itself; how many."""
    gone = delete(access_tokens).where(access_tokens.c.expires_at < before)
    return tx.connection.execute(gone).rowcount
