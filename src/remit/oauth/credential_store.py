"""The SQL of what descends from a grant: codes, refresh tokens, revoked access tokens.

Only digests of codes and refresh tokens are kept. What may happen once happens
in one `UPDATE … RETURNING`, so that of two that race exactly one wins.

Source: O21 §4.1.3, §4.3.1; RFC 6749 §10.10.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from remit.clock import EpochSeconds
from remit.db import Prepared, Transaction, conflict_insert, metadata
from remit.ids import ClientId, GrantId
from remit.oauth.grant import AuthorizationCode, RefreshToken

__all__ = [
    "add_authorization_code",
    "add_refresh_token",
    "authorization_codes",
    "consume_authorization_code",
    "find_authorization_code",
    "find_refresh_token",
    "purge_expired_credentials",
    "refresh_tokens",
    "revoke_token",
    "revoked_tokens",
    "revoked_tokens_table",
    "use_refresh_token",
]

authorization_codes = Table(
    "authorization_codes",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("grant_id", Text, ForeignKey("grants.id"), nullable=False, index=True),
    Column("client_id", Text, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("code_challenge", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("consumed_at", BigInteger),
    Column("jkt", Text),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("grant_id", Text, ForeignKey("grants.id"), nullable=False, index=True),
    Column("issued_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("used_at", BigInteger),
)

revoked_tokens_table = Table(
    "revoked_tokens",
    metadata,
    Column("jti", Text, primary_key=True),
    Column("expires_at", BigInteger, nullable=False, index=True),
)


# Built once: these run at every refresh, and building one costs as much as executing it.
_ADD_REFRESH_TOKEN = Prepared(insert(refresh_tokens), columns=tuple(refresh_tokens.c.keys()))
_USE_REFRESH_TOKEN = Prepared(
    update(refresh_tokens)
    .where(refresh_tokens.c.digest == bindparam("token"), refresh_tokens.c.used_at.is_(None))
    .values(used_at=bindparam("now"))
    .returning(*refresh_tokens.c)
)
_ADD_CODE = Prepared(insert(authorization_codes), columns=tuple(authorization_codes.c.keys()))
_USE_CODE = Prepared(
    update(authorization_codes)
    .where(
        authorization_codes.c.digest == bindparam("code"),
        authorization_codes.c.consumed_at.is_(None),
    )
    .values(consumed_at=bindparam("now"))
    .returning(*authorization_codes.c)
)


# -- authorization codes --------------------------------------------------------


def add_authorization_code(tx: Transaction, code: AuthorizationCode) -> None:
    """Store the digest of a new code and what it is bound to."""
    _ADD_CODE.run(
        tx,
        digest=code.digest,
        grant_id=code.grant_id,
        client_id=code.client_id,
        redirect_uri=code.redirect_uri,
        code_challenge=code.code_challenge,
        expires_at=code.expires_at,
        consumed_at=code.consumed_at,
        jkt=code.jkt,
    )


def find_authorization_code(tx: Transaction, code_digest: str) -> AuthorizationCode | None:
    """The code of that digest, spent or not."""
    row = tx.connection.execute(
        select(authorization_codes).where(authorization_codes.c.digest == code_digest)
    ).one_or_none()
    return None if row is None else _code(row)


def consume_authorization_code(
    tx: Transaction, code_digest: str, *, now: EpochSeconds
) -> AuthorizationCode | None:
    """Spend the code, once: `None` if it is unknown or was spent before. Expiry is the caller's to check."""
    row = _USE_CODE.one_or_none(tx, code=code_digest, now=now)
    return None if row is None else _code(row)


# -- refresh tokens -------------------------------------------------------------


def add_refresh_token(tx: Transaction, token: RefreshToken) -> None:
    """Store the digest of a new refresh token."""
    _ADD_REFRESH_TOKEN.run(
        tx,
        digest=token.digest,
        grant_id=token.grant_id,
        issued_at=token.issued_at,
        expires_at=token.expires_at,
        used_at=token.used_at,
    )


def find_refresh_token(tx: Transaction, token_digest: str) -> RefreshToken | None:
    """The refresh token of that digest, used or not."""
    row = tx.connection.execute(
        select(refresh_tokens).where(refresh_tokens.c.digest == token_digest)
    ).one_or_none()
    return None if row is None else _refresh_token(row)


def use_refresh_token(
    tx: Transaction, token_digest: str, *, now: EpochSeconds
) -> RefreshToken | None:
    """Spend the token, once: `None` if it is unknown or was spent before. Expiry is the caller's to check."""
    row = _USE_REFRESH_TOKEN.one_or_none(tx, token=token_digest, now=now)
    return None if row is None else _refresh_token(row)


# -- access tokens revoked one by one -------------------------------------------


def revoke_token(tx: Transaction, jti: str, *, expires_at: EpochSeconds) -> bool:
    """Remember until `expires_at` that the access token `jti` is revoked; `False` if it was already."""
    statement = conflict_insert(tx, revoked_tokens_table).values(jti=jti, expires_at=expires_at)
    # Not by `rowcount`: psycopg gives none for this statement.
    added = statement.on_conflict_do_nothing().returning(revoked_tokens_table.c.jti)
    return tx.connection.execute(added).one_or_none() is not None


def revoked_tokens(tx: Transaction, now: EpochSeconds) -> Mapping[str, EpochSeconds]:
    """The access tokens revoked one by one that would still hold at `now`, each with its expiry."""
    rows = tx.connection.execute(
        select(revoked_tokens_table).where(revoked_tokens_table.c.expires_at > now)
    )
    return MappingProxyType({row.jti: EpochSeconds(row.expires_at) for row in rows})


def purge_expired_credentials(tx: Transaction, *, before: EpochSeconds) -> int:
    """Delete codes, refresh tokens and revoked access tokens that expired before that; how many.

    Spent codes and refresh tokens stay until then, so that their reuse is seen.
    """
    deleted = 0
    for table in (authorization_codes, refresh_tokens, revoked_tokens_table):
        deleted += tx.connection.execute(delete(table).where(table.c.expires_at < before)).rowcount
    return deleted


# -- rows -----------------------------------------------------------------------


def _code(row: Any) -> AuthorizationCode:
    return AuthorizationCode(
        digest=row.digest,
        grant_id=GrantId(row.grant_id),
        client_id=ClientId(row.client_id),
        redirect_uri=row.redirect_uri,
        code_challenge=row.code_challenge,
        expires_at=EpochSeconds(row.expires_at),
        consumed_at=None if row.consumed_at is None else EpochSeconds(row.consumed_at),
        jkt=row.jkt,
    )


def _refresh_token(row: Any) -> RefreshToken:
    return RefreshToken(
        digest=row.digest,
        grant_id=GrantId(row.grant_id),
        issued_at=EpochSeconds(row.issued_at),
        expires_at=EpochSeconds(row.expires_at),
        used_at=None if row.used_at is None else EpochSeconds(row.used_at),
    )
