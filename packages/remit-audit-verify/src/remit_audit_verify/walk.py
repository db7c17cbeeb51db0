"""One walk over a stream's records: framing, numbers, links, and the root at every checkpoint.

Stops at the first record that is wrong and says which: where a link breaks, either the
record that is named or the one that names it was altered, and the record after both
tells which.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from remit_audit_verify.note import Checkpoint
from remit_audit_verify.record import BadRecordError, Json, JsonObject, first_link, read_record
from remit_audit_verify.report import Problem, StreamReport, Verdict
from remit_audit_verify.stream_files import CHECKPOINTS, Line, Segment, list_segments, read_lines
from remit_audit_verify.tree import Frontier, leaf_hash

__all__ = ["Signed", "walk"]


class Signed:
    """What the log is held to, in order of size: its own checkpoints, and those kept from earlier."""

    __slots__ = ("_checkpoints", "_kept", "_next", "due")

    def __init__(self, checkpoints: Iterator[Checkpoint]) -> None:
        self._checkpoints = checkpoints
        self._kept: list[Checkpoint] = []
        self._next = next(checkpoints, None)
        self.due = self._next

    def expect(self, kept: Checkpoint) -> None:
        """Hold the log to `kept` too."""
        self._kept = sorted([*self._kept, kept], key=lambda one: one.size)
        self._choose()

    def advance(self) -> None:
        """Go on to what is due after `due`."""
        if self._kept and self.due is self._kept[0]:
            self._kept.pop(0)
        else:
            self._next = next(self._checkpoints, None)
        self._choose()

    def _choose(self) -> None:
        kept = self._kept[0] if self._kept else None
        if kept is not None and (self._next is None or kept.size <= self._next.size):
            self.due = kept
        else:
            self.due = self._next


_TICK = 1024
"""How many records are checked between two words of progress."""
_ALTERED = "altered, or not the record that was here"


@dataclass(slots=True)
class _Walk:
    """How far the walk has come."""

    report: StreamReport
    signed: Signed
    previous: str | None
    """What the next record must name; `None` when not even the log's name is known."""
    progress: Callable[[int], None]
    before: int = 0
    """The bytes of the segments that are checked."""
    tree: Frontier = field(default_factory=Frontier)
    pending: Problem | None = None
    """A root that does not hold: the next record may single out what was altered."""


def walk(
    folder: Path, report: StreamReport, signed: Signed, *, progress: Callable[[int], None]
) -> None:
    """Check every record in `folder`, note in `report` what is found; `progress` hears the bytes done."""
    segments, foreign = list_segments(folder)
    for path in foreign:
        report.add(
            Problem("framing", path.name, what="not the name of a segment"), Verdict.TAMPERED
        )
    first = first_link(report.origin) if report.origin else None
    state = _Walk(report, signed, first, progress)
    for segment in segments:
        if not _starts_where_the_last_ended(state, segment):
            break
        if not _walk_segment(state, segment, last=segment is segments[-1]):
            break
    else:
        _walk_ended(state, segments)
    report.records = state.tree.size


def _starts_where_the_last_ended(state: _Walk, segment: Segment) -> bool:
    size = state.tree.size
    if segment.first == size:
        return True
    if segment.first > size:
        what = "missing: no file holds them"
        problem = Problem(
            "missing", segment.path.name, sequence=size, through=segment.first - 1, what=what
        )
    else:
        what = "the file before it goes on past the first record of this one"
        problem = Problem("sequence", segment.path.name, sequence=segment.first, what=what)
    state.report.add(problem, Verdict.TAMPERED)
    return False


def _walk_segment(state: _Walk, segment: Segment, *, last: bool) -> bool:
    """Check the records of one segment; whether the walk may go on."""
    report, tree, signed = state.report, state.tree, state.signed
    lines = read_lines(segment.path)
    name = segment.path.name
    for line in lines:
        content = line.content
        sequence = tree.size
        if state.pending is not None:
            _single_out(state, line)
            return False
        if not line.complete:
            return _incomplete(state, name, line, last=last)
        try:
            entry = read_record(content)
        except BadRecordError as error:
            problem = Problem("framing", name, line.number, sequence, what=error.detail)
            report.add(problem, Verdict.TAMPERED)
            return False
        linked = state.previous is None or entry.get("prev") == state.previous
        if entry.get("seq") != sequence or not linked:
            report.add(_broken(state, entry, line, (name, lines)), Verdict.TAMPERED)
            return False
        leaf = leaf_hash(content)
        tree.append(leaf)
        state.previous = leaf.hex()
        due = signed.due
        if due is not None and due.size <= tree.size:
            _compare_roots(state, name, line.number)
        if report.first_time is None:
            report.first_time = _time(entry)
        if not line.number % _TICK:
            state.progress(state.before + line.end)
    if state.tree.size > segment.first:
        report.last_time = _time(entry)
        state.before += line.end
        state.progress(state.before)
    return True


