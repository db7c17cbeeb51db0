"""Where a log in the database stands when a process takes it, and whether it may be gone on with at all.

As with files (`audit.recovery`): a log that is shorter than its last signed checkpoint, whose records do not hash to it, or
that is not a chain after it, does not open, and the error names the record. There is nothing torn to be
cut off: a database writes a batch or does not.

The records before the last checkpoint are read back to an earlier one and hashed; those after it are parsed. A byte that was
changed before is the verifier's business. What a checkpoint keeps of the tree is believed when it makes the root that is signed.

Source: AUDIT §1.5 (start-up).
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from remit.audit.entry import BadEntryError, first_link, read_entry
from remit.audit.log_store import (
    CheckpointRow,
    LogRow,
    last_checkpoints,
    newest_sequence,
    read_records,
)
from remit.audit.open_calls import MOST_LISTED, CallsUnderWay, listed
from remit.audit.recovery import AuditLogDamagedError
from remit.db.link import DatabaseLink
from remit_audit_verify.note import BadCheckpointError, Checkpoint, VerifierKey, open_checkpoint
from remit_audit_verify.tree import Frontier, leaf_hash

__all__ = ["Found", "nodes_of", "records_of", "recover_from_database"]

_CHUNK: Final = 1_000
_CHECKPOINTS: Final = 64
_READ_AGAIN: Final = 4_096
_HASH: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Where to go on from. `unsigned` are the leaves after the last checkpoint, which signs the tree `signed`."""

    tree: Frontier
    previous: str
    last: Checkpoint | None
    signed: Frontier
    unsigned: list[bytes]
    calls: CallsUnderWay


def recover_from_database(link: DatabaseLink, row: LogRow, keys: Sequence[VerifierKey]) -> Found:
    """Where the log of `row` ends; nothing is changed. `keys` are those that signed it, of one name.

    Raises:
        AuditLogDamagedError: it must not be written to before somebody has looked at it.
        OSError: the database does not answer.
    """
    kept = link.run(lambda tx: last_checkpoints(tx, row.name, _CHECKPOINTS))
    notes = [_opened(one, keys) for one in kept]
    last = notes[0] if notes else None
    newest = link.run(lambda tx: newest_sequence(tx, row.name))
    there = row.first if newest is None else newest + 1
    if there != row.size or (last is not None and row.size < last.size):
        count = 0 if last is None else last.size
        raise AuditLogDamagedError(
            f"the log ends before record {there}, but {row.size} were written and {count} are signed",
            sequence=min(there, row.size),
        )
    tree = _start(row, kept, notes)
    ahead = {note.size: note for note in notes if note.size >= tree.size}
    leaf = _hash_signed(link, row, tree, ahead) if last is not None else None
    signed = tree.copy()
    previous = first_link(row.name) if leaf is None else leaf.hex()
    calls = _calls_before(link, row, kept[0] if kept else None, tree.size)
    unsigned: list[bytes] = []
    for sequence, line in records_of(link, row.name, tree.size, row.size):
        _require_next(line, sequence, size=tree.size, previous=previous)
        calls.see(sequence, line)
        previous = leaf_hash(line).hex()
        tree.append(bytes.fromhex(previous))
        unsigned.append(bytes.fromhex(previous))
    if tree.size != row.size:
        raise AuditLogDamagedError(f"record {tree.size} is gone", sequence=tree.size)
    calls.forget_before(row.settled)
    return Found(
        tree=tree,
        previous=previous,
        last=last,
        signed=signed,
        unsigned=unsigned,
        calls=calls,
    )


