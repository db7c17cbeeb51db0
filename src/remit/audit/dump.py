"""Logs out of the database into files, in the very form that logs on files have, so that they are verified as these are.

A copy is gone on with: what is in the folder already must be the beginning of the log, and is never written again. Refused: a
folder in which something else is, and one that ends where the log does not begin any more, for there would be a hole between the two. Of records that were
pruned before the first copy, the hashes are copied. So whoever copies day after day, to where the database's administrator cannot
write, has a log that nobody can take anything back from.

What is copied has not been verified; that is what it is copied for.

Source: AUDIT §1.4, §1.7; docs/reference/audit-log.md.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from remit.audit.database_source import DatabaseSource
from remit.audit.log_store import CheckpointRow, LogRow, checkpoints_after, list_logs
from remit.audit.tile_writer import TileWriter
from remit.db import Database, Transaction
from remit.errors import ConflictError
from remit_audit_verify.note import BadCheckpointError, parse_checkpoint
from remit_audit_verify.stream_files import (
    CHECKPOINTS,
    KEYS,
    WITNESSED,
    list_segments,
    read_lines,
    read_notes,
    segment_name,
)
from remit_audit_verify.tree import leaf_hash

__all__ = ["DumpConflictError", "Dumped", "dump_logs"]

_SEGMENT_BYTES: Final = 64 * 1024 * 1024
_CHUNK: Final = 1_000
_HASHES: Final = 65_536


class DumpConflictError(ConflictError):
    """What is in the folder is not the beginning of the log."""

    code: ClassVar[str] = "audit_dump_conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dumped:
    """The log `name` is in `folder` up to its record `size`; `added` of its records are new there."""

    name: str
    folder: Path
    size: int
    added: int


@dataclass(slots=True)
class _Copy:
    """What a folder has: the segment that grows, how many records, and how many bytes of that segment."""

    segment: int
    size: int
    end: int


def dump_logs(
    database: Database,
    folder: Path,
    *,
    only: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Dumped]:
    """Copy all logs, or the one called `only`, each into a folder of its own in `folder`. Blocks.

    `progress` is told how many records of how many are copied.

    Raises:
        DumpConflictError: a folder has something else in it.
        DatabaseUnavailableError: the database does not answer; what was copied so far is good.
        OSError: the folder cannot be written.
    """
    rows = [row for row in database.read_now(list_logs) if only in {None, row.name}]
    total, done = sum(row.size for row in rows), 0
    found: list[Dumped] = []
    for row in rows:
        target = folder / row.name.rpartition("/")[2]
        copy = _begin(target, row, DatabaseSource(database))
        before, done = copy.size, done + copy.size
        for count in _grow(database, row, target, copy):
            done += count
            if progress is not None:
                progress(done, total)
        _sign(database, row, target, copy)
        found.append(Dumped(name=row.name, folder=target, size=copy.size, added=copy.size - before))
    return found


def _begin(target: Path, row: LogRow, source: DatabaseSource) -> _Copy:
    """What `target` has of the log, which must be how the log begins."""
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    copy = _Copy(row.first, row.first, 0)
    segments, foreign = list_segments(target)
    if foreign:
        raise DumpConflictError(f"`{foreign[0]}` is not of a log")
    if segments:
        last = segments[-1]
        copy = _Copy(last.first, last.first, 0)
        line = b""
        for one in read_lines(last.path):
            if not one.complete:
                break
            copy.size, copy.end, line = copy.size + 1, one.end, one.content
        leaves = source.leaves(row.name, copy.size - 1, copy.size) if line else []
        if line and list(leaves) != [leaf_hash(line)]:
            raise DumpConflictError(
                f"`{target}` has a record {copy.size - 1} that the log does not have"
            )
        if copy.size < row.first:
            raise DumpConflictError(
                f"`{target}` ends before record {copy.size}, and those before {row.first} were pruned since; keep it, and copy into another folder"
            )
    keys = target / KEYS
    if keys.exists() and not row.public_keys.startswith(keys.read_text(encoding="utf-8")):
        raise DumpConflictError(f"`{keys}` names keys that the log does not have")
    if not segments and row.first:
        _keep_hashes(target, row, source)
    keys.write_text(row.public_keys, encoding="utf-8")
    return copy


def _keep_hashes(target: Path, row: LogRow, source: DatabaseSource) -> None:
    """Write what stays of the records before the first that there is: their hashes, in tiles."""
    tiles = TileWriter(target)
    while tiles.covered < row.first:
        before = tiles.covered
        leaves = source.leaves(row.name, before, min(row.first, before + _HASHES))
        if tiles.extend(leaves) == before:
            raise DumpConflictError(f"the hashes after record {before} of `{row.name}` are gone")
    tiles.make_safe()


def _grow(database: Database, row: LogRow, target: Path, copy: _Copy) -> Iterator[int]:
    """Copy the records up to where the log was when it was looked at; how many, again and again."""
    source = DatabaseSource(database)
    while copy.size < row.size:
        if copy.end >= _SEGMENT_BYTES:
            copy.segment, copy.end = copy.size, 0
        most = min(_CHUNK, row.size - copy.size)
        records = list(source.read(row.name, copy.size, limit=most))
        numbers = [one.sequence for one in records]
        if numbers != list(range(copy.size, copy.size + most)):
            raise DumpConflictError(
                f"the log `{row.name}` has no whole run after record {copy.size}"
            )
        data = b"".join(one.line + b"\n" for one in records)
        _append(target / segment_name(copy.segment), copy.end, data)
        copy.size, copy.end = copy.size + most, copy.end + len(data)
        yield most


def _sign(database: Database, row: LogRow, target: Path, copy: _Copy) -> None:
    """Copy what is signed of the records that are copied."""
    for name in (CHECKPOINTS, WITNESSED):
        signed, end = _signed_in(target / name)
        while True:
            reading = _notes_after(row.name, signed, witnessed=name == WITNESSED)
            notes = [one for one in database.read_now(reading) if one.size <= copy.size]
            if not notes:
                break
            data = b"".join(
                f"{one.witnessed if name == WITNESSED else one.note}\n".encode() for one in notes
            )
            _append(target / name, end, data)
            signed, end = notes[-1].size, end + len(data)


def _notes_after(
    log: str, size: int, *, witnessed: bool
) -> Callable[[Transaction], list[CheckpointRow]]:
    return lambda tx: checkpoints_after(tx, log, size, limit=_CHUNK, witnessed=witnessed)


def _signed_in(path: Path) -> tuple[int, int]:
    """How many records the last note in the file signs, and where it ends."""
    if not path.exists():
        return 0, 0
    with path.open("rb") as file:
        notes = [note for note in read_notes(file) if note.complete]
    if not notes:
        return 0, 0
    try:
        last = parse_checkpoint(notes[-1].content.decode())
    except (BadCheckpointError, UnicodeDecodeError) as error:
        raise DumpConflictError(f"`{path}` holds something else", cause=error) from error
    return last.checkpoint.size, notes[-1].end


def _append(path: Path, end: int, data: bytes) -> None:
    """Write `data` after byte `end`; what a copy that broke off left behind it is cut off."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    try:
        os.ftruncate(descriptor, end)
        os.lseek(descriptor, end, os.SEEK_SET)
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
