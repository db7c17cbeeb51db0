"""Recorded decisions, decided again by the repository in force and by another."""

from collections.abc import Callable

from remit.audit.record_seal import RecordSeal
from remit.replay.records import Records
from remit.replay.report import ReplayReport
from remit.repository import LoadedRepository

__all__ = ["Progress", "replay"]

Progress = Callable[[int, int, int], None]
"""Hears how many bytes of the log are done, how many there are, and how many decisions were decided so far."""


def replay(
    records: Records,
    old: LoadedRepository,
    new: LoadedRepository,
    *,
    seal: RecordSeal | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> ReplayReport:
    """Decide `records` again under `old` and under `new`, and tell where they differ.

    Blocks for as long as it takes: call it in a thread. With one worker everything happens in this
    process; with more, in that many processes besides. Nothing recorded is carried out; no engine
    outside this process is asked, and no server. Without `seal`, what is sealed counts as not recorded.
    """
    raise NotImplementedError
