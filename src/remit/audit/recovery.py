"""Where a stream stands when it is opened, and whether it may be opened at all.

A record that a crash left half written at the very end was acknowledged to nobody
and is cut off. Anything else that is wrong is not ours to repair: a log that
is shorter than its last signed checkpoint, whose records do not hash to it, or
that is broken before its end does not open, and the error names the record.

The last segment is read whole: what a checkpoint signs must hash to its root, what follows
must be a chain. The sidecar says what the segments before it hash to, so that they are not read;
when it does not lead to the signed root, all are. A byte changed in an older segment is
`verify_log`'s business.

Source: AUDIT §1.5 (start-up).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from remit.audit.entry import BadEntryError, first_link, read_entry
from remit.canonical import MalformedJsonError, canonical_bytes, parse_object
from remit.errors import Error
from remit_audit_verify.note import BadCheckpointError, Checkpoint, VerifierKey, open_checkpoint
from remit_audit_verify.stream_files import (
    CHECKPOINTS,
    FRONTIER,
    Line,
    Segment,
    list_segments,
    read_lines,
    read_notes,
)
from remit_audit_verify.tiles import MissingTileError, Tiles
from remit_audit_verify.tree import Frontier, leaf_hash

__all__ = ["MAX_WRITE_BYTES", "AuditLogDamagedError", "Position", "Recovered", "recover", "sidecar"]

MAX_WRITE_BYTES = 8 * 1024 * 1024
"""The most that is written at once, and so the most that a crash can leave behind."""
_TAIL = 64 * 1024
_SECTOR = 512


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
    """Where to go on from, what has to be cut off first, and where the last segment begins."""

    position: Position
    begin: Position
    last: Checkpoint | None
    checkpoints_end: int
    checkpoints_reach: int
    torn_bytes: int
    signed: Frontier
    """The tree that the last checkpoint signs."""
    unsigned: tuple[bytes, ...]
    """The leaves after it."""


def recover(folder: Path, keys: Sequence[VerifierKey]) -> Recovered:
    """Where the stream in `folder` ends, without changing anything. `keys` are those that signed it, of one name.

    Raises:
        AuditLogDamagedError: it must not be written to before somebody has looked at it.
    """
    notes, checkpoints_end, checkpoints_reach = _last_checkpoints(folder, keys)
    last = notes[-1] if notes else None
    segments, foreign = list_segments(folder)
    if foreign:
        raise AuditLogDamagedError(f"`{foreign[0].name}` is not a segment", sequence=None)
    noted = _from_sidecar(folder)
    scan = _scan_signed(segments, noted, notes) if noted is not None else None
    if scan is None:
        start = _beginning(folder, segments, keys[0])
        signed = {note.size: note for note in notes}
        scan = _scan_signed(segments, start, notes) or _scan(segments, start, signed)
    position = scan.position
    if last is not None and position.tree.size < last.size:
        raise AuditLogDamagedError(
            f"the log ends before record {position.tree.size}, but a checkpoint signs {last.size} records",
            sequence=position.tree.size,
        )
    return Recovered(
        position,
        scan.begin,
        last,
        checkpoints_end,
        checkpoints_reach,
        scan.torn,
        scan.signed,
        tuple(scan.unsigned),
    )


def sidecar(position: Position) -> bytes:
    """What `frontier.json` holds for `position`, which is where a segment begins."""
    return canonical_bytes(
        {
            "v": 2,
            "size": position.tree.size,
            "nodes": [node.hex() for node in position.tree.nodes],
            "previous": position.previous,
        }
    )


def _last_checkpoints(
    folder: Path, keys: Sequence[VerifierKey]
) -> tuple[list[Checkpoint], int, int]:
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
            checkpoints.append(open_checkpoint(note.content.decode(), keys))
        except (BadCheckpointError, UnicodeDecodeError) as error:
            raise AuditLogDamagedError(
                f"the checkpoint that ends at byte {note.end} of `{CHECKPOINTS}` is not ours",
                sequence=checkpoints[-1].size if checkpoints else None,
                cause=error,
            ) from error
    return checkpoints, whole[-1].end if whole else 0, size


@dataclass(frozen=True, slots=True)
class _Scanned:
    """The end of the records, where the last segment begins, and the bytes of a torn record after the end."""

    position: Position
    begin: Position
    torn: int
    signed: Frontier
    unsigned: list[bytes]


def _beginning(folder: Path, segments: list[Segment], key: VerifierKey) -> Position:
    """Where the first segment begins: at record 0, or after what was pruned, as its tiles have it."""
    first = segments[0].first if segments else 0
    if first == 0:
        return Position(Frontier(), first_link(key.name), 0, 0)
    try:
        tiles = Tiles(folder)
        return Position(tiles.frontier(first), tiles.node(0, first - 1).hex(), first, 0)
    except (MissingTileError, OSError) as error:
        raise AuditLogDamagedError(
            "the log does not start at record 0, and no tiles hold what was before",
            sequence=0,
            cause=error,
        ) from error


def _scan_signed(
    segments: list[Segment], start: Position, notes: list[Checkpoint]
) -> _Scanned | None:
    """What is found from `start` on when records up to the last checkpoint are only hashed.

    `start` and those records are believed when they make the root that is signed: no others do.
    `None` when they do not, and what is wrong, if anything, has to be looked for record by record.
    """
    if not notes or start.tree.size > notes[-1].size:
        return None
    try:
        scanned = _scan(segments, start, {n.size: n for n in notes}, hashed=notes[-1].size)
    except AuditLogDamagedError:
        return None
    return scanned if scanned.position.tree.size >= notes[-1].size else None


def _from_sidecar(folder: Path) -> Position | None:
    try:
        data = parse_object((folder / FRONTIER).read_bytes())
        size, nodes, previous = data["size"], data["nodes"], data["previous"]
        if data["v"] != 2 or not (isinstance(size, int) and isinstance(previous, str)):
            return None
        if not isinstance(nodes, list):
            return None
        tree = Frontier(size, [bytes.fromhex(str(node)) for node in nodes])
    except (OSError, MalformedJsonError, KeyError, ValueError):
        return None
    return Position(tree, previous, size, 0)


def _scan(
    segments: list[Segment],
    start: Position,
    checkpoints: dict[int, Checkpoint],
    *,
    hashed: int = 0,
) -> _Scanned:
    """Read on from `start`, where a segment begins, to the end; the first `hashed` records are not parsed."""
    tree, previous = start.tree.copy(), start.previous
    ahead = [segment for segment in segments if segment.first >= start.segment]
    begin = position = start
    last = max(checkpoints, default=0)
    signed, unsigned = tree.copy(), list[bytes]()
    _agree(tree, checkpoints)
    for segment in ahead:
        if segment.first != tree.size:
            raise AuditLogDamagedError(
                f"`{segment.path.name}` should start with record {tree.size}", sequence=tree.size
            )
        begin = position = Position(tree.copy(), previous, segment.first, 0)
        for line in read_lines(segment.path):
            known = tree.size < hashed
            problem = None if known else _problem(line.content, tree.size, previous)
            if problem is None and line.complete:
                leaf = leaf_hash(line.content)
                tree.append(leaf)
                previous = leaf.hex()
                _agree(tree, checkpoints)
                if tree.size > last:
                    unsigned.append(leaf)
                elif tree.size == last:
                    signed = tree.copy()
                position = Position(tree, previous, segment.first, line.end)
                continue
            rest = segment.path.stat().st_size - position.offset
            if segment is ahead[-1] and _is_torn(line, rest):
                return _Scanned(position, begin, rest, signed, unsigned)
            raise AuditLogDamagedError(
                f"record {tree.size} in `{segment.path.name}` is damaged: {problem or 'not complete'}",
                sequence=tree.size,
            )
    return _Scanned(position, begin, 0, signed, unsigned)


def _is_torn(line: Line, rest: int) -> bool:
    """Whether `rest` bytes that start with `line` are what a crash leaves of the last write.

    Either the write stopped within a record; or the disk kept the file's new length
    but not every sector, and zeros stand for the rest. Each write is on stable storage before
    the next begins, so nothing after the first such record was acknowledged either.
    One byte that became zero is no sector that was lost: what follows it is not cut off.
    """
    if not line.complete and len(line.content) == rest:
        return True
    content = line.content
    zero = content.find(b"\0")
    if zero < 0 or rest > MAX_WRITE_BYTES:
        return False
    after = len(content) - len(content[zero:].lstrip(b"\0"))
    if after == len(content) and not line.complete:
        return True
    start = line.end - len(content) - line.complete
    begins = zero == 0 or (start + zero) % _SECTOR == 0
    return begins and (start + after) % _SECTOR == 0


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
