"""Where a stream stands when it is opened, and whether it may be opened at all.

A record that a crash left half written at the very end was acknowledged to nobody
and is cut off. Anything else that is wrong is not ours to repair: a log that
is shorter than its last signed checkpoint, whose records do not hash to it, or
that is broken before its end does not open, and the error names the record.

The records since the last sidecar are read; all of them when there is none, or
when it disagrees with the signed checkpoint of the same size. Records older than
that are `verify_log`'s business.

Source: AUDIT §1.5 (start-up).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from remit.audit.checkpoint import BadCheckpointError, Checkpoint, VerifierKey, open_checkpoint
from remit.audit.entry import BadEntryError, first_link, read_entry
from remit.audit.merkle import Frontier, leaf_hash
from remit.audit.stream_files import (
    CHECKPOINTS,
    FRONTIER,
    Line,
    Segment,
    list_segments,
    read_lines,
    read_notes,
)
from remit.canonical import MalformedJsonError, canonical_bytes, parse_object
from remit.errors import Error

__all__ = ["MAX_WRITE_BYTES", "AuditLogDamagedError", "Position", "Recovered", "recover", "sidecar"]

MAX_WRITE_BYTES = 8 * 1024 * 1024
"""The most that is written at once, and so the most that a crash can leave behind."""
_TAIL = 64 * 1024


class AuditLogDamagedError(Error):
    """The log on disk is not the log that was written; `sequence` is the first record not to be trusted."""

    code: ClassVar[str] = "audit_log_damaged"

    def __init__(
        self, detail: str, *, sequence: int | None, cause: BaseException | None = None
    ) -> None:
        super().__init__(detail, cause=cause)
        self.sequence = sequence


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two records: the tree up to here, the last leaf, and the byte in its segment."""

    tree: Frontier
    previous: str
    segment: int
    offset: int


@dataclass(frozen=True, slots=True)
class Recovered:
    """Where to go on from, and what has to be cut off first."""

    position: Position
    last: Checkpoint | None
    checkpoints_end: int
    checkpoints_reach: int
    torn_bytes: int


def recover(folder: Path, key: VerifierKey) -> Recovered:
    """Where the stream in `folder` ends, without changing anything.

    Raises:
        AuditLogDamagedError: it must not be written to before somebody has looked at it.
    """
    notes, checkpoints_end, checkpoints_reach = _last_checkpoints(folder, key)
    last = notes[-1] if notes else None
    segments, foreign = list_segments(folder)
    if foreign:
        raise AuditLogDamagedError(f"`{foreign[0].name}` is not a segment", sequence=None)
    start = _from_sidecar(folder, {note.size: note for note in notes})
    if start is None:
        tree = Frontier()
        start = Position(tree, first_link(key.name), segments[0].first if segments else 0, 0)
        if start.segment != 0:
            raise AuditLogDamagedError("the log does not start at record 0", sequence=0)
    position, torn = _scan(segments, start, {note.size: note for note in notes})
    if last is not None and position.tree.size < last.size:
        raise AuditLogDamagedError(
            f"the log ends before record {position.tree.size}, but a checkpoint signs {last.size} records",
            sequence=position.tree.size,
        )
    return Recovered(position, last, checkpoints_end, checkpoints_reach, torn)


def sidecar(position: Position) -> bytes:
    """What `frontier.json` holds for `position`."""
    return canonical_bytes(
        {
            "v": 1,
            "size": position.tree.size,
            "nodes": [node.hex() for node in position.tree.nodes],
            "previous": position.previous,
            "segment": position.segment,
            "offset": position.offset,
        }
    )


def _last_checkpoints(folder: Path, key: VerifierKey) -> tuple[list[Checkpoint], int, int]:
    """The checkpoints at the end of the file, oldest first; where the last of them ends, and the file."""
    try:
        with (folder / CHECKPOINTS).open("rb") as file:
            size = file.seek(0, 2)
            begin = max(0, size - _TAIL)
            file.seek(begin)
            lines = file.readlines()
    except FileNotFoundError:
        return [], 0, 0
    whole = [note for note in read_notes(lines, begin) if note.complete]
    if begin:  # the first may have been cut in two by starting in the middle
        whole = whole[1:]
    checkpoints: list[Checkpoint] = []
    for note in whole:
        try:
            checkpoints.append(open_checkpoint(note.content.decode(), [key]))
        except (BadCheckpointError, UnicodeDecodeError) as error:
            raise AuditLogDamagedError(
                f"the checkpoint that ends at byte {note.end} of `{CHECKPOINTS}` is not ours",
                sequence=checkpoints[-1].size if checkpoints else None,
                cause=error,
            ) from error
    return checkpoints, whole[-1].end if whole else 0, size


