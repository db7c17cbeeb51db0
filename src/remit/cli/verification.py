"""`remit audit verify`: the log's own verifier, run on a folder, and its finding said.

It reads files and nothing else: no server, no settings, no database.
"""

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
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

from remit.audit import render_report, verify_log
from remit.cli.terminal import print_json, say
from remit.errors import Error
from remit_audit_verify.bundle import BadBundleError, is_bundle, verify_bundle
from remit_audit_verify.errors import VerifyError
from remit_audit_verify.evidence import Evidence
from remit_audit_verify.given import (
    read_age,
    read_kept,
    read_keys,
    read_policy,
    read_receipt_files,
    read_root_file,
)
from remit_audit_verify.saying import report_as_json
from remit_audit_verify.verify import LONG

__all__ = ["Brought", "verify_folder"]


class EvidenceError(Error):
    """What was handed in as evidence cannot be read."""

    code: ClassVar[str] = "evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What was handed over besides the log, as the command line has it."""

    keys: Sequence[str] = ()
    since: Sequence[Path] = ()
    policy: Path | None = None
    receipts: Sequence[Path] = ()
    max_age: str | None = None
    timestamps: Path | None = None
    full: bool = False

    def evidence(self) -> Evidence:
        """As the verifier takes it.

        Raises:
            VerifyError: something of it cannot be understood.
            OSError: or read.
        """
        return Evidence(
            policy=read_policy(self.policy),
            receipts=read_receipt_files(self.receipts),
            max_age=None if self.max_age is None else read_age(self.max_age),
            now=int(time.time()),
            roots=read_root_file(self.timestamps),
            full=self.full,
            workers=os.cpu_count() or 1,
        )


def verify_folder(folder: Path, brought: Brought, *, as_json: bool) -> int:
    """Verify, say what was found, and return the exit status: 0 valid, 1 tampered, 2 cannot tell, 3 stale.

    Raises:
        EvidenceError: something that was handed over cannot be read.
    """
    try:
        kept = read_kept(brought.since)
        keys, evidence = read_keys(brought.keys), brought.evidence()
        with _Bar() as bar:
            if is_bundle(folder):
                if kept:
                    raise BadBundleError("`--since` is for a whole log, not for a bundle")
                report = verify_bundle(folder, keys=keys, evidence=evidence, progress=bar.show)
            else:
                report = verify_log(
                    folder, keys=keys, since=kept, evidence=evidence, progress=bar.show
                )
    except (OSError, UnicodeDecodeError, VerifyError) as error:
        raise EvidenceError(
            f"what was handed over cannot be read: {_why(error)}", cause=error
        ) from error
    if as_json:
        print_json(report_as_json(report))
    else:
        say(render_report(report))
        if report.exit_code == 0:
            records = sum(stream.records for stream in report.streams)
            say(f"audit log verified: {records:,} records")
    return report.exit_code


def _why(error: Exception) -> str:
    if isinstance(error, VerifyError):
        return error.detail
    return error.strerror or "?" if isinstance(error, OSError) else "it is no text"


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
        if total < LONG or not sys.stderr.isatty():
            return
        if self._task is None:
            self._task = self._bar.add_task("", total=total)
            self._bar.start()
        self._bar.update(self._task, completed=done)
