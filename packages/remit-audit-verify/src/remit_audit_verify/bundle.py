"""A bundle: some records of some logs, chosen by a question, each with what shows that it is in its log. One ZIP file.

    bundle.json    what was asked, when, and how many records there are
    records.jsonl  the records, as the logs have them
    proofs.jsonl   for each of them, in the same order: its log, its number, its path in the tree
    checkpoints    of each log one signed note, with cosignatures, each followed by an empty line
    log.pub        the verifier keys of the logs, for whoever has none pinned

It shows that what is in it was recorded so. It cannot show that nothing was left out: for that, the whole log.

Source: AUDIT §1.6 "Export bundle"; C2SP tlog-proof; RFC 9162 §2.1.3.
"""

import io
import json
import zipfile
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from remit_audit_verify.cosignature import BadCosignatureError
from remit_audit_verify.errors import VerifyError
from remit_audit_verify.evidence import NO_EVIDENCE, Evidence
from remit_audit_verify.note import (
    BadCheckpointError,
    Checkpoint,
    VerifierKey,
    open_checkpoint,
    parse_checkpoint,
)
from remit_audit_verify.record import BadRecordError, read_record
from remit_audit_verify.report import Problem, StreamReport, Verdict, VerifyReport
from remit_audit_verify.stream_files import read_notes
from remit_audit_verify.tree import leaf_hash, verify_inclusion

__all__ = ["BadBundleError", "BundledRecord", "is_bundle", "verify_bundle", "write_bundle"]

VERSION: Final = 1
ABOUT: Final = "bundle.json"
RECORDS: Final = "records.jsonl"
PROOFS: Final = "proofs.jsonl"
CHECKPOINTS: Final = "checkpoints"
KEYS: Final = "log.pub"
_UNREADABLE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    NotImplementedError,
    RuntimeError,
)
"""What reading a file raises that is a ZIP file to begin with, and then none."""
_MAX_LINE: Final = 64 * 1024
_MAX_SMALL: Final = 64 * 1024 * 1024


class BadBundleError(VerifyError):
    """A file that is no bundle."""


@dataclass(frozen=True, slots=True)
class BundledRecord:
    """A record, where it stands, and its path in the tree that the log's note in the bundle signs."""

    log: str
    sequence: int
    line: bytes
    path: Sequence[bytes]


def write_bundle(
    file: IO[bytes],
    records: Iterable[BundledRecord],
    *,
    notes: Sequence[str],
    keys: Sequence[VerifierKey],
    about: Mapping[str, object],
) -> int:
    """Write a bundle of `records`; how many there were. `about` says, in JSON's values, what was asked.

    `notes` has one signed note of each log, larger than the number of any of its records.
    """
    count = 0
    proofs = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as bundle:
        with bundle.open(_member(RECORDS), "w", force_zip64=True) as lines:
            for one in records:
                lines.write(one.line + b"\n")
                path = [b64encode(node).decode() for node in one.path]
                proof = {"log": one.log, "path": path, "seq": one.sequence}
                proofs.write(json.dumps(proof, separators=(",", ":")).encode() + b"\n")
                count += 1
        bundle.writestr(_member(PROOFS), proofs.getvalue())
        bundle.writestr(_member(CHECKPOINTS), "".join(f"{note}\n" for note in notes))
        bundle.writestr(_member(KEYS), "".join(f"{key}\n" for key in keys))
        said = {**about, "records": count, "v": VERSION}
        bundle.writestr(_member(ABOUT), json.dumps(said, indent=2, sort_keys=True) + "\n")
    return count


def is_bundle(path: Path) -> bool:
    """Whether `path` is a bundle, and no log's folder."""
    return path.is_file() and zipfile.is_zipfile(path)


def verify_bundle(
    path: Path,
    *,
    keys: Sequence[str] = (),
    evidence: Evidence = NO_EVIDENCE,
    progress: Callable[[int, int], None] | None = None,
) -> VerifyReport:
    """Check every record of the bundle against the note of its log.

    Raises:
        BadCheckpointError: one of `keys` cannot be read.
        BadBundleError: the file is no bundle.
        OSError: it cannot be read.
    """
    pinned = [*(VerifierKey.parse(key.strip()) for key in keys), *evidence.policy.logs]
    try:
        with zipfile.ZipFile(path) as bundle:
            return _Checking(path, bundle, pinned, evidence).run(progress)
    except _UNREADABLE as error:
        raise BadBundleError("the file is no bundle, or is damaged", cause=error) from error