def records_of(link: DatabaseLink, log: str, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """The records from number `start` to before `end`, as many as there are."""
    while start < end:
        chunk = link.run(
            lambda tx, start=start: read_records(tx, log, start, limit=min(_CHUNK, end - start))  # type: ignore[misc]
        )
        if not chunk:
            return
        yield from chunk
        start = chunk[-1][0] + 1


def nodes_of(row: CheckpointRow) -> Frontier | None:
    """The tree that `row` keeps; `None` if that is no tree of its size."""
    cut = [row.nodes[at : at + _HASH] for at in range(0, len(row.nodes), _HASH)]
    try:
        return Frontier(row.size, cut)
    except ValueError:
        return None


def _opened(row: CheckpointRow, keys: Sequence[VerifierKey]) -> Checkpoint:
    try:
        checkpoint = open_checkpoint(row.note, keys)
    except BadCheckpointError as error:
        raise AuditLogDamagedError(
            f"the checkpoint of {row.size} records is not ours", sequence=None, cause=error
        ) from error
    if checkpoint.size != row.size:
        raise AuditLogDamagedError(
            f"the checkpoint of {row.size} records signs {checkpoint.size}", sequence=None
        )
    return checkpoint


def _start(row: LogRow, kept: Sequence[CheckpointRow], notes: Sequence[Checkpoint]) -> Frontier:
    """A tree to begin at: that of a checkpoint so far before the last one, or of none."""
    chosen: int | None = None
    enough = len(kept) == _CHECKPOINTS or row.first > 0
    for place, one in enumerate(kept):
        if one.size < row.first:  # what follows it was pruned
            break
        chosen = place
        if one.size <= notes[0].size - _READ_AGAIN:
            enough = True
            break
    if chosen is None and row.first:
        raise AuditLogDamagedError(
            "no checkpoint leads to the records there are", sequence=row.first
        )
    if chosen is None or not enough:
        return Frontier()
    tree = nodes_of(kept[chosen])
    if tree is None or tree.root() != notes[chosen].root:
        raise AuditLogDamagedError(
            f"what is kept of the tree of {kept[chosen].size} records is not what is signed",
            sequence=None,
        )
    return tree


def _hash_signed(
    link: DatabaseLink, row: LogRow, tree: Frontier, notes: dict[int, Checkpoint]
) -> bytes | None:
    """Grow `tree` to the last checkpoint, which its root has to be; the last leaf."""
    last = max(notes)
    leaf: bytes | None = None
    begin = max(row.first, tree.size - 1) if tree.size else 0
    for sequence, line in records_of(link, row.name, begin, last):
        leaf = leaf_hash(line)
        if sequence < tree.size:  # the one before, for what names it
            continue
        if sequence != tree.size:
            raise AuditLogDamagedError(f"record {tree.size} is gone", sequence=tree.size)
        tree.append(leaf)
        note = notes.get(tree.size)
        if note is not None and note.root != tree.root():
            raise AuditLogDamagedError(
                f"the records before {tree.size} are not those that its checkpoint signs",
                sequence=tree.size,
            )
    if tree.size != last:
        raise AuditLogDamagedError(f"record {tree.size} is gone", sequence=tree.size)
    return leaf


def _require_next(line: bytes, sequence: int, *, size: int, previous: str) -> None:
    """The record has to be the next of a log with `size` records."""
    try:
        entry = read_entry(line)
    except BadEntryError as error:
        raise AuditLogDamagedError(
            f"record {size} is damaged: {error.detail}", sequence=size, cause=error
        ) from error
    if sequence != size or entry.get("seq") != sequence or entry.get("prev") != previous:
        raise AuditLogDamagedError(
            f"record {size} does not follow the one before it", sequence=size
        )


def _calls_before(
    link: DatabaseLink, row: LogRow, checkpoint: CheckpointRow | None, end: int
) -> CallsUnderWay:
    """The calls that had not ended where the last checkpoint was signed."""
    calls = CallsUnderWay()
    if checkpoint is None:
        return calls
    try:
        numbers = [one for one in listed(checkpoint.open_calls) if one < end]
    except struct.error:
        numbers = []
    for number in numbers:
        for sequence, line in records_of(link, row.name, number, number + 1):
            calls.see(sequence, line)
    if len(numbers) >= MOST_LISTED:
        for sequence, line in records_of(link, row.name, numbers[-1] + 1, end):
            calls.see(sequence, line)
    return calls
