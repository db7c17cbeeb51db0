"""Removing the oldest records of a log on files once all in them were kept for their time; their hashes stay.

Whole segments go, from the first on, never the last, and only what safe tiles cover: so every checkpoint, proof and cosignature
from before still holds. Of a segment the record that is to be kept longest decides. What cannot be read is kept.

Source: AUDIT §1.6; C2SP tlog-tiles, "Pruning".
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from remit.audit.entry import BadEntryError, read_entry
from remit.clock import EpochSeconds, Seconds
from remit_audit_verify.stream_files import Segment, list_segments, read_lines

__all__ = ["Prunable", "Times", "is_over", "prunable", "remove"]


@dataclass(frozen=True, slots=True)
class Times:
    """How long records are kept: those of `kinds` (`decision`, `grant.*`) as it says there, the others for `records`.

    What is `held` is kept whatever its time.
    """

    records: Seconds
    kinds: Mapping[str, Seconds]
    held: Callable[[dict[str, Any]], bool] = field(default=lambda _: False, repr=False)

    def of(self, kind: str) -> Seconds:
        """For one kind: by its name, or else by the longest beginning that is named."""
        named = self.kinds.get(kind)
        if named is not None:
            return named
        parts = kind.split(".")
        for count in range(len(parts) - 1, 0, -1):
            named = self.kinds.get(f"{'.'.join(parts[:count])}.*")
            if named is not None:
                return named
        return self.records


@dataclass(frozen=True, slots=True)
class Prunable:
    """What may go: the files, and the number of the first record that stays."""

    size: int
    files: tuple[Path, ...]


def prunable(folder: Path, times: Times, *, covered: int, now: EpochSeconds) -> Prunable | None:
    """What may go of the log in `folder`, of which safe tiles cover `covered` records; `None`: nothing.

    Raises:
        OSError: the folder cannot be read.
    """
    segments, _ = list_segments(folder)
    files: list[Path] = []
    size = 0
    for segment, after in pairwise(segments):
        if after.first > covered or not _is_over(segment, times, now):
            break
        files.append(segment.path)
        size = after.first
    return Prunable(size, tuple(files)) if files else None


def remove(folder: Path, meant: Prunable) -> None:
    """Remove `meant`, the oldest first, so that what is left is the end of the log whatever happens.

    Raises:
        OSError: one cannot be removed; those before it are gone.
    """
    for path in meant.files:
        path.unlink(missing_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_over(line: bytes, times: Times, now: EpochSeconds) -> bool:
    """Whether a record was kept for its time, and is not held. What cannot be read is kept."""
    try:
        entry: Any = read_entry(line)
        written = datetime.fromisoformat(entry["observed"]).timestamp()
        return bool(written + times.of(entry["kind"]) <= now) and not times.held(entry)
    except (BadEntryError, KeyError, TypeError, ValueError, AttributeError):
        return False


def _is_over(segment: Segment, times: Times, now: EpochSeconds) -> bool:
    """Whether each record of `segment` was kept for its time. The first that was not ends the search."""
    return all(
        line.complete and is_over(line.content, times, now) for line in read_lines(segment.path)
    )
