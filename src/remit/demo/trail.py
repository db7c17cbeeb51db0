"""The end of the story: what the log says happened, and what it says when somebody edits it."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from remit.audit import Row, Verdict, render_report, tail, verify_log
from remit.audit.events import DefinitionPinned, SelfTestFinished
from remit.demo.narrator import Narrator
from remit.demo.stage import Stage
from remit.demo.story import UnexpectedAnswerError

__all__ = ["show_trail", "tamper", "verified"]

_NEWEST = 400
_TARGET = 22


def show_trail(stage: Stage, say: Narrator) -> None:
    """Print the log as a table: all of the above, as Remit recorded it."""
    say.step("The audit trail of all this")
    say.asked("remit audit tail")
    rows = _of_the_story(tail(stage.data / "audit", count=_NEWEST))
    say.table(
        ("time", "what", "target", "outcome", "why"), (_cells(one, stage.url) for one in rows)
    )
    say.why("left out: Remit's test of itself at the start, and what it found the servers to offer")


def _of_the_story(rows: Iterable[Row]) -> list[Row]:
    """What came after Remit had tried itself."""
    told: list[Row] = []
    for row in rows:
        if row.what == SelfTestFinished.kind:
            told.clear()
        elif row.what != DefinitionPinned.kind:
            told.append(row)
    return told


def tamper(stage: Stage, say: Narrator) -> None:
    """Flip one bit in a copy of the log, and let the verifier find it.

    Raises:
        UnexpectedAnswerError: it did not.
    """
    say.step("Somebody edits the log")
    copy = stage.folder / "tampered"
    shutil.copytree(stage.data / "audit", copy)
    say.asked(f"in a copy: {_flip(copy)}; then remit audit verify")
    report = verify_log(copy)
    if report.verdict is not Verdict.TAMPERED:
        raise UnexpectedAnswerError(f"the verifier did not notice: {render_report(report)}")
    for problem in report.streams[0].problems[:1]:
        say.refused(
            f"{problem.file}, line {problem.line}, record {problem.sequence}: {problem.what}"
        )
    say.why(f"the last provably good record is {report.streams[0].last_good}")


def verified(stage: Stage) -> int:
    """The number of records in the log, every one of them verified.

    Raises:
        UnexpectedAnswerError: the log does not verify.
    """
    report = verify_log(stage.data / "audit")
    if report.verdict is not Verdict.VALID:
        raise UnexpectedAnswerError(f"the log does not verify: {render_report(report)}")
    return sum(stream.records for stream in report.streams)


def _cells(one: Row, url: str) -> tuple[str, ...]:
    target = one.target.removeprefix(f"{url}/")
    if len(target) > _TARGET:
        target = f"{target[: _TARGET - 1]}…"
    return (one.time[11:19], one.what, target, one.outcome, one.reason.replace("_", " "))


def _flip(folder: Path) -> str:
    """Change the last recorded refusal by one bit, and say where."""
    segment = max(folder.rglob("*.jsonl"))
    content = bytearray(segment.read_bytes())
    offset = content.rindex(b'"deny"') + 1
    content[offset] ^= 0x01
    segment.write_bytes(bytes(content))
    return f"byte {offset:,} of {segment.name}, `deny` becomes `{content[offset : offset + 4].decode()}`"
