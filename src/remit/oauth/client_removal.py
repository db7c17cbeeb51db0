"""Clients that introduced themselves, and when they go again.

A client goes when nobody used it for `unused_lifetime`, when the `lifetime` that its rule gave
it is over, or when nobody approved it in seven days; the first two can be seen
`removal_notice` before. Its grants end with it, and each removal is an event. A client in use
is never removed for being unused: the store asks again in the statement that deletes it. A
disabled one stays, lest it come back enabled. What a removed client presents afterwards is an
unknown client's: `invalid_client`, upon which the official clients register anew.

Source: RFC 7591 §5 (expiry of what nobody needs); MISSION A3.
"""

from dataclasses import dataclass
from enum import StrEnum

from remit.audit.context import Context
from remit.audit.events import ClientRemoved
from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction
from remit.errors import NotFoundError
from remit.model import ClientKind, Registration
from remit.oauth import client_store, request_store
from remit.oauth.client import ClientStatus
from remit.oauth.client_store import StoredClient
from remit.oauth.grant import GrantFilter
from remit.oauth.grant_revocation import revoke_grants

__all__ = [
    "Removal",
    "RemovalReason",
    "has_ended",
    "removal_of",
    "remove_client",
    "remove_due_clients",
]

_PATIENCE = Seconds(7 * 86_400)
_BATCH = 200
_GRANTS_END = "client_removed"


class RemovalReason(StrEnum):
    """Why a client is removed."""

    UNUSED = "unused"
    LIFETIME = "lifetime"
    NOT_APPROVED = "not_approved"


@dataclass(frozen=True, slots=True)
class Removal:
    """When a client goes, and why."""

    at: EpochSeconds
    reason: RemovalReason


def removal_of(client: StoredClient, registration: Registration) -> Removal | None:
    """When `client` goes if nothing changes; `None` for one that stays."""
    if client.kind is ClientKind.STATIC:
        return None
    found: list[Removal] = []
    if client.expires_at is not None:
        found.append(Removal(client.expires_at, RemovalReason.LIFETIME))
    if client.status is ClientStatus.PENDING:
        since = client.queued_at or client.created_at
        found.append(Removal(EpochSeconds(since + _PATIENCE), RemovalReason.NOT_APPROVED))
    elif client.disabled_at is None:
        unused = EpochSeconds(client.last_seen + registration.unused_lifetime)
        found.append(Removal(unused, RemovalReason.UNUSED))
    return min(found, key=lambda removal: removal.at, default=None)


def has_ended(client: StoredClient, now: EpochSeconds) -> bool:
    """Whether its lifetime is over, though nobody has removed it yet."""
    return client.expires_at is not None and client.expires_at <= now


def remove_due_clients(
    tx: Transaction, registration: Registration, *, now: EpochSeconds
) -> tuple[StoredClient, ...]:
    """Remove some of the clients whose time is over; empty when none is left."""
    gone = client_store.delete_due_clients(
        tx,
        now=now,
        unused_since=EpochSeconds(now - registration.unused_lifetime),
        queued_before=EpochSeconds(now - _PATIENCE),
        limit=_BATCH,
    )
    for client in gone:
        removal = removal_of(client, registration)
        reason = RemovalReason.UNUSED if removal is None else removal.reason
        _bury(tx, client, reason=reason.value, now=now, context=Context())
    return gone


def remove_client(
    tx: Transaction, client_id: str, *, reason: str, now: EpochSeconds, context: Context
) -> StoredClient:
    """Remove a client that introduced itself, at an administrator's word.

    Raises:
        NotFoundError: there is none, or it stands in the repository.
    """
    gone = client_store.delete_client(tx, client_id)
    if gone is None:
        raise NotFoundError("there is no such client that introduced itself")
    _bury(tx, gone, reason=reason, now=now, context=context)
    return gone


def _bury(
    tx: Transaction, client: StoredClient, *, reason: str, now: EpochSeconds, context: Context
) -> None:
    known = context.with_(client_id=client.client_id, agent_id=client.agent_id)
    revoke_grants(
        tx,
        GrantFilter(client_id=client.client_id),
        reason=_GRANTS_END,
        at=now,
        context=known,
    )
    request_store.forget_consents_of_client(tx, client.client_id)
    tx.record(ClientRemoved(context=known, reason=reason))
