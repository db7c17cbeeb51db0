"""The SQL of clients: those that registered, and the metadata documents that were fetched.

A static client has a row only once it was used or disabled; what it is stands in
the policy repository. Of a secret only the digest is kept. Which agent a client is
follows from the catalog in force, so `agent_id` here is what it was at the time.

Source: RFC 7591 §3; CIMD §5.2; RFC 6749 §10.10.
"""

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import BigInteger, Column, Row, Table, Text, delete, select, update

from remit.canonical import canonical_text
from remit.clock import EpochSeconds
from remit.db import Transaction, conflict_insert, metadata
from remit.ids import AgentId, ClientId
from remit.model import ClientKind
from remit.oauth.client_metadata import ClientMetadata, metadata_of_json, metadata_to_json

__all__ = [
    "StoredClient",
    "add_client",
    "clients",
    "disabled_clients",
    "mark_disabled",
    "mark_enabled",
    "note_use",
    "purge_unused_clients",
    "put_document",
    "select_client",
    "select_clients",
]

clients = Table(
    "clients",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("metadata", Text, nullable=False),
    Column("secret_digest", Text),
    Column("fingerprint", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger),
    Column("disabled_at", BigInteger),
    Column("fresh_until", BigInteger),
    Column("status", Text, nullable=False, server_default="admitted", index=True),
    Column("rule", Text),
    Column("owner", Text, nullable=False, server_default="nobody"),
    Column("environment", Text),
    Column("scopes", Text),
    Column("expires_at", BigInteger, index=True),
    Column("decided_at", BigInteger),
    Column("decided_by", Text),
    Column("initial_access_token", Text),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredClient:
    """A row. `metadata` is `None` for a static client; `fresh_until` is for documents alone."""

    client_id: ClientId
    kind: ClientKind
    agent_id: AgentId
    name: str
    metadata: ClientMetadata | None
    secret_digest: str | None
    fingerprint: str
    created_at: EpochSeconds
    last_used_at: EpochSeconds | None = None
    disabled_at: EpochSeconds | None = None
    fresh_until: EpochSeconds | None = None


def add_client(tx: Transaction, client: StoredClient) -> None:
    """Store a client that has no row yet; one that has keeps the one it has."""
    tx.connection.execute(
        conflict_insert(tx, clients).values(_values(client)).on_conflict_do_nothing()
    )


def put_document(tx: Transaction, client: StoredClient) -> None:
    """Store what a metadata document says now; when it was first seen, used and disabled stays."""
    row = _values(client)
    changed = ("kind", "agent_id", "name", "metadata", "fingerprint", "fresh_until")
    tx.connection.execute(
        conflict_insert(tx, clients)
        .values(row)
        .on_conflict_do_update(
            index_elements=[clients.c.client_id], set_={name: row[name] for name in changed}
        )
    )


def select_client(tx: Transaction, client_id: str) -> StoredClient | None:
    """The row of that client, disabled or not."""
    row = tx.connection.execute(
        select(clients).where(clients.c.client_id == client_id)
    ).one_or_none()
    return None if row is None else _stored(row)


def select_clients(tx: Transaction) -> tuple[StoredClient, ...]:
    """Every row, oldest first."""
    rows = tx.connection.execute(
        select(clients).order_by(clients.c.created_at, clients.c.client_id)
    )
    return tuple(_stored(row) for row in rows)


def disabled_clients(tx: Transaction) -> frozenset[ClientId]:
    """Every disabled client, for `Standing.disabled_clients`."""
    rows = tx.connection.execute(
        select(clients.c.client_id).where(clients.c.disabled_at.is_not(None))
    )
    return frozenset(ClientId(client_id) for (client_id,) in rows)


def mark_disabled(tx: Transaction, client: StoredClient, *, at: EpochSeconds) -> bool:
    """Disable `client`, a row made for it if it has none; `False` if it was disabled already."""
    add_client(tx, client)
    changed = tx.connection.execute(
        update(clients)
        .where(clients.c.client_id == client.client_id, clients.c.disabled_at.is_(None))
        .values(disabled_at=at)
        .returning(clients.c.client_id)
    )
    return changed.one_or_none() is not None


def mark_enabled(tx: Transaction, client_id: str) -> bool:
    """Enable the client again; `False` if it was not disabled."""
    changed = tx.connection.execute(
        update(clients)
        .where(clients.c.client_id == client_id, clients.c.disabled_at.is_not(None))
        .values(disabled_at=None)
        .returning(clients.c.client_id)
    )
    return changed.one_or_none() is not None


def note_use(tx: Transaction, client_id: ClientId, *, at: EpochSeconds) -> bool:
    """Note that the client was just used; `False` if it has no row."""
    noted = tx.connection.execute(
        update(clients)
        .where(clients.c.client_id == client_id)
        .values(last_used_at=at)
        .returning(clients.c.client_id)
    )
    return noted.one_or_none() is not None


def purge_unused_clients(tx: Transaction, *, before: EpochSeconds) -> int:
    """Delete what introduced itself before that and was never used nor disabled; how many."""
    return tx.connection.execute(
        delete(clients).where(
            clients.c.kind != ClientKind.STATIC.value,
            clients.c.created_at < before,
            clients.c.last_used_at.is_(None),
            clients.c.disabled_at.is_(None),
        )
    ).rowcount


def _values(client: StoredClient) -> dict[str, Any]:
    document = {} if client.metadata is None else metadata_to_json(client.metadata)
    return {
        "client_id": client.client_id,
        "kind": client.kind.value,
        "agent_id": client.agent_id,
        "name": client.name,
        "metadata": canonical_text(document),
        "secret_digest": client.secret_digest,
        "fingerprint": client.fingerprint,
        "created_at": client.created_at,
        "last_used_at": client.last_used_at,
        "disabled_at": client.disabled_at,
        "fresh_until": client.fresh_until,
    }


def _stored(row: Row[Any]) -> StoredClient:
    kind = ClientKind(row.kind)
    document = None if kind is ClientKind.STATIC else metadata_of_json(orjson.loads(row.metadata))
    return StoredClient(
        client_id=ClientId(row.client_id),
        kind=kind,
        agent_id=AgentId(row.agent_id),
        name=row.name,
        metadata=document,
        secret_digest=row.secret_digest,
        fingerprint=row.fingerprint,
        created_at=EpochSeconds(row.created_at),
        last_used_at=_instant(row.last_used_at),
        disabled_at=_instant(row.disabled_at),
        fresh_until=_instant(row.fresh_until),
    )


def _instant(value: int | None) -> EpochSeconds | None:
    return None if value is None else EpochSeconds(value)
