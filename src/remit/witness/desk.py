"""What a witness answers: it signs a checkpoint that continues the newest one it signed, and no other.

Checks come in the order of the specification, and each refusal has its status. What it has seen is on its disk before
its signature leaves it, and one submission of a log is looked at at a time: so it never signs two trees of which
neither continues the other, also when it is asked for both at once.

Of a submitted note only the signatures by the log's known keys are kept: whoever has none could else have a note shown
in the witness's name that nobody takes.

Source: C2SP tlog-witness; C2SP tlog-cosignature; RFC 9162 §2.1.4.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from threading import Lock
from typing import Final

from remit.clock import Clock
from remit.witness.ledger import LedgerDamagedError, WitnessLedger
from remit.witness.submission import MalformedSubmissionError, Submission, parse_submission
from remit_audit_verify.cosignature import Cosigner, WitnessKey, cosign
from remit_audit_verify.note import (
    BadCheckpointError,
    Checkpoint,
    VerifierKey,
    open_signed,
    parse_checkpoint,
)
from remit_audit_verify.tree import EMPTY_ROOT, verify_consistency

__all__ = ["SIZE_TYPE", "TEXT_TYPE", "Reply", "WitnessDesk"]

SIZE_TYPE: Final = "text/x.tlog.size"
TEXT_TYPE: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, body and its type."""

    status: int
    body: str
    content_type: str = TEXT_TYPE


class WitnessDesk:
    """One witness. Safe for several threads."""

    def __init__(
        self,
        name: str,
        signers: Sequence[Cosigner],
        ledger: WitnessLedger,
        *,
        logs: Sequence[VerifierKey],
        clock: Clock,
    ) -> None:
        """`logs` are the keys of the logs it knows; of one log there may be several."""
        self._name = name
        self._signers = tuple(signers)
        self._ledger = ledger
        self._logs: dict[str, list[VerifierKey]] = {}
        for key in logs:
            self._logs.setdefault(key.name, []).append(key)
        self._clock = clock
        self._lock = Lock()

    @property
    def keys(self) -> tuple[WitnessKey, ...]:
        """What its signatures are checked by."""
        return tuple(WitnessKey.of(self._name, signer) for signer in self._signers)

    @property
    def logs(self) -> tuple[str, ...]:
        """The names of the logs it knows, sorted."""
        return tuple(sorted(self._logs))

    def add_checkpoint(self, body: bytes) -> Reply:
        """Answer one submission."""
        try:
            submission = parse_submission(body)
        except MalformedSubmissionError as error:
            return Reply(400, f"{error.detail}\n")
        keys = self._logs.get(submission.checkpoint.origin)
        if keys is None:
            return Reply(404, "this log is not known here\n")
        try:
            checkpoint, signers = open_signed(submission.note, keys)
        except BadCheckpointError as error:
            return Reply(403, f"{error.detail}\n")
        if submission.old > checkpoint.size:
            return Reply(400, "the old size is beyond the new one\n")
        with self._lock:
            try:
                note = _signed_by(submission.note, signers)
                return self._continued(replace(submission, note=note), checkpoint)
            except (LedgerDamagedError, OSError):
                return Reply(500, "what was seen before cannot be read, or not be kept\n")

    def newest_of(self, digest: str) -> Reply:
        """As `newest`, of the log the SHA-256 of whose name is `digest`, in lower-case hexadecimal."""
        for origin in self._logs:
            if sha256(origin.encode()).hexdigest() == digest:
                return self.newest(origin)
        return Reply(404, "this log is not known here\n")

    def newest(self, origin: str) -> Reply:
        """The newest checkpoint it signed for a log, for those who want to know whether they see the same."""
        if origin not in self._logs:
            return Reply(404, "this log is not known here\n")
        try:
            note = self._ledger.note(origin)
        except (LedgerDamagedError, OSError):
            return Reply(500, "what was seen before cannot be read\n")
        return (
            Reply(404, "nothing was seen of this log yet\n") if note is None else Reply(200, note)
        )

    def _continued(self, submission: Submission, checkpoint: Checkpoint) -> Reply:
        newest = self._ledger.newest(checkpoint.origin)
        size = 0 if newest is None else newest.size
        if submission.old != size:
            return Reply(409, f"{size}\n", SIZE_TYPE)
        if newest is None or size == 0:
            # The first one is believed: there is nothing that it could contradict.
            holds = not submission.proof and (checkpoint.size > 0 or checkpoint.root == EMPTY_ROOT)
        elif checkpoint.size == size:
            holds = not submission.proof and checkpoint.root == newest.root
        else:
            holds = verify_consistency(
                size,
                checkpoint.size,
                earlier_root=newest.root,
                later_root=checkpoint.root,
                proof=submission.proof,
            )
        if not holds:
            return Reply(422, "the proof does not hold\n")
        now = self._clock.now()
        lines = "".join(cosign(checkpoint, self._name, key, time=now) for key in self._signers)
        self._ledger.keep(checkpoint.origin, submission.note + lines)
        return Reply(200, lines)


def _signed_by(note: str, keys: Sequence[VerifierKey]) -> str:
    """`note` with the signatures of `keys` alone."""
    body, _, signatures = note.partition("\n\n")
    kept = {(key.name, key.hash) for key in keys}
    made = zip(signatures.split("\n"), parse_checkpoint(note).signatures, strict=False)
    lines = {line: None for line, (name, key_hash, _) in made if (name, key_hash) in kept}
    return f"{body}\n\n" + "".join(f"{line}\n" for line in lines)
