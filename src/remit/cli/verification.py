"""`remit audit verify`: the log's own verifier, run on a folder, and its finding said.

It reads files and nothing else: no server, no settings, no database.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import ClassVar, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from remit.audit import BadCheckpointError, VerifyReport, render_report, verify_log
from remit.cli.terminal import print_json, say
from remit.errors import Error

__all__ = ["verify_folder"]

_LONG = 32 * 1024 * 1024


class EvidenceError(Error):
    """What was handed in as evidence cannot be read."""

    code: ClassVar[str] = "evidence"


def verify_folder(
    folder: Path, *, keys: Sequence[str], since: Sequence[Path], as_json: bool
) -> int:
    """Verify, say what was found, and return the exit status: 0 valid, 1 tampered, 2 cannot tell.

    Raises:
        EvidenceError: a pinned key or a kept checkpoint cannot be read.
    """
    try:
        kept = [path.read_text(encoding="utf-8") for path in since]
        with _Bar() as bar:
            report = verify_log(folder, keys=keys, since=kept, progress=bar.show)
    except (OSError, UnicodeDecodeError, BadCheckpointError) as error:
        raise EvidenceError(
            "a key or checkpoint that was given cannot be read", cause=error
        ) from error
    if as_json:
        print_json(_as_json(report))
    else:
        say(render_report(report))
        if report.exit_code == 0:
            records = sum(stream.records for stream in report.streams)
            say(f"audit log verified: {records:,} records")
    return report.exit_code


class _Bar:
    """How far a long log is read, on a terminal only."""

    def __init__(self) -> None:
        columns = (TextColumn("verifying"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._task is not None:
            self._bar.stop()

    def show(self, done: int, total: int) -> None:
        """Of `total` bytes, `done` are read."""
        if total < _LONG or not sys.stderr.isatty():
            return
        if self._task is None:
            self._task = self._bar.add_task("", total=total)
            self._bar.start()
        self._bar.update(self._task, completed=done)


def _as_json(report: VerifyReport) -> dict[str, object]:
    return {
        "verdict": report.verdict.name.lower(),
        "failure": report.failure,
        "streams": [
            {
                "path": str(stream.path),
                "origin": stream.origin,
                "verdict": stream.verdict.name.lower(),
                "pinned": stream.pinned,
                "records": stream.records,
                "checkpoints": stream.checkpoints,
                "proven": stream.proven,
                "last_good": stream.last_good,
                "problems": [asdict(problem) for problem in stream.problems],
                "notes": stream.notes,
            }
            for stream in report.streams
        ],
    }
