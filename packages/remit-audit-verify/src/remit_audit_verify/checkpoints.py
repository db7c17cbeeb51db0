"""The signed notes of one log, from its folder and from elsewhere, as what its records are held to.

A note that does not hold is reported and passed over; the records are held to all others. Whose
signatures count is decided here: the pinned keys of the log's name, else those in its folder.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

from remit_audit_verify.cosignature import BadCosignatureError
from remit_audit_verify.expected import Expected
from remit_audit_verify.files import open_file, read_file
from remit_audit_verify.note import (
    BadCheckpointError,
    VerifierKey,
    open_signed,
    parse_checkpoint,
)
from remit_audit_verify.policy import Policy
from remit_audit_verify.report import Problem, StreamReport, Verdict
from remit_audit_verify.stream_files import (
    CHECKPOINT,
    CHECKPOINTS,
    KEYS,
    MAX_NOTE,
    WITNESSED,
    read_notes,
)
from remit_audit_verify.timestamps import stamped_checkpoints

__all__ = ["Checkpoints", "keys_of"]

_MOST_KEYS: Final = 1_000
_MAX_KEYS: Final = 1024 * 1024


def keys_of(
    folder: Path, pinned: Sequence[VerifierKey], report: StreamReport
) -> Sequence[VerifierKey]:
    """The keys whose signatures count: the pinned ones of this log's name, else those in its folder."""
    try:
        lines = read_file(folder / KEYS, _MAX_KEYS).decode().splitlines()
        held = [VerifierKey.parse(line) for line in lines[:_MOST_KEYS]]
    except FileNotFoundError:
        held = []
        if not pinned:
            problem = Problem("key", KEYS, what="there is no key, so no signature can be checked")
            report.add(problem, Verdict.INCOMPLETE)
    except (BadCheckpointError, UnicodeDecodeError) as error:
        held = []
        report.add(Problem("key", KEYS, what=f"not a verifier key: {error}"), Verdict.TAMPERED)
    if len({key.name for key in held}) > 1:
        report.add(Problem("key", KEYS, what="names more than one log"), Verdict.TAMPERED)
    report.origin = held[0].name if held else _first_origin(folder)
    report.trusted = tuple(map(str, held))
    if not pinned:
        return held
    ours = [key for key in pinned if key.name == report.origin]
    if not ours:
        problem = Problem("key", KEYS, what=f"no pinned key is for `{report.origin or '?'}`")
        report.add(problem, Verdict.INCOMPLETE)
    report.trusted = tuple(map(str, ours))
    # One that was made to have the short hash of a pinned key could sign in its name.
    twins = {key for key in held for one in ours if key != one and key.hash == one.hash}
    if twins:
        what = "a key that is not the pinned one has its hash"
        report.add(Problem("key", KEYS, what=what), Verdict.TAMPERED)
        held = [key for key in held if key not in twins]
    # Another key may follow a pinned one, or come before it: what the log says of that is known at its end.
    return [*ours, *(key for key in held if key not in ours and ours)]


def _first_origin(folder: Path) -> str:
    """The log's name as its checkpoints have it, which nothing confirms yet."""
    for name in (CHECKPOINTS, CHECKPOINT):
        try:
            with open_file(folder / name) as file:
                origin = file.readline(1_024).rstrip(b"\n").decode()
        except (OSError, UnicodeDecodeError):
            continue
        if origin.isprintable() and len(origin) <= 200:
            return origin
    return ""


