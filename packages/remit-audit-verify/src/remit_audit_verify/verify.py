"""Whether a log is the log that was written: from its files alone, trusting nothing in them.

Every record must be one canonical line, carry the next number, and name the record
before it; every checkpoint must be signed by the log's key, must grow, and must
have the root that the records before it hash to. What follows the last checkpoint is
checked as a chain and reported as not yet signed.

A key that is only read from the log's own folder proves no more than that nobody
without write access to that folder changed anything: pin the key. A log that was
rolled back to an earlier state whole, checkpoints included, looks like that earlier
log: keep a checkpoint, and hand it over as `since`; or have witnesses, and a policy that demands
them; or keep receipts.

Imports nothing of the server, so that it can be read and run by somebody
who does not trust it. Source: AUDIT §1.4; RFC 6962 §2.1; C2SP tlog-checkpoint, tlog-cosignature.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from remit_audit_verify.afterwards import conclude
from remit_audit_verify.checkpoints import Checkpoints, keys_of
from remit_audit_verify.claims import Claims
from remit_audit_verify.evidence import NO_EVIDENCE, Evidence
from remit_audit_verify.expected import Expectations
from remit_audit_verify.note import VerifierKey, parse_checkpoint
from remit_audit_verify.pruned import begin_after_pruned
from remit_audit_verify.record import first_link
from remit_audit_verify.report import Problem, StreamReport, Verdict, VerifyReport
from remit_audit_verify.stream_files import Segment, find_streams, list_segments
from remit_audit_verify.stretches import Ahead, Readers, cut
from remit_audit_verify.walk import Walk

__all__ = ["LONG", "verify_log"]

Progress = Callable[[int, int], None]
LONG: Final = 32 * 1024 * 1024
"""Bytes of records from which on several processes, and a bar, are worth it."""


def verify_log(
    path: Path,
    *,
    keys: Sequence[str] = (),
    since: Sequence[str] = (),
    evidence: Evidence = NO_EVIDENCE,
    progress: Progress | None = None,
) -> VerifyReport:
    """Check the stream in `path`, or every stream in the folders of `path`.

    `keys` are pinned verifier keys (`name+hash+key`): each stream must be signed by the
    one of its name. `since` are checkpoints kept from earlier: the log must continue each.
    `progress` is told now and then how many bytes of records are done, and of how many.

    Raises:
        BadCheckpointError: one of `keys` or `since` cannot be read.
        BadTimestampError: stamps are asked for, and the extra for them is not installed.
    """
    pinned = [VerifierKey.parse(key.strip()) for key in keys]
    pinned += [key for key in evidence.policy.logs if key not in pinned]
    kept = [_whole(note) for note in since]
    try:
        folders = find_streams(path)
    except OSError as error:
        what = "there is no audit log here" if path.exists() else _reason(error)
        return VerifyReport(path=path, streams=(), failure=what)
    if not folders:
        return VerifyReport(path=path, streams=(), failure="there is no audit log here")
    told = _Told(folders, progress)
    opened = [_open(folder, pinned) for folder in folders]
    claims = Claims()
    with Readers(evidence.workers if told.total >= LONG else 1) as readers:
        # What joined logs say of the others is known before those are read, which go on meanwhile.
        for one in sorted(opened, key=lambda one: not one.report.origin.endswith("/joined")):
            _verify_stream(one, kept, evidence, claims=claims, ahead=(readers, told))
    streams = tuple(one.report for one in opened)
    gone = () if folders == [path] else _without_log(pinned[: len(keys)], streams)
    report = VerifyReport(path=path, streams=streams, failure="; ".join(gone) or None)
    return conclude(report, kept, evidence, claims=claims)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A stream whose keys are known."""

    folder: Path
    report: StreamReport
    keys: Sequence[VerifierKey]


