"""The SQL of logs in the database whose oldest records are removed: the hashes that stay, and the removal.

A row holds the leaf hashes of 256 records, as a tile of the first level does; there is one for each 256 records
that are gone, from the first on. Records, hashes and where the log begins change in one transaction.

Source: AUDIT §1.6; C2SP tlog-tiles, "Pruning".
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    delete,
    select,
    update,
)

from remit.audit.log_store import CheckpointRow, checkpoints, logs, records
from remit.audit.tiles import HASH_BYTES, TILE_WIDTH
from remit.db import Transaction, metadata
from remit.db.upsert import conflict_insert
from remit.errors import ConflictError

__all__ = ["PrunedMeanwhileError", "checkpoint_until", "read_hashes", "remove_records"]

hashes = Table(
    "audit_hashes",
    metadata,
    Column("log", Text, nullable=False),
    Column("tile", BigInteger, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    PrimaryKeyConstraint("log", "tile"),
)
_FULL: Final = TILE_WIDTH * HASH_BYTES


class PrunedMeanwhileError(ConflictError):
    """Another process removed the same records at the same moment; here nothing was changed."""


def read_hashes(tx: Transaction, log: str, tile: int, *, limit: int) -> list[tuple[int, bytes]]:
    """Number and hashes of at most `limit` tiles of pruned records, from number `tile` on, in order."""
    statement = (
        select(hashes.c.tile, hashes.c.hashes)
        .where(hashes.c.log == log, hashes.c.tile >= tile)
        .order_by(hashes.c.tile)
        .limit(limit)
    )
    return [(row.tile, bytes(row.hashes)) for row in tx.connection.execute(statement)]


def checkpoint_until(tx: Transaction, log: str, size: int) -> CheckpointRow | None:
    """The newest checkpoint of at most `size` records."""
    statement = (
        select(checkpoints)
        .where(checkpoints.c.log == log, checkpoints.c.size <= size)
        .order_by(checkpoints.c.size.desc())
        .limit(1)
    )
    row = tx.connection.execute(statement).mappings().one_or_none()
    return None if row is None else CheckpointRow(**row)


def remove_records(tx: Transaction, log: str, *, first: int, tiles: Sequence[bytes]) -> None:
    """Put `tiles` in the place of the records from number `first` on, with which the log begins; both numbers count whole tiles.

    The row that whoever writes the log waits for is changed last, so that it is waited for the commit at most.

    Raises:
        ValueError: that is no whole number of tiles.
        PrunedMeanwhileError: the log does not begin there any more.
    """
    if first % TILE_WIDTH or not all(len(tile) == _FULL for tile in tiles):
        raise ValueError("records are removed by whole tiles")
    end = first + len(tiles) * TILE_WIDTH
    tx.connection.execute(
        delete(records).where(records.c.log == log, records.c.seq >= first, records.c.seq < end)
    )
    rows = [
        {"log": log, "tile": first // TILE_WIDTH + place, "hashes": tile}
        for place, tile in enumerate(tiles)
    ]
    tx.connection.execute(conflict_insert(tx, hashes).on_conflict_do_nothing(), rows)
    moved = (
        update(logs)
        .where(logs.c.name == log, logs.c.first == first, logs.c.size > end)
        .values(first=end)
    )
    if tx.connection.execute(moved).rowcount != 1:
        raise PrunedMeanwhileError(f"the log `{log}` does not begin at record {first} any more")
