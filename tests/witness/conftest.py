"""A log, as far as a witness sees one: its key, its leaves, and its checkpoints."""

import hashlib
from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.testing.clock import FixedClock
from remit.witness.desk import WitnessDesk
from remit.witness.identity import open_identity
from remit.witness.ledger import WitnessLedger
from remit.witness.submission import Submission
from remit_audit_verify.note import Checkpoint, VerifierKey, sign_checkpoint
from remit_audit_verify.tree import consistency_proof, root_hash

NAME = "witness.example/w1"


@dataclass
class Log:
    """One that can be extended, forked, and misspelt."""

    name: str = "remit/main"
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    salt: str = ""

    @property
    def verifier(self) -> VerifierKey:
        return VerifierKey.of(self.name, self.key)

    def leaves(self, size: int) -> list[bytes]:
        return [hashlib.sha256(f"{self.salt}{one}".encode()).digest() for one in range(size)]

    def note(self, size: int) -> str:
        return sign_checkpoint(Checkpoint(self.name, size, root_hash(self.leaves(size))), self.key)

    def submission(self, old: int, size: int) -> Submission:
        proof = consistency_proof(old, self.leaves(size)) if 0 < old < size else []
        return Submission(old, tuple(proof), self.note(size))


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def desk(tmp_path, log, clock):
    with WitnessLedger(tmp_path / "witness") as ledger:
        signers = open_identity(tmp_path / "witness", NAME)
        yield WitnessDesk(NAME, signers, ledger, logs=[log.verifier], clock=clock)
