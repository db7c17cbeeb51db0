"""The tiles of every log that is read here: kept up with the checkpoints, and asked for proofs.

Only what a checkpoint signs is put in tiles, and what they come to is compared with the root that is signed: tiles that
disagree are no use to anybody, and say that log or tiles were changed. Blocks: to be called in a thread.

Source: C2SP tlog-tiles; AUDIT §1.4.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import ClassVar, Final

from remit.audit.source import RecordSource
from remit.audit.tile_writer import TileWriter
from remit.audit.tiles import MissingHashError, Tiles
from remit.errors import ConflictError
from remit_audit_verify.note import BadCheckpointError, Checkpoint, parse_checkpoint

__all__ = ["TiledLogs", "TilesDisagreeError", "newest_checkpoint"]

_AT_A_TIME: Final = 32_768


class TilesDisagreeError(ConflictError):
    """What is in the tiles of a log, and in its records, does not hash to what its checkpoint signs."""

    code: ClassVar[str] = "audit_tiles_disagree"


def newest_checkpoint(source: RecordSource, log: str) -> Checkpoint | None:
    """What the newest checkpoint of `log` says, its signature unchecked; `None` where there is none.

    Raises:
        NotFoundError: there is no such log.
        OSError: it cannot be read.
    """
    note = source.checkpoint(log)
    if note is None:
        return None
    try:
        return parse_checkpoint(note).checkpoint
    except BadCheckpointError as error:
        raise OSError("the newest checkpoint cannot be read") from error


class TiledLogs:
    """The logs of `source`, and their tiles in the folder that `folder_of` names. Safe for several threads."""

    def __init__(self, source: RecordSource, folder_of: Callable[[str], Path]) -> None:
        self._source = source
        self._folder_of = folder_of
        self._lock = Lock()
        self._writers: dict[str, TileWriter] = {}
        self._readers: dict[str, Tiles] = {}

    def logs(self) -> tuple[str, ...]:
        """Their names, sorted."""
        return self._source.logs()

    def tiles(self, log: str) -> Tiles:
        """The hashes of `log`, those in no tile made of its records."""
        reader = self._readers.get(log)
        if reader is None:
            reader = Tiles(self._folder_of(log), lambda first, last: self._leaves(log, first, last))
            reader = self._readers.setdefault(log, reader)
        return reader

    def checkpoint(self, log: str) -> Checkpoint | None:
        """As `newest_checkpoint`."""
        return newest_checkpoint(self._source, log)

    def advance(self, log: str) -> bool:
        """Put in tiles what came under a checkpoint, a portion at most; whether there is more.

        Raises:
            TilesDisagreeError: tiles and records are not what is signed; nothing more is put in tiles.
            MissingHashError, NotFoundError, OSError: something cannot be read or written.
        """
        signed = newest_checkpoint(self._source, log)
        if signed is None:
            return False
        with self._lock:
            writer = self._writers.get(log)
            if writer is None:
                writer = self._writers[log] = TileWriter(self._folder_of(log))
            begin = writer.covered
            end = min(signed.size, begin + _AT_A_TIME)
            if end - begin >= 256:
                writer.extend(self._leaves(log, begin, end))
            if writer.covered == begin:
                return False
        more = signed.size - writer.covered >= 256
        if not more and self.tiles(log).root(signed.size) != signed.root:
            raise TilesDisagreeError(f"`{log}` does not hash to what its checkpoint signs")
        return more

    def make_safe(self, log: str) -> int:
        """Return when all tiles of `log` are on stable storage; how many records they cover.

        Raises:
            OSError: one is not.
        """
        with self._lock:
            writer = self._writers.get(log)
            if writer is None:
                writer = self._writers[log] = TileWriter(self._folder_of(log))
            writer.make_safe()
            return writer.covered

    def _leaves(self, log: str, first: int, last: int) -> Sequence[bytes]:
        found = self._source.leaves(log, first, last)
        if len(found) != last - first:
            raise MissingHashError(f"records {first} to {last - 1} of `{log}` are not all there")
        return found
