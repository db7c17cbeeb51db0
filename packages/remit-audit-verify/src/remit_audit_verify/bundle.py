"""A bundle: some records of some logs, chosen by a question, each with what shows that it is in its log. One ZIP file.

    manifest.json   what was asked; of each record its log, its number and its proof; the SHA-256 of every other file
    records.jsonl   the records, as the logs have them, in that order
    proofs/…        a `.tlog-proof` for each record
    checkpoints/…   the newest signed note of each log
    keys/…          the verifier keys of the logs, for whoever has none pinned

All of it is checked in one go, and nothing is unpacked. It shows that what is in it was recorded so. It cannot show that
nothing was left out: for that, the whole log. Refused is a ZIP file in which two readers could see two bundles (a name
twice), and one that unpacks to far more than it is.

Source: AUDIT §1.6 "Export bundle"; C2SP tlog-proof.
"""

import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from remit_audit_verify.errors import VerifyError
from remit_audit_verify.evidence import NO_EVIDENCE, Evidence
from remit_audit_verify.note import BadCheckpointError, Checkpoint, VerifierKey, open_checkpoint
from remit_audit_verify.proof import BadProofError, UnprovenError, check_proof, parse_proof
from remit_audit_verify.record import read_record
from remit_audit_verify.report import Problem, StreamReport, Verdict, VerifyReport
from remit_audit_verify.tree import leaf_hash

__all__ = ["BadBundleError", "is_bundle", "verify_bundle"]

VERSION: Final = 1
MANIFEST: Final = "manifest.json"
RECORDS: Final = "records.jsonl"
KEYS: Final = "keys/"
NOTES: Final = "checkpoints/"
_UNREADABLE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    LookupError,
    ArithmeticError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
"""What reading a file raises that is a ZIP file to begin with, and then none."""
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_MAX_LINE: Final = 64 * 1024
_MAX_FILE: Final = 256 * 1024 * 1024
_MAX_SMALL: Final = 1024 * 1024
_PIECE: Final = 1024 * 1024
_AMPLE: Final = 64 * 1024 * 1024
_MOST_TIMES: Final = 100
"""A bundle unpacks to no more than so many times its size, or than `_AMPLE` bytes: records of a log do not shrink further."""


class BadBundleError(VerifyError):
    """A file that is no bundle."""


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
    """Check every file of the bundle by the manifest, and every record by its proof; `progress` is told bytes, of how many.

    Receipts are held against the records that are in it. Of a whole log's age and times a bundle tells nothing.

    Raises:
        BadCheckpointError: one of `keys` cannot be read.
        BadBundleError: the file is no bundle; or it is asked for what only a whole log shows.
        OSError: it cannot be read.
    """
    if evidence.max_age is not None or evidence.roots:
        raise BadBundleError("an age and time stamps are those of a whole log, not of a bundle")
    pinned = [*(VerifierKey.parse(key.strip()) for key in keys), *evidence.policy.logs]
    try:
        with zipfile.ZipFile(path) as bundle:
            return _Checking(path, bundle, pinned, evidence).run(progress or _nobody)
    except _UNREADABLE as error:
        raise BadBundleError("the file is no bundle, or is damaged", cause=error) from error


def _nobody(_: int, __: int) -> None:
    """Is told, and does nothing."""


