"""Whether the end of a log is as it was written: the look that opening takes, without opening.

Read are the last segment and the checkpoints that sign it. The records of older segments are only held to
the root that is signed, by way of what the sidecar keeps of them: all of them are `verify_log`'s business.
The key is the one in the log's own folder. Takes no lock; a log may be read while it is written.

Source: AUDIT §1.5 (start-up).
"""

from dataclasses import dataclass
from pathlib import Path

from remit.audit.recovery import AuditLogDamagedError, Recovered, recover
from remit_audit_verify.note import BadCheckpointError, VerifierKey
from remit_audit_verify.stream_files import KEYS

__all__ = ["LogEnding", "verify_ending"]


@dataclass(frozen=True, slots=True)
class LogEnding:
    """The records from `first`, where the last segment begins, to before `size` are as they were written."""

    first: int
    size: int


def verify_ending(folder: Path) -> LogEnding:
    """Read the last segment of the stream in `folder` and hold it to its links and checkpoints.

    Raises:
        AuditLogDamagedError: it is not what was written, or there is no key to check it by.
        OSError: it cannot be read.
    """
    found = _settled(folder, _published(folder))
    return LogEnding(found.begin.tree.size, found.position.tree.size)


def _settled(folder: Path, keys: list[VerifierKey]) -> Recovered:
    """A record that is being written looks damaged for a moment; what is damaged stays so."""
    seen: int | None = -1
    while True:
        try:
            return recover(folder, keys)
        except AuditLogDamagedError as error:
            if error.sequence == seen:
                raise
            seen = error.sequence


def _published(folder: Path) -> list[VerifierKey]:
    try:
        first, *more = (folder / KEYS).read_bytes().decode().splitlines()
        return [VerifierKey.parse(first), *map(VerifierKey.parse, more)]
    except (FileNotFoundError, ValueError, BadCheckpointError) as error:
        raise AuditLogDamagedError(f"`{KEYS}` holds no key", sequence=None, cause=error) from error
