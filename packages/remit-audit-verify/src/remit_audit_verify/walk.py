"""One walk over a stream's records: framing, numbers, links, times, and the root wherever one is signed.

Stops at the first record that is wrong and says which: where a link breaks, either the
record that is named or the one that names it was altered, and the record after both
tells which. Stretches in which nothing is unusual are taken as `scan` read them, if what they
hash to is what is signed; every other is walked through record by record.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from remit_audit_verify.claims import Calls, Claims, call_of
from remit_audit_verify.clock import Clock
from remit_audit_verify.expected import Expectations, Expected
from remit_audit_verify.receipts import Receipt
from remit_audit_verify.record import (
    BadRecordError,
    Json,
    JsonObject,
    read_record,
    require_envelope,
)
from remit_audit_verify.report import Problem, StreamReport, Verdict
from remit_audit_verify.scan import Scanned, grow
from remit_audit_verify.stream_files import CHECKPOINTS, Line, Segment, read_segment
from remit_audit_verify.tree import Frontier, leaf_hash

__all__ = ["Walk"]

_TICK: Final = 1024
"""How many records are checked between two words of progress."""
_MOST_CHANGES: Final = 1_000
_MOST_STEPS: Final = 1_000
"""Beyond so many changes of keys, or records of a wrong time, nobody needs to be told of more."""
_ALTERED: Final = "altered, or not the record that was here"
_RECEIPT: Final = "not the record that a receipt was given for"


@dataclass(slots=True, kw_only=True)
class Walk:
    """How far one stream is checked, and what it is held to from there on."""

    report: StreamReport
    expected: Expectations
    claims: Claims
    previous: str | None
    """What the next record must name; `None` when not even the log's name is known."""
    receipts: list[Receipt]
    """Those of this log that are not yet compared, the last first."""
    progress: Callable[[int], None]
    tree: Frontier = field(default_factory=Frontier)
    clock: Clock = field(default_factory=Clock)
    calls: Calls = field(default_factory=Calls)
    fixed: int = 0
    """How many records somebody elsewhere holds the log to: nobody who has its key could have changed them.

    Each record names the one before it, so that whoever knows one knows all before it.
    """
    pending: Problem | None = None
    """A root that does not hold: the next record may single out what was altered."""
    doubt: Problem | None = None
    """A receipt for another record: the log's own signature tells whether it had the log's key, who did that."""

    def begins(self, segment: Segment) -> bool:
        """Whether `segment` begins where the last one ended; else that is noted."""
        size = self.tree.size
        if segment.first == size:
            return True
        name = segment.path.name
        if segment.first > size:
            what = "missing: no file holds them"
            problem = Problem("missing", name, sequence=size, through=segment.first - 1, what=what)
        else:
            what = "the file before it goes on past the first record of this one"
            problem = Problem("sequence", name, sequence=segment.first, what=what)
        self.report.add(problem, Verdict.TAMPERED)
        return False

    def accept(self, scanned: Scanned, name: str, *, full: bool) -> bool:
        """Take in a stretch of file `name` as it was read, if nothing about it needs a closer look."""
        end = scanned.first + scanned.count
        named = self.previous is None or scanned.link == self.previous
        if self.pending is not None or self.doubt is not None:
            return False
        if scanned.first != self.tree.size or not named:
            return False
        here = [one for one in self.receipts if one.sequence < end]
        if any(scanned.leaf(one.sequence) != one.leaf for one in here):
            return False
        if not self.clock.fits(scanned.earliest()):
            return False
        tree, taken = self.tree.copy(), self.expected.take(end)
        signed = full or self.expected.due is not None or (bool(taken) and taken[-1].size == end)
        if not signed or not _hold(tree, scanned, taken):
            self.expected.put_back(taken)
            return False
        grow(tree, scanned, upto=end)
        for one in taken:
            self._note_times(scanned.time_of(0), scanned.time_of(one.size - scanned.first - 1))
            self.holds(one)
        for sequence, entry in scanned.told:
            wrong = self._listen(sequence, entry)
            if wrong is not None:
                problem = Problem("joined", name, sequence=sequence, what=wrong)
                self.report.add(problem, Verdict.TAMPERED)
        self.tree, self.previous = tree, scanned.leaves[-32:].hex()
        self.calls.go_on(scanned.calls)
        self.clock.latest = max(self.clock.latest, scanned.latest())
        self._note_times(scanned.time_of(0), scanned.time_of(scanned.count - 1))
        if self.report.unsigned_from is None and self.report.proven < end:
            place = max(0, self.report.proven - scanned.first)
            self.report.unsigned_from = scanned.time_of(place)
        self.receipts = self.receipts[: len(self.receipts) - len(here)]
        self.report.receipts += len(here)
        if here:
            self.fixed = max(self.fixed, here[0].sequence + 1)
        return True

    def look_closely(self, segment: Segment, *, place: tuple[int, int], last: bool) -> bool:
        """Walk through the records of `segment` from the line that begins at `place` (offset, number); whether the walk may go on."""
        lines = read_segment(segment, *place)
        name = segment.path.name
        for line in lines:
            if self.pending is not None:
                self._single_out(line)
                return False
            if not line.complete:
                return self._incomplete(name, line, last=last)
            try:
                entry = read_record(line.content)
                require_envelope(entry)
            except BadRecordError as error:
                self._wrong("framing", name, line, error.detail)
                return False
            linked = self.previous is None or entry.get("prev") == self.previous
            numbered = type(entry.get("seq")) is int and entry["seq"] == self.tree.size
            if not numbered or not linked:
                self.report.add(self._broken(entry, line, (name, lines)), Verdict.TAMPERED)
                return False
            if not self._continues(entry, line, name):
                return False
            if not line.number % _TICK:
                self.progress(line.end)
        return True

    def ended(self, segments: list[Segment]) -> None:
        """There are no more records: is something expected that did not come?"""
        if self.pending is not None:
            self._single_out(None)
            return
        if self.doubt is not None:
            self.report.add(self.doubt, Verdict.TAMPERED)
            return
        due, size = self.expected.due, self.tree.size
        name = segments[-1].path.name if segments else CHECKPOINTS
        if due is not None:
            last = due
            while (due := self.expected.due) is not None:
                last = due if due.size > last.size else last
                self.expected.advance()
            what = f"missing: {last.source} signs {last.size} records"
            problem = Problem("short", name, sequence=size, through=last.size - 1, what=what)
            self.report.add(problem, Verdict.TAMPERED)
        elif self.receipts:
            through = self.receipts[0].sequence
            what = "missing: a receipt was given for it"
            problem = Problem("receipt", name, sequence=size, through=through, what=what)
            self.report.add(problem, Verdict.TAMPERED)
        elif size == 0:
            problem = Problem("missing", name, what="there are no records")
            self.report.add(problem, Verdict.INCOMPLETE)
        for sequence, step in self.clock.steps[:_MOST_STEPS]:
            what = f"claims to be {step // 1_000} seconds older than a record before it"
            self.report.add(Problem("time", name, sequence=sequence, what=what), Verdict.TAMPERED)

    def _continues(self, entry: JsonObject, line: Line, name: str) -> bool:
        """Take in a record that stands where it must; whether what it says may be so."""
        sequence, leaf = self.tree.size, leaf_hash(line.content)
        observed = _time(entry)
        if entry.get("kind") == "audit.started" and observed and self.clock.started(observed):
            self.report.jumps.append(sequence)
        wrong = None if observed is None else self.clock.record(sequence, observed)
        if wrong is not None:
            self._wrong("time", name, line, wrong)
            return False
        wrong = self._listen(sequence, entry)
        if wrong is not None:
            self._wrong("joined", name, line, wrong)
            return False
        while self.receipts and self.receipts[-1].sequence == sequence:
            if self.receipts.pop().leaf == leaf:
                self.fixed = max(self.fixed, sequence + 1) if self.doubt is None else self.fixed
                self.report.receipts += 1
            elif self.doubt is None:
                self.doubt = Problem("receipt", name, line.number, self.fixed, sequence, _RECEIPT)
        call = call_of(entry)
        if call is not None:
            (self.calls.open if call[1] else self.calls.close)(call[0], sequence)
        self.tree.append(leaf)
        self.previous = leaf.hex()
        self._note_times(observed, observed)
        if self.report.unsigned_from is None:
            self.report.unsigned_from = observed
        due = self.expected.due
        if due is not None and due.size <= self.tree.size:
            return self._compare_roots(name, line.number)
        return True

    def _listen(self, sequence: int, entry: JsonObject) -> str | None:
        """Records that speak of logs and of clocks."""
        body = entry.get("body")
        if entry.get("kind") == "clock.jumped" and isinstance(body, dict):
            milliseconds = body.get("milliseconds")
            if type(milliseconds) is int:
                self.clock.jumped(milliseconds)
                self.report.jumps.append(sequence)
        if entry.get("kind") == "audit.key_changed" and isinstance(body, dict):
            former, verifier = body.get("former"), body.get("verifier")
            few = len(self.report.successions) < _MOST_CHANGES
            if isinstance(former, str) and isinstance(verifier, str) and few:
                self.report.successions.append((sequence, former, verifier))
        return self.claims.read(entry)

    def _compare_roots(self, name: str, line: int) -> bool:
        """Hold the records so far to everything that is due at this size; whether there is no doubt left."""
        while (due := self.expected.due) is not None and due.size <= self.tree.size:
            if due.size < self.tree.size or due.root != self.tree.root():
                what = f"not what {due.source} of {due.size} records signs"
                # What the log's own key signed is as good as nothing where somebody else saw another log.
                good = self.fixed if due.elsewhere else self.report.proven
                self.pending = Problem("root", name, line, good, due.size - 1, what)
                return True
            if self.doubt is not None:
                self.report.add(self.doubt, Verdict.TAMPERED)
                return False
            self.holds(due)
            self.expected.advance()
        return True

    def holds(self, one: Expected) -> None:
        """What `one` says is so."""
        if one.elsewhere:
            self.fixed = max(self.fixed, one.size)
        for key in one.keys:
            self.report.signers[key] = one.size
            self.report.begins.setdefault(key, one.size)
        if one.keys:
            self.report.signings[one.keys] = one.size
        if one.signed:
            self.report.proven = one.size
            self.report.proven_time = self.report.last_time
            self.report.unsigned_from = None
        else:
            self.report.joined = one.size
        if one.time is not None and one.stamp:
            self.report.stamped, self.report.stamped_at = one.size, one.time
            self.clock.witnessed(one.time)
        elif one.time is not None:
            self.report.witnessed, self.report.witnessed_at = one.size, one.time
            self.report.witnesses = one.by
            self.clock.witnessed(one.time)

    def _note_times(self, first: str | None, last: str | None) -> None:
        if self.report.first_time is None:
            self.report.first_time = first
        self.report.last_time = last or self.report.last_time

    def _wrong(self, kind: str, name: str, line: Line, what: str) -> None:
        problem = Problem(kind, name, line.number, self.tree.size, what=what)
        self.report.add(problem, Verdict.TAMPERED)

    def _single_out(self, following: Line | None) -> None:
        """Report the root that does not hold.

        When the record that follows names another than the last one, the last one was altered
        alone; else whoever altered something recomputed the links, or it was the last record of all.
        """
        problem = self.pending
        assert problem is not None  # noqa: S101  its callers looked
        if following is not None:
            try:
                named = read_record(following.content).get("prev")
            except BadRecordError:
                named = self.previous
            if named != self.previous:
                last = self.tree.size - 1
                problem = replace(problem, kind="link", sequence=last, through=None, what=_ALTERED)
        self.report.add(problem, Verdict.TAMPERED)

    def _broken(self, entry: JsonObject, line: Line, place: tuple[str, Iterator[Line]]) -> Problem:
        """What is wrong with a record that does not continue the one before it."""
        name, lines = place
        sequence, found = self.tree.size, entry.get("seq")
        if type(found) is not int or found != sequence:
            what = f"carries the number {_number(found)}"
            return Problem("sequence", name, line.number, sequence, what=what)
        if sequence == 0:
            what = f"is not the first record of `{self.report.origin}`"
            return Problem("link", name, line.number, 0, what=what)
        following = next(lines, None)
        names_this = following is None or _names(following, line.content)
        if names_this and self.report.proven < sequence:
            at = line.number - 1 or None
            return Problem("link", name, at, sequence - 1, what=_ALTERED)
        return Problem("link", name, line.number, sequence, what=_ALTERED)

    def _incomplete(self, name: str, line: Line, *, last: bool) -> bool:
        """A line without an end: what a crash or a write going on leaves, or else a damaged record."""
        if not last or not _may_be_torn(line.content):
            self._wrong("framing", name, line, "not a whole record")
            return False
        self.report.notes.append(
            f"{name}:{line.number}: the last {len(line.content)} bytes are not a whole record, and"
            " were acknowledged to nobody: a crash, or a write going on"
        )
        return True


def _hold(tree: Frontier, scanned: Scanned, expected: list[Expected]) -> bool:
    """Whether `tree`, grown by what was scanned, comes to every root on the way, at times that may be."""
    for one in expected:
        if one.size < tree.size:
            return False
        grow(tree, scanned, upto=one.size)
        if tree.root() != one.root:
            return False
        if one.time is not None:
            seen = Clock()
            seen.witnessed(one.time)
            if not seen.fits(scanned.earliest(one.size - scanned.first)):
                return False
    return True


def _names(following: Line, content: bytes) -> bool:
    try:
        return read_record(following.content).get("prev") == leaf_hash(content).hex()
    except BadRecordError:
        return False


def _may_be_torn(content: bytes) -> bool:
    """Whether `content` can be the beginning of a record, or the zeros that a power cut leaves."""
    start = b'{"actor":{"id":'
    return content.strip(b"\0")[: len(start)] == start[: len(content.strip(b"\0"))]


def _time(entry: JsonObject) -> str | None:
    time = entry.get("observed")
    return time if isinstance(time, str) else None


def _number(found: Json) -> str:
    return str(found) if type(found) is int else "of another kind"
