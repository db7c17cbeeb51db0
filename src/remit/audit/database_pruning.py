"""Removing the oldest records of a log in the database once all in them were kept for their time; their hashes stay there.

As with files (`audit.pruning`), but in blocks of 256 records, which is a tile: blocks go from the first on, never the last one
that is signed, and of a block the record that is to be kept longest decides. What cannot be read is kept. What does not hash to what is signed
is not removed, for then it is evidence.

Which process does it does not matter: where a log begins is changed from what it was, or not at all. Every function blocks.

Source: AUDIT §1.6; C2SP tlog-tiles, "Pruning".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from remit.audit.database_recovery import nodes_of
from remit.audit.database_source import DatabaseSource
from remit.audit.log_store import LogRow, checkpoints_after, last_checkpoints, list_logs
from remit.audit.pruning import Times, is_over
from remit.audit.pruning_store import checkpoint_until, remove_records
from remit.audit.recovery import AuditLogDamagedError
from remit.audit.tiles import TILE_WIDTH
from remit.clock import EpochSeconds
from remit.db import Database, Transaction
from remit_audit_verify.note import BadCheckpointError, parse_checkpoint
from remit_audit_verify.tree import Frontier, leaf_hash

__all__ = ["PrunableRecords", "logs_to_prune", "prunable_records", "remove_blocks"]

_MOST: Final = 256 * TILE_WIDTH
_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PrunableRecords:
    """What may go of `log`: the records from number `first`, with which it begins, to before `size`; and their hashes, by tiles."""

    log: str
    first: int
    size: int
    tiles: tuple[bytes, ...] = field(repr=False)


def logs_to_prune(database: Database, own: str) -> list[str]:
    """The logs in the database that the process with the log `own` prunes: what it holds, and what nobody does.

    Raises:
        DatabaseUnavailableError: the database does not answer.
    """
    rows = database.read_now(list_logs)
    ours = {row.holder for row in rows if row.name == own}
    return [row.name for row in rows if row.name == own or row.holder in ours or row.lease <= 0]


def prunable_records(
    database: Database, log: str, times: Times, *, now: EpochSeconds
) -> PrunableRecords | None:
    """The oldest records of `log` that may go, 65,536 at most; `None`: none, or there is no such log.

    Raises:
        AuditLogDamagedError: they do not hash to what is signed, or the log does not begin where one may.
        DatabaseUnavailableError, OSError: the database does not answer.
    """
    row = next((one for one in database.read_now(list_logs) if one.name == log), None)
    newest = database.read_now(lambda tx: last_checkpoints(tx, log, 1))
    if row is None or not newest:
        return None
    if row.first % TILE_WIDTH:
        raise AuditLogDamagedError(f"it begins with record {row.first}", sequence=row.first)
    source = DatabaseSource(database)
    signed = min(newest[0].size, row.size)
    limit = min(max(0, signed - 1) // TILE_WIDTH * TILE_WIDTH - row.first, _MOST)
    leaves: list[bytes] = []
    for record in source.read(log, row.first, limit=max(0, limit)):
        if record.sequence != row.first + len(leaves) or not is_over(record.line, times, now):
            break
        leaves.append(leaf_hash(record.line))
    count = len(leaves) // TILE_WIDTH
    if not count:
        return None
    del leaves[count * TILE_WIDTH :]
    _require_signed(database, row, leaves)
    tiles = tuple(
        b"".join(leaves[at : at + TILE_WIDTH]) for at in range(0, len(leaves), TILE_WIDTH)
    )
    return PrunableRecords(log=log, first=row.first, size=row.first + len(leaves), tiles=tiles)


def remove_blocks(
    database: Database, meant: PrunableRecords, *, allowed: Callable[[Transaction], bool]
) -> int:
    """Remove `meant`, the oldest first, a few blocks in each transaction, as long as it is `allowed` there; how many records.

    Raises:
        PrunedMeanwhileError: another process did; those before it are gone.
        DatabaseUnavailableError: the database does not answer; those before it are gone.
    """
    removed = 0
    for begin in range(0, len(meant.tiles), _AT_ONCE):
        some = meant.tiles[begin : begin + _AT_ONCE]
        first = meant.first + removed
        if not database.run_now(_removing(meant.log, first, some, allowed)):
            break
        removed += len(some) * TILE_WIDTH
    return removed


def _removing(
    log: str, first: int, tiles: Sequence[bytes], allowed: Callable[[Transaction], bool]
) -> Callable[[Transaction], bool]:
    def remove(tx: Transaction) -> bool:
        if not allowed(tx):
            return False
        remove_records(tx, log, first=first, tiles=tiles)
        return True

    return remove


def _require_signed(database: Database, row: LogRow, leaves: Sequence[bytes]) -> None:
    """The first checkpoint that signs them all has to sign a tree with these `leaves`, which begin with the log's first record."""
    source, end = DatabaseSource(database), row.first + len(leaves)
    kept = database.read_now(lambda tx: checkpoint_until(tx, row.name, row.first))
    [after] = database.read_now(lambda tx: checkpoints_after(tx, row.name, end - 1, limit=1))
    tree = Frontier() if kept is None else nodes_of(kept)
    if tree is not None:
        for some in (
            source.leaves(row.name, tree.size, row.first),
            leaves,
            source.leaves(row.name, end, after.size),
        ):
            for leaf in some:
                tree.append(leaf)
    try:
        root = parse_checkpoint(after.note).checkpoint.root
    except BadCheckpointError:
        root = b""
    if tree is None or tree.size != after.size or tree.root() != root:
        raise AuditLogDamagedError(
            f"the records before {after.size} are not those that its checkpoint signs",
            sequence=row.first,
        )
