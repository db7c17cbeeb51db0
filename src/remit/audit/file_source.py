"""The logs in a folder, read by number: a record far on is sought by halves, and the end is remembered.

Source: AUDIT §1.7.
"""

import threading
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from remit.audit.seeking import seek_record
from remit.audit.source import Record
from remit.errors import NotFoundError
from remit_audit_verify.note import BadCheckpointError, VerifierKey
from remit_audit_verify.stream_files import (
    CHECKPOINTS,
    KEYS,
    Segment,
    find_streams,
    list_segments,
    read_lines,
    read_notes,
)
from remit_audit_verify.tree import leaf_hash

__all__ = ["FileSource"]

_STEP: Final = 512
_TAIL: Final = 64 * 1024


class FileSource:
    """The stream in `path`, or all streams in its folders. Implements `RecordSource`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._marks: dict[Path, list[int]] = {}
        self._folders: dict[str, Path] = {}

    def logs(self) -> tuple[str, ...]:
        """Their names. A folder without a readable key has none."""
        if not self.path.exists():
            return ()
        found: dict[str, Path] = {}
        for folder in find_streams(self.path):
            name = _name_of(folder)
            if name is not None:
                found[name] = folder
        self._folders = found
        return tuple(sorted(found))

    def bounds(self, log: str) -> tuple[int, int]:
        segments = list_segments(self._folder(log))[0]
        if not segments:
            return 0, 0
        last = segments[-1]
        beyond = self._begin(last, None)
        count = sum(1 for line in read_lines(last.path, beyond[1]) if line.complete)
        return segments[0].first, beyond[0] + count

    def read(self, log: str, start: int, *, limit: int) -> Iterator[Record]:
        return islice(self._from(log, start), limit)

    def leaves(self, log: str, first: int, last: int) -> Sequence[bytes]:
        found: list[bytes] = []
        for record in self.read(log, first, limit=last - first):
            if record.sequence != first + len(found):
                break
            found.append(leaf_hash(record.line))
        return found

    def checkpoint(self, log: str) -> str | None:
        try:
            with (self._folder(log) / CHECKPOINTS).open("rb") as file:
                begin = max(0, file.seek(0, 2) - _TAIL)
                file.seek(begin)
                notes = [note for note in read_notes(file.readlines(), begin) if note.complete]
        except FileNotFoundError:
            return None
        return notes[-1].content.decode(errors="replace") if notes else None

    def _from(self, log: str, start: int) -> Iterator[Record]:
        segments = list_segments(self._folder(log))[0]
        for number, segment in enumerate(segments):
            if number + 1 < len(segments) and segments[number + 1].first <= start:
                continue
            sequence, offset = self._place(segment, max(start, segment.first))
            for line in read_lines(segment.path, offset):
                if not line.complete:
                    return
                if sequence >= start:
                    yield Record(log, sequence, line.content)
                sequence += 1

    def _place(self, segment: Segment, wanted: int) -> tuple[int, int]:
        """As `_begin`, without reading the segment for it where its lines say their numbers."""
        if wanted >= segment.first + _STEP:
            found = seek_record(segment.path, wanted, first=segment.first)
            if found is not None:
                return found
        return self._begin(segment, wanted)

    def _begin(self, segment: Segment, wanted: int | None) -> tuple[int, int]:
        """A record of `segment` not after `wanted` (`None`: the end), close to it, and the byte at which it begins."""
        with self._lock:
            marks = self._marks.setdefault(segment.path, [0])
            last = segment.first + (len(marks) - 1) * _STEP
            if wanted is None or wanted >= last + _STEP:
                sequence = last
                for line in read_lines(segment.path, marks[-1]):
                    if not line.complete:
                        break
                    sequence += 1
                    if (sequence - segment.first) % _STEP == 0:
                        marks.append(line.end)
            index = len(marks) - 1
            if wanted is not None:
                index = min(index, (wanted - segment.first) // _STEP)
            return segment.first + index * _STEP, marks[index]

    def _folder(self, log: str) -> Path:
        if log not in self._folders:
            self.logs()
        try:
            return self._folders[log]
        except KeyError:
            raise NotFoundError("there is no such log") from None


def _name_of(folder: Path) -> str | None:
    try:
        first, *_ = (folder / KEYS).read_bytes().decode().splitlines()
        return VerifierKey.parse(first).name
    except (OSError, ValueError, BadCheckpointError):
        return None
