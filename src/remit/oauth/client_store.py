"""The SQL of clients: those that registered, and the metadata documents that were fetched.

A decision about a pending client, and a removal, is one statement that names what must still
hold: of two administrators one decides, and a client that is used meanwhile stays.

A static client has a row only once it was used or disabled; what it is stands in
the policy repository. Of a secret only the digest is kept. Which agent a client is
follows from the catalog in force, so `agent_id` here is what it was at the time.

Source: RFC 7591 §3; CIMD §5.2; RFC 6749 §10.10.
"""

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)

from remit.canonical import canonical_text
from remit.clock import EpochSeconds
from remit.db import Prepared, Transaction, conflict_insert, metadata
from remit.ids import AgentId, ClientId, ScopeName
from remit.model import ClientBounds, ClientKind, Environment
from remit.oauth.client import ClientStatus
from remit.oauth.client_metadata import ClientMetadata, metadata_of_json, metadata_to_json

__all__ = [
    "LastUse",
    "StoredClient",
    "add_client",
    "clients",
    "count_pending",
    "decide_pending",
    "delete_client",
    "delete_due_clients",
    "disabled_clients",
    "last_use_of",
    "mark_disabled",
    "mark_enabled",
    "note_use",
    "put_document",
    "select_client",
    "select_clients",
    "select_pending",
    "select_stale_documents",
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
    Column("owner", Text),
    Column("environment", Text),
    Column("scopes", Text),
    Column("expires_at", BigInteger, index=True),
    Column("decided_at", BigInteger),
    Column("decided_by", Text),
    Column("queued_at", BigInteger),
    Column("queued_from", Text),
    Column("initial_access_token", Text),
)


# At every token.
_FIND = Prepared(select(clients).where(clients.c.client_id == bindparam("wanted")))
_LAST_USE = Prepared(
    select(clients.c.last_used_at, clients.c.disabled_at, clients.c.status).where(
        clients.c.client_id == bindparam("wanted")
    )
)


@dataclass(frozen=True, slots=True)
class LastUse:
    """When a client that has a row was last used, and whether it may be used now."""

    at: EpochSeconds | None
    is_disabled: bool
    status: ClientStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredClient:
    """A row. `metadata` is `None` for a static client; `fresh_until` is for documents alone.

    `rule`, `owner`, `bounds` and `expires_at` are the terms on which it came in. `queued_at` is
    when it began to wait for an administrator and `queued_from` the network it came from, `decided_at`
    and `decided_by` who ended that.
    """

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
    status: ClientStatus = ClientStatus.ADMITTED
    rule: str | None = None
    owner: str = ""
    bounds: ClientBounds = ClientBounds()
    expires_at: EpochSeconds | None = None
    queued_at: EpochSeconds | None = None
    queued_from: str | None = None
    decided_at: EpochSeconds | None = None
    decided_by: str | None = None
    initial_access_token: str | None = None

    @property
    def last_seen(self) -> EpochSeconds:
        """When it was last used; when it introduced itself, if never."""
        return self.last_used_at or self.created_at


def add_client(tx: Transaction, client: StoredClient) -> None:
    """Store a client that has no row yet; one that has keeps the one it has."""
    tx.connection.execute(
        conflict_insert(tx, clients).values(_values(client)).on_conflict_do_nothing()
    )


def put_document(tx: Transaction, client: StoredClient) -> None:
    """Store what a metadata document says now; when it was first seen, used and disabled stays."""
    row = _values(client)
    changed = (
        *("kind", "agent_id", "name", "metadata", "fingerprint", "fresh_until"),
        *("status", "rule", "owner", "environment", "queued_at", "queued_from"),
        *("decided_at", "decided_by"),
    )
    tx.connection.execute(
        conflict_insert(tx, clients)
        .values(row)
        .on_conflict_do_update(
            index_elements=[clients.c.client_id], set_={name: row[name] for name in changed}
        )
    )


def select_client(tx: Transaction, client_id: str) -> StoredClient | None:
    """The row of that client, disabled or not."""
    row = _FIND.one_or_none(tx, wanted=client_id)
    return None if row is None else _stored(row)


def last_use_of(tx: Transaction, client_id: str) -> LastUse | None:
    """The last use of that client; `None` if it has no row."""
    row = _LAST_USE.one_or_none(tx, wanted=client_id)
    if row is None:
        return None
    status = ClientStatus(row.status)
    return LastUse(_instant(row.last_used_at), row.disabled_at is not None, status)


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


def select_pending(tx: Transaction) -> tuple[StoredClient, ...]:
    """Every client that waits for an administrator, the longest first."""
    rows = tx.connection.execute(
        select(clients)
        .where(clients.c.status == ClientStatus.PENDING.value)
        .order_by(clients.c.queued_at, clients.c.client_id)
    )
    return tuple(_stored(row) for row in rows)


