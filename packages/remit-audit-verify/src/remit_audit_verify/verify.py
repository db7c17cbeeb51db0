"""Whether a log is the log that was written: from its files alone, trusting nothing in them.

Every record must be one canonical line, carry the next number, and name the record
before it; every checkpoint must be signed by the log's key, must grow, and must
have the root that the records before it hash to. What follows the last checkpoint is
checked as a chain and reported as not yet signed.

A key that is only read from the log's own folder proves no more than that nobody
without write access to that folder changed anything: pin the key. A log that was
rolled back to an earlier state whole, checkpoints included, looks like that earlier
log: keep a checkpoint, and hand it over as `since`.

Imports nothing of Remit but the format, so that it can be read and run by somebody
who does not trust the rest. Source: AUDIT §1.4; RFC 6962 §2.1; C2SP tlog-checkpoint.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from remit_audit_verify.note import (
    BadCheckpointError,
    Checkpoint,
    VerifierKey,
    open_checkpoint,
    parse_checkpoint,
)
from remit_audit_verify.report import Problem, StreamReport, Verdict, VerifyReport
from remit_audit_verify.stream_files import (
    CHECKPOINTS,
    KEYS,
    find_streams,
    list_segments,
    read_notes,
)
from remit_audit_verify.walk import Signed, walk

__all__ = ["verify_log"]


def verify_log(
    path: Path,
    *,
    keys: Sequence[str] = (),
    since: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> VerifyReport:
    """Check the stream in `path`, or every stream in the folders of `path`.

    `keys` are pinned verifier keys (`name+hash+key`): each stream must be signed by the
    one of its name. `since` are checkpoints kept from earlier: the log must continue each.
    `progress` is told now and then how many bytes of records are done, and of how many.

    Raises:
        BadCheckpointError: one of `keys` or `since` cannot be read.
    """
    pinned = [VerifierKey.parse(key.strip()) for key in keys]
    kept = [_whole(note) for note in since]
    try:
        folders = find_streams(path)
    except OSError as error:
        return VerifyReport(path=path, streams=(), failure=_reason(error))
    if not folders:
        return VerifyReport(path=path, streams=(), failure="there is no audit log here")
    told = _Told(folders, progress)
    streams = tuple(_verify_stream(folder, pinned, kept, told) for folder in folders)
    origins = {stream.origin for stream in streams}
    foreign = [note for note in kept if parse_checkpoint(note).checkpoint.origin not in origins]
    failure = "a checkpoint that was kept is of a log that is not here" if foreign else None
    return VerifyReport(path=path, streams=streams, failure=failure)


class _Told:
    """Adds up what each stream has done. A log that is being written may be longer than it was at the start."""

    def __init__(
        self, folders: Sequence[Path], progress: Callable[[int, int], None] | None
    ) -> None:
        self._progress = progress
        self._sizes = {folder: _size(folder) for folder in folders} if progress else {}
        self._total = sum(self._sizes.values())
        self._before = 0

    def read(self, done: int) -> None:
        """Of the stream in hand, `done` bytes are checked."""
        if self._progress is not None:
            self._progress(min(self._before + done, self._total), self._total)

    def finish(self, folder: Path) -> None:
        """The stream is done with, to its end or to where it is wrong."""
        self._before += self._sizes.get(folder, 0)
        self.read(0)


def _size(folder: Path) -> int:
    try:
        return sum(segment.path.stat().st_size for segment in list_segments(folder)[0])
    except OSError:  # the walk will say so
        return 0


def _verify_stream(
    folder: Path, pinned: Sequence[VerifierKey], kept: Sequence[str], told: _Told
) -> StreamReport:
    report = StreamReport(path=folder, pinned=bool(pinned))
    try:
        keys = _keys(folder, pinned, report)
        signed = Signed(_checkpoints(folder, keys, report))
        for note in kept:
            _expect(note, keys, signed, report)
        if not report.origin and signed.due is not None:
            report.origin = signed.due.origin
        walk(folder, report, signed, progress=told.read)
    except OSError as error:
        report.add(Problem("unreadable", _name(error), what=_reason(error)), Verdict.INCOMPLETE)
    told.finish(folder)
    return report


def _keys(
    folder: Path, pinned: Sequence[VerifierKey], report: StreamReport
) -> Sequence[VerifierKey]:
    """The keys whose signatures count: the pinned ones of this log's name, else those in its folder."""
    try:
        lines = (folder / KEYS).read_bytes().decode().splitlines()
        held = [VerifierKey.parse(line) for line in lines]
    except FileNotFoundError:
        held = []
        if not pinned:
            problem = Problem("key", KEYS, what="there is no key, so no signature can be checked")
            report.add(problem, Verdict.INCOMPLETE)
    except (BadCheckpointError, UnicodeDecodeError) as error:
        held = []
        report.add(Problem("key", KEYS, what=f"not a verifier key: {error}"), Verdict.TAMPERED)
    names = {key.name for key in held}
    if len(names) > 1:
        report.add(Problem("key", KEYS, what="names more than one log"), Verdict.TAMPERED)
    report.origin = held[0].name if held else ""
    if not pinned:
        return held
    return _pinned(held, pinned, report)


