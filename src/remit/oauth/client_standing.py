"""Which clients there are, and turning one off or on again, each with its event.

A disabled client authenticates nowhere, starts no authorization, and is in
`disabled_clients`, which stops the tokens it holds at the next call. Refused: a client
nobody knows, and a change that was already made.
"""

from dataclasses import dataclass

from remit.audit.context import Context
from remit.audit.events import ClientDisabled, ClientEnabled
from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction
from remit.errors import ConflictError, NotFoundError
from remit.ids import ClientId
from remit.model import Catalog, ClientKind, Environment
from remit.oauth import client_store
from remit.oauth.client import Client, ClientStatus
from remit.oauth.client_lookup import client_of_row, static_client, static_clients
from remit.oauth.client_removal import Removal, RemovalReason, removal_of
from remit.oauth.client_store import StoredClient
from remit.oauth.errors import InvalidClientError

__all__ = ["ClientListing", "disable_client", "enable_client", "list_clients", "note_client_use"]

_NOTED_EVERY: Seconds = Seconds(60)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientListing:
    """A client and its history; a static one has none until it is used or disabled.

    `removal_at` and `removal_reason` are there when it is about to go: within
    `removal_notice`, or for want of approval. Status, owner and bounds are the client's.
    """

    client: Client
    created_at: EpochSeconds | None
    last_used_at: EpochSeconds | None
    disabled_at: EpochSeconds | None
    rule: str | None = None
    expires_at: EpochSeconds | None = None
    queued_at: EpochSeconds | None = None
    decided_at: EpochSeconds | None = None
    decided_by: str | None = None
    initial_access_token: str | None = None
    removal_at: EpochSeconds | None = None
    removal_reason: RemovalReason | None = None

    @property
    def status(self) -> ClientStatus:
        return self.client.status

    @property
    def owner(self) -> str:
        return self.client.owner

    @property
    def environment(self) -> Environment | None:
        return self.client.bounds.environment


def list_clients(
    tx: Transaction, catalog: Catalog, *, now: EpochSeconds | None = None
) -> tuple[ClientListing, ...]:
    """Every client: those of the repository by identifier, then the others, oldest first.

    With `now` it says of each whether it is about to be removed.
    """
    rows = {row.client_id: row for row in client_store.select_clients(tx)}
    declared = sorted(static_clients(catalog), key=lambda client: client.client_id)
    listings = [_listing(client, rows.pop(client.client_id, None)) for client in declared]
    for row in rows.values():
        client = client_of_row(catalog, row)
        if client is not None:
            listings.append(_listing(client, row, removal=_removal(row, catalog, now=now)))
    return tuple(listings)


def disable_client(
    tx: Transaction,
    client_id: str,
    *,
    reason: str,
    catalog: Catalog,
    now: EpochSeconds,
    context: Context,
) -> None:
    """Turn a client off. Its grants stay, and are good again once it is turned on.

    Raises:
        NotFoundError: there is no such client.
        ConflictError: it is disabled already.
    """
    row = client_store.select_client(tx, client_id)
    if row is None:
        client = static_client(catalog, client_id)
        if client is None:
            raise NotFoundError("there is no such client")
        row = _row_of_static(client, now=now)
    if not client_store.mark_disabled(tx, row, at=now):
        raise ConflictError("the client is disabled already")
    known = context.with_(client_id=row.client_id, agent_id=row.agent_id)
    tx.record(ClientDisabled(context=known, reason=reason))


def enable_client(tx: Transaction, client_id: str, *, reason: str, context: Context) -> None:
    """Turn a disabled client on again.

    Raises:
        NotFoundError: there is no such client.
        ConflictError: it is not disabled.
    """
    row = client_store.select_client(tx, client_id)
    if row is None:
        raise NotFoundError("there is no such disabled client")
    if not client_store.mark_enabled(tx, client_id):
        raise ConflictError("the client is not disabled")
    known = context.with_(client_id=row.client_id, agent_id=row.agent_id)
    tx.record(ClientEnabled(context=known, reason=reason))


def note_client_use(tx: Transaction, client: Client, *, now: EpochSeconds) -> None:
    """Note that `client` was just given tokens: what an access review and the purge go by.

    Once a minute is enough. Were it each time, all tokens of a client would wait for one row.
    Tokens are given after others were asked, which takes seconds: whoever was removed, disabled
    or turned away meanwhile gets none.

    Raises:
        InvalidClientError: the client may no longer be used; nothing of this transaction holds.
    """
    known = client_store.last_use_of(tx, client.client_id)
    if known is None:
        if client.kind is not ClientKind.STATIC:
            raise InvalidClientError("there is no such client any more")
        client_store.add_client(tx, _row_of_static(client, now=now, last_used_at=now))
        return
    if known.is_disabled or not _is_admitted(client, known.status):
        raise InvalidClientError("the client may no longer be used")
    is_due = known.at is None or now - known.at >= _NOTED_EVERY
    if is_due and not client_store.note_use(tx, client.client_id, at=now):
        raise InvalidClientError("there is no such client any more")


def _is_admitted(client: Client, status: ClientStatus) -> bool:
    """Whether the row still lets `client` in. For a metadata document only a refusal is its row's to say."""
    if client.kind is ClientKind.METADATA_DOCUMENT:
        return status is not ClientStatus.REJECTED
    return client.kind is ClientKind.STATIC or status is ClientStatus.ADMITTED


def _removal(row: StoredClient, catalog: Catalog, *, now: EpochSeconds | None) -> Removal | None:
    """When `row` goes, if that is to be shown by now."""
    removal = removal_of(row, catalog.registration)
    if removal is None or now is None:
        return None
    soon = removal.at - catalog.registration.removal_notice <= now
    return removal if soon or row.status is ClientStatus.PENDING else None


def _listing(
    client: Client, row: StoredClient | None, *, removal: Removal | None = None
) -> ClientListing:
    if row is None:
        return ClientListing(client=client, created_at=None, last_used_at=None, disabled_at=None)
    return ClientListing(
        client=client,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        disabled_at=row.disabled_at,
        rule=row.rule,
        expires_at=row.expires_at,
        queued_at=row.queued_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        initial_access_token=row.initial_access_token,
        removal_at=None if removal is None else removal.at,
        removal_reason=None if removal is None else removal.reason,
    )


def _row_of_static(
    client: Client, *, now: EpochSeconds, last_used_at: EpochSeconds | None = None
) -> StoredClient:
    """What the store keeps of a static client: that it exists, and nothing it is."""
    return StoredClient(
        client_id=ClientId(client.client_id),
        kind=client.kind,
        agent_id=client.agent_id,
        name=client.name,
        metadata=None,
        secret_digest=None,
        fingerprint=client.fingerprint,
        created_at=now,
        last_used_at=last_used_at,
    )
