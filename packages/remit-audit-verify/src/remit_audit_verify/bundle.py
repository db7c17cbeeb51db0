"""A bundle: some records of some logs, chosen by a question, each with what shows that it is in its log. One ZIP file.

    manifest.json  what was asked; of each record its log, its number and its proof; the SHA-256 of every other file
    records.jsonl  the records, as the logs have them, in that order
    proofs/…       a `.tlog-proof` for each record
    keys/…         the verifier keys of the logs, for whoever has none pinned

It shows that what is in it was recorded so. It cannot show that nothing was left out: for that, the whole log.

Source: AUDIT §1.6 "Export bundle"; C2SP tlog-proof.
"""

import json
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from remit_audit_verify.errors import VerifyError
from remit_audit_verify.evidence import NO_EVIDENCE, Evidence
from remit_audit_verify.note import BadCheckpointError, VerifierKey
from remit_audit_verify.proof import BadProofError, check_proof, parse_proof
from remit_audit_verify.record import BadRecordError, read_record
from remit_audit_verify.report import Problem, StreamReport, Verdict, VerifyReport

__all__ = ["BadBundleError", "is_bundle", "verify_bundle"]

VERSION: Final = 1
MANIFEST: Final = "manifest.json"
RECORDS: Final = "records.jsonl"
KEYS: Final = "keys/"
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
_MAX_FILE: Final = 256 * 1024 * 1024
_MAX_PROOF: Final = 1024 * 1024


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
    """Check every record of the bundle by its proof; `progress` is told how many of how many are done.

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
        self._path, self._bundle, self._pinned = path, bundle, pinned
        self._policy = replace(evidence.policy, logs=())  # their keys are among the pinned ones
        self._streams: dict[str, StreamReport] = {}
        self._failures: list[str] = []
        self._keys = pinned or self._keys_inside()

    def run(self, progress: Callable[[int, int], None] | None) -> VerifyReport:
        manifest = self._manifest()
        listed = manifest.get("records")
        if not isinstance(listed, list):
            raise BadBundleError(f"`{MANIFEST}` names no records")
        self._compare_digests(manifest.get("files"))
        count = 0
        for number, line in enumerate(self._lines(), start=1):
            count = number
            if number <= len(listed):
                self._check(number, line, listed[number - 1])
            if progress is not None and not number % 256:
                progress(number, max(number, len(listed)))
        if count != len(listed):
            self._failures.append(f"the bundle names {len(listed)} records and has {count}")
        return VerifyReport(
            path=self._path,
            streams=tuple(self._streams[log] for log in sorted(self._streams)),
            failure="; ".join(self._failures) or None,
            notes=(
                "a bundle shows that its records are in their logs, not that there are no others",
            ),
        )

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
                lines = self._whole(name).decode().splitlines()
                found += [VerifierKey.parse(line) for line in lines]
            except (BadCheckpointError, UnicodeDecodeError) as error:
                raise BadBundleError(f"`{name}` holds what is no key", cause=error) from error
        return found

    def _compare_digests(self, files: object) -> None:
        """What the manifest says of the other files. It proves nothing, and finds what was damaged on the way."""
        for name in self._bundle.namelist():
            said = files.get(name) if isinstance(files, dict) else None
            if name != MANIFEST and said != sha256(self._whole(name)).hexdigest():
                self._failures.append(f"`{name!a}` is not the file that the manifest names")

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
        report = self._streams.setdefault(log, StreamReport(path=self._path, origin=log))
        report.pinned = bool(self._pinned)
        report.records += 1
        if not isinstance(proof, str):
            what = "no checkpoint signed it yet, so nothing shows that it is in the log"
            report.add(Problem("missing", RECORDS, number, sequence, what=what), Verdict.INCOMPLETE)
            return
        if not any(key.name == log for key in self._keys):
            what = f"no {'pinned ' if self._pinned else ''}key is for `{log}`"
            if not report.problems:
                report.add(Problem("key", KEYS, what=what), Verdict.INCOMPLETE)
            return
        wrong = self._wrong(line, proof, (log, sequence), report)
        if wrong is not None:
            report.add(Problem("root", RECORDS, number, sequence, what=wrong), Verdict.TAMPERED)

    def _wrong(
        self, line: bytes, name: str, place: tuple[str, int], report: StreamReport
    ) -> str | None:
        """What is wrong with a record that stands at `place`, by the proof of that name; nothing, if it holds."""
        try:
            proof = parse_proof(self._whole(name, limit=_MAX_PROOF).decode())
            keys = [key for key in self._keys if key.name == place[0]]
            proven = check_proof(proof, keys=keys, policy=self._policy, record=line)
            entry = read_record(line)
        except (BadProofError, BadRecordError, UnicodeDecodeError) as error:
            return str(error)
        if (proven.log, proven.index) != place or entry.get("seq") != place[1]:
            return "the proof is of another record"
        report.proven += 1
        report.checkpoints = max(report.checkpoints, 1)
        seen = proven.witnessed
        if seen.names and seen.time is not None:
            report.witnessed, report.witnessed_at = report.witnessed + 1, seen.time
            report.witnesses = seen.names
        return None

    def _whole(self, name: str, *, limit: int = _MAX_FILE) -> bytes:
        if self._bundle.getinfo(name).file_size > limit:
            raise BadBundleError(f"`{name!a}` is longer than it can be")
        return self._bundle.read(name)
