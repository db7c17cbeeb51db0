"""A log cut into pieces that are read by themselves, and the decisions in them.

Reads the files and nothing else: what is read has not been verified (`remit audit verify` does that). A file of
which every record is older than what is asked for is not opened beyond its first line. The last line of a
log may still be being written, and is left.

A piece can be shared out: every line belongs to one share, decisions about one thing mostly to the same. Whoever
judges one share of all pieces finds what was found before, and nobody else has to.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import orjson

from remit.clock import rfc3339_ms
from remit.replay.records import Records
from remit_audit_verify.stream_files import Segment, find_streams, list_segments

__all__ = ["Piece", "decisions_in", "pieces_of", "shared_out"]

_PIECE: Final = 4 * 1024 * 1024
_MARK: Final = b'"kind":"decision"'
_LONGEST_LINE: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Piece:
    """The lines of `path` that begin at or after byte `start` and before `end`: those of one share, of so many."""

    path: Path
    start: int
    end: int
    share: int = 0
    shares: int = 1

    @property
    def size(self) -> int:
        """How many bytes that is, about."""
        return (self.end - self.start) // self.shares


def pieces_of(records: Records) -> list[Piece]:
    """The pieces in which `records` may stand, in the order of each stream."""
    since, until = _text(records.since), _text(records.until)
    pieces: list[Piece] = []
    for stream in find_streams(records.folder):
        segments, _ = list_segments(stream)
        for segment in _within(segments, since, until):
            size = segment.path.stat().st_size
            pieces += [
                Piece(segment.path, start, min(start + _PIECE, size))
                for start in range(0, size, _PIECE)
            ]
    return pieces


def shared_out(pieces: Iterable[Piece], shares: int) -> list[list[Piece]]:
    """`pieces`, once for each share."""
    pieces = list(pieces)
    return [
        [replace(piece, share=share, shares=shares) for piece in pieces] for share in range(shares)
    ]


def decisions_in(piece: Piece, records: Records) -> Iterator[dict[str, Any] | None]:
    """The decisions of `records` in `piece`; `None` for each line that is no record."""
    since, until = _text(records.since), _text(records.until)
    for line in _lines(piece):
        if _MARK not in line or (
            piece.shares > 1 and _share_of(line) % piece.shares != piece.share
        ):
            continue
        try:
            entry = orjson.loads(line)
        except orjson.JSONDecodeError:
            yield None
            continue
        if not isinstance(entry, dict) or entry.get("kind") != "decision":
            continue
        observed = entry.get("observed")
        if not isinstance(observed, str) or not isinstance(entry.get("body"), dict):
            yield None
        elif since <= observed < until and records.tenant in {None, entry.get("tenant")}:
            yield entry


def _share_of(line: bytes) -> int:
    """A number that is the same for most lines about the same thing; every line has one, whatever is in it."""
    # Canonical JSON: of the body's members these stand beside each other, and behind whatever a caller brought.
    begin = line.find(b'"name":', line.rfind(b'"method":'))
    server = line.rfind(b'"server":')
    name = line[begin : line.find(b",", begin)]
    return crc32(name, crc32(line[server : line.find(b",", server)]))


def _lines(piece: Piece) -> list[bytes]:
    with piece.path.open("rb") as file:
        if piece.start:
            # A line that began before belongs to the piece before.
            file.seek(piece.start - 1)
            file.readline()
        begin = file.tell()
        if begin >= piece.end:
            return []
        data = file.read(piece.end - begin)
        if not data.endswith(b"\n"):
            data += file.readline(_LONGEST_LINE)
    lines = data.split(b"\n")
    lines.pop()  # what has no end is still being written, or nothing
    return lines


def _within(segments: list[Segment], since: str, until: str) -> Iterator[Segment]:
    """Those that can hold something of that time: a segment ends where the next begins."""
    begins = [_first_time(segment) for segment in segments]
    for place, segment in enumerate(segments):
        begin = begins[place]
        following = begins[place + 1] if place + 1 < len(begins) else None
        too_old = following is not None and following < since
        too_new = begin is not None and begin >= until
        if not too_old and not too_new:
            yield segment


def _first_time(segment: Segment) -> str | None:
    """When the first record of a segment was written; `None` when that cannot be told."""
    with segment.path.open("rb") as file:
        line = file.readline(_LONGEST_LINE)
    try:
        entry: Mapping[str, Any] = orjson.loads(line)
        observed = entry["observed"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return observed if isinstance(observed, str) else None


def _text(seconds: int) -> str:
    return rfc3339_ms(seconds * 1_000)
