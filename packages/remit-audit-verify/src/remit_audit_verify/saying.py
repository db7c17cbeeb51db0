"""How a finding is said: to a person as lines, to a program as JSON."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

from remit_audit_verify.report import Problem, StreamReport, Verdict, VerifyReport

__all__ = ["VERDICTS", "printable", "render_report", "report_as_json"]

VERDICTS: Final = {
    Verdict.VALID: "valid",
    Verdict.TAMPERED: "TAMPERED WITH",
    Verdict.INCOMPLETE: "NOT ENOUGH EVIDENCE",
    Verdict.STALE: "STALE",
}
_SHOWN: Final = 20
_UNSAID: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def printable(text: str) -> str:
    """`text` in one line, with whatever moves a cursor, hides or reverses what is read, or cannot be written, replaced."""
    return _UNSAID.sub("\ufffd", text)


def render_report(report: VerifyReport) -> str:
    """The report as lines of text, without a final newline."""
    lines: list[str] = []
    for stream in report.streams:
        lines += _stream_lines(stream)
    lines += [f"note: {note}" for note in report.notes]
    if report.failure is not None:
        lines.append(f"{report.path}: {report.failure}")
    if len(report.streams) != 1 or report.failure is not None:
        lines.append(f"verdict: {VERDICTS[report.verdict]}")
    return "\n".join(map(printable, lines))


def report_as_json(report: VerifyReport) -> dict[str, object]:
    """The report as plain values. Fields are only ever added."""
    return {
        "verdict": report.verdict.name.lower(),
        "failure": report.failure,
        "notes": list(report.notes),
        "streams": [
            {
                "path": str(stream.path),
                "origin": stream.origin,
                "verdict": stream.verdict.name.lower(),
                "pinned": stream.pinned,
                "first": stream.first,
                "records": stream.records,
                "checkpoints": stream.checkpoints,
                "proven": stream.proven,
                "witnessed": stream.witnessed,
                "witnessed_at": stream.witnessed_at,
                "witnesses": list(stream.witnesses),
                "joined": stream.joined,
                "receipts": stream.receipts,
                "stamped": stream.stamped,
                "stamped_at": stream.stamped_at,
                "clock_jumps": len(stream.jumps),
                "last_good": stream.last_good,
                "problems": [asdict(problem) for problem in stream.problems],
                "notes": stream.notes,
            }
            for stream in report.streams
        ],
    }


def _stream_lines(stream: StreamReport) -> Iterator[str]:
    yield f"{stream.origin or stream.path.name}: {VERDICTS[stream.verdict]}"
    yield f"  records      {stream.records:,}{_span(stream)}"
    if stream.first:
        yield f"  pruned       the first {stream.first:,} records; their hashes are checked"
    yield f"  checkpoints  {stream.checkpoints:,}, signing {stream.proven:,} records"
    if stream.witnessed_at is not None:
        names = ", ".join(stream.witnesses)
        seen = _moment(stream.witnessed_at)
        yield f"  witnessed    {stream.witnessed:,} records, at {seen} by {names}"
    if stream.stamped_at is not None:
        yield f"  time stamp   {stream.stamped:,} records, at {_moment(stream.stamped_at)}"
    if stream.joined:
        yield f"  joined       {stream.joined:,} records, by the joined log"
    if stream.receipts:
        yield f"  receipts     {stream.receipts:,}, all for records that are here"
    if stream.unsigned:
        yield f"  not yet checkpointed: the last {stream.unsigned:,} records"
    if stream.jumps:
        times = f"{len(stream.jumps):,} times" if len(stream.jumps) > 1 else "once"
        yield f"  note: the clock jumped {times}, first at record {stream.jumps[0]}"
    yield from (f"  note: {note}" for note in stream.notes)
    yield from (f"  {_problem_line(problem)}" for problem in stream.problems[:_SHOWN])
    if len(stream.problems) > _SHOWN:
        yield f"  and {len(stream.problems) - _SHOWN:,} more"
    if stream.verdict is not Verdict.VALID:
        last = "none" if stream.last_good is None else f"{stream.last_good:,}"
        yield f"  last provably good record: {last}"
    if not stream.pinned:
        yield (
            "  the key was read from the log's own folder; whoever can write there can replace it:"
            " pin it with --key"
        )


def _problem_line(problem: Problem) -> str:
    place = problem.file if problem.line is None else f"{problem.file}:{problem.line}"
    if problem.sequence is None:
        return f"{place}: {problem.what}"
    record = f"record {problem.sequence}"
    if problem.through is not None and problem.through > problem.sequence:
        record = f"records {problem.sequence} to {problem.through}"
    return f"{place}: {record}: {problem.what}"


def _span(stream: StreamReport) -> str:
    return f", {stream.first_time} to {stream.last_time}" if stream.first_time else ""


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