def _from_sidecar(folder: Path, checkpoints: dict[int, Checkpoint]) -> Position | None:
    """The position the sidecar names, if a signed checkpoint and the segment bear it out."""
    try:
        data = parse_object((folder / FRONTIER).read_bytes())
        size, nodes, offset = data["size"], data["nodes"], data["offset"]
        previous, segment = data["previous"], data["segment"]
        if not (isinstance(size, int) and isinstance(offset, int) and isinstance(segment, int)):
            return None
        if not (isinstance(previous, str) and isinstance(nodes, list)):
            return None
        tree = Frontier(size, [bytes.fromhex(str(node)) for node in nodes])
    except (OSError, MalformedJsonError, KeyError, ValueError):
        return None
    checkpoint = checkpoints.get(size)
    if checkpoint is None or checkpoint.root != tree.root():
        return None
    position = Position(tree, previous, segment, offset)
    return position if _ends_record(folder, position, checkpoint) else None


def _ends_record(folder: Path, position: Position, checkpoint: Checkpoint) -> bool:
    """Whether the record before `position` is whole and is the leaf that the sidecar names."""
    segments, _ = list_segments(folder)
    paths = {segment.first: segment.path for segment in segments}
    path = paths.get(position.segment)
    if path is None or position.offset <= 0 or position.segment >= checkpoint.size:
        return False
    with path.open("rb") as file:
        begin = max(0, position.offset - _TAIL)
        file.seek(begin)
        before = file.read(position.offset - begin)
    if len(before) != position.offset - begin or not before.endswith(b"\n"):
        return False
    return leaf_hash(before[:-1].rpartition(b"\n")[2]).hex() == position.previous


def _scan(
    segments: list[Segment], start: Position, checkpoints: dict[int, Checkpoint]
) -> tuple[Position, int]:
    """Read on from `start` to the end; the end, and how many bytes of a torn record follow it."""
    tree, previous = start.tree.copy(), start.previous
    ahead = [segment for segment in segments if segment.first >= start.segment]
    position = start
    for number, segment in enumerate(ahead):
        if number and segment.first != tree.size:
            raise AuditLogDamagedError(
                f"`{segment.path.name}` should start with record {tree.size}", sequence=tree.size
            )
        offset = start.offset if number == 0 else 0
        position = Position(tree, previous, segment.first, offset)
        for line in read_lines(segment.path, offset):
            problem = _problem(line.content, tree.size, previous)
            if problem is None and line.complete:
                leaf = leaf_hash(line.content)
                tree.append(leaf)
                previous = leaf.hex()
                _agree(tree, checkpoints)
                position = Position(tree, previous, segment.first, line.end)
                continue
            rest = segment.path.stat().st_size - position.offset
            if segment is ahead[-1] and _is_torn(line, rest):
                return position, rest
            raise AuditLogDamagedError(
                f"record {tree.size} in `{segment.path.name}` is damaged: {problem or 'not complete'}",
                sequence=tree.size,
            )
    return position, 0


def _is_torn(line: Line, rest: int) -> bool:
    """Whether `rest` bytes that start with `line` are what a crash leaves of the last write.

    Either the write stopped within a record; or the disk kept the file's new length
    but not every page, and zeros stand for the rest. Each write is on stable storage before
    the next begins, so nothing after the first such record was acknowledged either.
    """
    stopped = not line.complete and len(line.content) == rest
    return stopped or (b"\0" in line.content and rest <= MAX_WRITE_BYTES)


def _problem(content: bytes, sequence: int, previous: str) -> str | None:
    try:
        entry = read_entry(content)
    except BadEntryError as error:
        return error.detail
    if entry.get("seq") != sequence:
        return f"it does not have the number {sequence}"
    if entry.get("prev") != previous:
        return "it does not name the record before it"
    return None


def _agree(tree: Frontier, checkpoints: dict[int, Checkpoint]) -> None:
    checkpoint = checkpoints.get(tree.size)
    if checkpoint is not None and checkpoint.root != tree.root():
        raise AuditLogDamagedError(
            f"the records before {tree.size} are not those that its checkpoint signs",
            sequence=tree.size,
        )
