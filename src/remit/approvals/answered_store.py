"""The SQL of what somebody waits for elsewhere: which requests wait still."""

from collections.abc import Collection

from sqlalchemy import select

from remit.approvals.request import RequestState
from remit.approvals.request_store import approvals
from remit.clock import EpochSeconds
from remit.db import Transaction

__all__ = ["waiting_among"]


def waiting_among(tx: Transaction, ids: Collection[str], *, now: EpochSeconds) -> frozenset[str]:
    """Those of `ids` that people can still answer."""
    statement = select(approvals.c.id).where(
        approvals.c.id.in_(sorted(ids)),
        approvals.c.state == RequestState.WAITING.value,
        approvals.c.expires_at > now,
    )
    return frozenset(row.id for row in tx.connection.execute(statement))
