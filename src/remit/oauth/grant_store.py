"""The SQL of grants and of what descends from them: codes, refresh tokens, revoked access tokens.

Only digests of codes and refresh tokens are kept. What may happen once happens
in one `UPDATE … RETURNING`, so that of two that race exactly one wins. Grants
are not deleted: an access review needs those that ended.

Source: O21 §4.1.3, §4.3.1; RFC 6749 §10.10.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    ForeignKey,
    Row,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from remit.canonical import canonical_text
from remit.clock import EpochSeconds
from remit.db import Transaction, conflict_insert, metadata
from remit.ids import AgentId, ClientId, GrantId, ScopeName, TenantId, UserId
from remit.model import Environment
from remit.oauth.grant import AuthorizationCode, Grant, GrantFilter, GrantKind, RefreshToken

__all__ = [
    "add_authorization_code",
    "add_grant",
    "add_refresh_token",
    "authorization_codes",
    "consume_authorization_code",
    "find_authorization_code",
    "find_equal_workload_grant",
    "find_grant",
    "find_refresh_token",
    "grants",
    "mark_revoked",
    "purge_expired_credentials",
    "refresh_tokens",
    "revoke_token",
    "revoked_grants",
    "revoked_tokens",
    "revoked_tokens_table",
    "select_grants",
    "use_grant",
    "use_refresh_token",
]

grants = Table(
    "grants",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("user_id", Text, ForeignKey("users.id"), index=True),
    Column("client_id", Text, nullable=False, index=True),
    Column("agent_id", Text, nullable=False, index=True),
    Column("tenant", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("auth_time", BigInteger),
    Column("acr", Text),
    Column("amr", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("revoked_at", BigInteger, index=True),
    Column("revoke_reason", Text),
)

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
_USE_GRANT = (
    update(grants)
    .where(
        grants.c.id == bindparam("grant"),
        grants.c.revoked_at.is_(None),
        grants.c.expires_at > bindparam("now"),
    )
    .values(last_used_at=bindparam("now"))
    .returning(*grants.c)
)
_ADD_REFRESH_TOKEN = insert(refresh_tokens)
_USE_REFRESH_TOKEN = (
    update(refresh_tokens)
    .where(refresh_tokens.c.digest == bindparam("token"), refresh_tokens.c.used_at.is_(None))
    .values(used_at=bindparam("now"))
    .returning(*refresh_tokens.c)
)


# -- grants -------------------------------------------------------------------


def add_grant(tx: Transaction, grant: Grant) -> None:
    """Store a new grant."""
    tx.connection.execute(
        insert(grants).values(
            id=grant.id,
            kind=grant.kind.value,
            user_id=grant.user_id,
            client_id=grant.client_id,
            agent_id=grant.agent_id,
            tenant=grant.tenant,
            environment=grant.environment,
            resource=grant.resource,
            scopes=canonical_text(list(grant.scopes)),
            purpose=grant.purpose,
            auth_time=grant.auth_time,
            acr=grant.acr,
            amr=canonical_text(list(grant.amr)),
            created_at=grant.created_at,
            last_used_at=grant.last_used_at,
            expires_at=grant.expires_at,
            revoked_at=grant.revoked_at,
            revoke_reason=grant.revoke_reason,
        )
    )


def find_grant(tx: Transaction, grant_id: GrantId) -> Grant | None:
    """The grant of that id, live or ended."""
    row = tx.connection.execute(select(grants).where(grants.c.id == grant_id)).one_or_none()
    return None if row is None else _grant(row)


def find_equal_workload_grant(
    tx: Transaction, wanted: Grant, *, until: EpochSeconds
) -> Grant | None:
    """The oldest grant of a workload that says the same as `wanted` and is live until then."""
    same = (
        grants.c.kind == GrantKind.WORKLOAD.value,
        grants.c.client_id == wanted.client_id,
        grants.c.agent_id == wanted.agent_id,
        grants.c.tenant == wanted.tenant,
        grants.c.environment == wanted.environment,
        grants.c.resource == wanted.resource,
        grants.c.scopes == canonical_text(list(wanted.scopes)),
        grants.c.purpose == wanted.purpose,
    )
    row = tx.connection.execute(
        select(grants)
        .where(*same, *_live(until))
        .order_by(grants.c.created_at, grants.c.id)
        .limit(1)
    ).one_or_none()
    return None if row is None else _grant(row)


def select_grants(tx: Transaction, wanted: GrantFilter) -> tuple[Grant, ...]:
    """The grants that match, newest first."""
    statement = select(grants).order_by(grants.c.created_at.desc(), grants.c.id.desc())
    for column, value in (
        (grants.c.user_id, wanted.user_id),
        (grants.c.client_id, wanted.client_id),
        (grants.c.agent_id, wanted.agent_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if wanted.live_at is not None:
        statement = statement.where(*_live(wanted.live_at))
    return tuple(_grant(row) for row in tx.connection.execute(statement))


def use_grant(tx: Transaction, grant_id: GrantId, *, now: EpochSeconds) -> Grant | None:
    """The grant, its last use noted, if it is live at `now`; `None` if it has ended or never was."""
    row = tx.connection.execute(_USE_GRANT, {"grant": grant_id, "now": now}).one_or_none()
    return None if row is None else _grant(row)


def mark_revoked(
    tx: Transaction, grant_id: GrantId, *, at: EpochSeconds, reason: str
) -> Grant | None:
    """The grant as it ended, if it had not ended by revocation before; else `None`."""
    row = tx.connection.execute(
        update(grants)
        .where(grants.c.id == grant_id, grants.c.revoked_at.is_(None))
        .values(revoked_at=at, revoke_reason=reason)
        .returning(*grants.c)
    ).one_or_none()
    return None if row is None else _grant(row)


def revoked_grants(tx: Transaction, since: EpochSeconds) -> frozenset[GrantId]:
    """The grants revoked at `since` or later."""
    rows = tx.connection.execute(select(grants.c.id).where(grants.c.revoked_at >= since))
    return frozenset(GrantId(row.id) for row in rows)


# -- authorization codes --------------------------------------------------------


def add_authorization_code(tx: Transaction, code: AuthorizationCode) -> None:
    """Store the digest of a new code and what it is bound to."""
    tx.connection.execute(
        insert(authorization_codes).values(
            digest=code.digest,
            grant_id=code.grant_id,
            client_id=code.client_id,
            redirect_uri=code.redirect_uri,
            code_challenge=code.code_challenge,
            expires_at=code.expires_at,
            consumed_at=code.consumed_at,
        )
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
    row = tx.connection.execute(
        update(authorization_codes)
        .where(
            authorization_codes.c.digest == code_digest,
            authorization_codes.c.consumed_at.is_(None),
        )
        .values(consumed_at=now)
        .returning(*authorization_codes.c)
    ).one_or_none()
    return None if row is None else _code(row)


# -- refresh tokens -------------------------------------------------------------


def add_refresh_token(tx: Transaction, token: RefreshToken) -> None:
    """Store the digest of a new refresh token."""
    tx.connection.execute(
        _ADD_REFRESH_TOKEN,
        {
            "digest": token.digest,
            "grant_id": token.grant_id,
            "issued_at": token.issued_at,
            "expires_at": token.expires_at,
            "used_at": token.used_at,
        },
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
    spent = tx.connection.execute(_USE_REFRESH_TOKEN, {"token": token_digest, "now": now})
    row = spent.one_or_none()
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


def _live(now: EpochSeconds) -> tuple[ColumnElement[bool], ...]:
    return (grants.c.revoked_at.is_(None), grants.c.expires_at > now)


def _grant(row: Row[Any]) -> Grant:
    return Grant(
        id=GrantId(row.id),
        kind=GrantKind(row.kind),
        user_id=None if row.user_id is None else UserId(row.user_id),
        client_id=ClientId(row.client_id),
        agent_id=AgentId(row.agent_id),
        tenant=TenantId(row.tenant),
        environment=Environment(row.environment),
        resource=row.resource,
        scopes=tuple(ScopeName(scope) for scope in orjson.loads(row.scopes)),
        purpose=row.purpose,
        auth_time=None if row.auth_time is None else EpochSeconds(row.auth_time),
        acr=row.acr,
        amr=tuple(orjson.loads(row.amr)),
        created_at=EpochSeconds(row.created_at),
        last_used_at=EpochSeconds(row.last_used_at),
        expires_at=EpochSeconds(row.expires_at),
        revoked_at=None if row.revoked_at is None else EpochSeconds(row.revoked_at),
        revoke_reason=row.revoke_reason,
    )


def _code(row: Row[Any]) -> AuthorizationCode:
    return AuthorizationCode(
        digest=row.digest,
        grant_id=GrantId(row.grant_id),
        client_id=ClientId(row.client_id),
        redirect_uri=row.redirect_uri,
        code_challenge=row.code_challenge,
        expires_at=EpochSeconds(row.expires_at),
        consumed_at=None if row.consumed_at is None else EpochSeconds(row.consumed_at),
    )


def _refresh_token(row: Row[Any]) -> RefreshToken:
    return RefreshToken(
        digest=row.digest,
        grant_id=GrantId(row.grant_id),
        issued_at=EpochSeconds(row.issued_at),
        expires_at=EpochSeconds(row.expires_at),
        used_at=None if row.used_at is None else EpochSeconds(row.used_at),
    )
