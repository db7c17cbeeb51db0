"""Logs as files, for those who read files: where they are files, these; where not, a copy of what is asked for, for a while.

Replays are read by several processes, piece by piece (`remit.replay`). What is copied is as secret as the log, lies beside it, and
is gone when it was read.

Source: docs/adr/0022-replay.md; docs/adr/0026-audit-trail.md.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from remit.audit.entry import BadEntryError
from remit.audit.file_source import FileSource
from remit.audit.source import RecordSource
from remit.clock import EpochSeconds, rfc3339_ms
from remit_audit_verify.stream_files import segment_name

__all__ = ["first_since", "log_files"]

_CHUNK: Final = 4_096
_SEGMENT: Final = 65_536


@contextmanager
def log_files(source: RecordSource, *, since: EpochSeconds, beside: Path) -> Iterator[Path]:
    """A folder with the logs in `source`, each in a folder of its own: at least what was written `since` then.

    A copy is made in the folder `beside`, which is closed to others, and removed afterwards. Blocks.

    Raises:
        OSError: they cannot be read, or not copied.
    """
    if isinstance(source, FileSource):
        yield source.path
        return
    with TemporaryDirectory(prefix="log-", dir=beside) as folder:
        for number, log in enumerate(source.logs()):
            stream = Path(folder) / f"{number:04}-{log.rpartition('/')[2]}"
            stream.mkdir(mode=0o700)
            _copy(source, log, stream, since=since)
        yield Path(folder)


def first_since(source: RecordSource, log: str, since: EpochSeconds) -> int:
    """The number of a record of `log` before which none was written `since` then; found by halving, as time goes on in a log.

    Raises:
        NotFoundError: there is no such log.
        OSError: it cannot be read.
    """
    text = rfc3339_ms(since * 1_000)
    low, high = source.bounds(log)
    while low < high:
        middle = (low + high) // 2
        if _observed(source, log, middle) < text:
            low = middle + 1
        else:
            high = middle
    return low


def _observed(source: RecordSource, log: str, sequence: int) -> str:
    """When a record was written; what cannot be told counts as never, so that nothing after it is left out."""
    for record in source.read(log, sequence, limit=1):
        try:
            return str(record.entry().get("observed"))
        except BadEntryError:
            break
    return "~"


def _copy(source: RecordSource, log: str, stream: Path, *, since: EpochSeconds) -> None:
    start, size = first_since(source, log, since), source.bounds(log)[1]
    while start < size:
        with (stream / segment_name(start)).open("xb") as file:
            end = min(start + _SEGMENT, size)
            while start < end:
                records = list(source.read(log, start, limit=min(_CHUNK, end - start)))
                if not records:
                    return
                file.write(b"".join(one.line + b"\n" for one in records))
                start = records[-1].sequence + 1