def _pinned(
    held: Sequence[VerifierKey], pinned: Sequence[VerifierKey], report: StreamReport
) -> Sequence[VerifierKey]:
    if not held:
        report.origin = pinned[0].name if len(pinned) == 1 else ""
    ours = [key for key in pinned if key.name == report.origin]
    if not ours:
        problem = Problem("key", KEYS, what=f"no pinned key is for `{report.origin or '?'}`")
        report.add(problem, Verdict.INCOMPLETE)
    elif any(key not in ours for key in held):
        report.add(
            Problem("key", KEYS, what="holds a key that is not the pinned one"), Verdict.TAMPERED
        )
    return ours


def _checkpoints(
    folder: Path, keys: Sequence[VerifierKey], report: StreamReport
) -> Iterator[Checkpoint]:
    """The checkpoints that hold, in order. What does not hold is reported and passed over.

    Of the file, only as much as is there now: the records are read afterwards, so that a log
    which is being written is not taken for one that lost its end.
    """
    path = folder / CHECKPOINTS
    try:
        size = path.stat().st_size
        file = path.open("rb")
    except FileNotFoundError:
        problem = Problem("checkpoint", CHECKPOINTS, what="there are no checkpoints")
        report.add(problem, Verdict.INCOMPLETE)
        return
    reached = 0
    with file:
        for note in read_notes(_upto(file, size)):
            if not note.complete:
                _unfinished(note.content, note.line, report)
                return
            try:
                checkpoint = _opened(note.content.decode(), keys, report.origin)
                _refuse_shrinking(checkpoint, reached)
            except (BadCheckpointError, UnicodeDecodeError) as error:
                problem = Problem("checkpoint", CHECKPOINTS, line=note.line, what=str(error))
                report.add(problem, Verdict.TAMPERED)
                continue
            reached = checkpoint.size
            report.checkpoints += 1
            yield checkpoint


def _opened(note: str, keys: Sequence[VerifierKey], origin: str) -> Checkpoint:
    if keys:
        return open_checkpoint(note, keys)
    checkpoint = parse_checkpoint(note).checkpoint
    if origin and checkpoint.origin != origin:
        raise BadCheckpointError("is of another log")
    return checkpoint


def _refuse_shrinking(checkpoint: Checkpoint, reached: int) -> None:
    if checkpoint.size <= reached:
        raise BadCheckpointError(f"signs {checkpoint.size} records, after one that signs {reached}")


def _unfinished(content: bytes, line: int, report: StreamReport) -> None:
    """The end of the file is not a whole note: cut short by a crash, or garbled."""
    if _begins_note(content.rstrip(b"\0").decode(errors="ignore"), report.origin):
        report.notes.append("the last checkpoint is not whole: a crash, or a write going on")
    else:
        problem = Problem("checkpoint", CHECKPOINTS, line=line, what="the end is garbled")
        report.add(problem, Verdict.TAMPERED)


def _begins_note(text: str, origin: str) -> bool:
    """Whether `text` is how a note of this log begins, as far as it goes."""
    *whole, last = text.split("\n")
    if not whole:
        return origin.startswith(last)
    form = ["[0-9]{0,16}", "[A-Za-z0-9+/=]{0,44}", "", "(?:— ?.*)?"]
    rest = [*whole[1:], last]
    return whole[0] == origin and all(
        re.fullmatch(expected, part) for expected, part in zip(form, rest, strict=False)
    )


def _expect(note: str, keys: Sequence[VerifierKey], signed: Signed, report: StreamReport) -> None:
    """Hold the log to a checkpoint that was kept from earlier, if it is of this log."""
    kept = parse_checkpoint(note).checkpoint
    if kept.origin != report.origin:
        return
    try:
        signed.expect(_opened(note, keys, report.origin))
    except BadCheckpointError as error:
        problem = Problem("since", "the checkpoint that was kept", what=str(error))
        report.add(problem, Verdict.INCOMPLETE)


def _upto(lines: Iterator[bytes], size: int) -> Iterator[bytes]:
    for line in lines:
        if size <= 0:
            return
        yield line[:size]
        size -= len(line)


def _whole(note: str) -> str:
    """`note` with one newline at its end, however it was copied."""
    text = note.strip("\n") + "\n"
    parse_checkpoint(text)
    return text


def _name(error: OSError) -> str:
    return Path(error.filename).name if isinstance(error.filename, str) else "?"


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