class _Checking:
    """One bundle, on its way to a report."""

    def __init__(
        self,
        path: Path,
        bundle: zipfile.ZipFile,
        pinned: Sequence[VerifierKey],
        evidence: Evidence,
    ) -> None:
        self._path, self._bundle, self._pinned, self._evidence = path, bundle, pinned, evidence
        self._streams: dict[str, StreamReport] = {}
        self._signed: dict[str, Checkpoint] = {}

    def run(self, progress: Callable[[int, int], None] | None) -> VerifyReport:
        self._read_notes()
        about = self._about()
        expected, count = about.get("records"), 0
        for count, (line, proof) in enumerate(self._pairs(), start=1):
            self._check(count, line, proof)
            if progress is not None and not count % 1_024 and type(expected) is int:
                progress(count, max(count, expected))
        whole = type(expected) is int and expected == count
        failure = None if whole else f"the bundle names {expected!a} records and has {count}"
        streams = tuple(self._streams[log] for log in sorted(self._streams))
        for stream in streams:
            if self._evidence.policy.demands and not stream.witnessed:
                what = "the note does not have the signatures of witnesses that the policy demands"
                stream.add(Problem("quorum", CHECKPOINTS, what=what), Verdict.INCOMPLETE)
        note = "a bundle shows that its records are in their logs, not that there are no others"
        return VerifyReport(path=self._path, streams=streams, failure=failure, notes=(note,))

    def _about(self) -> dict[str, Any]:
        try:
            about = json.loads(self._small(ABOUT))
        except ValueError as error:
            raise BadBundleError(f"`{ABOUT}` is not JSON", cause=error) from error
        if not isinstance(about, dict) or about.get("v") != VERSION:
            raise BadBundleError("a bundle of another version")
        return about

    def _read_notes(self) -> None:
        try:
            held = [VerifierKey.parse(line) for line in self._small(KEYS).decode().splitlines()]
        except (BadCheckpointError, UnicodeDecodeError) as error:
            raise BadBundleError(f"`{KEYS}` holds what is no key", cause=error) from error
        for note in read_notes(io.BytesIO(self._small(CHECKPOINTS))):
            try:
                text = note.content.decode()
                log = parse_checkpoint(text).checkpoint.origin
            except (BadCheckpointError, UnicodeDecodeError) as error:
                raise BadBundleError(f"`{CHECKPOINTS}` holds what is no note") from error
            self._open(log, text, held)

    def _open(self, log: str, note: str, held: Sequence[VerifierKey]) -> None:
        report = self._streams.setdefault(log, StreamReport(path=self._path, origin=log))
        report.pinned = bool(self._pinned)
        ours = [key for key in (self._pinned or held) if key.name == log]
        if not ours:
            what = f"no {'pinned ' if self._pinned else ''}key is for `{log}`"
            report.add(Problem("key", KEYS, what=what), Verdict.INCOMPLETE)
            return
        try:
            checkpoint = open_checkpoint(note, ours)
            judged = self._evidence.policy.judge(parse_checkpoint(note))
        except BadCheckpointError as error:
            kind = "cosignature" if isinstance(error, BadCosignatureError) else "checkpoint"
            report.add(Problem(kind, CHECKPOINTS, what=error.detail), Verdict.TAMPERED)
            return
        if judged.enough and judged.time is not None:
            report.witnessed, report.witnessed_at = checkpoint.size, judged.time
            report.witnesses = judged.names
        report.checkpoints += 1
        self._signed[log] = checkpoint

    def _pairs(self) -> Iterator[tuple[bytes, bytes]]:
        with self._bundle.open(RECORDS) as records, self._bundle.open(PROOFS) as proofs:
            while True:
                line, proof = records.readline(_MAX_LINE), proofs.readline(_MAX_LINE)
                if not line and not proof:
                    return
                yield line, proof

    def _check(self, number: int, line: bytes, proof: bytes) -> None:
        try:
            log, sequence, path = _read_proof(proof)
        except (ValueError, RecursionError):
            report = self._streams.setdefault("", StreamReport(path=self._path))
            problem = Problem("framing", PROOFS, number, what="not a proof")
            report.add(problem, Verdict.TAMPERED)
            return
        report = self._streams.setdefault(log, StreamReport(path=self._path, origin=log))
        report.records += 1
        signed = self._signed.get(log)
        if signed is None:
            if not report.problems:
                problem = Problem("checkpoint", CHECKPOINTS, what="there is no note of this log")
                report.add(problem, Verdict.INCOMPLETE)
            return
        record = line.removesuffix(b"\n")
        held = verify_inclusion(
            leaf_hash(record), sequence, signed.size, proof=path, root=signed.root
        )
        wrong = None if held else "is not the one that was signed"
        if held:
            wrong = _contradicts(record, sequence)
            report.proven += wrong is None
        if wrong is not None:
            report.add(Problem("root", RECORDS, number, sequence, what=wrong), Verdict.TAMPERED)

    def _small(self, name: str) -> bytes:
        if self._bundle.getinfo(name).file_size > _MAX_SMALL:
            raise BadBundleError(f"`{name}` is longer than it can be")
        return self._bundle.read(name)


def _read_proof(text: bytes) -> tuple[str, int, list[bytes]]:
    """Raises ValueError, as decoding does."""
    proof = json.loads(text)
    match proof:
        case {"log": str(log), "seq": int(sequence), "path": list(path)} if len(path) <= 64:
            return log, sequence, [b64decode(str(node), validate=True) for node in path]
    raise ValueError("not a proof")


def _contradicts(record: bytes, sequence: int) -> str | None:
    try:
        entry = read_record(record)
    except BadRecordError as error:
        return error.detail
    return None if entry.get("seq") == sequence else "carries another number"


def _member(name: str) -> zipfile.ZipInfo:
    """With a date of its own making, so that the same records make the same bundle."""
    made = zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0))
    made.compress_type = zipfile.ZIP_DEFLATED
    made.external_attr = 0o600 << 16
    return made