@dataclass(slots=True)
class Checkpoints:
    """The notes in the folder of one log."""

    folder: Path
    keys: Sequence[VerifierKey]
    policy: Policy
    report: StreamReport

    def signed(self) -> Iterator[Expected]:
        """Those that the log signed, in order.

        Of the file, only as much as is there now: the records are read afterwards, so that a log
        which is being written is not taken for one that lost its end.
        """
        name = CHECKPOINT if self._is_in_tiles() else CHECKPOINTS
        found = False
        for one in self._notes(name, "the checkpoint"):
            found = True
            self.report.checkpoints += 1
            yield one
        if not found and not (self.folder / name).exists():
            problem = Problem("checkpoint", name, what="there are no checkpoints")
            self.report.add(problem, Verdict.INCOMPLETE)

    def witnessed(self) -> Iterator[Expected]:
        """Those that witnesses signed too."""
        return self._notes(WITNESSED, "a witnessed checkpoint", again=True)

    def stamped(self, roots: bytes) -> Iterator[Expected]:
        """Those that an authority of time stamped; `roots` are the certificates of those that are believed."""

        def opened(note: str) -> Expected:
            one = self._open(note, "a stamped checkpoint")
            return replace(one, time=None, by=(), elsewhere=False)

        return stamped_checkpoints(self.folder, roots, opened, self.report)

    def kept(self, notes: Sequence[str]) -> Iterator[Expected]:
        """Those of `notes`, kept elsewhere, that are of this log."""
        found = []
        for note in notes:
            if parse_checkpoint(note).checkpoint.origin != self.report.origin:
                continue
            try:
                one = self._open(note, "a checkpoint that was kept")
                found.append(replace(one, elsewhere=True))
            except BadCheckpointError as error:
                problem = Problem("since", "the checkpoint that was kept", what=str(error))
                self.report.add(problem, Verdict.INCOMPLETE)
        return iter(sorted(found, key=lambda one: one.size))

    def _is_in_tiles(self) -> bool:
        return not (self.folder / CHECKPOINTS).exists() and (self.folder / CHECKPOINT).exists()

    def _notes(self, name: str, source: str, *, again: bool = False) -> Iterator[Expected]:
        path = self.folder / name
        try:
            file = open_file(path)
        except FileNotFoundError:
            return
        reached = 0
        with file:
            lines = _upto(file, file.seek(0, 2))
            for note in read_notes(_ended(lines) if name == CHECKPOINT else lines):
                if not note.complete:
                    self._unfinished(name, note.content, note.line)
                    return
                try:
                    one = self._open(note.content.decode(), source)
                    _refuse_shrinking(one, reached - again)
                except (BadCheckpointError, UnicodeDecodeError) as error:
                    kind = "cosignature" if isinstance(error, BadCosignatureError) else "checkpoint"
                    problem = Problem(kind, name, line=note.line, what=str(error))
                    self.report.add(problem, Verdict.TAMPERED)
                    continue
                reached = one.size
                yield one

    def _open(self, note: str, source: str) -> Expected:
        signed = parse_checkpoint(note)
        checkpoint = signed.checkpoint
        keys: tuple[str, ...] = ()
        if self.keys:
            checkpoint, signers = open_signed(note, self.keys)
            keys = tuple(map(str, signers))
        if self.report.origin and checkpoint.origin != self.report.origin:
            raise BadCheckpointError("is of another log")
        if not self.policy.witnesses:
            return Expected(size=checkpoint.size, root=checkpoint.root, source=source, keys=keys)
        judged = self.policy.judge(signed)
        return Expected(
            size=checkpoint.size,
            root=checkpoint.root,
            source=source,
            elsewhere=judged.enough and self.policy.demands,
            time=judged.time if judged.enough else None,
            by=judged.names,
            keys=keys,
        )

    def _unfinished(self, name: str, content: bytes, line: int) -> None:
        """The end of the file is not a whole note: cut short by a crash, or garbled."""
        whole = _beginning(content.rstrip(b"\0"), self.report.origin)
        try:
            if whole is not None:
                self._open(whole, "") if whole else None
                what = "the last checkpoint is not whole: a crash, or a write going on"
                self.report.notes.append(what)
                return
        except BadCheckpointError:
            pass
        problem = Problem("checkpoint", name, line=line, what="the end is garbled")
        self.report.add(problem, Verdict.TAMPERED)


def _refuse_shrinking(checkpoint: Expected, reached: int) -> None:
    if checkpoint.size <= reached:
        raise BadCheckpointError(f"signs {checkpoint.size} records, after one that signs {reached}")


_WHOLE = ("0|[1-9][0-9]{0,15}", "[A-Za-z0-9+/]{43}=", "", "— [^\\s+]{1,200} [A-Za-z0-9+/]+={0,2}")
_PART = (
    "[0-9]{0,16}",
    "[A-Za-z0-9+/]{0,43}=?",
    "",
    "(—( ([^\\s+]{1,200}( [A-Za-z0-9+/]*={0,2})?)?)?)?",
)


def _beginning(content: bytes, origin: str) -> str | None:
    """What there is of a note of this log that was cut short: as much as can be checked, `""` if that is nothing.

    `None` if no note begins so.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            return None
        text = content[: error.start].decode()
    *whole, last = text.split("\n")
    if not whole:
        return "" if origin.startswith(last) else None
    forms = [re.escape(origin), *(_WHOLE[min(n, 3)] for n in range(len(whole) - 1))]
    if not all(re.fullmatch(form, line) for form, line in zip(forms, whole, strict=True)):
        return None
    if not re.fullmatch(_PART[min(len(whole) - 1, 3)], last):
        return None
    return "\n".join([*whole, ""]) if len(whole) > 4 else ""


def _upto(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The lines in the first `size` bytes, the longest in pieces."""
    file.seek(0)
    while size > 0 and (line := file.readline(min(size, MAX_NOTE))):
        yield line
        size -= len(line)


def _ended(lines: Iterator[bytes]) -> Iterator[bytes]:
    """One note as a file of its own has it, with the empty line that ends it in a file of several."""
    yield from lines
    yield b"\n"
