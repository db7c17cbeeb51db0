"""Recorded calls decided again: how many a second, beside what it takes to read the log alone.

A hundred thousand calls of a busy organisation, decided by the real guard and recorded in a real log (once: it takes
minutes; the folder is kept and told). The floor reads and parses every record in one process and decides nothing.
*As it is* holds each decision to its record under the bundle in force. *One rule changed* decides those calls twice
that the rule can matter to; *every rule changed* decides all of them twice, under two sets of policies.
Run with `--calls=N` for another number.
"""

import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

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


def floor(records: Records) -> tuple[float, int]:
    """Reading and parsing alone."""
    began = time.perf_counter()
    count = sum(
        one is not None for piece in pieces_of(records) for one in decisions_in(piece, records)
    )
    return time.perf_counter() - began, count


def row(what: str, seconds: float, count: int, note: str = "") -> None:
    print(f"| {what} | {count:,} | {seconds:.1f} | {count / seconds:,.0f} | {note} |", flush=True)


def told(report: ReplayReport) -> str:
    if report.equal == report.decided:
        return f"{report.equal:,} equal"
    return f"{report.equal:,} equal, {report.newly_allowed:,} newly allowed, {report.newly_refused:,} newly refused"


def main() -> None:
    """Print one line for each sort of replay."""
    told_so = [one for one in sys.argv if one.startswith("--calls=")]
    calls = int(told_so[0].removeprefix("--calls=")) if told_so else CALLS
    folder = folder_of(calls)
    began = time.perf_counter()
    recorded(folder, calls)
    print(f"{calls:,} calls in `{folder}` (made in {time.perf_counter() - began:.0f} s)\n")
    old = load_repository(folder / "repository")
    one = changed(folder, "one", r'"500.00"(?=\)\) \};\n@id\("crm-order)', '"900.00"')
    every = changed(
        folder,
        "every",
        r'permit \(principal, action in Remit::Action::"call", resource\)',
        'permit (principal, action in Remit::Action::"call", resource) when { principal.tenant != "nobody" }',
    )
    records = Records(folder=folder / "log", since=0, until=2**32)  # type: ignore[arg-type]  # plain seconds
    print("| | calls | seconds | calls/s | |\n|---|---|---|---|---|")
    row("floor: read and parse, one process", *floor(records))
    for what, new in (("as it is", old), ("one rule changed", one), ("every rule changed", every)):
        for workers in (0, PROCESSES):
            began = time.perf_counter()
            report = replay(records, old, new, record_key=RECORD_KEY, workers=workers)
            places = f"{workers} processes" if workers else "this process"
            row(f"{what}, {places}", time.perf_counter() - began, report.decided, told(report))


if __name__ == "__main__":
    main()