class _Told:
    """Adds up what each stream has done. A log that is being written may be longer than it was at the start."""

    def __init__(self, folders: Sequence[Path], progress: Progress | None) -> None:
        self._progress = progress
        self._sizes = {folder: _size(folder) for folder in folders}
        self.total = sum(self._sizes.values())
        self._before = 0

    def read(self, done: int) -> None:
        """Of the stream in hand, `done` bytes are checked."""
        if self._progress is not None:
            self._progress(min(self._before + done, self.total), self.total)

    def finish(self, folder: Path) -> None:
        """The stream is done with, to its end or to where it is wrong."""
        self._before += self._sizes.get(folder, 0)
        self.read(0)


def _open(folder: Path, pinned: Sequence[VerifierKey]) -> _Opened:
    report = StreamReport(path=folder, pinned=bool(pinned))
    try:
        keys = keys_of(folder, pinned, report)
    except OSError as error:
        keys = ()
        report.add(Problem("unreadable", _name(error), what=_reason(error)), Verdict.INCOMPLETE)
    return _Opened(folder, report, keys)


def _verify_stream(
    opened: _Opened,
    kept: Sequence[str],
    evidence: Evidence,
    *,
    claims: Claims,
    ahead: tuple[Readers, _Told],
) -> None:
    folder, report = opened.folder, opened.report
    readers, told = ahead
    log = report.origin
    try:
        notes = Checkpoints(folder, opened.keys, evidence.policy, report)
        expected = Expectations(
            notes.signed(),
            notes.witnessed(),
            notes.kept(kept),
            notes.stamped(evidence.roots),
            claims.expected(log),
        )
        receipts = sorted(one for one in evidence.receipts if one.log == log)
        walk = Walk(
            report=report,
            expected=expected,
            claims=claims,
            previous=first_link(log) if log else None,
            receipts=receipts[::-1],
            progress=told.read,
        )
        _ = (
            expected.due
        )  # the files of checkpoints are read up to their present ends before the records
        segments, foreign = list_segments(folder)
        for path in foreign:
            problem = Problem("framing", path.name, what="not the name of a segment")
            report.add(problem, Verdict.TAMPERED)
        begin_after_pruned(folder, walk, segments)
        full = evidence.full or not opened.keys
        if _walk_segments(walk, segments, readers, full=full, told=told):
            walk.ended(segments)
        claims.calls[log] = walk.calls
        report.records = walk.tree.size
    except OSError as error:
        report.add(Problem("unreadable", _name(error), what=_reason(error)), Verdict.INCOMPLETE)
    told.finish(folder)


def _walk_segments(
    walk: Walk, segments: Sequence[Segment], readers: Readers, *, full: bool, told: _Told
) -> bool:
    """Check the records of `segments`; whether they are all right so far."""
    stretches = {segment.path: cut(segment, full=full) for segment in segments}
    ahead = Ahead(readers, [one for each in stretches.values() for one in each])
    before = 0
    for segment in segments:
        if not walk.begins(segment):
            return False
        offset = 0
        for stretch in stretches[segment.path]:
            scanned = ahead.get(stretch)
            if scanned is None or not walk.accept(scanned, segment.path.name, full=full):
                break
            offset += stretch.length
            told.read(before + offset)
        place = (offset, walk.tree.size - segment.first + 1)
        passed = before

        def tell(done: int, passed: int = passed) -> None:
            told.read(passed + done)

        walk.progress = tell
        if not walk.look_closely(segment, place=place, last=segment is segments[-1]):
            return False
        before += sum(stretch.length for stretch in stretches[segment.path])
        told.read(before)
    return True


def _size(folder: Path) -> int:
    try:
        return sum(segment.path.stat().st_size for segment in list_segments(folder)[0])
    except OSError:  # the walk will say so
        return 0


def _without_log(pinned: Sequence[VerifierKey], streams: Sequence[StreamReport]) -> Sequence[str]:
    """Whose key is pinned has to be in a folder of logs; a policy only says whom to believe."""
    here = {stream.origin for stream in streams}
    names = sorted({key.name for key in pinned} - here)
    return tuple(f"`{name}`, whose key is pinned, is not here" for name in names)


def _whole(note: str) -> str:
    """`note` with one newline at its end, however it was copied."""
    text = note.strip("\n") + "\n"
    parse_checkpoint(text)
    return text


def _name(error: OSError) -> str:
    return Path(error.filename).name if isinstance(error.filename, str) else "?"


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