def select_stale_documents(
    tx: Transaction, *, now: EpochSeconds, used_since: EpochSeconds, limit: int
) -> tuple[StoredClient, ...]:
    """Metadata documents in use that are no longer fresh, the latest to become so first."""
    rows = tx.connection.execute(
        select(clients)
        .where(
            clients.c.kind == ClientKind.METADATA_DOCUMENT.value,
            clients.c.status == ClientStatus.ADMITTED.value,
            clients.c.disabled_at.is_(None),
            clients.c.fresh_until <= now,
            clients.c.last_used_at >= used_since,
        )
        .order_by(clients.c.fresh_until.desc(), clients.c.client_id)
        .limit(limit)
    )
    return tuple(_stored(row) for row in rows)


def count_pending(tx: Transaction, *, network: str) -> tuple[int, int]:
    """How many clients wait for an administrator: all, and those that came from `network`."""
    there = func.count().filter(clients.c.queued_from == network)
    waiting = clients.c.status == ClientStatus.PENDING.value
    row = tx.connection.execute(select(func.count(), there).where(waiting)).one()
    return row[0], row[1]


def decide_pending(
    tx: Transaction,
    client_id: str,
    *,
    fingerprint: str | None,
    status: ClientStatus,
    by: str,
    at: EpochSeconds,
) -> StoredClient | None:
    """The client as decided, once; `None` if it does not wait, or is not what `fingerprint` says."""
    conditions = [clients.c.client_id == client_id, clients.c.status == ClientStatus.PENDING.value]
    if fingerprint is not None:
        conditions.append(clients.c.fingerprint == fingerprint)
    row = tx.connection.execute(
        update(clients)
        .where(*conditions)
        .values(status=status.value, decided_at=at, decided_by=by)
        .returning(*clients.c)
    ).one_or_none()
    return None if row is None else _stored(row)


def delete_client(tx: Transaction, client_id: str) -> StoredClient | None:
    """The client that was deleted; `None` if it had no row, or is a static one."""
    row = tx.connection.execute(
        delete(clients)
        .where(clients.c.client_id == client_id, clients.c.kind != ClientKind.STATIC.value)
        .returning(*clients.c)
    ).one_or_none()
    return None if row is None else _stored(row)


def delete_due_clients(
    tx: Transaction,
    *,
    now: EpochSeconds,
    unused_since: EpochSeconds,
    queued_before: EpochSeconds,
    limit: int,
) -> tuple[StoredClient, ...]:
    """Delete clients whose time is over, at most `limit` of them; those that went."""
    due = _due(now=now, unused_since=unused_since, queued_before=queued_before)
    chosen = select(clients.c.client_id).where(due).order_by(clients.c.client_id).limit(limit)
    # The conditions stand twice: one that is used between the two reads of its row stays.
    rows = tx.connection.execute(
        delete(clients).where(clients.c.client_id.in_(chosen), due).returning(*clients.c)
    )
    return tuple(_stored(row) for row in rows)


def _due(
    *, now: EpochSeconds, unused_since: EpochSeconds, queued_before: EpochSeconds
) -> ColumnElement[bool]:
    """What `client_removal.removal_of` says, in SQL."""
    last_seen = func.coalesce(clients.c.last_used_at, clients.c.created_at)
    is_pending = clients.c.status == ClientStatus.PENDING.value
    return and_(
        clients.c.kind != ClientKind.STATIC.value,
        or_(
            clients.c.expires_at <= now,
            and_(is_pending, clients.c.queued_at <= queued_before),
            # A disabled one stays: a document that is forgotten would come back enabled.
            and_(~is_pending, clients.c.disabled_at.is_(None), last_seen <= unused_since),
        ),
    )


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
        "status": client.status.value,
        "rule": client.rule,
        "owner": client.owner or None,
        "environment": client.bounds.environment,
        "scopes": canonical_text(list(client.bounds.scopes)) if client.bounds.scopes else None,
        "expires_at": client.expires_at,
        "queued_at": client.queued_at,
        "queued_from": client.queued_from,
        "decided_at": client.decided_at,
        "decided_by": client.decided_by,
        "initial_access_token": client.initial_access_token,
    }


def _stored(row: Any) -> StoredClient:
    kind = ClientKind(row.kind)
    # A row without metadata is nobody's, whatever its kind: it may be listed and removed.
    said = None if kind is ClientKind.STATIC else orjson.loads(row.metadata)
    return StoredClient(
        client_id=ClientId(row.client_id),
        kind=kind,
        agent_id=AgentId(row.agent_id),
        name=row.name,
        metadata=metadata_of_json(said) if said else None,
        secret_digest=row.secret_digest,
        fingerprint=row.fingerprint,
        created_at=EpochSeconds(row.created_at),
        last_used_at=_instant(row.last_used_at),
        disabled_at=_instant(row.disabled_at),
        fresh_until=_instant(row.fresh_until),
        status=ClientStatus(row.status),
        rule=row.rule,
        owner=row.owner or "",
        bounds=ClientBounds(
            scopes=tuple(ScopeName(one) for one in orjson.loads(row.scopes or "[]")),
            environment=None if row.environment is None else Environment(row.environment),
        ),
        expires_at=_instant(row.expires_at),
        queued_at=_instant(row.queued_at),
        queued_from=row.queued_from,
        decided_at=_instant(row.decided_at),
        decided_by=row.decided_by,
        initial_access_token=row.initial_access_token,
    )


def _instant(value: int | None) -> EpochSeconds | None:
    return None if value is None else EpochSeconds(value)
