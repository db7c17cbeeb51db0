"""Recorded calls decided again: how many a second, beside what it takes to read the log alone.

A hundred thousand calls of a busy organisation, decided by the real guard and recorded in a real log (once: it takes
minutes; the folder is kept and told). The floor reads and parses every record in one process and decides nothing.
*As it is* holds each decision to its record under the bundle in force. *One rule changed* decides those calls twice
that the rule can matter to; *every rule changed* decides all of them twice, under two sets of policies.
Run with `--calls=N` for another number.
"""

import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from remit.clock import EpochSeconds
from remit.replay import Records, ReplayReport, replay
from remit.replay.reading import decisions_in, pieces_of
from remit.repository import LoadedRepository, load_repository
from remit.testing.traffic import RECORD_KEY, Traffic, record_calls, write_busy_repository

CALLS = 100_000
PROCESSES = 2


def folder_of(calls: int) -> Path:
    return Path(tempfile.gettempdir()) / f"remit-benchmark-replay-{calls}"


def recorded(folder: Path, calls: int) -> None:
    """Record the calls, unless they are there."""
    if (folder / "done").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    write_busy_repository(folder / "repository")
    repository = load_repository(folder / "repository")
    record_calls(repository, folder / "log" / "main", Traffic(count=calls))
    (folder / "done").touch()


def changed(folder: Path, name: str, pattern: str, replacement: str) -> LoadedRepository:
    """The repository with all that matches `pattern` in its policies replaced."""
    target = folder / name
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder / "repository", target)
    policies = target / "policies" / "all.cedar"
    policies.write_text(re.sub(pattern, replacement, policies.read_text()))
    return load_repository(target)


def floor(records: Records) -> str:
    """Reading and parsing alone."""
    count = sum(
        one is not None for piece in pieces_of(records) for one in decisions_in(piece, records)
    )
    return f"{count:,} read"


def told(report: ReplayReport) -> str:
    if report.equal == report.decided:
        return f"{report.equal:,} equal"
    return f"{report.equal:,} equal, {report.newly_allowed:,} newly allowed, {report.newly_refused:,} newly refused"


def processor() -> float:
    """What this process and those that it waited for have used."""
    return sum(os.times()[:4])


def row(what: str, calls: int, work: Callable[[], str]) -> None:
    """One line: by the clock, and by the processor, which other work on the machine does not lengthen as much."""
    began, used = time.perf_counter(), processor()
    note = work()
    seconds, micros = time.perf_counter() - began, (processor() - used) / calls * 1e6
    print(
        f"| {what} | {seconds:.1f} | {calls / seconds:,.0f} | {micros:,.0f} | {note} |", flush=True
    )


def main() -> None:
    """Print one line for each sort of replay."""
    told_so = [one for one in sys.argv if one.startswith("--calls=")]
    calls = int(told_so[0].removeprefix("--calls=")) if told_so else CALLS
    folder = folder_of(calls)
    recorded(folder, calls)
    old = load_repository(folder / "repository")
    one = changed(folder, "one", r'"500.00"(?=\)\) \};\n@id\("crm-order)', '"900.00"')
    call = 'permit (principal, action in Remit::Action::"call", resource)'
    every = changed(
        folder, "every", re.escape(call), f'{call} when {{ principal.tenant != "nobody" }}'
    )
    records = Records(folder=folder / "log", since=EpochSeconds(0), until=EpochSeconds(2**32))
    print(
        f"{calls:,} calls\n\n| | seconds | calls/s | processor µs a call | |\n|---|---|---|---|---|"
    )
    row("floor: read and parse, one process", calls, lambda: floor(records))

    def again(new: LoadedRepository, processes: int = PROCESSES) -> str:
        return told(replay(records, old, new, record_key=RECORD_KEY, workers=processes))

    row("as it is, this process", calls, lambda: again(old, 0))
    row("as it is, two processes", calls, lambda: again(old))
    row("one rule changed, two processes", calls, lambda: again(one))
    row("every rule changed, two processes", calls, lambda: again(every))


if __name__ == "__main__":
    main()
