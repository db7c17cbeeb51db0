"""The clients that wait for an administrator's yes, and what becomes of them.

Refuses a second decision, a decision about another client than the administrator read
(a metadata document may change while it waits), and a queue that grows without end or that
one network fills.
An approved client goes on as if it had been admitted at once: it need not register again. A
rejected one is unknown from then on.

Source: RFC 7591 §3, §5 (approval is the server's to ask for); CIMD §8.4; MISSION A3.
"""

from remit.audit.context import Context
from remit.audit.events import ClientApproved, ClientRejected
from remit.clock import EpochSeconds, Seconds
from remit.db import Transaction
from remit.errors import ConflictError, NotFoundError
from remit.oauth import client_store
from remit.oauth.client import ClientStatus
from remit.oauth.client_store import StoredClient
from remit.oauth.errors import SlowDownError

__all__ = ["approve_client", "list_pending", "refuse_if_queue_is_full", "reject_client"]

_MOST_PENDING = 1_000
"""Nobody reads more; and whoever could fill the queue could hide a client in it."""

_MOST_FROM_ONE_NETWORK = 25
"""Whoever would fill the queue needs forty addresses for it, and an administrator sees it coming."""

_LATER = Seconds(3_600)


def list_pending(tx: Transaction) -> tuple[StoredClient, ...]:
    """Every client that waits, the longest first. All it says of itself is its own words."""
    return client_store.select_pending(tx)


def approve_client(
    tx: Transaction,
    client_id: str,
    *,
    reason: str,
    now: EpochSeconds,
    context: Context,
    fingerprint: str | None = None,
) -> StoredClient:
    """Let a client that waits do what its kind may do. `context` says who decides.

    `fingerprint` is that of the client as the administrator read it.

    Raises:
        NotFoundError: there is no such client.
        ConflictError: it does not wait, or has changed since it was read.
    """
    decided = _decide(tx, client_id, fingerprint, ClientStatus.ADMITTED, now=now, context=context)
    known = context.with_(client_id=decided.client_id, agent_id=decided.agent_id)
    tx.record(ClientApproved(context=known, reason=reason))
    return decided


def reject_client(
    tx: Transaction, client_id: str, *, reason: str, now: EpochSeconds, context: Context
) -> StoredClient:
    """Turn a client that waits away. `context` says who decides.

    Raises:
        NotFoundError: there is no such client.
        ConflictError: it does not wait.
    """
    decided = _decide(tx, client_id, None, ClientStatus.REJECTED, now=now, context=context)
    known = context.with_(client_id=decided.client_id, agent_id=decided.agent_id)
    tx.record(ClientRejected(context=known, reason=reason))
    return decided


def refuse_if_queue_is_full(tx: Transaction, *, network: str) -> None:
    """Pass when one more client from `network` may wait.

    Raises:
        SlowDownError: too many do, of all or of that network.
    """
    waiting, from_there = client_store.count_pending(tx, network=network)
    if waiting >= _MOST_PENDING:
        raise SlowDownError("too many clients wait for approval", retry_after=_LATER)
    if from_there >= _MOST_FROM_ONE_NETWORK:
        raise SlowDownError(
            "too many clients from this address wait for approval", retry_after=_LATER
        )


def _decide(
    tx: Transaction,
    client_id: str,
    fingerprint: str | None,
    status: ClientStatus,
    *,
    now: EpochSeconds,
    context: Context,
) -> StoredClient:
    decided = client_store.decide_pending(
        tx,
        client_id,
        fingerprint=fingerprint,
        status=status,
        by=context.actor.id or context.actor.type.value,
        at=now,
    )
    if decided is not None:
        return decided
    known = client_store.select_client(tx, client_id)
    if known is None:
        raise NotFoundError("there is no such client")
    if known.status is not ClientStatus.PENDING:
        raise ConflictError("the client does not wait for approval")
    raise ConflictError("the client has changed since it was read")