class _Checking:
    """One bundle, on its way to a report."""

    def __init__(
        self,
        path: Path,
        bundle: zipfile.ZipFile,
        pinned: Sequence[VerifierKey],
        evidence: Evidence,
    ) -> None:
        self._path, self._bundle, self._pinned = path, bundle, pinned
        self._policy = replace(evidence.policy, logs=())  # their keys are among the pinned ones
        self._receipts = {(one.log, one.sequence): one.leaf for one in evidence.receipts}
        self._streams: dict[str, StreamReport] = {}
        self._roots: dict[tuple[str, int], bytes] = {}
        self._failures: list[str] = []
        self._refuse_odd_files()
        self._keys = pinned or self._keys_inside()

    def run(self, progress: Callable[[int, int], None]) -> VerifyReport:
        manifest = self._manifest()
        listed = manifest.get("records")
        if not isinstance(listed, list):
            raise BadBundleError(f"`{MANIFEST}` names no records")
        total = sum(one.file_size for one in self._bundle.infolist())
        total += self._bundle.getinfo(RECORDS).file_size
        done = self._compare_digests(manifest.get("files"), lambda read: progress(read, total))
        count = 0
        for number, line in enumerate(self._lines(), start=1):
            count, done = number, done + len(line) + 1
            if number <= len(listed):
                self._check(number, line, listed[number - 1])
            if not number % 256:
                progress(done, total)
        if count != len(listed):
            self._failures.append(f"the bundle names {len(listed)} records and has {count}")
        self._check_notes()
        return VerifyReport(
            path=self._path,
            streams=tuple(self._streams[log] for log in sorted(self._streams)),
            failure="; ".join(self._failures) or None,
            notes=(
                "a bundle shows that its records are in their logs, not that there are no others",
            ),
        )

    def _refuse_odd_files(self) -> None:
        files = self._bundle.infolist()
        if len({one.filename for one in files}) < len(files):
            raise BadBundleError("two files of the bundle have one name")
        if any(one.compress_type not in _METHODS for one in files):
            raise BadBundleError("the bundle is packed in a way that none is")
        unpacked = sum(one.file_size for one in files)
        if unpacked > max(_AMPLE, _MOST_TIMES * self._path.stat().st_size):
            raise BadBundleError("the bundle unpacks to far more than it is")

    def _manifest(self) -> dict[str, Any]:
        try:
            manifest = json.loads(self._whole(MANIFEST))
        except (ValueError, RecursionError) as error:
            raise BadBundleError(f"`{MANIFEST}` is not JSON", cause=error) from error
        if not isinstance(manifest, dict) or manifest.get("v") != VERSION:
            raise BadBundleError("a bundle of another version")
        return manifest

    def _keys_inside(self) -> list[VerifierKey]:
        found: list[VerifierKey] = []
        for name in self._bundle.namelist():
            if not name.startswith(KEYS):
                continue
            try:
                lines = self._whole(name, limit=_MAX_SMALL).decode().splitlines()
                found += [VerifierKey.parse(line) for line in lines]
            except (BadCheckpointError, UnicodeDecodeError) as error:
                raise BadBundleError(f"`{name!a}` holds what is no key", cause=error) from error
        return found

    def _compare_digests(self, files: object, progress: Callable[[int], None]) -> int:
        """What the manifest says of the other files. It proves nothing, and finds what was damaged on the way."""
        said = files if isinstance(files, dict) else {}
        done = 0
        for name in self._bundle.namelist():
            digest = sha256()
            with self._bundle.open(name) as file:
                while piece := file.read(_PIECE):
                    digest.update(piece)
                    done += len(piece)
                    progress(done)
            if name != MANIFEST and said.get(name) != digest.hexdigest():
                self._failures.append(f"`{name!a}` is not the file that the manifest names")
        gone = sorted(said.keys() - set(self._bundle.namelist()))
        self._failures += [f"`{name!a}`, which the manifest names, is missing" for name in gone]
        return done

    def _lines(self) -> Iterator[bytes]:
        with self._bundle.open(RECORDS) as records:
            while line := records.readline(_MAX_LINE):
                yield line.removesuffix(b"\n")

    def _check(self, number: int, line: bytes, said: object) -> None:
        match said:
            case {"log": str(log), "seq": int(sequence), "proof": proof}:
                pass
            case _:
                raise BadBundleError(f"`{MANIFEST}` says nothing of record {number}")
        report = self._stream(log)
        report.records += 1
        if not self._as_received(line, number, (log, sequence), report):
            return
        if not isinstance(proof, str):
            what = "no checkpoint signed it yet, so nothing shows that it is in the log"
            report.add(Problem("missing", RECORDS, number, sequence, what=what), Verdict.INCOMPLETE)
            return
        if not any(key.name == log for key in self._keys):
            what = f"no {'pinned ' if self._pinned else ''}key is for `{log}`"
            if not report.problems:
                report.add(Problem("key", KEYS, what=what), Verdict.INCOMPLETE)
            return
        if proof not in self._bundle.NameToInfo:
            what = "its proof is missing"
            report.add(Problem("missing", RECORDS, number, sequence, what=what), Verdict.INCOMPLETE)
            return
        try:
            self._prove(line, proof, (log, sequence), report)
        except UnprovenError as error:
            problem = Problem("quorum", RECORDS, number, sequence, what=error.detail)
            report.add(problem, Verdict.INCOMPLETE)
        except (VerifyError, UnicodeDecodeError) as error:
            problem = Problem("root", RECORDS, number, sequence, what=str(error))
            report.add(problem, Verdict.TAMPERED)

    def _stream(self, log: str) -> StreamReport:
        report = self._streams.setdefault(log, StreamReport(path=self._path, origin=log))
        report.pinned = bool(self._pinned)
        return report

    def _as_received(
        self, line: bytes, number: int, place: tuple[str, int], report: StreamReport
    ) -> bool:
        """Whether the record is the one that a receipt was given for, if there is one."""
        leaf = self._receipts.get(place)
        if leaf is None:
            return True
        if leaf == leaf_hash(line):
            report.receipts += 1
            return True
        what = "not the record that a receipt was given for"
        report.add(Problem("receipt", RECORDS, number, place[1], what=what), Verdict.TAMPERED)
        return False

    def _prove(self, line: bytes, name: str, place: tuple[str, int], report: StreamReport) -> None:
        """Hold a record that stands at `place` to the proof of that name.

        Raises:
            VerifyError, UnicodeDecodeError: what is wrong with it.
        """
        proof = parse_proof(self._whole(name, limit=_MAX_SMALL).decode())
        keys = [key for key in self._keys if key.name == place[0]]
        proven = check_proof(proof, keys=keys, policy=self._policy, record=line)
        entry = read_record(line)
        if (proven.log, proven.index) != place or entry.get("seq") != place[1]:
            raise BadProofError("the proof is of another record")
        self._one_log(open_checkpoint(proof.note, keys))
        report.proven += 1
        report.checkpoints = max(report.checkpoints, 1)
        seen = proven.witnessed
        if seen.names and seen.time is not None:
            report.witnessed, report.witnessed_at = report.witnessed + 1, seen.time
            report.witnesses = seen.names

    def _check_notes(self) -> None:
        """The newest notes: each signed by the key of a log that is here, and of no other log than the proofs."""
        for name in self._bundle.namelist():
            if not name.startswith(NOTES):
                continue
            note = self._whole(name, limit=_MAX_SMALL).decode(errors="replace")
            origin = note.partition("\n")[0]
            report = self._streams.get(origin)
            if report is None:
                self._failures.append(f"`{name!a}` is of no log that has records here")
                continue
            keys = [key for key in self._keys if key.name == origin]
            if not keys:  # as was said of the records
                continue
            try:
                self._one_log(open_checkpoint(note, keys))
            except VerifyError as error:
                problem = Problem("checkpoint", name, what=error.detail)
                report.add(problem, Verdict.TAMPERED)

    def _one_log(self, checkpoint: Checkpoint) -> None:
        """Two checkpoints over one number of records are of one log, or it showed two.

        Raises:
            BadProofError: they are not.
        """
        place = (checkpoint.origin, checkpoint.size)
        if self._roots.setdefault(place, checkpoint.root) != checkpoint.root:
            raise BadProofError("the log signed two checkpoints of one size that differ")

    def _whole(self, name: str, *, limit: int = _MAX_FILE) -> bytes:
        if self._bundle.getinfo(name).file_size > limit:
            raise BadBundleError(f"`{name!a}` is longer than it can be")
        return self._bundle.read(name)