def _compare_roots(state: _Walk, name: str, line: int) -> None:
    """Hold the records so far to every checkpoint that is due at this size."""
    report, tree, signed = state.report, state.tree, state.signed
    while (due := signed.due) is not None and due.size <= tree.size:
        if due.size < tree.size or due.root != tree.root():
            what = f"not what the checkpoint of {due.size} records signs"
            state.pending = Problem("root", name, line, report.proven, due.size - 1, what)
            return
        report.proven = due.size
        signed.advance()


def _single_out(state: _Walk, following: Line | None) -> None:
    """Report the root that does not hold.

    When the record that follows names another than the last one, the last one was altered
    alone; else whoever altered something recomputed the links, or it was the last record of all.
    """
    problem = state.pending
    assert problem is not None  # noqa: S101  its callers looked
    if following is not None:
        try:
            named = read_record(following.content).get("prev")
        except BadRecordError:
            named = state.previous
        if named != state.previous:
            last = state.tree.size - 1
            problem = replace(problem, kind="link", sequence=last, through=None, what=_ALTERED)
    state.report.add(problem, Verdict.TAMPERED)


def _broken(
    state: _Walk, entry: JsonObject, line: Line, place: tuple[str, Iterator[Line]]
) -> Problem:
    """What is wrong with a record that does not continue the one before it."""
    name, lines = place
    sequence, found = state.tree.size, entry.get("seq")
    if found != sequence:
        what = f"carries the number {_number(found)}"
        return Problem("sequence", name, line.number, sequence, what=what)
    if sequence == 0:
        what = f"is not the first record of `{state.report.origin}`"
        return Problem("link", name, line.number, 0, what=what)
    following = next(lines, None)
    names_this = following is not None and _names(following, line.content)
    if names_this or (following is None and state.report.proven < sequence):
        at = line.number - 1 or None
        return Problem("link", name, at, sequence - 1, what=_ALTERED)
    return Problem("link", name, line.number, sequence, what=_ALTERED)


def _names(following: Line, content: bytes) -> bool:
    try:
        return read_record(following.content).get("prev") == leaf_hash(content).hex()
    except BadRecordError:
        return False


def _incomplete(state: _Walk, name: str, line: Line, *, last: bool) -> bool:
    """A line without an end: what a crash or a write going on leaves, or else a damaged record."""
    following = line.number if last and _may_be_torn(line.content) else None
    if following is None:
        problem = Problem("framing", name, line.number, state.tree.size, what="not a whole record")
        state.report.add(problem, Verdict.TAMPERED)
        return False
    state.report.notes.append(
        f"{name}:{line.number}: the last {len(line.content)} bytes are not a whole record, and were"
        " acknowledged to nobody: a crash, or a write going on"
    )
    return True


def _may_be_torn(content: bytes) -> bool:
    """Whether `content` can be the beginning of a record, or the zeros that a power cut leaves."""
    start = b'{"actor":{"id":'
    return content.strip(b"\0")[: len(start)] == start[: len(content.strip(b"\0"))]


def _walk_ended(state: _Walk, segments: list[Segment]) -> None:
    if state.pending is not None:
        _single_out(state, None)
        return
    due, size = state.signed.due, state.tree.size
    name = segments[-1].path.name if segments else CHECKPOINTS
    if due is not None:
        last = due.size
        for checkpoint in _rest(state.signed):
            last = max(last, checkpoint.size)
        what = f"missing: a checkpoint signs {last} records"
        problem = Problem("short", name, sequence=size, through=last - 1, what=what)
        state.report.add(problem, Verdict.TAMPERED)
    elif size == 0:
        problem = Problem("missing", name, what="there are no records")
        state.report.add(problem, Verdict.INCOMPLETE)


def _rest(signed: Signed) -> Iterator[Checkpoint]:
    while signed.due is not None:
        yield signed.due
        signed.advance()


def _time(entry: JsonObject) -> str | None:
    time = entry.get("observed")
    return time if isinstance(time, str) else None


def _number(found: Json) -> str:
    return str(found) if isinstance(found, int) else "of another kind"
