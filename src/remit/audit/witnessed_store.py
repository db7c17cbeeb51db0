"""The SQL of checkpoints that witnesses signed, for logs in the database."""

from sqlalchemy import update

from remit.audit.log_store import checkpoints
from remit.db import Transaction

__all__ = ["keep_witnessed"]


def keep_witnessed(tx: Transaction, log: str, size: int, note: str) -> bool:
    """Keep `note`, which is the checkpoint over `size` records with cosignatures; whether there is such a checkpoint."""
    statement = (
        update(checkpoints)
        .where(checkpoints.c.log == log, checkpoints.c.size == size)
        .values(witnessed=note)
    )
    return tx.connection.execute(statement).rowcount == 1
