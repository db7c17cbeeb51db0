"""The SQL of connections: what a third party issued to one person for one server, sealed.

A request for one is taken in one `UPDATE … RETURNING`; tokens are replaced only where they are still
those that were read, so that of two processes that refresh, one keeps what it got.
"""

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Row,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from remit.canonical import canonical_text
from remit.clock import EpochSeconds
from remit.db import Transaction, conflict_insert, metadata
from remit.ids import ClientId, ServerName, UserId

__all__ = [
    "Connection",
    "ConnectionRequest",
    "add_connection_request",
    "connection_requests",
    "connections",
    "connections_of",
    "find_connection",
    "keep_connection",
    "purge_connection_requests",
    "remove_connection",
    "replace_tokens",
    "take_connection_request",
]

connections = Table(
    "connections",
    metadata,
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    Column("server", Text, primary_key=True),
    Column("issuer", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("sealed_tokens", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
)

connection_requests = Table(
    "connection_requests",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("browser_digest", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("server", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("sealed_state", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("used_at", BigInteger),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """`scopes` are those that were asked of the third party; `expires_at` is of its access token."""

    user_id: UserId
    server: ServerName
    issuer: str
    scopes: tuple[str, ...]
    sealed_tokens: str
    created_at: EpochSeconds
    updated_at: EpochSeconds
    expires_at: EpochSeconds | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRequest:
    """A person was sent to a third party: `digest` is of the `state`, `browser_digest` of the cookie set then.

    `sealed_state` holds the PKCE verifier, the waiting authorization request and what was allowed of it.
    """

    digest: str
    browser_digest: str
    user_id: UserId
    client_id: ClientId
    server: ServerName
    issuer: str
    sealed_state: str
    created_at: EpochSeconds
    expires_at: EpochSeconds


def add_connection_request(tx: Transaction, request: ConnectionRequest) -> None:
    """Store that a person is sent to a third party."""
    tx.connection.execute(
        insert(connection_requests).values(
            digest=request.digest,
            browser_digest=request.browser_digest,
            user_id=request.user_id,
            client_id=request.client_id,
            server=request.server,
            issuer=request.issuer,
            sealed_state=request.sealed_state,
            created_at=request.created_at,
            expires_at=request.expires_at,
        )
    )


def take_connection_request(
    tx: Transaction, state_digest: str, *, browser_digest: str, server: str, now: EpochSeconds
) -> ConnectionRequest | None:
    """The request with that state in that browser for that server, once."""
    table = connection_requests
    row = tx.connection.execute(
        update(table)
        .where(
            table.c.digest == state_digest,
            table.c.browser_digest == browser_digest,
            table.c.server == server,
            table.c.used_at.is_(None),
            table.c.expires_at > now,
        )
        .values(used_at=now)
        .returning(*table.c)
    ).one_or_none()
    if row is None:
        return None
    return ConnectionRequest(
        digest=row.digest,
        browser_digest=row.browser_digest,
        user_id=UserId(row.user_id),
        client_id=ClientId(row.client_id),
        server=ServerName(row.server),
        issuer=row.issuer,
        sealed_state=row.sealed_state,
        created_at=EpochSeconds(row.created_at),
        expires_at=EpochSeconds(row.expires_at),
    )


def purge_connection_requests(tx: Transaction, *, before: EpochSeconds) -> int:
    """Delete the requests that expired before then; how many."""
    table = connection_requests
    return tx.connection.execute(delete(table).where(table.c.expires_at < before)).rowcount


def keep_connection(tx: Transaction, connection: Connection) -> None:
    """Keep `connection` in the place of what that person had for that server before."""
    values = {
        "issuer": connection.issuer,
        "scopes": canonical_text(list(connection.scopes)),
        "sealed_tokens": connection.sealed_tokens,
        "created_at": connection.created_at,
        "updated_at": connection.updated_at,
        "expires_at": connection.expires_at,
    }
    statement = conflict_insert(tx, connections).values(
        user_id=connection.user_id, server=connection.server, **values
    )
    tx.connection.execute(
        statement.on_conflict_do_update(index_elements=["user_id", "server"], set_=values)
    )


def find_connection(tx: Transaction, *, user_id: str, server: str) -> Connection | None:
    """What that person has for that server."""
    table = connections
    row = tx.connection.execute(
        select(table).where(table.c.user_id == user_id, table.c.server == server)
    ).one_or_none()
    return None if row is None else _connection(row)


def connections_of(tx: Transaction, user_id: str) -> tuple[Connection, ...]:
    """Every connection of that person, by server."""
    rows = tx.connection.execute(
        select(connections).where(connections.c.user_id == user_id).order_by(connections.c.server)
    )
    return tuple(_connection(row) for row in rows)


def replace_tokens(
    tx: Transaction,
    connection: Connection,
    *,
    sealed_tokens: str,
    expires_at: EpochSeconds | None,
    now: EpochSeconds,
) -> bool:
    """Keep new tokens in the place of those of `connection`; `False` if they are gone or others by now."""
    table = connections
    row = tx.connection.execute(
        update(table)
        .where(
            table.c.user_id == connection.user_id,
            table.c.server == connection.server,
            table.c.sealed_tokens == connection.sealed_tokens,
        )
        .values(sealed_tokens=sealed_tokens, expires_at=expires_at, updated_at=now)
        .returning(table.c.server)
    ).one_or_none()
    return row is not None


def remove_connection(
    tx: Transaction, *, user_id: str, server: str, sealed_tokens: str | None = None
) -> Connection | None:
    """Delete the connection, or only while it has `sealed_tokens`; what it was."""
    table = connections
    which = [table.c.user_id == user_id, table.c.server == server]
    if sealed_tokens is not None:
        which.append(table.c.sealed_tokens == sealed_tokens)
    row = tx.connection.execute(delete(table).where(*which).returning(*table.c)).one_or_none()
    return None if row is None else _connection(row)


def _connection(row: Row[Any]) -> Connection:
    return Connection(
        user_id=UserId(row.user_id),
        server=ServerName(row.server),
        issuer=row.issuer,
        scopes=tuple(orjson.loads(row.scopes)),
        sealed_tokens=row.sealed_tokens,
        created_at=EpochSeconds(row.created_at),
        updated_at=EpochSeconds(row.updated_at),
        expires_at=None if row.expires_at is None else EpochSeconds(row.expires_at),
    )
