"""The files of one stream: what they are called, and how they are read.

    <stream>/00000000000000000000.jsonl   records, one a line; the name is the first sequence number
    <stream>/checkpoints                  signed notes, each followed by an empty line
    <stream>/witnessed                    those of them that witnesses signed too
    <stream>/log.pub                      verifier keys, one a line
    <stream>/frontier.json                where to go on from after a restart; a cache, trusted by nobody
    <stream>/lock                         held by the one process that writes
    <stream>/tile/…                       hashes, as tlog-tiles has them

A log that was copied from its tiles has `checkpoint` and `tile/entries/…` in place of the first two.
Refuses nothing itself: readers decide what a missing or foreign file means.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from remit_audit_verify.files import open_file
from remit_audit_verify.record import MAX_RECORD_BYTES
from remit_audit_verify.tiles import TILE, entry_bundles, read_bundle

__all__ = [
    "CHECKPOINT",
    "CHECKPOINTS",
    "FRONTIER",
    "KEYS",
    "LOCK",
    "MAX_NOTE",
    "WITNESSED",
    "Line",
    "Note",
    "Segment",
    "find_streams",
    "list_segments",
    "read_lines",
    "read_notes",
    "read_segment",
    "segment_name",
]

CHECKPOINTS = "checkpoints"
CHECKPOINT = "checkpoint"
WITNESSED = "witnessed"
KEYS = "log.pub"
FRONTIER = "frontier.json"
LOCK = "lock"
_SUFFIX = ".jsonl"
_SEGMENT = re.compile(r"(?P<first>[0-9]{20})\.jsonl")
_SIGNATURE = "— ".encode()
MAX_NOTE = 1024 * 1024
"""Bytes that no note has."""


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """One file of records; `first` is the sequence number of its first."""

    first: int
    path: Path
    bundle: bool = False
    """Whether it is an entry bundle of tlog-tiles."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file: its number from 1, the offset at which it ends, and whether a newline ends it."""

    number: int
    end: int
    content: bytes
    complete: bool


@dataclass(frozen=True, slots=True)
class Note:
    """One note of the checkpoints file: the line it starts at, where it ends, and whether it is whole."""

    line: int
    end: int
    content: bytes
    complete: bool


def segment_name(first: int) -> str:
    """The name of the segment that starts with record `first`."""
    return f"{first:020d}{_SUFFIX}"


def list_segments(folder: Path) -> tuple[list[Segment], list[Path]]:
    """The segments in order, and files that end like one but are not named like one."""
    segments: list[Segment] = []
    foreign: list[Path] = []
    for path in sorted(folder.iterdir()):
        match = _SEGMENT.fullmatch(path.name)
        if match is not None:
            segments.append(Segment(int(match["first"]), path))
        elif path.suffix == _SUFFIX:
            foreign.append(path)
    if not segments and not foreign:
        segments = [Segment(first, path, bundle=True) for first, path in entry_bundles(folder)]
    return segments, foreign


def find_streams(path: Path) -> list[Path]:
    """`path` if it is a stream's folder, else those of its folders that are."""
    if _is_stream(path):
        return [path]
    return [folder for folder in sorted(path.iterdir()) if folder.is_dir() and _is_stream(folder)]


def read_lines(path: Path, offset: int = 0) -> Iterator[Line]:
    """The lines of a segment from `offset`, none longer than a record can be.

    A longer line comes in pieces, of which only the last is complete.
    """
    limit = MAX_RECORD_BYTES + 2
    with open_file(path) as file:
        file.seek(offset)
        for number, line in enumerate(iter(lambda: file.readline(limit), b""), start=1):
            offset += len(line)
            if line.endswith(b"\n"):
                yield Line(number, offset, line[:-1], complete=True)
            else:
                yield Line(number, offset, line, complete=False)


def read_segment(segment: Segment, offset: int = 0, number: int = 1) -> Iterator[Line]:
    """The records of `segment` from `offset`, at which line `number` begins."""
    if not segment.bundle:
        for line in read_lines(segment.path, offset):
            yield Line(line.number + number - 1, line.end, line.content, line.complete)
        return
    end = 0
    for at, (content, whole) in enumerate(read_bundle(segment.path), start=1):
        end += 2 + len(content)
        yield Line(at, end, content, whole)


def read_notes(lines: Iterable[bytes], offset: int = 0) -> Iterator[Note]:
    """The notes in `lines` of a checkpoints file, each line with its newline.

    A note ends with the first empty line after a signature line. What remains
    after the last is given as one that is not complete, and so is the first that is longer than a note can be.
    """
    start, held = 1, bytearray()
    signed = False
    for number, line in enumerate(lines, start=1):
        offset += len(line)
        if line == b"\n" and signed:
            yield Note(start, offset, bytes(held), complete=True)
            start, signed = number + 1, False
            held.clear()
            continue
        held += line
        if len(held) > MAX_NOTE:
            break
        signed = line.startswith(_SIGNATURE)
    if held:
        yield Note(start, offset, bytes(held), complete=False)


def _is_stream(folder: Path) -> bool:
    if (folder / KEYS).exists() or (folder / CHECKPOINTS).exists():
        return True
    if (folder / CHECKPOINT).exists() and (folder / TILE).is_dir():
        return True
    return any(folder.glob(f"*{_SUFFIX}"))
